//! Deciding: reject, dismiss, quit, and what opens the approval. Nothing here opens by itself, and no key counts
//! before the operator could have read what it would do.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::plan::{Plan, Risk};
use sentinel_core::domain::snapshot::Mode;

use crate::tui::field::one_line;
use crate::tui::lists;
use crate::tui::modal::{Approval, Deed, Modal, Open, Reason, ReasonFor};
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::state::State;

/// The plan that the pane with the focus is about.
pub(super) fn plan_here(state: &State) -> Option<(Arc<Incident>, Plan)> {
    match state.focus {
        Pane::Fixes => {
            let id = state.fixes.item.as_ref()?;
            lists::fixes(state)
                .into_iter()
                .find(|(i, _)| &i.id == id)
                .map(|(i, p)| (Arc::clone(i), p.clone()))
        }
        Pane::Inspector => {
            let incident = state.inspected_incident()?;
            incident.plan.clone().map(|p| (Arc::clone(incident), p))
        }
        Pane::Containers | Pane::Incidents | Pane::Logs => None,
    }
}

/// Opens the approval of a plan, or says why there is nothing to approve.
pub(super) fn approve(state: &mut State) {
    if let Some(why) = state.why_no_approval() {
        state.toast(false, why);
        return;
    }
    let Some((incident, plan)) = plan_here(state) else {
        state.toast(false, "No fix is staged here.");
        return;
    };
    if let Some(until) = incident.snoozed_until().filter(|_| plan.is_staged()) {
        let until = quiet::moment(state, until);
        state.toast(false, format!("It is put off until {until}. S ends that."));
    } else if !plan.is_staged() {
        let word = plan.steps.first().map_or("empty", |s| s.state.as_str());
        state.toast(false, format!("This fix is not staged any more: it is {word}."));
    } else if plan.risk() >= Risk::R4 {
        state.toast(false, "This plan could lose data; it is never run from here.");
    } else {
        ask(state, Deed::Apply, plan);
    }
}

fn ask(state: &mut State, deed: Deed, plan: Plan) {
    state.modal = Some(Open::new(Modal::Approve(Box::new(Approval::of(deed, plan)))));
    check(state);
}

/// Opens the question whether a fix is taken back, or says why there is nothing to take back.
pub(super) fn undo(state: &mut State) {
    if let Some(why) = state.why_no_approval() {
        state.toast(false, why);
        return;
    }
    let incident = match state.focus {
        Pane::Incidents => state.incidents.item.as_ref().and_then(|id| state.incident(id)),
        _ => state.inspected_incident(),
    };
    let plan = incident.and_then(|i| i.plan.clone());
    match plan.filter(Plan::can_undo) {
        Some(plan) => ask(state, Deed::Undo, plan),
        None => state.toast(false, "Nothing was applied here that can be taken back."),
    }
}

/// Asks why the kill switch is thrown, or released.
pub(super) fn halt(state: &mut State) {
    if let Some(why) = &state.snapshot.watching {
        let why = format!("Only watching: {why}. The switch is there.");
        state.toast(false, why);
    } else if state.snapshot.brakes.halt.is_some() {
        let about = "Release the kill switch: what the policy allows is done again.";
        ask_reason(state, ReasonFor::Resume, about.to_owned());
    } else {
        let about = "Throw the kill switch: nothing is done without a person, over restarts too, \
                     until it is released. What is under way is not cut off.";
        ask_reason(state, ReasonFor::Halt, about.to_owned());
    }
}

/// Asks for the reason of a rejection.
pub(super) fn reject(state: &mut State) {
    if let Some(why) = state.why_no_approval() {
        state.toast(false, why);
        return;
    }
    let Some((incident, plan)) = plan_here(state) else {
        state.toast(false, "No fix is staged here.");
        return;
    };
    let Some(step) = plan.steps.first().filter(|_| plan.is_staged()) else {
        state.toast(false, "This fix is not staged any more.");
        return;
    };
    ask_reason(
        state,
        ReasonFor::Reject(step.id.clone()),
        format!("Reject the fix for {}: {}", incident.root, step.docker_line),
    );
}

/// Asks for the reason of a dismissal.
pub(super) fn dismiss(state: &mut State) {
    if let Some(why) = state.why_no_approval().filter(|_| state.is_read_only()) {
        state.toast(false, why);
        return;
    }
    let incident = match state.focus {
        Pane::Incidents => state.incidents.item.as_ref().and_then(|id| state.incident(id)),
        _ => state.inspected_incident(),
    };
    let Some(incident) = incident.cloned() else {
        state.toast(false, "No incident is selected.");
        return;
    };
    if incident.state.is_closed() {
        state.toast(false, "This incident is closed already.");
    } else if incident.state == IncidentState::Fixing {
        state.toast(false, "It is being fixed; wait until the call returns.");
    } else {
        ask_reason(
            state,
            ReasonFor::Dismiss(incident.id.clone()),
            format!("Dismiss {}: {}", incident.id, incident.title),
        );
    }
}

