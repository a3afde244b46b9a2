//! Keys in the open dialog, whichever it is.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use sentinel_core::domain::command::Command;

use crate::tui::field::typed;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Reason, ReasonFor};
use crate::tui::record::Record;
use crate::tui::state::State;
use crate::tui::update::prompts::type_into;
use crate::tui::update::{card, decide, form, looks, range, shaping, silence, talk};

/// A key in a dialog.
pub(super) fn key(state: &mut State, event: KeyEvent, at: Duration) -> Vec<Effect> {
    let Some(mut open) = state.modal.take() else { return Vec::new() };
    if !open.hears(at) {
        state.modal = Some(open);
        return Vec::new();
    }
    state.dirty = true;
    let (stays, effects) = match &mut open.modal {
        Modal::Help { scroll } => (decide::help(scroll, event), Vec::new()),
        Modal::Record { record, scroll } => record_key(record, scroll, event),
        Modal::Menu { cursor } => menu(state, cursor, event),
        Modal::Range { cursor } => range::key(state, cursor, event),
        Modal::Quit { yes, .. } => (quit(state, yes, event), Vec::new()),
        Modal::Reason(reason) => reason_key(reason, event),
        Modal::Silence(silencing) => silence::key(state, silencing, event),
        Modal::Edit(editing) => shaping::edit_key(state, editing, event),
        Modal::Snooze(snoozing) => shaping::snooze_key(snoozing, event),
        Modal::Grant(granting) => shaping::grant_key(state, granting, event),
        Modal::Rehearsal(rehearsing) => shaping::rehearsal_key(rehearsing, event),
        Modal::Approve(approval) => card::key(state, approval, event),
        // Its keys are looked at before they come here.
        Modal::Palette(_) => (true, Vec::new()),
        Modal::Looks(dialog) => looks::key(state, dialog, event),
        Modal::Form => form::key(state, event),
        Modal::Talk => talk::key(state, event),
    };
    if stays {
        state.modal = Some(open);
    }
    effects
}

/// A line shown whole scrolls as the help does, and is copied as it was written.
fn record_key(record: &Record, scroll: &mut usize, event: KeyEvent) -> (bool, Vec<Effect>) {
    if event.code == KeyCode::Char('y') {
        return (true, vec![Effect::Copy(record.entry.line.text.to_string())]);
    }
    (decide::help(scroll, event), Vec::new())
}

fn menu(state: &State, cursor: &mut usize, event: KeyEvent) -> (bool, Vec<Effect>) {
    let count = state.menu.as_ref().map_or(0, |m| m.items.len());
    let last = count.saturating_sub(1);
    match event.code {
        KeyCode::Up | KeyCode::Char('k') => *cursor = cursor.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => *cursor = (*cursor + 1).min(last),
        KeyCode::Home => *cursor = 0,
        KeyCode::End => *cursor = last,
        KeyCode::Char(c @ '1'..='9') => {
            *cursor = (c as usize - '1' as usize).min(last);
        }
        KeyCode::Enter if count > 0 => return (false, vec![Effect::Pick(*cursor)]),
        KeyCode::Esc | KeyCode::Char('q' | 'F') | KeyCode::Enter => return (false, Vec::new()),
        _ => {}
    }
    (true, Vec::new())
}

fn quit(state: &mut State, yes: &mut bool, event: KeyEvent) -> bool {
    match event.code {
        KeyCode::Char('y') => state.quit = true,
        KeyCode::Enter => state.quit = *yes,
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
            *yes = !*yes;
            return true;
        }
        KeyCode::Esc | KeyCode::Char('n' | 'q') => {}
        _ => return true,
    }
    false
}

fn reason_key(reason: &mut Reason, event: KeyEvent) -> (bool, Vec<Effect>) {
    match event.code {
        KeyCode::Esc => (false, Vec::new()),
        KeyCode::Enter => {
            let words = typed(&reason.typed).trim().to_owned();
            let command = match reason.of.clone() {
                ReasonFor::Reject(fix) => Command::Reject { fix, reason: words },
                ReasonFor::Dismiss(incident) => Command::Dismiss { incident, reason: words },
                ReasonFor::Halt => Command::Halt { reason: words },
                ReasonFor::Resume => Command::Resume { reason: words },
                ReasonFor::Revoke(grant) => Command::Revoke { grant, reason: words },
            };
            (false, vec![Effect::Ask(command)])
        }
        _ => {
            type_into(&mut reason.typed, event);
            (true, Vec::new())
        }
    }
}
