//! Taking a fix back: because it got worse after it, or because a person says so.

use std::sync::Arc;

use crate::domain::audit::AuditAction;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{ApproveError, Incident, IncidentState};
use crate::domain::plan::{Actor, Approved, Fix, FixState, Undo};
use crate::domain::tool::ToolResult;
use crate::engine::effect::Effect;
use crate::engine::fixing::RESULT_WAIT;
use crate::engine::records::{undo_record, word};
use crate::engine::{Engine, Turn};
use crate::report::explanation;

impl Engine {
    /// A person wants a fix taken back, also one that was verified long ago.
    pub(crate) fn undo_request(
        &mut self,
        fix: &FixId,
        sha256: &str,
        by: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let id = self.incident_of_fix(fix)?;
        if self.standing_down {
            return Err(ApproveError::ShuttingDown.to_string());
        }
        if let Some(target) = self.busy_target(&id) {
            return Err(format!(
                "another plan for {target} is under way; try again once it has ended"
            ));
        }
        if let Some((name, later)) = self.built_upon(&id) {
            return Err(format!(
                "{later} changed {name} in the same way later: take that back first"
            ));
        }
        let Some(open) = self.incidents.get(&id) else {
            return Err(ApproveError::NoSuchFix(fix.clone()).to_string());
        };
        let undo =
            open.incident.approve_undo(fix, sha256, by.clone()).map_err(|e| e.to_string())?;
        // What it changed must still be what it left: a container that somebody made anew since
        // is another one.
        let steps = || undo.get().0.steps.iter().filter(|s| s.can_undo());
        for step in steps() {
            if !self.world.containers.contains_key(step.target_now()) {
                let name = &step.target.name;
                return Err(format!(
                    "the container {name} that was changed is gone or was replaced"
                ));
            }
        }
        let calls: Vec<String> = steps()
            .rev()
            .filter_map(|s| Some(format!("{} on {}", s.inverse.as_ref()?.tool, s.target.name)))
            .collect();
        let words = calls.join("; then ");
        let closed = open.incident.state.is_closed();
        // Whoever takes a fix back does not want to see it again in a minute.
        self.lock_targets(&id, turn);
        let why = format!("taken back by {by}");
        self.take_back(&id, undo, &why, turn);
        if !closed {
            self.escalate(&id, &format!("{by} takes the fix back: {words}"), turn);
        }
        Ok(format!("taking it back: {words}"))
    }

    /// A later fix that did the same to a target of this incident's fix, and still stands: its
    /// inverse leads to what this one left.
    fn built_upon(&self, id: &IncidentId) -> Option<(String, FixId)> {
        let mine = &self.incidents.get(id)?.incident;
        let began = mine.attempts().last()?;
        let stands = |s: &&Fix| s.can_undo();
        let steps: Vec<&Fix> = mine.plan.iter().flat_map(|p| &p.steps).filter(stands).collect();
        let later = self.incidents.iter().filter(|(other, o)| {
            *other != id && o.incident.attempts().last().is_some_and(|at| at > began)
        });
        let same = |theirs: &&Fix| {
            steps
                .iter()
                .any(|s| s.call.tool == theirs.call.tool && s.target_now() == theirs.target_now())
        };
        let theirs = later.flat_map(|(_, o)| o.incident.plan.iter().flat_map(|p| &p.steps));
        theirs.filter(stands).find(same).map(|s| (s.target.name.clone(), s.id.clone()))
    }

    /// Sets an approved undo off: the record first, then the inverses, the last step's first.
    pub(crate) fn take_back(
        &mut self,
        id: &IncidentId,
        undo: Approved<Undo>,
        why: &str,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let by = undo.by().clone();
        let mut records = Vec::new();
        let Some((incident, work)) = self.edit(id, turn) else { return };
        work.undo = None;
        work.undoing = true;
        work.undone_by = Some(by.clone());
        work.verification = None;
        work.result_by = Some(now + RESULT_WAIT);
        if let Some(plan) = incident.plan.as_mut() {
            let frozen = plan.clone();
            for step in plan.steps.iter_mut().filter(|s| s.can_undo()) {
                step.state = FixState::Undoing;
                let mut undoing =
                    undo_record(AuditAction::Undoing, by.clone(), id, &frozen, step, now);
                why.clone_into(&mut undoing.reason);
                records.push(undoing);
            }
        }
        incident.note(now, by, why);
        self.brakes.begin(id);
        for step in undo.get().0.steps.iter().rev().filter(|s| s.state == FixState::Applied) {
            if let Some(inverse) = &step.inverse {
                let target = step.target_now();
                let state = self.world.containers.get(target).map(|f| f.container.state);
                self.own.begin(target, &inverse.tool, state);
            }
        }
        let Some(open) = self.incidents.get(id) else { return };
        let incident = Arc::clone(&open.incident);
        turn.effects.push(Effect::Undo { plan: undo, incident, records });
    }

