//! Lines of the log as such: whose and since when, anomalous ones, selected ones.

use crate::tui::action::Action;
use crate::tui::layout::room;
use crate::tui::message::Effect;
use crate::tui::pane::Pane;
use crate::tui::state::State;
use crate::tui::update::{logs, marks, range, whose};

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::LogRange => range::open(state),
        Action::WhoseLog => return whose::cycle(state),
        Action::MarkContainer | Action::MarkRange => return marks::act(state, action),
        Action::NextAnomaly => anomaly(state, true),
        Action::PreviousAnomaly => anomaly(state, false),
        Action::SelectLines => select(state),
        Action::CopyAll => return copy_all(state),
        other => return logs::act(state, other),
    }
    Vec::new()
}

/// From the end of a log that is followed, the next anomaly is the latest one.
fn anomaly(state: &mut State, forward: bool) {
    let follows = state.logs.follow;
    if follows && state.logs.current().is_some_and(|e| e.anomaly.is_some()) {
        return logs::jump(state, state.logs.place());
    }
    let forward = forward && !follows;
    match state.logs.find(forward, |e| e.anomaly.is_some()) {
        Some(place) => logs::jump(state, place),
        None => state.toast(true, "No anomalous line among those that are shown."),
    }
}

/// Begins a selection at this line, or ends it.
fn select(state: &mut State) {
    if state.logs.anchor.take().is_none() && state.logs.current().is_some() {
        let (rows, columns) = room(state, Pane::Logs);
        // What is selected must not run away.
        state.logs.unstick(rows, columns);
        state.logs.anchor = Some(state.logs.cursor);
    }
}

fn copy_all(state: &mut State) -> Vec<Effect> {
    let text = state.logs.text_between(0..=u64::MAX);
    if text.is_empty() {
        state.toast(false, "There is no line to copy.");
        return Vec::new();
    }
    vec![Effect::Copy(text)]
}
