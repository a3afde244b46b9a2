//! The approval card: its keys, what of it was read, and the one place where approving is asked
//! for.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::ids::FixId;
use sentinel_core::domain::plan::Plan;

use crate::tui::message::Effect;
use crate::tui::modal::{Approval, Deed, Focus, Modal, Open};
use crate::tui::pages::approval;
use crate::tui::state::State;
use crate::tui::update::prompts::type_into;
use crate::tui::update::{decide, movement, shaping};

/// A frame with the card is on the screen: what it shows counts as read, if nothing above it was
/// skipped. In a terminal of another size the lines are others.
pub(super) fn drawn(state: &mut State) {
    let Some(Open { modal: Modal::Approve(shown), .. }) = &state.modal else { return };
    let card = approval::card(state, shown);
    let first = shown.scroll.min(card.most);
    let read = if shown.seen.0 == state.area { shown.seen.1 } else { 0 };
    let read = if first <= read { read.max(first + card.room) } else { read };
    let area = state.area;
    if let Some(Open { modal: Modal::Approve(shown), .. }) = state.modal.as_mut() {
        shown.seen = (area, read);
    }
}

/// Lines that a page key goes on by.
fn turned(state: &State, approval: &Approval) -> usize {
    approval::card(state, approval).room.saturating_sub(1).max(1)
}

/// From the card of a plan to another dialog about it.
fn other(
    state: &mut State,
    approval: &Approval,
    open: impl FnOnce(&mut State, Plan),
) -> (bool, Vec<Effect>) {
    if approval.deed == Deed::Apply {
        open(state, approval.plan.clone());
        // A refusal leaves the card where it is.
        return (state.modal.is_none(), Vec::new());
    }
    (true, Vec::new())
}

/// From the card to a piece of evidence.
fn jump(state: &mut State, approval: &Approval, at: usize) -> (bool, Vec<Effect>) {
    let pieces = approval::evidence(state, &approval.plan);
    match pieces.into_iter().nth(at).cloned() {
        Some(piece) => (false, movement::to_evidence(state, piece)),
        None => (true, Vec::new()),
    }
}

/// A key in the card.
pub(super) fn key(
    state: &mut State,
    approval: &mut Approval,
    event: KeyEvent,
) -> (bool, Vec<Effect>) {
    if approval.void.is_some() {
        let closes = matches!(event.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 'n'));
        return (!closes, Vec::new());
    }
    let typing = approval.focus == Focus::Name;
    match event.code {
        KeyCode::Esc => return (false, Vec::new()),
        KeyCode::Tab => approval.focus = next(approval, true),
        KeyCode::BackTab => approval.focus = next(approval, false),
        KeyCode::Up => approval.scroll = approval.scroll.saturating_sub(1),
        KeyCode::Down => {
            let most = approval::card(state, approval).most;
            approval.scroll = (approval.scroll + 1).min(most);
        }
        KeyCode::PageUp => {
            approval.scroll = approval.scroll.saturating_sub(turned(state, approval));
        }
        KeyCode::PageDown => {
            let most = approval::card(state, approval).most;
            approval.scroll = (approval.scroll + turned(state, approval)).min(most);
        }
        KeyCode::Enter => match approval.focus {
            Focus::Cancel => return (false, Vec::new()),
            // Typing a name must not run into approving: a second, own step does that.
            Focus::Name if approval.is_named() => approval.focus = Focus::Approve,
            Focus::Name => {}
            Focus::Approve => return confirm(state, approval),
        },
        // With a name to type, letters are letters.
        KeyCode::Char(_) | KeyCode::Backspace if approval.asks_name() => {
            approval.focus = Focus::Name;
            type_into(&mut approval.typed, event);
        }
        _ if typing => {
            type_into(&mut approval.typed, event);
        }
        KeyCode::Char('y') => return confirm(state, approval),
        KeyCode::Char('g') if event.modifiers.contains(KeyModifiers::CONTROL) => {
            return other(state, approval, shaping::grant_plan);
        }
        KeyCode::Char('E') => return other(state, approval, shaping::edit_plan),
        KeyCode::Char('S') => {
            return other(state, approval, |state, plan| shaping::snooze_plan(state, &plan));
        }
        KeyCode::Char('D') if approval.deed == Deed::Apply => {
            let effects = shaping::rehearse_plan(state, &approval.plan);
            return (false, effects);
        }
        KeyCode::Char(c @ '1'..='3') => return jump(state, approval, c as usize - '1' as usize),
        KeyCode::Char('n' | 'q') => return (false, Vec::new()),
        KeyCode::Left | KeyCode::Right => approval.focus = next(approval, true),
        _ => {}
    }
    (true, Vec::new())
}

fn next(approval: &Approval, forward: bool) -> Focus {
    let order: &[Focus] = if approval.asks_name() {
        &[Focus::Cancel, Focus::Name, Focus::Approve]
    } else {
        &[Focus::Cancel, Focus::Approve]
    };
    let at = order.iter().position(|f| *f == approval.focus).unwrap_or(0);
    let step = if forward { 1 } else { order.len() - 1 };
    order.get((at + step) % order.len()).copied().unwrap_or(Focus::Cancel)
}

fn confirm(state: &State, approval: &mut Approval) -> (bool, Vec<Effect>) {
    // What was cut off was not read.
    if approval::card(state, approval).unread(state, approval) > 0 {
        return (true, Vec::new());
    }
    if !approval.is_named() {
        approval.focus = Focus::Name;
        return (true, Vec::new());
    }
    // What was true when it was last drawn need not be true now.
    if let Some(why) = decide::void(state, approval.deed, &approval.plan) {
        approval.void = Some(why);
        return (true, Vec::new());
    }
    let Some(fix): Option<FixId> = approval.fix().cloned() else { return (false, Vec::new()) };
    let sha256 = approval.plan.sha256.clone();
    let command = match approval.deed {
        Deed::Apply => Command::Approve { fix, sha256 },
        Deed::Undo => Command::Undo { fix, sha256 },
    };
    (false, vec![Effect::Ask(command)])
}