    pub(crate) fn undo_done(
        &mut self,
        id: &IncidentId,
        result: &ToolResult,
        replaced_by: Option<ContainerId>,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let waits = self.incidents.get_mut(id).is_some_and(|o| std::mem::take(&mut o.work.undoing));
        if !waits {
            self.late_word(id, format!("a late word of an undo: {}", result.message), turn);
            return;
        }
        self.calls_returned(id, turn);
        self.brakes.end(id);
        // No answer may turn the incident on another container.
        let name = self.incidents.get(id).map(|o| o.incident.container.name.clone());
        let replaced_by = replaced_by.filter(|new| {
            let found = self.world.containers.get(new);
            result.ok && found.is_none_or(|f| Some(&f.container.of.name) == name.as_ref())
        });
        let mut events = Vec::new();
        let mut audits = Vec::new();
        if let Some((incident, work)) = self.edit(id, turn) {
            let by = work.undone_by.take().unwrap_or(Actor::System);
            let words = if result.ok { "taken back" } else { "could not be taken back" };
            incident.note(now, Actor::System, format!("{words}: {}", result.message));
            if let Some(plan) = &mut incident.plan {
                let frozen = plan.clone();
                for step in plan.steps.iter_mut().filter(|s| s.state == FixState::Undoing) {
                    let action = if result.ok {
                        step.state = FixState::Undone;
                        let said = Some(result.message.clone());
                        events.push(Event::FixUndone(word(id, step, &by, said)));
                        AuditAction::Undone
                    } else {
                        step.state = FixState::Applied;
                        AuditAction::Failed
                    };
                    let mut undone = undo_record(action, by.clone(), id, &frozen, step, now);
                    undone.result = Some(result.clone());
                    audits.push(undone);
                    if let Some(new) = &replaced_by {
                        if incident.container.id == *step.target_now() {
                            incident.container.id = new.clone();
                        }
                        step.replaced_by = Some(new.clone());
                    }
                }
            }
            explain_anew(incident);
        }
        for event in events {
            turn.emit(event);
        }
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
    }

    /// An undo whose outcome nobody will ever tell. It is not repeated.
    pub(crate) fn end_undo(
        &mut self,
        id: &IncidentId,
        action: AuditAction,
        why: &str,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let mut audits = Vec::new();
        let Some((incident, work)) = self.edit(id, turn) else { return };
        work.undone_by = None;
        incident.note(now, Actor::System, why);
        if let Some(plan) = &mut incident.plan {
            let frozen = plan.clone();
            for step in plan.steps.iter_mut().filter(|s| s.state == FixState::Undoing) {
                step.state = FixState::Failed;
                let message = why.to_owned();
                step.result = Some(ToolResult { ok: false, message, duration_ms: 0 });
                let mut ended = undo_record(action, Actor::System, id, &frozen, step, now);
                ended.result.clone_from(&step.result);
                audits.push(ended);
            }
        }
        explain_anew(incident);
        let wire = IncidentWire::from(&*incident);
        turn.emit(Event::IncidentUpdated { incident: wire });
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
    }

    /// After a restart: an undo that was under way is never repeated; a person looks at the
    /// container.
    pub(crate) fn undo_interrupted(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get(id) else { return };
        let steps = open.incident.plan.iter().flat_map(|p| &p.steps);
        if !steps.clone().any(|s| s.state == FixState::Undoing) {
            return;
        }
        let why = "sentinel-tui ended while the fix was being taken back; its outcome is not known and it is not repeated; look at the container";
        self.end_undo(id, AuditAction::Interrupted, why, turn);
        if self.incidents.get(id).is_some_and(|o| o.incident.state != IncidentState::Escalated) {
            self.escalate(id, why, turn);
        }
    }
}

/// What was said at the end is not true any more once a fix is taken back after it.
fn explain_anew(incident: &mut Incident) {
    if incident.explanation.is_some() {
        incident.explanation = Some(explanation::write(incident));
        incident.explanation_by = None;
    }
}
