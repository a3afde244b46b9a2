//! After a restart of sentinel-tui: what an earlier run left open and what it had done.

use std::sync::Arc;

use crate::domain::audit::AuditAction;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::{Actor, FixState, Plan};
use crate::domain::tool::ToolResult;
use crate::engine::effect::Effect;
use crate::engine::records::record;
use crate::engine::{CLOSED_KEPT, Engine, Turn};
use crate::policy::brakes::Brakes;

/// Tells the brakes what an earlier run did: every plan that was begun counts, and one that did
/// not help locks its target.
pub(crate) fn recall(brakes: &mut Brakes, incident: &Incident) {
    let Some(target) = incident.plan.as_ref().and_then(|p| p.steps.first()).map(|s| &s.target)
    else {
        return;
    };
    for at in incident.attempts() {
        brakes.acted(at, target, incident.class, &incident.id);
    }
    if incident.state == IncidentState::Resolved {
        brakes.helped(&incident.id);
    }
    let mut verifying = false;
    let mut tried = false;
    for entry in &incident.timeline {
        match entry.state {
            Some(IncidentState::Fixing) => tried = true,
            Some(IncidentState::Escalated) if tried && verifying => brakes.lock(entry.at, target),
            _ => {}
        }
        if let Some(state) = entry.state {
            verifying = state == IncidentState::Verifying;
            tried &= matches!(state, IncidentState::Fixing | IncidentState::Verifying);
        }
    }
}

/// What is shown of incidents that another instance keeps: all open ones and the last closed ones,
/// oldest first.
pub(crate) fn most_recent(mut incidents: Vec<Incident>) -> Vec<Arc<Incident>> {
    incidents.sort_by(|a, b| a.id.cmp(&b.id));
    let closed = incidents.iter().filter(|i| i.state.is_closed()).count();
    let mut excess = closed.saturating_sub(CLOSED_KEPT);
    incidents.retain(|i| {
        let goes = excess > 0 && i.state.is_closed();
        excess -= usize::from(goes);
        !goes
    });
    incidents.into_iter().map(Arc::new).collect()
}

impl Engine {
    /// A plan that was being applied is never repeated; the state of the world decides.
    pub(crate) fn resume_earlier(&mut self, turn: &mut Turn) {
        // Also of incidents that are closed: a person may take back what was verified.
        for id in self.incidents.keys().cloned().collect::<Vec<_>>() {
            self.undo_interrupted(&id, turn);
        }
        for id in self.open_ids() {
            let Some(open) = self.incidents.get_mut(&id) else { continue };
            open.work.unwitnessed = true;
            let state = open.incident.state;
            let exists = self.world.containers.contains_key(&open.incident.container.id);
            if state == IncidentState::Fixing {
                self.interrupted(&id, turn);
            }
            if !exists {
                self.close_removed(&id, "the container was removed while nobody watched", turn);
                continue;
            }
            match state {
                IncidentState::Detected | IncidentState::Diagnosing => self.think_anew(&id, turn),
                IncidentState::AwaitingApproval => self.wait_on(&id, turn),
                IncidentState::Verifying => self.verify_on(&id, turn),
                IncidentState::Fixing
                | IncidentState::Escalated
                | IncidentState::Resolved
                | IncidentState::Dismissed
                | IncidentState::ResolvedExternally => {}
            }
        }
    }

    fn think_anew(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        if let Some((incident, work)) = self.edit(id, turn) {
            if incident.state == IncidentState::Detected {
                let moved = incident.transition(
                    IncidentState::Diagnosing,
                    now,
                    Actor::System,
                    "collecting evidence after a restart of sentinel-tui",
                );
                debug_assert!(moved, "detected leads to diagnosing");
            }
            work.diagnose_by = Some(now);
        }
    }

    /// A staged plan waits on, and is decided about anew; without one there is something to
    /// think about.
    fn wait_on(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        if let Some((incident, _)) = self.edit(id, turn) {
            // Reasons of the earlier run; those that hold still are told anew.
            incident.not_acting.clear();
        }
        if let Some(open) = self.incidents.get_mut(id) {
            if open.incident.plan.as_ref().is_some_and(Plan::is_staged) {
                open.work.retry_at = Some(now);
            } else {
                open.work.diagnose_by = Some(now);
            }
        }
    }

    fn verify_on(&mut self, id: &IncidentId, turn: &mut Turn) {
        let words = "verification goes on after a restart of sentinel-tui".to_owned();
        self.note(id, Actor::System, words, turn);
        let plan = self.incidents.get(id).and_then(|o| o.incident.plan.clone());
        let ours = plan.filter(|p| p.steps.iter().any(|s| s.state == FixState::Applied));
        match ours {
            Some(plan) => self.resume_verification(id, &plan, turn),
            None => self.watch_recovery(id, turn),
        }
    }

    fn interrupted(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let mut audits = Vec::new();
        if let Some((incident, _)) = self.edit(id, turn)
            && let Some(plan) = &mut incident.plan
        {
            let frozen = plan.clone();
            for step in plan.steps.iter_mut().filter(|s| !s.state.is_final()) {
                step.state = FixState::Failed;
                step.result = Some(ToolResult {
                    ok: false,
                    message: "sentinel-tui ended during the call; its outcome is not known and it is not repeated".to_owned(),
                    duration_ms: 0,
                });
                audits.push(record(
                    AuditAction::Interrupted,
                    Actor::System,
                    id,
                    &frozen,
                    step,
                    now,
                ));
            }
        }
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
        self.escalate(
            id,
            "sentinel-tui ended while a call was under way; look at the container",
            turn,
        );
    }
}
