//! Containers that are marked in their list, for a log of them together.

use sentinel_core::domain::ids::ContainerId;

use crate::tui::action::Action;
use crate::tui::lists;
use crate::tui::log_merge::MOST_MERGED;
use crate::tui::message::Effect;
use crate::tui::pane::Pane;
use crate::tui::state::State;
use crate::tui::update::movement;

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(id) = state.containers.item.clone() else { return Vec::new() };
    if action == Action::MarkRange {
        mark_range(state, id);
        return Vec::new();
    }
    if !state.marks.remove(&id) {
        mark(state, id.clone());
    }
    state.marked_last = Some(id);
    movement::step(state, 1)
}

fn mark(state: &mut State, id: ContainerId) {
    if state.marks.len() < MOST_MERGED {
        state.marks.insert(id);
    } else {
        state.toast(false, format!("At most {MOST_MERGED} containers are marked."));
    }
}

/// Marks all from the one that was marked last to this one.
fn mark_range(state: &mut State, id: ContainerId) {
    let ids: Vec<ContainerId> =
        lists::containers(state).iter().map(|v| v.container.of.id.clone()).collect();
    let place = |wanted: &ContainerId| ids.iter().position(|i| i == wanted);
    let Some(here) = place(&id) else { return };
    let from = state.marked_last.as_ref().and_then(place).unwrap_or(here);
    let (first, last) = (from.min(here), from.max(here));
    for id in ids.into_iter().skip(first).take(last - first + 1) {
        mark(state, id);
    }
    state.marked_last = Some(id);
}

/// Escape in the list takes the marks away. False if there were none.
pub(super) fn clear(state: &mut State) -> bool {
    match state.focus {
        Pane::Containers if !state.marks.is_empty() => {
            state.marks.clear();
            state.marked_last = None;
            true
        }
        Pane::Logs => state.logs.anchor.take().is_some(),
        _ => false,
    }
}
