//! Dialogs: a box over the screen.

use ratatui::layout::Rect;

use crate::tui::modal::{Approval, Deed, Focus, Modal, Reason, ReasonFor};
use crate::tui::pages;
use crate::tui::role::Role;
use crate::tui::state::{ROOMY, State};
use crate::tui::styled::{Styled, buttons, paragraph};
use crate::tui::view::brush::Brush;
use crate::tui::view::frame::{boxed, field, frame, keys};
use crate::tui::view::{form, help, looks, palette, range, shaping, silence, talk};

/// The widest that a menu gets.
const WIDEST: u16 = 96;
/// The widest that one with a line of a log gets.
const WIDEST_RECORD: u16 = 140;

/// Draws the open dialog, if any, over the screen.
pub fn draw(brush: &mut Brush<'_>, state: &State, screen: Rect) {
    let Some(open) = &state.modal else { return };
    match &open.modal {
        Modal::Help { scroll } => {
            let width = screen.width.saturating_sub(4).min(126);
            let lines = help::lines(state, usize::from(width.saturating_sub(4)));
            let keys = keys(&[("esc", "close"), ("j k", "scroll")]);
            boxed(brush, (screen, width), "Keys", (&lines, *scroll), &keys);
        }
        Modal::Record { record, scroll } => {
            let width = screen.width.saturating_sub(2).min(WIDEST_RECORD);
            let lines = record.page(&state.zone, usize::from(width.saturating_sub(4)).max(1));
            let keys = keys(&[("esc", "close"), ("j k", "scroll"), ("y", "copy")]);
            boxed(brush, (screen, width), "Line", (&lines, *scroll), &keys);
        }
        Modal::Menu { cursor } => menu(brush, state, screen, *cursor),
        Modal::Range { cursor } => range::draw(brush, screen, *cursor),
        Modal::Quit { why, yes } => {
            let width = screen.width.saturating_sub(4).min(60);
            let mut lines = paragraph(&Styled::new(), 0, Role::Text, why, usize::from(width) - 4);
            lines.push(Styled::new());
            lines.push(buttons(&[("Stay", !yes), ("Quit", *yes)]));
            boxed(
                brush,
                (screen, width),
                "Quit?",
                (&lines, 0),
                &keys(&[("y", "quit"), ("esc", "stay")]),
            );
        }
        Modal::Reason(reason) => reason_box(brush, screen, reason),
        Modal::Silence(silencing) => silence::draw(brush, state, screen, silencing),
        Modal::Edit(editing) => shaping::edit(brush, state, screen, editing),
        Modal::Snooze(snoozing) => shaping::snooze(brush, screen, snoozing),
        Modal::Grant(granting) => shaping::grant(brush, state, screen, granting),
        Modal::Rehearsal(rehearsing) => shaping::rehearsal(brush, screen, rehearsing),
        Modal::Approve(approval) => approval_box(brush, state, screen, approval),
        Modal::Form => {
            if let Some(one) = &state.listings.form {
                form::draw(brush, screen, one);
            }
        }
        Modal::Palette(palette) => palette::draw(brush, state, screen, palette),
        Modal::Looks(dialog) => looks::draw(brush, state, screen, *dialog),
        Modal::Talk => {
            if let Some(talk) = &state.talk {
                talk::draw(brush, screen, talk);
            }
        }
    }
}

fn menu(brush: &mut Brush<'_>, state: &State, screen: Rect, cursor: usize) {
    let Some(menu) = &state.menu else { return };
    let widest = menu.items.iter().map(|i| crate::tui::text::width(i)).max().unwrap_or(0);
    let width = u16::try_from(widest + 8).unwrap_or(WIDEST).clamp(36, WIDEST).min(screen.width);
    let foot = keys(&[("enter", "run"), ("esc", "close")]);
    let inside = frame(brush, screen, width, menu.items.len(), &menu.title, &foot);
    let first =
        crate::tui::view::brush::first_row(menu.items.len(), cursor, usize::from(inside.height));
    let items = menu.items.iter().enumerate().skip(first);
    for (y, (at, item)) in (inside.y..inside.bottom()).zip(items) {
        let number = if at < 9 { (at + 1).to_string() } else { " ".to_owned() };
        let line = Styled::of(Role::Key, format!("{number} ")).and(Role::Text, item.clone());
        brush.row(inside, y, &line, at == cursor, true);
    }
}

