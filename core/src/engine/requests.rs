//! What people ask, and what operators do behind our back.

use jiff::Timestamp;

use crate::domain::audit::AuditAction;
use crate::domain::command::Command;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::IncidentState;
use crate::domain::plan::{Actor, FixState};
use crate::domain::snapshot::Mode;
use crate::engine::cycle::record;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn, explain};

impl Engine {
    pub(crate) fn command(
        &mut self,
        request: u64,
        actor: &Actor,
        command: Command,
        turn: &mut Turn,
    ) {
        let outcome = match command {
            Command::Approve { fix, sha256 } => self.approve_request(&fix, &sha256, actor, turn),
            Command::Reject { fix, reason } => self.reject_request(&fix, &reason, actor, turn),
            Command::Dismiss { incident, reason } => self.dismiss(&incident, actor, &reason, turn),
        };
        turn.effects.push(Effect::Reply { request, outcome });
    }

    fn approve_request(
        &mut self,
        fix: &FixId,
        sha256: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        // The one gate for people, as `policy::decide` is for the policy.
        if self.settings.mode == Mode::ReadOnly {
            return Err(
                "read-only: nothing is changed; start without --read-only to act".to_owned()
            );
        }
        if !self.settings.elected {
            return Err("another sentinel-tui on this machine acts on this engine; approve there"
                .to_owned());
        }
        let id = self.incident_of_fix(fix)?;
        self.approve(&id, fix, sha256, actor, turn).map_err(|e| e.to_string())
    }

    fn reject_request(
        &mut self,
        fix: &FixId,
        reason: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let id = self.incident_of_fix(fix)?;
        let plan = self.incidents.get(&id).and_then(|o| o.incident.plan.clone());
        let Some(plan) = plan.filter(crate::domain::plan::Plan::is_staged) else {
            return Err(format!("fix {fix} is not staged any more"));
        };
        let why = if reason.is_empty() { "no reason given" } else { reason };
        self.drop_plan(&id, FixState::Rejected, why, actor, turn);
        let now = turn.now;
        for step in &plan.steps {
            let mut rejected = record(AuditAction::Rejected, actor.clone(), &id, &plan, step, now);
            why.clone_into(&mut rejected.reason);
            turn.effects.push(Effect::Audit(Box::new(rejected)));
        }
        self.note(&id, actor.clone(), format!("rejected: {why}"), turn);
        self.escalate(&id, "the plan was rejected; a person takes over", turn);
        Ok(format!("rejected: {why}"))
    }

    fn incident_of_fix(&self, fix: &FixId) -> Result<IncidentId, String> {
        self.incidents
            .values()
            .find(|o| o.incident.plan.as_ref().is_some_and(|p| p.has(fix)))
            .map(|o| o.incident.id.clone())
            .ok_or_else(|| format!("no fix {fix}; it may have been replaced by a newer plan"))
    }

    fn dismiss(
        &mut self,
        id: &IncidentId,
        actor: &Actor,
        reason: &str,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let state = self.incidents.get(id).map(|o| o.incident.state);
        match state {
            None => return Err(format!("no incident {id}")),
            Some(IncidentState::Fixing) => {
                return Err(format!("{id} is being fixed; wait until the call returns"));
            }
            Some(s) if s.is_closed() => return Err(format!("{id} is closed already")),
            Some(_) => {}
        }
        let why = if reason.is_empty() { "no reason given" } else { reason };
        self.close(id, IncidentState::Dismissed, actor.clone(), format!("dismissed: {why}"), turn);
        Ok(format!("{id} dismissed"))
    }

    /// Ends an incident: withdraws its plan, writes its explanation, tells everybody.
    pub(crate) fn close(
        &mut self,
        id: &IncidentId,
        state: IncidentState,
        actor: Actor,
        why: String,
        turn: &mut Turn,
    ) {
        self.withdraw_plan(id, &why, turn);
        let now: Timestamp = turn.now;
        let was_ours = self
            .incidents
            .get(id)
            .is_some_and(|o| o.work.verification.as_ref().is_some_and(|v| v.ours));
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if !incident.transition(state, now, actor, why) {
            return;
        }
        incident.explanation = Some(explain::closing_words(incident));
        work.settle();
        let wire = IncidentWire::from(&*incident);
        turn.emit(match state {
            IncidentState::Dismissed => Event::IncidentDismissed { incident: wire },
            _ => Event::IncidentResolved { incident: wire },
        });
        if was_ours {
            self.brakes.end();
        }
    }

    /// Somebody stopped a container that has an open incident: it is theirs now.
    pub(crate) fn operator_stopped(&mut self, container: &ContainerId, turn: &mut Turn) {
        for id in self.open_ids() {
            let theirs = self.incidents.get(&id).is_some_and(|o| {
                &o.incident.container.id == container && o.incident.state != IncidentState::Fixing
            });
            if theirs {
                let why = "an operator stopped the container".to_owned();
                self.close(&id, IncidentState::Dismissed, Actor::System, why, turn);
            }
        }
    }

    /// A container with an open incident is gone: removed or replaced by somebody.
    pub(crate) fn subject_gone(&mut self, container: &ContainerId, turn: &mut Turn) {
        for id in self.open_ids() {
            let its = self.incidents.get(&id).is_some_and(|o| {
                &o.incident.container.id == container && o.incident.state != IncidentState::Fixing
            });
            if its {
                let why = "the container was removed or replaced".to_owned();
                self.close(&id, IncidentState::ResolvedExternally, Actor::System, why, turn);
            }
        }
    }
}
