//! Staging a plan, and taking one off the table.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::compose;
use crate::domain::audit::AuditAction;
use crate::domain::container::Container;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::event::{Event, FixWire, IncidentWire};
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::IncidentState;
use crate::domain::plan::{Actor, Fix, FixState, Plan, Preconditions, Risk};
use crate::engine::effect::Effect;
use crate::engine::records::{record, word};
use crate::engine::{Engine, Turn};
use crate::policy::risk;

impl Engine {
    pub(crate) fn stage(&mut self, id: &IncidentId, diagnosis: &Diagnosis, turn: &mut Turn) {
        let now = turn.now;
        let Some(target) = diagnosis
            .plan
            .first()
            .and_then(|a| self.world.containers.get(&a.target.id))
            .map(|f| Arc::clone(&f.container))
        else {
            self.escalate(id, "the target of the plan is gone", turn);
            return;
        };
        let number = self.incidents.get(id).map_or(1, |o| o.incident.plans + 1);
        let plan = self.freeze(id, number, diagnosis, &target, now);
        if plan.risk() == Risk::R4 {
            self.escalate(id, "the only fix could lose data or is ruled out by the configuration; it is not offered", turn);
            return;
        }
        tell_staged(id, &plan, &Actor::System, turn);
        self.end_snooze(id, "there is another plan", &Actor::System, turn);
        let steps: Vec<String> = plan.steps.iter().map(|s| s.docker_line.clone()).collect();
        if let Some((incident, work)) = self.edit(id, turn) {
            work.clock_jumps = SignedDuration::ZERO;
            incident.plans = number;
            incident.replace_plan(plan);
            let moved = incident.transition(
                IncidentState::AwaitingApproval,
                now,
                Actor::System,
                format!("staged: {}", steps.join("; then ")),
            );
            debug_assert!(moved, "diagnosing leads to awaiting approval");
            let wire = IncidentWire::from(&*incident);
            turn.emit(Event::IncidentUpdated { incident: wire });
        }
    }

    fn freeze(
        &self,
        id: &IncidentId,
        number: u32,
        diagnosis: &Diagnosis,
        target: &Container,
        now: Timestamp,
    ) -> Plan {
        let first = diagnosis.plan.first();
        let expects_run = first.is_none_or(|a| a.call.arguments.contains_key("expect_started_at"));
        let steps = (1..)
            .zip(&diagnosis.plan)
            .map(|(step, action)| {
                let facts =
                    self.world.containers.get(&action.target.id).map(|f| f.container.as_ref());
                let tool = self.world.tools.iter().find(|t| t.name == action.call.tool);
                Fix {
                    id: FixId(format!("{}-F{number}.{step}", id.as_str())),
                    step,
                    call: action.call.clone(),
                    target: action.target.clone(),
                    risk: {
                        let own = risk::of(&action.call, facts, tool);
                        self.settings.rules.raised(&action.call.tool, own)
                    },
                    reason: action.reason.clone(),
                    diff: action.diff.clone(),
                    docker_line: action.docker_line.clone(),
                    downtime: action.downtime.clone(),
                    inverse: action.inverse.clone(),
                    compose_patch: facts.and_then(|c| compose::patch(&action.call, c)),
                    state: FixState::Staged,
                    result: None,
                    progress: None,
                    replaced_by: None,
                }
            })
            .collect();
        Plan {
            incident: id.clone(),
            source: diagnosis.source,
            steps,
            preconditions: Preconditions {
                image_id: target.image_id.clone(),
                started_at: if expects_run { target.started_at_raw.clone() } else { String::new() },
                config_hash: target.config_hash.clone(),
                running: target.is_up(),
            },
            staged_at: now,
            expires_at: now + self.settings.plan_expiry,
            sha256: String::new(),
        }
        .freeze()
    }

    /// Puts another form of a staged plan in its place, for `why`: with a number, a hash and a time
    /// to decide of its own.
    pub(crate) fn restage(
        &mut self,
        id: &IncidentId,
        mut plan: Plan,
        why: &str,
        by: &Actor,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let number = self.incidents.get(id).map_or(1, |o| o.incident.plans + 1);
        self.drop_plan(id, FixState::Stale, why, by, turn);
        for step in &mut plan.steps {
            step.id = FixId(format!("{}-F{number}.{}", id.as_str(), step.step));
            step.state = FixState::Staged;
        }
        plan.staged_at = now;
        plan.expires_at = now + self.settings.plan_expiry;
        let plan = plan.freeze();
        tell_staged(id, &plan, by, turn);
        if let Some((incident, work)) = self.edit(id, turn) {
            work.clock_jumps = SignedDuration::ZERO;
            work.told.clear();
            incident.not_acting.clear();
            incident.plans = number;
            incident.replace_plan(plan);
            let wire = IncidentWire::from(&*incident);
            turn.emit(Event::IncidentUpdated { incident: wire });
        }
        self.consider(id, turn);
    }

