//! What a key does, by where the operator stands: dialog, footer line, pane.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::action::Action;
use crate::tui::keymap::Key;
use crate::tui::layout::{Form, layout};
use crate::tui::looks::Looks;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::state::State;
use crate::tui::update::{act, dialogs, looks, palette, prompts};

pub(super) fn key(state: &mut State, event: KeyEvent, at: Duration) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let key = Key::of(&event);
    let quits = Key { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL };
    if key == quits || state.keymap.action(state.context(), key) == Some(Action::Quit) {
        state.quit = true;
        return Vec::new();
    }
    if state.keymap.action(state.context(), key) == Some(Action::Suspend)
        && key.modifiers.contains(KeyModifiers::CONTROL)
    {
        // As in a shell, whatever is open: with control it is no letter that is being typed.
        return vec![Effect::Suspend];
    }
    if layout(state).form == Form::TooSmall {
        // Nothing can be seen, so nothing can be decided: only leaving works.
        if key == Key::char('q') {
            state.quit = true;
        }
        return Vec::new();
    }
    if let Some(Open { modal: Modal::Palette(palette), drawn }) = state.modal.as_mut() {
        let (palette, drawn) = (std::mem::take(palette), *drawn);
        state.modal = None;
        state.dirty = true;
        return palette::key(state, palette, event, drawn);
    }
    if let Some(Open { modal: Modal::Looks(Looks::Tour { card }), .. }) = state.modal
        && let Some(effects) = looks::tour(state, card, event)
    {
        return effects;
    }
    if state.modal.is_some() {
        return dialogs::key(state, event, at);
    }
    if state.prompt.is_some() {
        return prompts::key(state, event);
    }
    match state.keymap.action(state.context(), key) {
        Some(action) => {
            state.dirty = true;
            act::act(state, action)
        }
        None => Vec::new(),
    }
}
