//! The menu of ranges: since when a log is shown.

use crossterm::event::{KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};

use crate::tui::log_past::Range;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::range::{CHOICES, Choice};
use crate::tui::state::State;
use crate::tui::update::{logs, past, whose};

pub(super) fn open(state: &mut State) {
    state.modal = Some(Open::new(Modal::Range { cursor: 0 }));
}

/// A key in it; whether it stays open.
pub(super) fn key(state: &mut State, cursor: &mut usize, event: KeyEvent) -> (bool, Vec<Effect>) {
    let last = CHOICES.len() - 1;
    match event.code {
        KeyCode::Up | KeyCode::Char('k') => *cursor = cursor.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => *cursor = (*cursor + 1).min(last),
        KeyCode::Enter => return (false, choose(state, *cursor)),
        KeyCode::Char(c) if c.is_ascii_digit() => {
            return (false, choose(state, usize::from(c as u8 - b'0')));
        }
        KeyCode::Esc | KeyCode::Char('q' | 'r') => return (false, Vec::new()),
        _ => {}
    }
    (true, Vec::new())
}

fn choose(state: &mut State, number: usize) -> Vec<Effect> {
    let Some((choice, words)) = CHOICES.get(number) else { return Vec::new() };
    let from = match choice {
        Choice::Tail => None,
        Choice::Head if state.logs.merged.is_empty() => {
            let page = state.logs.show_head();
            return past::ask(state, false, page);
        }
        Choice::Head => {
            state.toast(false, "The beginning is shown of one log at a time: W.");
            return Vec::new();
        }
        Choice::Last(seconds) => Some(state.now - SignedDuration::from_secs(*seconds)),
        Choice::Start => match started(state) {
            Some(at) => Some(at),
            None => return refuse(state, "It was never started."),
        },
        Choice::Incident => match incident(state) {
            Some(at) => Some(at),
            None => return refuse(state, "No open incident is about this container."),
        },
    };
    let range = from.map_or(Range::Tail, |from| Range::Since { from, words: (*words).to_owned() });
    let page = state.logs.show_since(range);
    let mut effects = past::ask(state, true, page);
    if !state.logs.loaded {
        effects.extend(logs::read(state));
    }
    effects
}

fn refuse(state: &mut State, why: &str) -> Vec<Effect> {
    state.toast(false, why);
    Vec::new()
}

fn started(state: &State) -> Option<Timestamp> {
    let id = whose::container_here(state)?;
    state.container(&id)?.container.started_at
}

/// When the open incident of a container began: the one that is its own before one that only
/// reaches it.
fn incident(state: &State) -> Option<Timestamp> {
    let id = whose::container_here(state)?;
    let name = &state.container(&id)?.container.of.name;
    let open = || state.snapshot.incidents.iter().filter(|i| !i.state.is_closed());
    open()
        .find(|i| &i.root == name || &i.container.name == name)
        .or_else(|| open().find(|i| i.affected.contains(name)))
        .map(|i| i.observed_at.min(i.opened_at))
}
