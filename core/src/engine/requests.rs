//! What people ask, and what operators do behind our back.

use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::AuditAction;
use crate::domain::command::Command;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{ApproveError, IncidentState};
use crate::domain::plan::{Actor, FixState, Plan};
use crate::domain::snapshot::Mode;
use crate::engine::effect::Effect;
use crate::engine::records::record;
use crate::engine::{Engine, Turn};
use crate::report::explanation;

/// How long after an operator's stop the start of a restart may come.
const OPERATOR_RESTART: SignedDuration = SignedDuration::from_secs(5);

impl Engine {
    pub(crate) fn command(
        &mut self,
        request: u64,
        actor: &Actor,
        command: Command,
        turn: &mut Turn,
    ) {
        let outcome = self.gate(actor, &command).and_then(|()| match command {
            Command::Approve { fix, sha256 } => self.approve_request(&fix, &sha256, actor, turn),
            Command::Reject { fix, reason } => self.reject_request(&fix, &reason, actor, turn),
            Command::Silence { service, seconds, reason } => {
                self.silence(&service, seconds, &reason, actor, turn)
            }
            Command::Dismiss { incident, reason } => self.dismiss(&incident, actor, &reason, turn),
            Command::Undo { fix, sha256 } => self.undo_request(&fix, &sha256, actor, turn),
            Command::Edit { fix, sha256, arguments } => {
                self.edit_request((&fix, &sha256), &arguments, actor, turn)
            }
            Command::Snooze { fix, seconds } => self.snooze(&fix, seconds, actor, turn),
            Command::Grant { fix, sha256, seconds, uses } => {
                self.grant((&fix, &sha256), seconds, uses, actor, turn)
            }
            Command::Revoke { grant, reason } => self.revoke(grant, &reason, actor, turn),
            Command::DryRun { fix } => self.rehearse(request, &fix, turn),
            Command::Halt { reason } => self.halt(&reason, actor, turn),
            Command::Resume { reason } => self.resume(&reason, actor, turn),
        });
        // The answer of a dry run comes once the target was looked at.
        if outcome.as_ref().is_ok_and(String::is_empty) {
            return;
        }
        turn.effects.push(Effect::Reply { request, outcome });
    }

    /// The one gate for people, as `policy::decide` is for the policy: who only looks decides
    /// nothing.
    fn gate(&self, actor: &Actor, command: &Command) -> Result<(), String> {
        let approves = matches!(
            command,
            Command::Approve { .. } | Command::Undo { .. } | Command::Grant { .. }
        );
        let refusal = if !matches!(actor, Actor::Person(_)) {
            // The policy decides inside the engine only; what comes from outside is a person.
            "only a person can ask for this"
        } else if !self.settings.keeps {
            "another sentinel-tui keeps the record of this state folder; decide there"
        } else if matches!(
            command,
            Command::Silence { .. }
                | Command::Halt { .. }
                | Command::Revoke { .. }
                | Command::DryRun { .. }
        ) {
            // They change what is told, make what may run less, or change nothing.
            return Ok(());
        } else if self.settings.mode == Mode::ReadOnly {
            "read-only: nothing is changed; start without --read-only to act"
        } else if !self.settings.elected && approves {
            "another sentinel-tui on this machine acts on this engine; approve there"
        } else if !self.settings.elected {
            "another sentinel-tui on this machine acts on this engine; decide there"
        } else if self.standing_down && approves {
            return Err(ApproveError::ShuttingDown.to_string());
        } else {
            return Ok(());
        };
        Err(refusal.to_owned())
    }

    fn approve_request(
        &mut self,
        fix: &FixId,
        sha256: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let id = self.incident_of_fix(fix)?;
        self.expire(&id, turn);
        if let Some(lapsed) = self.lapsed(&id) {
            self.plan_again(&id);
            return Err(format!(
                "fix {fix} {lapsed}; it is being planned again: look at the new plan"
            ));
        }
        if let Some(refusal) = self.refuse_snoozed(&id) {
            return Err(refusal);
        }
        if let Some(target) = self.busy_target(&id) {
            return Err(format!(
                "another plan for {target} is under way; approve again once it has ended"
            ));
        }
        self.approve(&id, fix, sha256, actor, turn).map_err(|e| e.to_string())
    }

