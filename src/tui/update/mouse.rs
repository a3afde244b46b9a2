//! The mouse: a click focuses, selects, or runs a hint; the wheel scrolls what is under it. It
//! never answers a dialog.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::tui::hit::{self, Hit};
use crate::tui::layout::{Form, layout};
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::pane::Pane;
use crate::tui::state::State;
use crate::tui::update::{act, listing, movement};

/// Lines of one turn of the wheel.
const TURN: isize = 3;

pub(super) fn event(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    if layout(state).form == Form::TooSmall || !state.mouse {
        return Vec::new();
    }
    let wheel = match event.kind {
        MouseEventKind::ScrollUp => Some(-TURN),
        MouseEventKind::ScrollDown => Some(TURN),
        MouseEventKind::Down(MouseButton::Left) => None,
        _ => return Vec::new(),
    };
    if let Some(open) = state.modal.as_mut() {
        let scrolled = wheel.is_some_and(|by| scroll(open, by));
        state.dirty |= scrolled;
        return Vec::new();
    }
    if state.prompt.is_some() && wheel.is_none() {
        // A line that is being typed belongs to the pane where it began.
        return Vec::new();
    }
    let Some(hit) = hit::at(state, event.column, event.row) else { return Vec::new() };
    state.dirty = true;
    match (hit, wheel) {
        (Hit::Pane(pane, _), Some(by)) => {
            // Where the operator stands does not change with a turn of the wheel.
            let stood = std::mem::replace(&mut state.focus, pane);
            let effects = match state.listing().filter(|_| pane == Pane::Inspector) {
                Some(of) => listing::move_to(state, of, |row, _| row.saturating_add_signed(by)),
                None => movement::step(state, by),
            };
            state.focus = stood;
            movement::settle(state);
            effects
        }
        (Hit::Pane(pane, row), None) => {
            let mut effects = Vec::new();
            if state.focus != pane {
                effects = movement::go(state, pane);
            }
            if let Some(row) = row {
                effects.extend(movement::select_row(state, row));
            }
            effects
        }
        (Hit::Hint(action), None) => act::act(state, action),
        (Hit::Hint(_), Some(_)) => Vec::new(),
    }
}

/// What can be read in a dialog scrolls.
fn scroll(open: &mut Open, by: isize) -> bool {
    match &mut open.modal {
        Modal::Help { scroll } => *scroll = scroll.saturating_add_signed(by).min(200),
        Modal::Approve(card) => card.scroll = card.scroll.saturating_add_signed(by).min(500),
        _ => return false,
    }
    true
}
