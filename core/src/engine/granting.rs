//! What people allow beforehand: given for a plan that they saw, used up or ended, always told.

use jiff::SignedDuration;

use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::event::Event;
use crate::domain::grant::{Grant, LONGEST, MAX_RISK, MOST_USES, SHORTEST};
use crate::domain::ids::{FixId, IncidentId};
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Actor;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// What stands for the incident in the record of a grant, which may belong to none.
const GRANTS: &str = "grants";

impl Engine {
    /// Lets the policy run plans like one that a person saw. The scope is taken from that plan:
    /// its tools, its service. Nothing that is typed widens it.
    pub(crate) fn grant(
        &mut self,
        seen: (&FixId, &str),
        seconds: u64,
        uses: u32,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let (id, plan) = self.seen_plan(seen, turn)?;
        let Some(of) = plan.steps.first().map(|s| s.target.clone()) else {
            return Err(format!("no fix {}", seen.0));
        };
        if plan.risk() > MAX_RISK {
            return Err(format!(
                "what {} ({}) is approved each time, never beforehand",
                plan.risk().words(),
                plan.risk()
            ));
        }
        if plan.is_from_model() || plan.is_edited() {
            return Err("only what the rules propose can be allowed beforehand".to_owned());
        }
        if !(SHORTEST..=LONGEST).contains(&seconds) {
            return Err("a grant lasts from one minute to one day".to_owned());
        }
        if !(1..=MOST_USES).contains(&uses) {
            return Err(format!("a grant is good for 1 to {MOST_USES} plans"));
        }
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let grant = Grant {
            id: 0,
            tools: plan.steps.iter().map(|s| s.call.tool.clone()).collect(),
            service: of.service,
            project: of.project,
            by: actor.to_string(),
            at: turn.now,
            until: turn.now + SignedDuration::from_secs(seconds),
            uses,
            used: 0,
        };
        if !grant.covers(&plan, turn.now) {
            return Err("the plan changes more than one service; no grant covers that".to_owned());
        }
        let Some(grant) = self.brakes.give(grant) else {
            return Err("there are too many grants; take one back first".to_owned());
        };
        turn.emit(Event::Granted { grant: grant.clone() });
        let words = format!("{}, until {:.0}", grant.words(), grant.until);
        self.record_grant(AuditAction::Granted, (&grant, &id), actor, &words, turn);
        self.note(&id, actor.clone(), format!("allowed beforehand: {words}"), turn);
        self.decide_anew(NotActing::AutoHealOff, turn);
        Ok(format!("allowed: {words}"))
    }

    pub(crate) fn revoke(
        &mut self,
        grant: u64,
        reason: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let Some(grant) = self.brakes.revoke(grant) else {
            return Err(format!("there is no grant {grant}; it may have ended"));
        };
        let why = if reason.is_empty() { "taken back" } else { reason };
        self.grant_ended(&grant, why, actor, turn);
        Ok(format!("taken back: {}", grant.words()))
    }

    /// Grants that ran out.
    pub(crate) fn end_grants(&mut self, turn: &mut Turn) {
        for grant in self.brakes.ended_grants(turn.now) {
            let why = if grant.used >= grant.uses { "used up" } else { "its time is over" };
            self.grant_ended(&grant, why, &Actor::System, turn);
        }
    }

    fn grant_ended(&mut self, grant: &Grant, why: &str, by: &Actor, turn: &mut Turn) {
        let reason = why.to_owned();
        turn.emit(Event::GrantEnded { grant: grant.clone(), by: by.to_string(), reason });
        let none = IncidentId(GRANTS.to_owned());
        let words = format!("{}: {why}", grant.words());
        self.record_grant(AuditAction::GrantEnded, (grant, &none), by, &words, turn);
        self.decide_anew(NotActing::AutoHealOff, turn);
    }

    /// A plan that nobody was asked about runs because of a grant.
    pub(crate) fn spend(
        &mut self,
        grant: Option<u64>,
        id: &IncidentId,
        fix: &FixId,
        turn: &mut Turn,
    ) {
        let Some(grant) = grant.and_then(|grant| self.brakes.use_grant(grant)) else { return };
        turn.emit(Event::GrantUsed { grant: grant.clone(), incident_id: id.clone() });
        let words = format!("allowed beforehand by {}: {}", grant.by, grant.words());
        self.record_grant(AuditAction::GrantUsed, (&grant, id), &Actor::Policy, &words, turn);
        self.note(id, Actor::Policy, format!("{fix} was {words}"), turn);
        self.end_grants(turn);
    }

    fn record_grant(
        &self,
        action: AuditAction,
        (grant, incident): (&Grant, &IncidentId),
        by: &Actor,
        words: &str,
        turn: &mut Turn,
    ) {
        turn.effects.push(Effect::SaveBrakes(Box::new(self.brakes.kept())));
        turn.effects.push(Effect::Audit(Box::new(AuditRecord {
            at: turn.now,
            actor: by.clone(),
            action,
            incident: incident.clone(),
            fix: None,
            target: grant.service.clone(),
            target_id: String::new(),
            call: None,
            reason: words.to_owned(),
            plan_sha256: None,
            result: None,
        })));
    }
}
