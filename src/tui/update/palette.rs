//! Keys in the command palette. What it runs goes the way of the key: with its guards, its card.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::action::Action;
use crate::tui::keymap::Context;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open, Palette};
use crate::tui::palette::{Run, matches};
use crate::tui::pane::Pane;
use crate::tui::state::{Inspector, State, Subject};
use crate::tui::update::prompts::type_into;
use crate::tui::update::{act as actions, decide, looks, movement};

/// A key in it. It was closed for that, and is open again unless the key ended it.
pub(super) fn key(
    state: &mut State,
    mut palette: Box<Palette>,
    event: KeyEvent,
    drawn: Option<Duration>,
) -> Vec<Effect> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match event.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter => {
            if let Some(entry) = matches(state, &palette).into_iter().nth(palette.cursor) {
                return run(state, entry.run);
            }
        }
        KeyCode::Down | KeyCode::Tab => choose(state, &mut palette, true),
        KeyCode::Up | KeyCode::BackTab => choose(state, &mut palette, false),
        KeyCode::Char('n') if control => choose(state, &mut palette, true),
        KeyCode::Char('p') if control => choose(state, &mut palette, false),
        _ => {
            if type_into(&mut palette.typed, event) {
                palette.cursor = 0;
            }
        }
    }
    state.modal = Some(Open { modal: Modal::Palette(palette), drawn });
    Vec::new()
}

/// The next or previous match, around the ends.
fn choose(state: &State, palette: &mut Palette, forward: bool) {
    let count = matches(state, palette).len();
    if count > 0 {
        let step = if forward { 1 } else { count - 1 };
        palette.cursor = (palette.cursor.min(count - 1) + step) % count;
    }
}

fn run(state: &mut State, what: Run) -> Vec<Effect> {
    match what {
        Run::Action(Action::Quit) => {
            // Chosen from a list it is no reflex, so it asks what `q` asks.
            decide::ask_to_quit(state);
            Vec::new()
        }
        Run::Action(action) => act(state, action),
        Run::Logs(id) => {
            let mut effects = movement::go(state, Pane::Logs);
            effects.extend(movement::select_container(state, id));
            effects
        }
        Run::Inspect(subject) => inspect(state, subject),
        Run::Theme(name) => {
            name.clone_into(&mut state.look.theme);
            vec![Effect::Theme(name)]
        }
        Run::Looks(dialog) => {
            looks::open(state, dialog);
            Vec::new()
        }
    }
}

/// An action of another pane goes there first. A decision does not: it is about what is selected
/// there, which has to be looked at before.
fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let here = state.context();
    let place = state.keymap.place(here, action).unwrap_or(Context::Global);
    if place.holds_in(here) {
        return actions::act(state, action);
    }
    let word = action.word();
    if action.decides() {
        let title = place.title();
        state.toast(false, format!("{word} works in {title}: choose there what it is about."));
        return Vec::new();
    }
    let Some(pane) = place.pane() else { return Vec::new() };
    let mut effects = movement::go(state, pane);
    if state.focus == pane {
        effects.extend(actions::act(state, action));
    }
    effects
}

fn inspect(state: &mut State, subject: Subject) -> Vec<Effect> {
    let (from, effects) = match &subject {
        Subject::Incident(id) => {
            state.incidents.item = Some(id.clone());
            (Pane::Incidents, movement::select_root(state, id))
        }
        Subject::Container(id) => (Pane::Containers, movement::select_container(state, id.clone())),
        _ => (Pane::Containers, Vec::new()),
    };
    state.inspector = Some(Inspector { subject, scroll: 0, chosen: None, from });
    state.focus = Pane::Inspector;
    effects
}
