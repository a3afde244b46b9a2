//! The line in the footer that searches and filters while it is typed.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::TextArea;

use crate::tui::field::{one_line, typed};
use crate::tui::filter::Filter;
use crate::tui::form::Form;
use crate::tui::lists;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, TYPED_LIMIT};
use crate::tui::pane::Pane;
use crate::tui::pattern::Pattern;
use crate::tui::state::{Prompt, PromptKind, State};
use crate::tui::terms::Terms;
use crate::tui::update::{listing, logs, movement};

/// `/`: searches the log, filters a list.
pub(super) fn search(state: &mut State) {
    let kind = match state.focus {
        Pane::Logs => PromptKind::Search,
        Pane::Inspector if state.listing().is_none() => return,
        Pane::Inspector => PromptKind::List(Pane::Inspector),
        Pane::Containers | Pane::Incidents | Pane::Fixes => PromptKind::List(state.focus),
    };
    open(state, kind);
}

pub(super) fn open(state: &mut State, kind: PromptKind) {
    let before = set_now(state, kind);
    let mut field = one_line();
    field.insert_str(&before);
    state.prompt = Some(Prompt { kind, typed: field, before });
}

/// What is set now, as it was typed.
fn set_now(state: &State, kind: PromptKind) -> String {
    let pattern = match kind {
        PromptKind::Filter => {
            return state.logs.filter.as_ref().map(|f| f.text().to_owned()).unwrap_or_default();
        }
        PromptKind::List(Pane::Inspector) => {
            let terms = state.listing().and_then(|of| state.listings.cursor(of).terms.as_ref());
            return terms.map(|t| t.text().to_owned()).unwrap_or_default();
        }
        PromptKind::Search => &state.logs.search,
        PromptKind::List(Pane::Incidents) => &state.incidents.filter,
        PromptKind::List(Pane::Fixes) => &state.fixes.filter,
        PromptKind::List(_) => &state.containers.filter,
    };
    pattern.as_ref().map(|p| p.text().to_owned()).unwrap_or_default()
}

pub(super) fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    state.dirty = true;
    match event.code {
        KeyCode::Enter => state.prompt = None,
        KeyCode::Esc => {
            if let Some(prompt) = state.prompt.take() {
                return set(state, prompt.kind, &prompt.before);
            }
        }
        _ => {
            if let Some(prompt) = state.prompt.as_mut()
                && type_into(&mut prompt.typed, event)
            {
                return apply(state);
            }
        }
    }
    Vec::new()
}

/// A key into a field of one line. True if its text changed.
pub(super) fn type_into(field: &mut TextArea<'static>, event: KeyEvent) -> bool {
    let breaks_line = event.code == KeyCode::Enter
        || (event.modifiers.contains(KeyModifiers::CONTROL)
            && matches!(event.code, KeyCode::Char('m' | 'j')));
    let grows = matches!(event.code, KeyCode::Char(_))
        && event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if breaks_line || (grows && typed(field).chars().count() >= TYPED_LIMIT) {
        return false;
    }
    field.input(event)
}

fn apply(state: &mut State) -> Vec<Effect> {
    let Some(prompt) = &state.prompt else { return Vec::new() };
    let (kind, text) = (prompt.kind, typed(&prompt.typed));
    let effects = set(state, kind, &text);
    if kind == PromptKind::Search {
        show_match(state);
    }
    effects
}

fn set(state: &mut State, kind: PromptKind, text: &str) -> Vec<Effect> {
    match kind {
        PromptKind::Search => state.logs.search = Pattern::parse(text),
        PromptKind::Filter => state.logs.filter = Filter::parse(text, state.now, &state.zone),
        PromptKind::List(Pane::Incidents) => {
            state.incidents.filter = Pattern::of_list(text);
            state.listings.incident_terms = Terms::parse(text, lists::INCIDENT_FIELDS);
        }
        PromptKind::List(Pane::Inspector) => listing::filter(state, text),
        PromptKind::List(Pane::Fixes) => state.fixes.filter = Pattern::of_list(text),
        PromptKind::List(_) => state.containers.filter = Pattern::of_list(text),
    }
    match kind {
        PromptKind::Search | PromptKind::List(Pane::Inspector) => Vec::new(),
        PromptKind::Filter => {
            state.logs.reshow();
            movement::settle(state);
            Vec::new()
        }
        // What is selected must be among what is shown.
        PromptKind::List(_) => movement::keep_selections(state),
    }
}

/// Shows the nearest match at or before where the reader is: while it is typed, the newest one.
fn show_match(state: &mut State) {
    let Some(search) = state.logs.search.clone() else { return };
    let here = state.logs.current().is_some_and(|e| state.logs.matches(e, &search));
    if here {
        return;
    }
    if let Some(place) = logs::find(state, &search, false) {
        logs::jump(state, place);
    }
}

/// Escape in a pane: what narrows it goes first. `None` if nothing did.
pub(super) fn clear(state: &mut State) -> Option<Vec<Effect>> {
    let narrowed = match state.focus {
        Pane::Logs if state.logs.search.is_some() => PromptKind::Search,
        Pane::Logs if state.logs.filter.is_some() => PromptKind::Filter,
        Pane::Containers if state.containers.filter.is_some() => PromptKind::List(Pane::Containers),
        Pane::Incidents if state.incidents.filter.is_some() => PromptKind::List(Pane::Incidents),
        Pane::Fixes if state.fixes.filter.is_some() => PromptKind::List(Pane::Fixes),
        Pane::Inspector
            if state.listing().is_some_and(|of| state.listings.cursor(of).terms.is_some()) =>
        {
            PromptKind::List(Pane::Inspector)
        }
        _ => return None,
    };
    Some(set(state, narrowed, ""))
}

/// Pasted text goes into an open field as text; it never counts as keys.
pub(super) fn paste(state: &mut State, text: &str, at: Duration) -> Vec<Effect> {
    let line: String = text.chars().filter(|c| !c.is_control()).take(TYPED_LIMIT).collect();
    if let Some(open) = state.modal.as_mut() {
        let hears = open.hears(at);
        match &mut open.modal {
            Modal::Reason(reason) if hears => state.dirty |= reason.typed.insert_str(line),
            Modal::Silence(silencing) if hears => {
                silencing.begin();
                state.dirty |= silencing.field().insert_str(line);
            }
            Modal::Form => {
                let field = state.listings.form.as_mut().and_then(Form::field);
                if let Some(field) = field.filter(|f| f.is_typed()) {
                    state.dirty |= field.typed.insert_str(line);
                }
            }
            Modal::Palette(palette) => {
                palette.cursor = 0;
                state.dirty |= palette.typed.insert_str(line);
            }
            Modal::Talk if hears => {
                if let Some(talk) = state.talk.as_mut() {
                    state.dirty |= talk.typed.insert_str(line);
                }
            }
            Modal::Edit(editing) if hears => {
                if let Some(edited) = editing.fields.get_mut(editing.cursor) {
                    state.dirty |= edited.typed.insert_str(line);
                }
            }
            // The name that confirms a risky fix has to be typed: pasting it proves nothing.
            _ => {}
        }
        return Vec::new();
    }
    if let Some(prompt) = state.prompt.as_mut() {
        prompt.typed.insert_str(line);
        state.dirty = true;
        return apply(state);
    }
    Vec::new()
}
