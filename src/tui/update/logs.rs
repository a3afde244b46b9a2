//! The log pane: new lines, searching, filtering, what is shown of a line.

use std::sync::Arc;

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::Level;

use crate::runtime::rings::LogPage;
use crate::tui::action::Action;
use crate::tui::layout::room;
use crate::tui::log_past::Range;
use crate::tui::log_sources::Whose;
use crate::tui::log_view::is_trouble;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::pane::Pane;
use crate::tui::pattern::Pattern;
use crate::tui::record::Record;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::update::past;

/// Columns that one press of left or right scrolls.
const SIDE: usize = 16;

/// Asks for the lines that are not there yet.
pub(super) fn read(state: &State) -> Vec<Effect> {
    let ids = state.logs.ids().into_iter();
    ids.map(|container| read_one(state, container)).collect()
}

fn read_one(state: &State, container: ContainerId) -> Effect {
    let (last, revision) = state.logs.taken(&container);
    Effect::ReadLogs { container, generation: state.logs.generation, last, revision }
}

pub(super) fn take(
    state: &mut State,
    container: &ContainerId,
    generation: u64,
    (page, whole): (&LogPage, bool),
) -> Vec<Effect> {
    if generation != state.logs.generation || !state.logs.is_of(container) {
        return Vec::new();
    }
    let changed = state.logs.take(container, page, whole);
    if changed {
        state.dirty = true;
        let (rows, columns) = room(state, Pane::Logs);
        if state.logs.wrap {
            state.logs.reveal(rows, columns);
        }
    }
    // A page that was cut short is followed by the next one.
    if changed && !whole && state.logs.taken(container).0 < page.last {
        return vec![read_one(state, container.clone())];
    }
    if state.jump.is_some() {
        land(state);
    }
    past::fill(state)
}

/// Ends a jump: to the line, or with a word on why not.
fn land(state: &mut State) {
    let Some(jump) = state.jump.take() else { return };
    let (rows, columns) = room(state, Pane::Logs);
    state.dirty = true;
    let mut place = state.logs.locate(jump.seq, jump.at, &jump.excerpt);
    if place.is_none() {
        state.logs.unfold_line(jump.at, &jump.excerpt);
        place = state.logs.locate(jump.seq, jump.at, &jump.excerpt);
    }
    if place.is_none() && state.logs.is_narrowed() {
        // A filter must not hide what was asked for.
        state.logs.filter = None;
        state.logs.least = None;
        state.logs.range = Range::Tail;
        state.logs.reshow();
        place = state.logs.locate(jump.seq, jump.at, &jump.excerpt);
    }
    if let Some(place) = place {
        state.logs.jump(place, rows, columns);
    } else {
        state.toast(false, format!("That line is not kept any more. It said: {}", jump.excerpt));
        // Its words are where the operator came from; the log that is there says other things.
        if state.inspector.is_some() {
            state.focus = Pane::Inspector;
        }
    }
}

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let (rows, columns) = room(state, Pane::Logs);
    match action {
        Action::NextMatch => search_on(state, true),
        Action::PreviousMatch => search_on(state, false),
        Action::NextError => trouble(state, true),
        Action::PreviousError => trouble(state, false),
        Action::LevelFilter => {
            state.logs.least = match state.logs.least {
                None => Some(Level::Info),
                Some(Level::Info) => Some(Level::Warn),
                Some(Level::Warn) => Some(Level::Error),
                Some(_) => None,
            };
            state.logs.reshow();
            state.logs.reveal(rows, columns);
        }
        Action::Follow => {
            if state.logs.follow {
                state.logs.unstick(rows, columns);
            } else {
                state.logs.stick();
            }
        }
        Action::Wrap => {
            state.logs.wrap = !state.logs.wrap;
            state.logs.left = 0;
            state.logs.reveal(rows, columns);
        }
        Action::Left => state.logs.left = state.logs.left.saturating_sub(SIDE),
        Action::Right if !state.logs.wrap => {
            state.logs.scroll_right(SIDE, rows, columns);
        }
        Action::Times => {
            state.logs.times = state.logs.times.next();
            state.logs.reveal(rows, columns);
        }
        Action::Copy => return copy(state),
        Action::Bookmark => bookmark(state),
        Action::NextBookmark => next_bookmark(state),
        Action::Save => return save(state),
        Action::Raw => {
            state.logs.raw = !state.logs.raw;
            state.logs.reshow();
            state.logs.reveal(rows, columns);
        }
        _ => {}
    }
    Vec::new()
}

