//! The page of what was examined: asked for when it is opened, and again with the same key.

use std::sync::Arc;

use sentinel_core::domain::finding::Finding;

use crate::tui::listing::look::Look;
use crate::tui::message::Effect;
use crate::tui::pane::Pane;
use crate::tui::state::{State, Subject};

/// To the page, with the focus; what was inspected comes back with Escape.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if state.inspector.as_ref().is_some_and(|i| i.subject == Subject::Doctor) {
        state.focus = Pane::Inspector;
    } else {
        state.cover(Subject::Doctor);
    }
    if state.examined.running.is_some() {
        return Vec::new();
    }
    let generation = state.listings.number();
    state.examined.running = Some(generation);
    vec![Effect::Look { generation, look: Look::Doctor }]
}

/// What was found; `None`: nobody can look.
pub(super) fn take(state: &mut State, generation: u64, findings: Option<Vec<Finding>>) {
    if state.examined.running != Some(generation) {
        return;
    }
    state.examined.running = None;
    if let Some(findings) = findings {
        state.examined.at = Some(state.now);
        state.examined.findings = Arc::new(findings);
    }
    state.dirty = true;
}