    /// How the plan of an incident lapsed, if it did and the incident is still open.
    fn lapsed(&self, id: &IncidentId) -> Option<&'static str> {
        let open = self.incidents.get(id).filter(|o| !o.incident.state.is_closed())?;
        let first = open.incident.plan.as_ref()?.steps.first()?;
        match first.state {
            FixState::Expired => Some("expired"),
            FixState::Stale => Some("is stale"),
            _ => None,
        }
    }

    /// A lapsed plan that is still wanted is made anew from what is known now.
    pub(crate) fn plan_again(&mut self, id: &IncidentId) {
        let Some(open) = self.incidents.get_mut(id) else { return };
        std::sync::Arc::make_mut(&mut open.incident).diagnosis = None;
        open.work.rethink = true;
    }

    /// A target of this incident's plan on which another incident's plan is under way.
    pub(crate) fn busy_target(&self, id: &IncidentId) -> Option<String> {
        let plan = self.incidents.get(id)?.incident.plan.as_ref()?;
        let others = self.incidents.iter().filter(|(other, o)| {
            let verifies = o.work.verification.as_ref().is_some_and(|v| v.ours);
            *other != id
                && (o.incident.state == IncidentState::Fixing || verifies || o.work.undoing)
        });
        let busy: Vec<&ContainerId> = others
            .filter_map(|(_, o)| o.incident.plan.as_ref())
            .flat_map(|p| p.steps.iter().map(|s| &s.target.id))
            .collect();
        plan.steps.iter().find(|s| busy.contains(&&s.target.id)).map(|s| s.target.name.clone())
    }

    /// The staged plan of a fix, and whose it is.
    pub(crate) fn staged_plan(&self, fix: &FixId) -> Result<(IncidentId, Plan), String> {
        let id = self.incident_of_fix(fix)?;
        let plan = self.still_staged(&id, fix)?;
        Ok((id, plan))
    }

    /// The plan of an incident that a fix belongs to, while it is staged.
    pub(crate) fn still_staged(&self, id: &IncidentId, fix: &FixId) -> Result<Plan, String> {
        let plan = self.incidents.get(id).and_then(|o| o.incident.plan.clone());
        plan.filter(Plan::is_staged).ok_or_else(|| format!("fix {fix} is not staged any more"))
    }

    fn reject_request(
        &mut self,
        fix: &FixId,
        reason: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let (id, plan) = self.staged_plan(fix)?;
        let why = if reason.is_empty() { "no reason given" } else { reason };
        self.end_snooze(&id, "the plan was rejected", actor, turn);
        self.drop_plan(&id, FixState::Rejected, why, actor, turn);
        let now = turn.now;
        for step in &plan.steps {
            let mut rejected = record(AuditAction::Rejected, actor.clone(), &id, &plan, step, now);
            why.clone_into(&mut rejected.reason);
            turn.effects.push(Effect::Audit(Box::new(rejected)));
        }
        if let Some((incident, _)) = self.edit(&id, turn) {
            incident.refuse(now, actor.clone(), why);
        }
        self.escalate(&id, "the plan was rejected; a person takes over", turn);
        Ok(format!("rejected: {why}"))
    }

    pub(crate) fn incident_of_fix(&self, fix: &FixId) -> Result<IncidentId, String> {
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
            Some(_) if self.incidents.get(id).is_some_and(|o| o.work.undoing) => {
                return Err(format!("the fix of {id} is being taken back; wait until it is"));
            }
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
        self.end_snooze(id, "the incident ended", &Actor::System, turn);
        let now: Timestamp = turn.now;
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if !incident.transition(state, now, actor, why) {
            return;
        }
        incident.explanation = Some(explanation::write(incident));
        work.settle();
        let wire = IncidentWire::from(&*incident);
        turn.emit(match state {
            IncidentState::Dismissed => Event::IncidentDismissed { incident: wire },
            _ => Event::IncidentResolved { incident: wire },
        });
        self.brakes.end(id);
        self.want_explanation(id, turn);
    }

    /// Somebody stopped a container. If it has an open incident, that is theirs now, unless it is a
    /// restart; a plan that would start it again is thought over.
    pub(crate) fn operator_stopped(&mut self, container: &ContainerId, turn: &mut Turn) {
        let now = turn.now;
        let name = self.name_of(container);
        for id in self.open_ids() {
            let Some(open) = self.incidents.get(&id) else { continue };
            let its = &open.incident.container.id == container;
            let mut steps = open.incident.plan.iter().flat_map(|p| &p.steps);
            let is_target = steps.any(|s| &s.target.id == container);
            let staged = open.incident.plan.as_ref().is_some_and(Plan::is_staged);
            let fixing = open.incident.state == IncidentState::Fixing;
            let watched = open.work.verification.as_ref().is_some_and(|v| !v.ours);
            if open.work.undoing || open.work.stopped_until.is_some() {
                continue;
            }
            if fixing && (its || is_target) {
                // A call under way is not called back; what it is worth is seen afterwards.
                let what = format!("an operator stopped {name} while the plan ran");
                self.note(&id, Actor::System, what, turn);
            } else if its {
                self.withdraw_plan(&id, "an operator stopped the container", turn);
                self.note(&id, Actor::System, format!("an operator stopped {name}"), turn);
            } else if is_target && staged {
                self.withdraw_plan(&id, &format!("an operator stopped {name}"), turn);
                self.plan_again(&id);
            } else if is_target && watched {
                let why = format!("an operator stopped {name}");
                self.failed_again(&id, &why, turn);
            }
            if its && let Some(open) = self.incidents.get_mut(&id) {
                open.work.stopped_until = Some(now + OPERATOR_RESTART);
            }
        }
    }

    /// An operator's restart ends with a start; without one the container stays stopped.
    pub(crate) fn operator_decided(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get_mut(id) else { return };
        let Some(until) = open.work.stopped_until else { return };
        if open.incident.state == IncidentState::Fixing {
            return;
        }
        let up = self
            .world
            .containers
            .get(&open.incident.container.id)
            .is_some_and(|f| f.stopped_by_operator.is_none() && f.container.is_up());
        if up {
            open.work.stopped_until = None;
            if open.incident.state == IncidentState::AwaitingApproval {
                self.restarted_by_operator(id, turn);
            }
        } else if until <= turn.now {
            open.work.stopped_until = None;
            let why = "an operator stopped the container".to_owned();
            self.close(id, IncidentState::Dismissed, Actor::System, why, turn);
        }
    }

    /// Its plan was withdrawn; if the operator's restart does not help, there will be another.
    fn restarted_by_operator(&mut self, id: &IncidentId, turn: &mut Turn) {
        self.watch_instead(id, "an operator restarted the container", turn);
    }

    /// Its plan was withdrawn because somebody did what it would have done: watch whether that
    /// helps.
    pub(crate) fn watch_instead(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        let now = turn.now;
        self.plan_again(id);
        if let Some((incident, work)) = self.edit(id, turn) {
            work.rethink = false;
            work.diagnose_by = None;
            let moved =
                incident.transition(IncidentState::Diagnosing, now, Actor::System, why.to_owned());
            debug_assert!(moved, "awaiting approval leads to diagnosing");
        }
        self.watch_recovery(id, turn);
    }

    /// Ends an incident whose container is not there any more: that is no recovery.
    pub(crate) fn close_removed(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        if let Some((incident, _)) = self.edit(id, turn) {
            incident.title = format!("{}; {why}", incident.title);
        }
        self.close(id, IncidentState::ResolvedExternally, Actor::System, why.to_owned(), turn);
    }

    /// A container with an open incident is gone: removed or replaced by somebody, or it `crashed`
    /// and was removed for that.
    pub(crate) fn subject_gone(&mut self, container: &ContainerId, crashed: bool, turn: &mut Turn) {
        for id in self.open_ids() {
            let Some(open) = self.incidents.get(&id) else { continue };
            if open.incident.state == IncidentState::Fixing {
                continue;
            }
            let its = &open.incident.container.id == container;
            if its && !crashed {
                self.close_removed(&id, "the container was removed", turn);
                continue;
            }
            if its && open.incident.state != IncidentState::Escalated {
                self.withdraw_plan(&id, "its target is gone", turn);
                self.brakes.end(&id);
                let why = "it died and the engine removed it (--rm); run it again by hand";
                self.escalate(&id, why, turn);
                continue;
            }
            let is_target = open.incident.plan.as_ref().is_some_and(|p| {
                p.is_staged() && p.steps.iter().any(|s| &s.target.id == container)
            });
            if is_target {
                self.withdraw_plan(&id, "its target was removed or replaced", turn);
                self.plan_again(&id);
            }
        }
    }

    /// A container runs. An open incident on one of the same name that is gone for good has found
    /// its end: it was run again.
    pub(crate) fn successor_runs(&mut self, container: &ContainerId, turn: &mut Turn) {
        // What an earlier run left open is looked at once everything is known.
        if !self.attached {
            return;
        }
        let name = self.name_of(container);
        for id in self.open_ids() {
            let ended = self.incidents.get(&id).is_some_and(|o| {
                let old = &o.incident.container;
                old.name == name
                    && &old.id != container
                    && o.incident.state != IncidentState::Fixing
                    && !self.world.containers.contains_key(&old.id)
            });
            if ended {
                let why = format!("a new container {name} runs");
                self.close(&id, IncidentState::ResolvedExternally, Actor::System, why, turn);
            }
        }
    }
}