/// Enter: a record of several lines is unfolded or folded, any other is shown whole.
pub(super) fn open(state: &mut State) {
    let (rows, columns) = room(state, Pane::Logs);
    state.logs.unstick(rows, columns);
    if state.logs.toggle_fold() {
        state.logs.reveal(rows, columns);
        return;
    }
    let Some(entry) = state.logs.current().filter(|e| !e.mark).map(Arc::clone) else { return };
    let name = state.container(&entry.line.container).map(|v| v.container.of.name.clone());
    let name = name.unwrap_or_else(|| "a container that is gone".to_owned());
    state.modal =
        Some(Open::new(Modal::Record { record: Box::new(Record { entry, name }), scroll: 0 }));
}

fn bookmark(state: &mut State) {
    let Some(line) = state.logs.current().filter(|e| !e.mark).map(|e| e.line.clone()) else {
        return;
    };
    let (rows, columns) = room(state, Pane::Logs);
    // What is marked while it rushes by has to stay in view.
    state.logs.unstick(rows, columns);
    state.logs.bookmarks.toggle(&line);
}

fn next_bookmark(state: &mut State) {
    let logs = &state.logs;
    match logs.find(true, |e| !e.mark && logs.bookmarks.contains(&e.line)) {
        Some(place) => jump(state, place),
        None => state.toast(false, "No line that is shown is marked: m marks one."),
    }
}

/// Writes what is shown, folded lines too, as it is on the screen: secrets are masked in it.
fn save(state: &mut State) -> Vec<Effect> {
    let name = file_name(state);
    let document = state.logs.document();
    if document.is_empty() {
        state.toast(false, "There is no line to save.");
        return Vec::new();
    }
    // A colon has no place in the names of files everywhere.
    let name = format!("{name}-{}", state.now.strftime("%Y%m%dT%H%M%SZ"));
    vec![Effect::SaveLines { name, document }]
}

/// What the saved lines are called by.
fn file_name(state: &State) -> String {
    match &state.logs.whose {
        Whose::One => {
            let view = state.logs.container.as_ref().and_then(|id| state.container(id));
            view.map_or_else(|| "log".to_owned(), |v| v.container.of.name.clone())
        }
        Whose::Marked => format!("{}-logs", state.logs.merged.len()),
        Whose::Service(service) => service.clone(),
    }
}

fn copy(state: &mut State) -> Vec<Effect> {
    let text = match state.focus {
        Pane::Inspector => {
            let columns = room(state, Pane::Inspector).1;
            let page = crate::tui::pages::inspected(state, columns.max(100));
            Some(page.lines.iter().map(Styled::plain).collect::<Vec<_>>().join("\n"))
        }
        _ => match state.logs.selected() {
            Some(selected) => {
                state.logs.anchor = None;
                Some(state.logs.text_between(selected))
            }
            None => state.logs.current().map(|e| e.line.text.to_string()),
        },
    };
    if text.is_none() {
        state.toast(false, "There is no line to copy.");
    }
    text.map(Effect::Copy).into_iter().collect()
}

fn search_on(state: &mut State, forward: bool) {
    let Some(search) = state.logs.search.clone() else {
        state.toast(false, "Nothing is searched for yet: press / first.");
        return;
    };
    match find(state, &search, forward) {
        Some(place) => jump(state, place),
        None => state.toast(false, format!("No line matches `{}`.", search.text())),
    }
}

/// The nearest line with a match. One that is folded away is unfolded.
pub(super) fn find(state: &mut State, search: &Pattern, forward: bool) -> Option<usize> {
    let logs = &state.logs;
    let mut inside = None;
    let place = logs.find_numbered(forward, |number, entry| {
        if logs.matches(entry, search) {
            inside = None;
            return true;
        }
        let mut folded = logs.further(number).filter(|n| logs.is_folded(*n));
        inside = folded.find(|n| logs.entry(*n).is_some_and(|e| logs.matches(e, search)));
        inside.is_some()
    });
    let Some(number) = inside else { return place };
    state.logs.unfold(number);
    state.logs.shown().iter().position(|n| *n == number)
}

/// From the end of a log that is followed, the next error is the latest one.
fn trouble(state: &mut State, forward: bool) {
    let forward = forward && !state.logs.follow;
    match state.logs.find(forward, is_trouble) {
        Some(place) => jump(state, place),
        None => state.toast(true, "No error and no anomaly among the lines that are shown."),
    }
}

pub(super) fn jump(state: &mut State, place: usize) {
    let (rows, columns) = room(state, Pane::Logs);
    state.logs.jump(place, rows, columns);
}
