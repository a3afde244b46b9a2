//! Approving a plan, and what comes back while it runs.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::audit::AuditAction;
use crate::domain::container::ContainerRef;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{ApproveError, IncidentState};
use crate::domain::plan::{Actor, FixState};
use crate::domain::signal::blameless;
use crate::domain::tool::ToolResult;
use crate::engine::effect::Effect;
use crate::engine::records::{approver, record, word};
use crate::engine::{Engine, Turn};

/// A plan, or its undo, must come back within this time; each call has a shorter bound of its own.
pub(crate) const RESULT_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// The policy leaves a plan alone this long when the record of its call could not be written or
/// another instance has the lease; a person may approve it at any time.
const RECORD_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// So many plans of an incident may turn out to be stale before that counts like an act, and the
/// brakes hold: what never stands still is not chased without a bound.
const FREE_STALE: u32 = 2;
/// A stale plan's target is looked at again within this time before the next diagnosis.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

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
        if self.standing_down {
            return Err(ApproveError::ShuttingDown);
        }
        let Some(open) = self.incidents.get_mut(id) else {
            return Err(ApproveError::NoSuchFix(fix.clone()));
        };
        let (incident, work) = (Arc::make_mut(&mut open.incident), &mut open.work);
        let (approved, ticket) = incident.approve(fix, sha256, by.clone(), work.as_staged(now))?;
        turn.dirty.insert(id.clone());
        work.undo = Some(ticket);
        work.worse = None;
        work.retry_at = None;
        work.unrecorded = None;
        work.stopped_until = None;
        work.verification = None;
        work.result_by = Some(now + RESULT_WAIT);
        let class = incident.class;
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
        for step in &approved.get().steps {
            let state = self.world.containers.get(&step.target.id).map(|f| f.container.state);
            self.own.begin(&step.target.id, &step.call.tool, state);
        }
        let target = approved.get().steps.first().map(|s| s.target.clone());
        for event in words {
            turn.emit(event);
        }
        if let Some(target) = target {
            self.brakes.acted(now, &target, class, id);
        }
        self.brakes.begin(id);
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
        replaced_by: Option<ContainerId>,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        if !self.is_fixing(id) {
            self.late_word(id, format!("a late result of {fix}: {}", result.message), turn);
            return;
        }
        let ok = result.ok;
        self.server_answered(id, fix, ok, turn);
        let mut events = Vec::new();
        let mut audit = None;
        if let Some((incident, _)) = self.edit(id, turn) {
            let by = approver(incident);
            let message = result.message.clone();
            let mut note = format!("a result for {fix}, which is no step of this plan: {message}");
            if let Some(plan) = &mut incident.plan {
                let frozen = plan.clone();
                let mut steps = plan.steps.iter_mut().skip_while(|s| &s.id != fix);
                if let Some(step) = steps.next().filter(|s| !s.state.is_final()) {
                    step.state = if ok { FixState::Applied } else { FixState::Failed };
                    step.result = Some(result);
                    step.progress = None;
                    let word = word(id, step, &by, (!ok).then_some(message.clone()));
                    events.push(if ok { Event::FixApplied(word) } else { Event::FixFailed(word) });
                    let action = if ok { AuditAction::Applied } else { AuditAction::Failed };
                    audit = Some(record(action, by.clone(), id, &frozen, step, now));
                    note = format!("{}: {message}", step.call.tool);
                    if let Some(new) = replaced_by.filter(|_| ok) {
                        if incident.container.id == *step.target_now() {
                            incident.container.id = new.clone();
                        }
                        step.replaced_by = Some(new);
                    }
                }
                for next in steps.filter(|s| !s.state.is_final()) {
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

    /// News of the step that is being called. They pass: nothing of them is written down.
    pub(crate) fn step_progress(
        &mut self,
        id: &IncidentId,
        fix: &FixId,
        words: &str,
        turn: &mut Turn,
    ) {
        if !self.is_fixing(id) {
            return;
        }
        let Some(open) = self.incidents.get_mut(id) else { return };
        let incident = Arc::make_mut(&mut open.incident);
        let by = approver(incident);
        let steps = incident.plan.iter_mut().flat_map(|p| &mut p.steps);
        for step in steps.filter(|s| &s.id == fix && s.state == FixState::Applying) {
            step.progress = Some(words.to_owned());
            turn.emit(Event::FixProgress(word(id, step, &by, Some(words.to_owned()))));
        }
    }

    pub(crate) fn plan_done(&mut self, id: &IncidentId, ok: bool, turn: &mut Turn) {
        if !self.is_fixing(id) {
            self.late_word(id, "a late word that the plan ended".to_owned(), turn);
            return;
        }
        if ok {
            self.calls_returned(id, turn);
            self.begin_verification(id, turn);
            return;
        }
        self.end_unmade(id, FixState::Skipped, turn);
        self.calls_returned(id, turn);
        self.brakes.end(id);
        self.escalate(id, "a step of the plan failed; the steps after it were not made", turn);
    }

    /// A plan that never came back: its outcome is not known, and it is not repeated.
    pub(crate) fn overdue(&mut self, id: &IncidentId, turn: &mut Turn) {
        let due = self
            .incidents
            .get(id)
            .is_some_and(|o| o.work.result_by.is_some_and(|by| by <= turn.now));
        if !due {
            return;
        }
        self.calls_returned(id, turn);
        self.brakes.end(id);
        if let Some(open) = self.incidents.get_mut(id)
            && std::mem::take(&mut open.work.undoing)
        {
            let why = "the undo did not come back; its outcome is not known";
            self.end_undo(id, AuditAction::Failed, why, turn);
            return;
        }
        self.end_unmade(id, FixState::Failed, turn);
        let why = "the call did not come back; its outcome is not known and it is not repeated";
        self.escalate(id, why, turn);
    }

    /// Steps that did not come to an end get one.
    fn end_unmade(&mut self, id: &IncidentId, state: FixState, turn: &mut Turn) {
        if let Some((incident, _)) = self.edit(id, turn)
            && let Some(plan) = &mut incident.plan
        {
            for step in plan.steps.iter_mut().filter(|s| !s.state.is_final()) {
                step.state = state;
            }
        }
    }

    /// All calls of a plan, or of its undo, came back (or are given up).
    pub(crate) fn calls_returned(&mut self, id: &IncidentId, turn: &Turn) {
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.result_by = None;
        let steps = open.incident.plan.iter().flat_map(|p| &p.steps);
        // What was never called explains no event; the last that was announced goes first.
        for step in steps.clone().rev() {
            if matches!(step.state, FixState::Skipped | FixState::Stale) {
                self.own.unmade(&step.target.id, &step.call.tool);
            }
        }
        for step in steps {
            self.own.ended(&step.target.id, turn.now);
        }
    }

    fn is_fixing(&self, id: &IncidentId) -> bool {
        self.incidents.get(id).is_some_and(|o| o.incident.state == IncidentState::Fixing)
    }

    /// A result that nobody waits for any more changes nothing, but is not swallowed.
    pub(crate) fn late_word(&mut self, id: &IncidentId, what: String, turn: &mut Turn) {
        if self.incidents.get(id).is_some_and(|o| !o.incident.state.is_closed()) {
            self.note(id, Actor::System, what, turn);
        }
    }

    /// The world changed between staging and the call: nothing was called.
    pub(crate) fn plan_stale(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        let now = turn.now;
        if !self.is_fixing(id) {
            self.late_word(id, format!("a late word that the plan is stale: {why}"), turn);
            return;
        }
        self.brakes.end(id);
        // Nothing was done to the target; neither is the plan to blame.
        let blameless = blameless(why);
        let unrecorded = blameless.is_some();
        let mut events = Vec::new();
        let mut audits = Vec::new();
        let mut target: Option<ContainerRef> = None;
        let mut free = false;
        if let Some((incident, work)) = self.edit(id, turn) {
            work.undo = None;
            work.stale += u32::from(!unrecorded);
            free = work.stale <= FREE_STALE;
            let by = approver(incident);
            if let Some(plan) = &mut incident.plan {
                target = plan.steps.first().map(|s| s.target.clone());
                let frozen = plan.clone();
                for step in &mut plan.steps {
                    step.state = FixState::Stale;
                    events.push(Event::FixStale(word(id, step, &by, Some(why.to_owned()))));
                    let mut failed =
                        record(AuditAction::Failed, by.clone(), id, &frozen, step, now);
                    failed.reason = format!("nothing was called: {why}");
                    audits.push(failed);
                }
            }
            let moved = if let Some(code) = blameless {
                work.unrecorded = Some((now + RECORD_AGAIN, code, format!("not applied: {why}")));
                incident.not_applied(now, why)
            } else {
                incident.note(now, Actor::System, format!("the plan is stale: {why}"));
                incident.transition(
                    IncidentState::AwaitingApproval,
                    now,
                    Actor::System,
                    "nothing was called; looking again",
                )
            };
            debug_assert!(moved, "fixing leads back to awaiting approval");
            // Think again once the target has been looked at.
            work.need_inspect = true;
            work.diagnose_by = Some(now + LOOK_AGAIN);
            incident.diagnosis = None;
        }
        self.calls_returned(id, turn);
        for event in events {
            turn.emit(event);
        }
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
        if let Some(target) = target {
            if unrecorded || free {
                self.brakes.unacted(&target);
            }
            turn.effects.push(Effect::Inspect(target.id));
        }
    }
}
