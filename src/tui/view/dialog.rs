//! Dialogs: a box over the screen.

use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use tui_textarea::TextArea;

use crate::tui::modal::{Approval, Focus, Modal, Reason, ReasonFor};
use crate::tui::pages;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::view::brush::Brush;
use crate::tui::view::help;

/// The widest a dialog of prose gets.
const WIDEST: u16 = 96;

/// Draws the open dialog, if any, over the screen.
pub fn draw(brush: &mut Brush<'_>, state: &State, screen: Rect) {
    let Some(open) = &state.modal else { return };
    match &open.modal {
        Modal::Help { scroll } => {
            let width = screen.width.saturating_sub(4).min(126);
            let lines = help::lines(state, usize::from(width.saturating_sub(4)));
            let keys = keys(&[("esc", "close"), ("j k", "scroll")]);
            boxed(brush, screen, width, "Keys", &lines, *scroll, &keys);
        }
        Modal::Menu { cursor } => menu(brush, state, screen, *cursor),
        Modal::Quit { why, yes } => {
            let width = screen.width.saturating_sub(4).min(60);
            let mut lines = paragraph(Styled::new(), 0, Role::Text, why, usize::from(width) - 4);
            lines.push(Styled::new());
            lines.push(buttons(&[("Stay", !yes), ("Quit", *yes)]));
            boxed(
                brush,
                screen,
                width,
                "Quit?",
                &lines,
                0,
                &keys(&[("y", "quit"), ("esc", "stay")]),
            );
        }
        Modal::Reason(reason) => reason_box(brush, screen, reason),
        Modal::Approve(approval) => approval_box(brush, state, screen, approval),
    }
}

fn keys(pairs: &[(&str, &str)]) -> Styled {
    let mut line = Styled::new();
    for (at, (key, what)) in pairs.iter().enumerate() {
        line.push(Role::Text, if at == 0 { "" } else { "  " });
        line.push(Role::Key, *key);
        line.push(Role::KeyText, format!(" {what}"));
    }
    line
}

fn buttons(list: &[(&str, bool)]) -> Styled {
    let mut line = Styled::new();
    for (text, focused) in list {
        let role = if *focused { Role::ButtonFocused } else { Role::Button };
        // Brackets show the focus where there is no colour.
        let text = if *focused { format!("[ {text} ]") } else { format!("  {text}  ") };
        line.push(role, text);
        line.push(Role::Text, "  ");
    }
    line
}

/// A box in the middle of the screen, as tall as its lines need; its inside comes back.
fn frame(
    brush: &mut Brush<'_>,
    screen: Rect,
    width: u16,
    rows: usize,
    title: &str,
    foot: &Styled,
) -> Rect {
    let height = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2).min(screen.height);
    let width = width.min(screen.width);
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    Clear.render(area, brush.buf);
    brush.buf.set_style(area, brush.theme.style(Role::Modal));
    let [tl, tr, bl, br] = brush.glyphs.corners;
    let bar = brush.glyphs.bar;
    let inner = usize::from(width.saturating_sub(2));
    let edge = |left: &str, middle: &Styled, right: &str, rule: &str| {
        let mut line = Styled::of(Role::ModalBorder, format!("{left}{rule} "));
        line.pieces.extend(middle.pieces.iter().cloned());
        line.push(Role::ModalBorder, " ");
        let rest = (inner + 1).saturating_sub(line.width());
        line.push(Role::ModalBorder, format!("{}{right}", rule.repeat(rest)));
        line
    };
    let rule = brush.glyphs.rule;
    let top = edge(tl, &Styled::of(Role::TitleFocused, title), tr, rule);
    let bottom = edge(bl, foot, br, rule);
    for y in area.y..area.bottom() {
        brush.line(area.x, y, 1, &Styled::of(Role::ModalBorder, bar));
        brush.line(area.right() - 1, y, 1, &Styled::of(Role::ModalBorder, bar));
    }
    brush.line(area.x, area.y, width, &top);
    brush.line(area.x, area.bottom().saturating_sub(1), width, &bottom);
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: width.saturating_sub(4),
        height: height.saturating_sub(2),
    }
}

/// A box with lines that may be scrolled.
fn boxed(
    brush: &mut Brush<'_>,
    screen: Rect,
    width: u16,
    title: &str,
    lines: &[Styled],
    scroll: usize,
    foot: &Styled,
) {
    let inside = frame(brush, screen, width, lines.len(), title, foot);
    let most = lines.len().saturating_sub(usize::from(inside.height));
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(scroll.min(most))) {
        brush.line(inside.x, y, inside.width, line);
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

fn field(brush: &mut Brush<'_>, area: Rect, typed: &TextArea<'static>, focused: bool) {
    let mut typed = typed.clone();
    typed.set_style(brush.theme.style(Role::Button));
    typed.set_cursor_line_style(brush.theme.style(Role::Button));
    let cursor = if focused {
        brush.theme.style(Role::ButtonFocused)
    } else {
        brush.theme.style(Role::Button)
    };
    typed.set_cursor_style(cursor);
    typed.render(area, brush.buf);
}

fn reason_box(brush: &mut Brush<'_>, screen: Rect, reason: &Reason) {
    let width = screen.width.saturating_sub(4).min(76);
    let mut lines = paragraph(
        Styled::new(),
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
    let page = pages::approval::page(state, &approval.plan, brush.glyphs, columns).lines;
    let mut below = vec![Styled::new()];
    let asks = approval.asks_name() && approval.void.is_none();
    if let Some(why) = &approval.void {
        below.extend(paragraph(Styled::new(), 0, Role::Error, why, columns));
        below.push(Styled::of(Role::Strong, "Nothing was approved."));
    } else {
        if asks {
            below.push(
                Styled::of(Role::Warn, "Type the container's name to confirm: ")
                    .and(Role::Strong, approval.target()),
            );
            below.push(Styled::new());
        }
        let run = if approval.plan.steps.len() > 1 {
            format!("Approve all {} steps", approval.plan.steps.len())
        } else {
            "Approve".to_owned()
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
        keys(&[("y", "approve"), ("esc", "cancel"), ("tab", "next")])
    };
    let title = format!("Approve a change of {}?", approval.target());
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
