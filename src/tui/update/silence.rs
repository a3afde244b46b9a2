//! Silencing a service, and the page of what is silenced and was left alone.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sentinel_core::domain::command::Command;

use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open, Silencing};
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::state::{Inspector, State, Subject};
use crate::tui::update::movement;
use crate::tui::update::prompts::type_into;

/// Opens the dialog for the service of what is selected, or says what to select.
pub(super) fn open(state: &mut State) {
    match quiet::service(state) {
        Some(service) => {
            let why = quiet::named(state, &service).map_or("", |s| &s.reason);
            let silencing = Box::new(Silencing::of(service, why));
            state.modal = Some(Open::new(Modal::Silence(silencing)));
        }
        None => state.toast(false, "Select the container or incident whose service is meant."),
    }
}

/// To the page of what is silenced and was left alone.
pub(super) fn show(state: &mut State) -> Vec<Effect> {
    let from = match &state.inspector {
        Some(inspector) if state.focus == Pane::Inspector => inspector.from,
        _ => state.focus,
    };
    state.inspector = Some(Inspector { subject: Subject::Quiet, scroll: 0, chosen: None, from });
    state.focus = Pane::Inspector;
    Vec::new()
}

/// Enter on that page: the container of the chosen row.
pub(super) fn enter(state: &mut State) -> Vec<Effect> {
    let Some(row) = quiet::chosen(state) else { return Vec::new() };
    let Some(id) = row.container else {
        state.toast(false, "That container is gone.");
        return Vec::new();
    };
    if let Some(inspector) = state.inspector.as_mut() {
        inspector.subject = Subject::Container(id.clone());
        (inspector.scroll, inspector.chosen) = (0, None);
    }
    movement::select_container(state, id)
}

/// A key in the dialog.
pub(super) fn key(
    state: &State,
    silencing: &mut Silencing,
    event: KeyEvent,
) -> (bool, Vec<Effect>) {
    match event.code {
        KeyCode::Esc => return (false, Vec::new()),
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => {
            silencing.in_reason = !silencing.in_reason;
        }
        KeyCode::Enter => {
            let runs = quiet::named(state, &silencing.service).is_some();
            // What cannot be done stays on the screen with its reason, to be mended.
            if let Ok(seconds) = silencing.seconds(runs) {
                let (service, reason) = (silencing.service.clone(), silencing.why());
                let command = Command::Silence { service, seconds, reason };
                return (false, vec![Effect::Ask(command)]);
            }
            silencing.in_reason = false;
        }
        _ => {
            let plain = event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
            if !silencing.in_reason && matches!(event.code, KeyCode::Char(_)) && plain {
                silencing.begin();
            }
            type_into(silencing.field(), event);
        }
    }
    (true, Vec::new())
}
