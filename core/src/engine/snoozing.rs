//! A person puts a plan off: it waits, and is checked again when that ends.

use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::AuditAction;
use crate::domain::container::Container;
use crate::domain::event::Event;
use crate::domain::ids::{FixId, IncidentId};
use crate::domain::not_acting::NotActing;
use crate::domain::plan::{Actor, Plan, Preconditions};
use crate::domain::snooze::{CHOICES, MOST, Snooze};
use crate::engine::effect::Effect;
use crate::engine::records::record;
use crate::engine::{Engine, Turn};

impl Engine {
    pub(crate) fn snooze(
        &mut self,
        fix: &FixId,
        seconds: u64,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let id = self.incident_of_fix(fix)?;
        self.expire(&id, turn);
        let Some(open) = self.incidents.get(&id) else { return Err(format!("no incident {id}")) };
        let plan = self.still_staged(&id, fix)?;
        let before = open.incident.snooze.clone();
        let runs = before.as_ref().and_then(|s| s.until);
        if seconds == 0 {
            if runs.is_none() {
                return Err("it is not put off now".to_owned());
            }
            self.check_again(&id, &format!("{actor} ended the snooze"), actor, turn);
            return Ok("the snooze is over: the plan was checked again".to_owned());
        }
        if !CHOICES.contains(&seconds) {
            return Err("a plan is put off for 5, 15 or 60 minutes".to_owned());
        }
        let times = before.map_or(0, |s| s.times) + 1;
        if times > MOST {
            return Err(format!("it was put off {MOST} times; now somebody has to decide"));
        }
        let now = turn.now;
        let until = now + SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let minutes = seconds / 60;
        let words = format!("put off for {minutes} min ({times} of {MOST})");
        if let Some((incident, work)) = self.edit(&id, turn) {
            incident.snooze = Some(Snooze { times, until: Some(until), by: actor.to_string() });
            incident.note(now, actor.clone(), words.clone());
            work.retry_at = None;
        }
        for step in plan.steps.iter().take(1) {
            turn.emit(Event::FixSnoozed {
                incident_id: id.clone(),
                fix_id: step.id.clone(),
                until,
                by: actor.to_string(),
                times,
            });
            let mut snoozed = record(AuditAction::Snoozed, actor.clone(), &id, &plan, step, now);
            snoozed.reason.clone_from(&words);
            turn.effects.push(Effect::Audit(Box::new(snoozed)));
        }
        Ok(format!("{words}, until {until:.0}; it is checked again then"))
    }

    /// Why a plan that is put off cannot be approved.
    pub(crate) fn refuse_snoozed(&self, id: &IncidentId) -> Option<String> {
        let until = self.incidents.get(id)?.incident.snoozed_until()?;
        Some(format!("it is put off until {until:.0}; end that first, it is checked again then"))
    }

    /// A plan that was put off is due again.
    pub(crate) fn wake(&mut self, id: &IncidentId, turn: &mut Turn) {
        let until = self.incidents.get(id).and_then(|o| o.incident.snoozed_until());
        if until.is_some_and(|until| until <= turn.now) {
            self.check_again(id, "the snooze is over", &Actor::System, turn);
        }
    }

    /// Ends a snooze: the plan is staged anew if what it rests on still holds, and planned anew
    /// otherwise.
    fn check_again(&mut self, id: &IncidentId, why: &str, by: &Actor, turn: &mut Turn) {
        self.end_snooze(id, why, by, turn);
        let Some(open) = self.incidents.get(id) else { return };
        let Some(plan) = open.incident.plan.clone().filter(Plan::is_staged) else { return };
        let first = plan.steps.first().and_then(|s| self.world.containers.get(&s.target.id));
        let holds = first.is_some_and(|f| still_holds(&plan.preconditions, &f.container));
        if holds {
            self.restage(id, plan, &format!("{why}; what it rests on still holds"), by, turn);
        } else {
            self.withdraw_plan(id, &format!("{why}, and its target changed meanwhile"), turn);
            self.plan_again(id);
        }
    }

    /// The plans of an incident are not put off any more.
    pub(crate) fn end_snooze(&mut self, id: &IncidentId, why: &str, by: &Actor, turn: &mut Turn) {
        let runs = self.incidents.get(id).and_then(|o| o.incident.snoozed_until()).is_some();
        if !runs {
            return;
        }
        let now: Timestamp = turn.now;
        if let Some((incident, work)) = self.edit(id, turn) {
            let code = NotActing::Snoozed.as_str();
            work.told.remove(code);
            incident.not_acting.retain(|line| !line.starts_with(code));
            if let Some(snooze) = &mut incident.snooze {
                snooze.until = None;
            }
            incident.note(now, by.clone(), format!("not put off any more: {why}"));
        }
        let reason = why.to_owned();
        turn.emit(Event::SnoozeEnded { incident_id: id.clone(), by: by.to_string(), reason });
    }
}

/// Whether a container still is as a plan assumes, as far as was heard.
fn still_holds(planned: &Preconditions, now: &Container) -> bool {
    let run = planned.started_at.is_empty()
        || (planned.started_at == now.started_at_raw && planned.running == now.is_up());
    run && planned.image_id == now.image_id && planned.config_hash == now.config_hash
}
