//! Is it mended? Every oracle must hold for a while; what got worse is taken back.

use std::sync::Arc;

use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::container::{Health, RunState};
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{Check, IncidentState};
use crate::domain::plan::{Actor, FixState, Plan};
use crate::domain::tool::ToolResult;
use crate::engine::effect::Effect;
use crate::engine::oracles::{self, LOOK, Verification};
use crate::engine::storm::storm;
use crate::engine::{Engine, Turn};
use crate::report::explanation::RECOVERED;

impl Engine {
    /// Our plan ran: verify.
    pub(crate) fn begin_verification(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(plan) = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref()) else {
            return;
        };
        let targets = targets_of(plan);
        let verification =
            Verification::new(&self.world, targets.clone(), true, self.settings.verify_hold, now);
        if let Some((incident, work)) = self.edit(id, turn) {
            work.verification = Some(verification);
            let moved = incident.transition(
                IncidentState::Verifying,
                now,
                Actor::System,
                "mitigated, monitoring: every check must hold",
            );
            debug_assert!(moved, "fixing leads to verifying");
        }
        turn.effects.extend(targets.into_iter().map(Effect::Inspect));
    }

    /// Our plan ran before a restart of sentinel-tui: verify anew.
    pub(crate) fn resume_verification(&mut self, id: &IncidentId, plan: &Plan, turn: &mut Turn) {
        let targets = targets_of(plan);
        let hold = self.settings.verify_hold;
        let verification = Verification::new(&self.world, targets, true, hold, turn.now);
        self.brakes.begin(id);
        if let Some((_, work)) = self.edit(id, turn) {
            work.verification = Some(verification);
        }
    }

    /// Somebody or something else may have mended it: watch.
    pub(crate) fn watch_recovery(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(open) = self.incidents.get(id) else { return };
        let target = open.incident.container.id.clone();
        let hold = oracles::patience(&open.incident, self.settings.verify_hold);
        let verification = Verification::new(&self.world, vec![target.clone()], false, hold, now);
        let thinking = open.incident.state == IncidentState::Diagnosing;
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.verification = Some(verification);
        open.work.worse = None;
        if thinking && let Some((incident, _)) = self.edit(id, turn) {
            let moved = incident.transition(
                IncidentState::Verifying,
                now,
                Actor::System,
                "watching whether it comes back and stays up",
            );
            debug_assert!(moved, "diagnosing leads to verifying");
        }
        turn.effects.push(Effect::Inspect(target));
    }

    /// Asks the oracles, if it is time, and draws the conclusion.
    pub(crate) fn verify(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        if self.is_blind() {
            self.wait_for_sight(id, turn);
            return;
        }
        self.notice_recovery(id, turn);
        let Some(open) = self.incidents.get_mut(id) else { return };
        let Some(verification) = &mut open.work.verification else { return };
        let worse = open.work.worse.take();
        if worse.is_none() && verification.next_look > now {
            return;
        }
        let checks = verification.checks(&self.world, &open.incident, open.work.last_sign, now);
        let all = checks.iter().all(|c| c.passed);
        verification.next_look = now + LOOK;
        verification.take(&self.world, all, now);
        let (ours, passed, late) =
            (verification.ours, verification.has_passed(now), verification.is_late(now));
        if open.incident.checks != checks {
            Arc::make_mut(&mut open.incident).checks.clone_from(&checks);
            turn.dirty.insert(id.clone());
        }
        if let Some(worse) = worse {
            if ours {
                self.got_worse(id, &worse, checks, turn);
            } else {
                self.failed_again(id, &worse, turn);
            }
        } else if passed {
            self.mended(id, ours, checks, turn);
        } else if late {
            self.not_mended(id, ours, checks, turn);
        }
    }

    fn mended(&mut self, id: &IncidentId, ours: bool, checks: Vec<Check>, turn: &mut Turn) {
        let (state, why) = if ours {
            self.tell_verification(id, true, checks, turn);
            self.brakes.helped(id);
            (IncidentState::Resolved, "verified: every check held".to_owned())
        } else {
            (IncidentState::ResolvedExternally, RECOVERED.to_owned())
        };
        self.close(id, state, Actor::System, why, turn);
        self.look_after_the_affected(id, turn);
    }

    /// What died of the cause that is mended now, and did not come back, is the next incident.
    fn look_after_the_affected(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get(id) else { return };
        let incident = Arc::clone(&open.incident);
        let mut left = Vec::new();
        let mut storm = storm(&incident).cloned();
        for anomaly in incident.anomalies.iter().rev() {
            let down = self.world.containers.get(&anomaly.container.id).is_some_and(|f| {
                matches!(f.container.state, RunState::Exited | RunState::Dead)
                    && f.stopped_by_operator.is_none()
            });
            let died = matches!(
                anomaly.kind,
                AnomalyKind::Death | AnomalyKind::OomKill | AnomalyKind::CrashLoop
            );
            if down && died && !left.iter().any(|id: &ContainerId| id == &anomaly.container.id) {
                left.push(anomaly.container.id.clone());
                self.route_again(anomaly.clone(), turn);
                // Those that a storm left down are one incident again.
                let id = self.open_ids().into_iter().find(|id| {
                    let about = self.incidents.get(id).map(|o| &o.incident.container.id);
                    about == Some(&anomaly.container.id)
                });
                if let (Some(id), Some(told)) = (id, storm.take()) {
                    let told = Anomaly { container: anomaly.container.clone(), ..told };
                    self.attach(&id, told, turn);
                }
            }
        }
    }

    fn not_mended(&mut self, id: &IncidentId, ours: bool, checks: Vec<Check>, turn: &mut Turn) {
        let failed: Vec<&str> =
            checks.iter().filter(|c| !c.passed).map(|c| c.detail.as_str()).collect();
        let why = format!("not verified in time: {}", failed.join("; "));
        if ours {
            self.tell_verification(id, false, checks, turn);
            self.brakes.end(id);
            self.lock_targets(id, turn);
        }
        let state = self.incidents.get(id).map(|o| o.incident.state);
        if let Some(open) = self.incidents.get_mut(id) {
            open.work.verification = None;
            // What was seen meanwhile may tell more; the same diagnosis again changes nothing.
            open.work.rethink |= !ours && state == Some(IncidentState::Verifying);
        }
        if state == Some(IncidentState::Verifying) {
            self.escalate(id, &why, turn);
        }
    }

    /// It failed again during a recovery that we only watched.
    pub(crate) fn failed_again(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        let now = turn.now;
        let Some((incident, work)) = self.edit(id, turn) else { return };
        work.verification = None;
        if incident.state != IncidentState::Verifying {
            return;
        }
        let moved = incident.transition(
            IncidentState::Diagnosing,
            now,
            Actor::System,
            format!("it failed again: {why}"),
        );
        debug_assert!(moved, "verifying leads to diagnosing");
        incident.diagnosis = None;
        work.diagnose_by.get_or_insert(now);
    }

    /// It failed again after our fix: take it back, once, and hand over.
    fn got_worse(&mut self, id: &IncidentId, why: &str, checks: Vec<Check>, turn: &mut Turn) {
        self.tell_verification(id, false, checks, turn);
        self.lock_targets(id, turn);
        let halted = self.brakes.halted().is_some();
        let Some((incident, work)) = self.edit(id, turn) else { return };
        // Only what happens from now on is a reason to think again.
        work.diagnose_by = None;
        work.rethink = false;
        let ticket = work.undo.take();
        let plan = incident.plan.as_ref();
        let nothing = !plan.iter().flat_map(|p| &p.steps).any(|s| s.state == FixState::Applied);
        let can_undo = plan.is_some_and(Plan::can_undo);
        // With the kill switch on, not even that is done by itself.
        let undo = ticket.filter(|_| can_undo && !halted).zip(plan).and_then(|(t, p)| t.redeem(p));
        let words = if undo.is_some() {
            "taking the fix back"
        } else if nothing {
            "nothing was applied, so there is nothing to take back"
        } else if can_undo && halted {
            "the kill switch is on, so the fix is not taken back by itself"
        } else {
            "the fix cannot be taken back"
        };
        self.escalate(id, &format!("worse after the fix ({why}); {words}"), turn);
        match undo {
            Some(undo) => self.take_back(id, undo, "taken back: it got worse after the fix", turn),
            None => self.brakes.end(id),
        }
    }

    /// A fix that did not help is not tried again by itself for a while.
    pub(crate) fn lock_targets(&mut self, id: &IncidentId, turn: &Turn) {
        let Some(plan) = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref()) else {
            return;
        };
        for step in &plan.steps {
            self.brakes.lock(turn.now, &step.target);
        }
    }

    fn tell_verification(
        &mut self,
        id: &IncidentId,
        passed: bool,
        checks: Vec<Check>,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let Some((incident, _)) = self.edit(id, turn) else { return };
        let Some(plan) = &incident.plan else { return };
        let Some(last) = plan.steps.last() else { return };
        let fix_id: FixId = last.id.clone();
        let failed: Vec<&str> =
            checks.iter().filter(|c| !c.passed).map(|c| c.detail.as_str()).collect();
        let message = if passed { "every check held".to_owned() } else { failed.join("; ") };
        let record = AuditRecord {
            at: now,
            actor: Actor::System,
            action: if passed { AuditAction::Verified } else { AuditAction::NotVerified },
            incident: id.clone(),
            fix: Some(fix_id.clone()),
            target: last.target.name.clone(),
            target_id: last.target.id.0.clone(),
            call: None,
            reason: "verification".to_owned(),
            plan_sha256: Some(plan.sha256.clone()),
            result: Some(ToolResult { ok: passed, message, duration_ms: 0 }),
        };
        turn.effects.push(Effect::Audit(Box::new(record)));
        turn.emit(Event::Verification { incident_id: id.clone(), fix_id, passed, checks });
    }

    /// An incident that waits for a person may mend itself: somebody started the container,
    /// the health check passes again, the errors stopped.
    fn notice_recovery(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get(id) else { return };
        let incident = &open.incident;
        let waits =
            matches!(incident.state, IncidentState::AwaitingApproval | IncidentState::Escalated);
        if !waits || open.work.verification.is_some() || open.work.undoing {
            return;
        }
        let Some(facts) = self.world.containers.get(&incident.container.id) else { return };
        let well = facts.container.state == RunState::Running
            && matches!(facts.container.health, Health::None | Health::Healthy);
        let root_well = self.world.by_name(&incident.root).is_none_or(|f| {
            f.container.state == RunState::Running && f.container.health != Health::Unhealthy
        });
        if well && root_well {
            self.watch_recovery(id, turn);
        }
    }
}

/// The containers that a plan changes, each once.
fn targets_of(plan: &Plan) -> Vec<ContainerId> {
    let mut targets: Vec<ContainerId> = Vec::new();
    for step in &plan.steps {
        if !targets.contains(step.target_now()) {
            targets.push(step.target_now().clone());
        }
    }
    targets
}
