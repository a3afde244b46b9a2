//! The panel in which questions are asked. Its keys type, scroll, look at evidence and ask; none
//! of them leads to a command, and no words do.

use crossterm::event::{KeyCode, KeyEvent};

use crate::runtime::asking::{About, Part, Question};
use crate::tui::field::typed;
use crate::tui::glyphs::Glyphs;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::pages;
use crate::tui::pane::Pane;
use crate::tui::state::{State, Subject};
use crate::tui::talk::{Talk, room};
use crate::tui::update::movement;
use crate::tui::update::prompts::type_into;

/// Opens the panel for what the pane with the focus is about.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some((about, title)) = here(state) else {
        state.toast(false, "Choose an incident or a container to ask about.");
        return Vec::new();
    };
    let same = state.talk.as_ref().is_some_and(|talk| talk.about == about);
    let mut effects = Vec::new();
    if !same {
        // The answer to a question about something else is not waited for any more.
        if state.talk.as_mut().is_some_and(Talk::cancel) {
            effects.push(Effect::CancelQuestion);
        }
        state.talk = Some(Talk::new(about, title));
    }
    state.modal = Some(Open::new(Modal::Talk));
    effects
}

fn here(state: &State) -> Option<(About, String)> {
    let container = |id| {
        let name = state.container(id)?.container.of.name.clone();
        Some((About::Container(id.clone()), name))
    };
    match state.focus {
        Pane::Containers => container(state.containers.item.as_ref()?),
        Pane::Logs => container(state.logs.container.as_ref()?),
        Pane::Inspector => match &state.inspector.as_ref()?.subject {
            Subject::Container(id) => container(id),
            _ => incident(state),
        },
        Pane::Incidents | Pane::Fixes => incident(state),
    }
}

fn incident(state: &State) -> Option<(About, String)> {
    let incident = movement::incident_here(state)?;
    let title = format!("{} ({})", incident.root, incident.class.words());
    Some((About::Incident(incident.id.clone()), title))
}

/// A key in the panel. The panel stays open if the answer is true.
pub(super) fn key(state: &mut State, event: KeyEvent) -> (bool, Vec<Effect>) {
    let (_, rows, columns) = room(state.area);
    let room = Room { rows, columns, glyphs: Glyphs::of(state.ascii) };
    let number = state.questions + 1;
    let Some(talk) = state.talk.as_mut() else { return (false, Vec::new()) };
    let page = isize::try_from(rows).unwrap_or(1);
    match event.code {
        KeyCode::Esc if talk.cancel() => return (true, vec![Effect::CancelQuestion]),
        KeyCode::Esc => return (false, Vec::new()),
        KeyCode::Up => scroll(talk, 1, &room),
        KeyCode::Down => scroll(talk, -1, &room),
        KeyCode::PageUp => scroll(talk, page, &room),
        KeyCode::PageDown => scroll(talk, -page, &room),
        KeyCode::Tab => talk.choose(true),
        KeyCode::BackTab => talk.choose(false),
        KeyCode::Enter => {
            let words = typed(&talk.typed).trim().to_owned();
            if words.is_empty() {
                return to_evidence(state);
            }
            // One answer at a time: the one under way is given up.
            let mut effects = Vec::new();
            if talk.cancel() {
                effects.push(Effect::CancelQuestion);
            }
            let before = talk.before();
            talk.ask(words.clone(), number);
            let question = Question { about: talk.about.clone(), words, before };
            state.questions = number;
            effects.push(Effect::Question { number, question });
            return (true, effects);
        }
        _ => {
            if type_into(&mut talk.typed, event) {
                talk.chosen = None;
            }
        }
    }
    (true, Vec::new())
}

/// Where the conversation is shown.
struct Room {
    rows: usize,
    columns: usize,
    glyphs: &'static Glyphs,
}

/// Moves the view away from the end, or back to it.
fn scroll(talk: &mut Talk, by: isize, room: &Room) {
    let lines = pages::talk::page(talk, room.glyphs, room.columns).lines.len();
    talk.back = talk.back.saturating_add_signed(by).min(lines.saturating_sub(room.rows));
}

/// Enter on an empty line: to the chosen piece of evidence.
fn to_evidence(state: &mut State) -> (bool, Vec<Effect>) {
    let chosen = state.talk.as_ref().and_then(|talk| talk.evidence().get(talk.chosen?).cloned());
    match chosen {
        Some(piece) => (false, movement::to_evidence(state, piece)),
        None => (true, Vec::new()),
    }
}

/// A piece of an answer came.
pub(super) fn part(state: &mut State, number: u64, part: Part) {
    if let Some(talk) = state.talk.as_mut() {
        state.dirty |= talk.take(number, part);
    }
}
