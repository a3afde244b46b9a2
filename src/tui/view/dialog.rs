//! Dialogs: a box over the screen.

use ratatui::layout::Rect;

use crate::tui::modal::{Approval, Deed, Focus, Modal, Reason, ReasonFor};
use crate::tui::pages;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::view::brush::Brush;
use crate::tui::view::frame::{boxed, buttons, field, frame, keys};
use crate::tui::view::{form, help, looks, palette, range, silence, talk};

/// The widest a dialog of prose gets.
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
    let width = screen.width.saturating_sub(2).min(WIDEST);
    let columns = usize::from(width.saturating_sub(4));
    let page = pages::approval::page(state, approval, brush.glyphs, columns).lines;
    let (verb, question, none) = match approval.deed {
        Deed::Apply => ("Approve", "Approve a change of", "Nothing was approved."),
        Deed::Undo => ("Take back", "Take back a change of", "Nothing was taken back."),
    };
    let mut below = vec![Styled::new()];
    let asks = approval.asks_name() && approval.void.is_none();
    if let Some(why) = &approval.void {
        below.extend(paragraph(&Styled::new(), 0, Role::Error, why, columns));
        below.push(Styled::of(Role::Strong, none));
    } else {
        if asks {
            below.push(
                Styled::of(Role::Warn, "Type the container's name to confirm: ")
                    .and(Role::Strong, approval.target()),
            );
            below.push(Styled::new());
        }
        let run = if approval.plan.steps.len() > 1 {
            format!("{verb} all {} steps", approval.plan.steps.len())
        } else {
            verb.to_owned()
        };
        below.push(buttons(&[
            ("Cancel", approval.focus == Focus::Cancel),
            (&run, approval.focus == Focus::Approve),
        ]));
    }
    let foot = if approval.void.is_some() {
        keys(&[("esc", "close")])
    } else if asks {
        keys(&[("tab", "next"), ("enter", "press"), ("esc", "cancel")])
    } else {
        keys(&[("y", &verb.to_lowercase()), ("esc", "cancel"), ("tab", "next")])
    };
    let title = format!("{question} {}?", approval.target());
    let inside = frame(brush, screen, width, page.len() + below.len(), &title, &foot);
    let room = usize::from(inside.height).saturating_sub(below.len());
    let most = page.len().saturating_sub(room);
    let scroll = approval.scroll.min(most);
    for (y, line) in (inside.y..inside.bottom()).zip(page.iter().skip(scroll).take(room)) {
        brush.line(inside.x, y, inside.width, line);
    }
    if scroll < most {
        let more = format!("{} {} more lines", brush.glyphs.more_down, most - scroll);
        let x = inside.right().saturating_sub(u16::try_from(more.chars().count()).unwrap_or(0));
        let y = inside.y + u16::try_from(room).unwrap_or(0);
        brush.line(x, y, inside.width, &Styled::of(Role::Warn, more));
    }
    let top = inside.bottom().saturating_sub(u16::try_from(below.len()).unwrap_or(0)).max(inside.y);
    for (y, line) in (top..inside.bottom()).zip(&below) {
        brush.line(inside.x, y, inside.width, line);
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
