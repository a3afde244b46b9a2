//! Approving a plan, and what comes back while it runs.

use std::sync::Arc;

use crate::domain::audit::AuditAction;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{ApproveError, IncidentState};
use crate::domain::plan::{Actor, FixState};
use crate::domain::tool::ToolResult;
use crate::engine::cycle::{record, word};
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

impl Engine {
    /// Approves the plan of a fix and sets it off. The only way to an [`Effect::Apply`].
    pub(crate) fn approve(
        &mut self,
        id: &IncidentId,
        fix: &FixId,
        sha256: &str,
        by: &Actor,
        turn: &mut Turn,
    ) -> Result<String, ApproveError> {
        let now = turn.now;
        let Some((incident, work)) = self.edit(id, turn) else {
            return Err(ApproveError::NoSuchFix(fix.clone()));
        };
        let (approved, ticket) = incident.approve(fix, sha256, by.clone(), now)?;
        work.undo = Some(ticket);
        work.worse = None;
        work.retry_at = None;
        work.verification = None;
        let mut words = Vec::new();
        let mut records = Vec::new();
        let mut summary = String::new();
        if let Some(plan) = &mut incident.plan {
            for step in &plan.steps {
                words.push(Event::FixApproved(word(id, step, by, None)));
                records.push(record(AuditAction::Approved, by.clone(), id, plan, step, now));
            }
            if let Some(first) = plan.steps.first_mut() {
                first.state = FixState::Applying;
                words.push(Event::FixApplying(word(id, first, by, None)));
            }
            for step in &plan.steps {
                records.push(record(AuditAction::Applying, by.clone(), id, plan, step, now));
            }
            summary = plan
                .steps
                .iter()
                .map(|s| s.docker_line.clone())
                .collect::<Vec<_>>()
                .join("; then ");
        }
        let moved = incident.transition(
            IncidentState::Fixing,
            now,
            by.clone(),
            format!("approved by {by}: {summary}"),
        );
        debug_assert!(moved, "awaiting approval and escalated lead to fixing");
        let target = approved.get().steps.first().map(|s| s.target.clone());
        for event in words {
            turn.emit(event);
        }
        if let Some(target) = target {
            self.brakes.acted(now, &target);
        }
        self.brakes.begin();
        let Some(open) = self.incidents.get(id) else {
            return Err(ApproveError::NoSuchFix(fix.clone()));
        };
        turn.effects.push(Effect::Apply {
            plan: approved,
            incident: Arc::clone(&open.incident),
            records,
        });
        Ok(format!("approved: {summary}"))
    }

    pub(crate) fn step_done(
        &mut self,
        id: &IncidentId,
        fix: &FixId,
        result: ToolResult,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let ok = result.ok;
        let mut events = Vec::new();
        let mut audit = None;
        if let Some((incident, _)) = self.edit(id, turn) {
            let by = approver(incident);
            let message = result.message.clone();
            let mut note = String::new();
            if let Some(plan) = &mut incident.plan {
                let frozen = plan.clone();
                let mut steps = plan.steps.iter_mut().skip_while(|s| &s.id != fix);
                if let Some(step) = steps.next() {
                    step.state = if ok { FixState::Applied } else { FixState::Failed };
                    step.result = Some(result);
                    let word = word(id, step, &by, (!ok).then_some(message.clone()));
                    events.push(if ok { Event::FixApplied(word) } else { Event::FixFailed(word) });
                    let action = if ok { AuditAction::Applied } else { AuditAction::Failed };
                    audit = Some(record(action, by.clone(), id, &frozen, step, now));
                    note = format!("{}: {message}", step.call.tool);
                }
                for next in steps {
                    if ok {
                        next.state = FixState::Applying;
                        events.push(Event::FixApplying(word(id, next, &by, None)));
                        break;
                    }
                    next.state = FixState::Skipped;
                }
            }
            incident.note(now, Actor::System, note);
        }
        for event in events {
            turn.emit(event);
        }
        if let Some(record) = audit {
            turn.effects.push(Effect::Audit(Box::new(record)));
        }
    }

    pub(crate) fn plan_done(&mut self, id: &IncidentId, ok: bool, turn: &mut Turn) {
        if ok {
            self.begin_verification(id, turn);
            return;
        }
        self.brakes.end();
        self.escalate(id, "a step of the plan failed; the steps after it were not made", turn);
    }

    /// The world changed between staging and the call: nothing was called.
    pub(crate) fn plan_stale(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        let now = turn.now;
        self.brakes.end();
        let mut events = Vec::new();
        let mut target: Option<ContainerId> = None;
        if let Some((incident, work)) = self.edit(id, turn) {
            work.undo = None;
            let by = approver(incident);
            if let Some(plan) = &mut incident.plan {
                target = plan.steps.first().map(|s| s.target.id.clone());
                for step in &mut plan.steps {
                    step.state = FixState::Stale;
                    events.push(Event::FixStale(word(id, step, &by, Some(why.to_owned()))));
                }
            }
            incident.note(now, Actor::System, format!("the plan is stale: {why}"));
            let moved = incident.transition(
                IncidentState::AwaitingApproval,
                now,
                Actor::System,
                "nothing was called; looking again",
            );
            debug_assert!(moved, "fixing leads back to awaiting approval");
            // Think again once the target has been looked at.
            work.need_inspect = true;
            work.diagnose_by = Some(now + jiff::SignedDuration::from_secs(1));
            work.rethink = true;
            incident.diagnosis = None;
        }
        for event in events {
            turn.emit(event);
        }
        if let Some(target) = target {
            turn.effects.push(Effect::Inspect(target));
        }
    }

    pub(crate) fn undo_done(&mut self, id: &IncidentId, result: &ToolResult, turn: &mut Turn) {
        let now = turn.now;
        let mut events = Vec::new();
        let mut audits = Vec::new();
        if let Some((incident, _)) = self.edit(id, turn) {
            let by = approver(incident);
            let words = if result.ok { "taken back" } else { "could not be taken back" };
            incident.note(now, Actor::System, format!("{words}: {}", result.message));
            if let (true, Some(plan)) = (result.ok, &mut incident.plan) {
                let frozen = plan.clone();
                for step in plan
                    .steps
                    .iter_mut()
                    .filter(|s| s.state == FixState::Applied && s.inverse.is_some())
                {
                    step.state = FixState::Undone;
                    events.push(Event::FixUndone(word(
                        id,
                        step,
                        &by,
                        Some(result.message.clone()),
                    )));
                    audits.push(record(AuditAction::Undone, by.clone(), id, &frozen, step, now));
                }
            }
        }
        for event in events {
            turn.emit(event);
        }
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
    }
}

/// Who approved the current plan: the last one who set the incident to fixing.
fn approver(incident: &crate::domain::incident::Incident) -> Actor {
    incident
        .timeline
        .iter()
        .rev()
        .find(|e| e.state == Some(IncidentState::Fixing))
        .map_or(Actor::System, |e| e.actor.clone())
}
