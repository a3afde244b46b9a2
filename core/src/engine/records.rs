//! What is said and written about one step of a plan.

use jiff::Timestamp;

use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::event::FixWord;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::{Actor, Fix, Plan};

/// A fix's wire word.
pub(crate) fn word(id: &IncidentId, fix: &Fix, by: &Actor, reason: Option<String>) -> FixWord {
    FixWord {
        incident_id: id.clone(),
        fix_id: fix.id.clone(),
        tool: fix.call.tool.clone(),
        target: fix.target.name.clone(),
        step: fix.step,
        by: by.to_string(),
        reason,
        result: fix.result.clone(),
    }
}

/// An audit record about one step of a plan.
pub(crate) fn record(
    action: AuditAction,
    actor: Actor,
    id: &IncidentId,
    plan: &Plan,
    fix: &Fix,
    now: Timestamp,
) -> AuditRecord {
    AuditRecord {
        at: now,
        actor,
        action,
        incident: id.clone(),
        fix: Some(fix.id.clone()),
        target: fix.target.name.clone(),
        target_id: fix.target.id.0.clone(),
        call: Some(fix.call.clone()),
        reason: fix.reason.clone(),
        plan_sha256: Some(plan.sha256.clone()),
        result: fix.result.clone(),
    }
}

/// An audit record about taking one step back.
pub(crate) fn undo_record(
    action: AuditAction,
    actor: Actor,
    id: &IncidentId,
    plan: &Plan,
    fix: &Fix,
    now: Timestamp,
) -> AuditRecord {
    AuditRecord {
        call: fix.inverse.clone(),
        reason: "taken back".to_owned(),
        result: None,
        ..record(action, actor, id, plan, fix, now)
    }
}

/// Who approved the current plan: the last one who set the incident to fixing.
pub(crate) fn approver(incident: &Incident) -> Actor {
    incident
        .timeline
        .iter()
        .rev()
        .find(|e| e.state == Some(IncidentState::Fixing))
        .map_or(Actor::System, |e| e.actor.clone())
}