    /// Takes a staged plan off the table.
    pub(crate) fn withdraw_plan(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        self.drop_plan(id, FixState::Stale, why, &Actor::System, turn);
    }

    /// A container runs. Staged plans that would start it have nothing to start any more, and
    /// those that would restart it none if it was `restarted` since they were made.
    pub(crate) fn started_meanwhile(
        &mut self,
        container: &ContainerId,
        restarted: bool,
        turn: &mut Turn,
    ) {
        let Some(facts) = self.world.containers.get(container) else { return };
        let name = facts.container.of.name.clone();
        let run = facts.container.started_at_raw.clone();
        for id in self.open_ids() {
            let Some(open) = self.incidents.get(&id) else { continue };
            let Some(plan) = open.incident.plan.as_ref().filter(|p| p.is_staged()) else {
                continue;
            };
            let first = plan.steps.first().is_some_and(|s| &s.target.id == container);
            let new_run = restarted || (first && plan.preconditions.started_at != run);
            let done = |step: &Fix| match step.call.tool.as_str() {
                _ if &step.target.id != container => None,
                "start_container" => Some("started"),
                "restart_container" if new_run => Some("restarted"),
                _ => None,
            };
            let Some(what) = plan.steps.iter().find_map(done) else { continue };
            let why = format!("{name} was {what} meanwhile");
            let left = plan.steps.iter().any(|step| done(step).is_none());
            let waits = open.incident.state == IncidentState::AwaitingApproval;
            self.withdraw_plan(&id, &why, turn);
            self.note(&id, Actor::System, format!("the plan is stale: {why}"), turn);
            if left {
                self.plan_again(&id);
            } else if waits {
                self.watch_instead(&id, &format!("{why}; watching whether it helps"), turn);
            }
        }
    }

    /// Ends a staged plan without running it, and says so.
    pub(crate) fn drop_plan(
        &mut self,
        id: &IncidentId,
        state: FixState,
        why: &str,
        by: &Actor,
        turn: &mut Turn,
    ) {
        let Some(plan) = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref()) else {
            return;
        };
        if !plan.is_staged() {
            return;
        }
        let mut words = Vec::new();
        if let Some((incident, work)) = self.edit(id, turn) {
            work.retry_at = None;
            if let Some(plan) = &mut incident.plan {
                for fix in &mut plan.steps {
                    fix.state = state;
                    words.push(word(id, fix, by, Some(why.to_owned())));
                }
            }
        }
        for word in words {
            turn.emit(match state {
                FixState::Rejected => Event::FixRejected(word),
                FixState::Expired => Event::FixExpired(word),
                _ => Event::FixStale(word),
            });
        }
    }

    /// A plan that nobody decided about in time lapses; the incident goes to a person.
    pub(crate) fn expire(&mut self, id: &IncidentId, turn: &mut Turn) {
        let due = self.incidents.get(id).is_some_and(|o| {
            let plan = o.incident.plan.as_ref().filter(|p| p.is_staged());
            // What is put off is checked again instead.
            let snoozed = o.incident.snoozed_until().is_some();
            !snoozed && plan.is_some_and(|p| o.work.expiry(p) <= turn.now)
        });
        if due {
            self.drop_plan(id, FixState::Expired, "nobody decided in time", &Actor::System, turn);
            self.escalate(id, "the plan expired without a decision", turn);
        }
    }
}

/// Says that a plan waits for a decision.
fn tell_staged(id: &IncidentId, plan: &Plan, by: &Actor, turn: &mut Turn) {
    for fix in &plan.steps {
        let wire = FixWire::of(plan, fix);
        turn.emit(Event::FixStaged { incident_id: id.clone(), fix: wire });
        let staged = record(AuditAction::Staged, by.clone(), id, plan, fix, turn.now);
        turn.effects.push(Effect::Audit(Box::new(staged)));
    }
}