fn reason_box(brush: &mut Brush<'_>, screen: Rect, reason: &Reason) {
    let width = screen.width.saturating_sub(4).min(76);
    let mut lines = paragraph(
        &Styled::new(),
        0,
        Role::Text,
        &reason.about,
        usize::from(width.saturating_sub(4)),
    );
    lines.truncate(usize::from(screen.height.saturating_sub(5)).max(1));
    lines.push(Styled::of(Role::Dim, "Why? (for the timeline; may be empty)"));
    let (title, verb) = match &reason.of {
        ReasonFor::Reject(_) => ("Reject this fix", "reject"),
        ReasonFor::Dismiss(_) => ("Dismiss this incident", "dismiss"),
        ReasonFor::Halt => ("Kill switch on", "halt"),
        ReasonFor::Resume => ("Kill switch off", "release"),
        ReasonFor::Revoke(_) => ("End a grant", "end it"),
    };
    let foot = keys(&[("enter", verb), ("esc", "cancel")]);
    let inside = frame(brush, screen, width, lines.len() + 1, title, &foot);
    for (y, line) in (inside.y..inside.bottom()).zip(&lines) {
        brush.line(inside.x, y, inside.width, line);
    }
    let last = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside };
    field(brush, last, &reason.typed, true);
}

fn approval_box(brush: &mut Brush<'_>, state: &State, screen: Rect, approval: &Approval) {
    let card = pages::approval::card(state, approval);
    let (verb, question) = match approval.deed {
        Deed::Apply => ("approve", "Approve a change of"),
        Deed::Undo => ("take back", "Take back a change of"),
    };
    let asks = approval.asks_name() && approval.void.is_none();
    let foot = if approval.void.is_some() {
        keys(&[("esc", "close")])
    } else if asks {
        keys(&[("tab", "next"), ("enter", "press"), ("esc", "cancel")])
    } else if approval.deed == Deed::Undo || screen.width < ROOMY.0 {
        keys(&[("y", verb), ("esc", "cancel"), ("tab", "next")])
    } else {
        let more = [("E", "edit"), ("D", "dry run"), ("S", "put off"), ("^g", "allow")];
        keys(&[&[("y", verb), ("esc", "cancel"), ("tab", "next")], &more[..]].concat())
    };
    let title = format!("{question} {}?", approval.target());
    let rows = card.lines.len() + card.below.len();
    let inside = frame(brush, screen, card.width, rows, &title, &foot);
    let room = usize::from(inside.height).saturating_sub(card.below.len());
    let scroll = approval.scroll.min(card.most);
    for (y, line) in (inside.y..inside.bottom()).zip(card.lines.iter().skip(scroll).take(room)) {
        brush.line(inside.x, y, inside.width, line);
    }
    let below = u16::try_from(card.below.len()).unwrap_or(0);
    let top = inside.bottom().saturating_sub(below).max(inside.y);
    for (y, line) in (top..inside.bottom()).zip(&card.below) {
        brush.line(inside.x, y, inside.width, line);
    }
    if scroll < card.most {
        let more = format!("{} {} more lines", brush.glyphs.more_down, card.most - scroll);
        let x = inside.right().saturating_sub(u16::try_from(more.chars().count()).unwrap_or(0));
        brush.line(x, top, inside.width, &Styled::of(Role::Warn, more));
    }
    if asks {
        let y = inside.bottom().saturating_sub(2);
        field(
            brush,
            Rect { y, height: 1, ..inside },
            &approval.typed,
            approval.focus == Focus::Name,
        );
    }
}
