//! Lines from beyond what is in memory: when they are asked for, and what comes of it.

use sentinel_core::domain::log_page::{PageAsk, PastPage};

use crate::tui::layout::room;
use crate::tui::message::Effect;
use crate::tui::pane::Pane;
use crate::tui::state::State;
use crate::tui::update::shows_logs;

/// A page as an effect.
pub(super) fn ask(state: &State, older: bool, ask: Option<PageAsk>) -> Vec<Effect> {
    let generation = state.logs.generation;
    ask.map(|ask| Effect::ReadPage { generation, older, ask }).into_iter().collect()
}

/// A reader who stands at an end of what is there asks for more.
pub(super) fn more(state: &mut State) -> Vec<Effect> {
    if state.focus != Pane::Logs || state.modal.is_some() || !shows_logs(state) {
        return Vec::new();
    }
    if state.logs.follow || !state.logs.loaded {
        state.logs.try_again();
        return Vec::new();
    }
    if state.logs.is_at_top() {
        let page = state.logs.ask_older();
        if page.is_some() {
            return ask(state, true, page);
        }
    } else {
        state.logs.try_again();
    }
    let (rows, columns) = room(state, Pane::Logs);
    let shown = state.logs.shown().len();
    if state.logs.past.detached && state.logs.start(rows, columns).place + rows >= shown {
        let page = state.logs.ask_newer();
        return ask(state, false, page);
    }
    Vec::new()
}

/// Goes on until the range is covered.
pub(super) fn fill(state: &mut State) -> Vec<Effect> {
    let page = state.logs.fill();
    ask(state, true, page)
}

pub(super) fn take(
    state: &mut State,
    generation: u64,
    older: bool,
    outcome: Result<PastPage, String>,
) -> Vec<Effect> {
    if generation != state.logs.generation {
        return Vec::new();
    }
    state.dirty = true;
    state.logs.take_past(older, outcome);
    let (rows, columns) = room(state, Pane::Logs);
    state.logs.reveal(rows, columns);
    fill(state)
}