pub(super) fn ask_reason(state: &mut State, of: ReasonFor, about: String) {
    let reason = Reason { of, about, typed: one_line() };
    state.modal = Some(Open::new(Modal::Reason(Box::new(reason))));
}

/// Quits, after a question if something would end with it.
pub(super) fn ask_to_quit(state: &mut State) {
    let busy = state
        .snapshot
        .incidents
        .iter()
        .filter(|i| matches!(i.state, IncidentState::Fixing | IncidentState::Verifying))
        .count();
    let why = if busy > 0 {
        "A fix is being applied or verified. Nobody will finish watching it.".to_owned()
    } else if state.snapshot.mode == Mode::AutoHeal && state.snapshot.watching.is_none() {
        "Auto-heal is on. Nothing will be healed once sentinel-tui has ended.".to_owned()
    } else {
        state.quit = true;
        return;
    };
    state.modal = Some(Open::new(Modal::Quit { why, yes: false }));
}

/// The plan of a dialog must still be what it shows; otherwise the dialog is void.
pub(super) fn check(state: &mut State) {
    let why = match state.modal.as_ref().map(|open| &open.modal) {
        Some(Modal::Approve(a)) if a.void.is_none() => void(state, a.deed, &a.plan),
        Some(Modal::Edit(e)) if e.void.is_none() => void(state, Deed::Apply, &e.plan),
        Some(Modal::Grant(g)) if g.void.is_none() => void_grant(state, &g.plan),
        _ => return,
    };
    if why.is_none() {
        return;
    }
    state.dirty = true;
    match state.modal.as_mut().map(|open| &mut open.modal) {
        Some(Modal::Approve(approval)) => approval.void = why,
        Some(Modal::Edit(editing)) => editing.void = why,
        Some(Modal::Grant(granting)) => granting.void = why,
        _ => {}
    }
}

/// Why plans like the shown one cannot be allowed any more.
pub(super) fn void_grant(state: &State, shown: &Plan) -> Option<String> {
    void(state, Deed::Apply, shown)
}

pub(super) fn void(state: &State, deed: Deed, shown: &Plan) -> Option<String> {
    let incident = state.incident(&shown.incident);
    let Some(now) = incident.and_then(|i| i.plan.as_ref()) else {
        let moved_on = "The plan is gone: its incident has moved on.";
        return Some(gone(state, shown).unwrap_or_else(|| moved_on.to_owned()));
    };
    if now.sha256 != shown.sha256 || now.digest() != shown.digest() {
        return Some(
            "The plan changed since it was shown. Close this and look at it again.".to_owned(),
        );
    }
    if deed == Deed::Undo {
        let decided = "It cannot be taken back any more: that was decided meanwhile.";
        return if now.can_undo() { state.why_no_approval() } else { Some(decided.to_owned()) };
    }
    if !now.is_staged() {
        if let Some(why) = gone(state, shown) {
            return Some(why);
        }
        let word = now.steps.first().map_or("gone", |s| s.state.as_str());
        return Some(format!("The plan was decided meanwhile: it is {word}."));
    }
    if incident.is_some_and(|i| i.snoozed_until().is_some()) && deed == Deed::Apply {
        return Some("The plan was put off meanwhile; it is checked again then.".to_owned());
    }
    if state.now >= shown.expires_at {
        return Some("The plan expired; it is planned again if it is still needed.".to_owned());
    }
    state.why_no_approval()
}

/// What became of the container that a plan is for, if it is not there any more.
fn gone(state: &State, shown: &Plan) -> Option<String> {
    let target = &shown.steps.first()?.target;
    if state.container(&target.id).is_some() {
        return None;
    }
    let name = &target.name;
    Some(match state.container_named(name) {
        Some(_) => {
            format!("{name} was replaced by a new container; this plan was for the old one.")
        }
        None => format!("{name} is gone: it was removed, so there is nothing left to fix."),
    })
}

/// A key where there is only text: it scrolls, or closes.
pub(super) fn help(scroll: &mut usize, event: KeyEvent) -> bool {
    match event.code {
        KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => *scroll = (*scroll + 1).min(200),
        KeyCode::PageUp => *scroll = scroll.saturating_sub(10),
        KeyCode::PageDown | KeyCode::Char(' ') => *scroll = (*scroll + 10).min(200),
        _ => return false,
    }
    true
}
