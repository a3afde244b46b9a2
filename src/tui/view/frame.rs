//! What dialogs are made of: the box, its lines, buttons, fields.

use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use tui_textarea::TextArea;

use crate::tui::role::Role;
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;

/// Keys for the lower edge.
pub(super) fn keys(pairs: &[(&str, &str)]) -> Styled {
    let mut line = Styled::new();
    for (at, (key, what)) in pairs.iter().enumerate() {
        line.push(Role::Text, if at == 0 { "" } else { "  " });
        line.push(Role::Key, *key);
        line.push(Role::KeyText, format!(" {what}"));
    }
    line
}

/// A box in the middle of the screen, as tall as its lines need; its inside comes back.
pub(super) fn frame(
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
pub(super) fn boxed(
    brush: &mut Brush<'_>,
    (screen, width): (Rect, u16),
    title: &str,
    (lines, scroll): (&[Styled], usize),
    foot: &Styled,
) {
    let inside = frame(brush, screen, width, lines.len(), title, foot);
    let most = lines.len().saturating_sub(usize::from(inside.height));
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(scroll.min(most))) {
        brush.line(inside.x, y, inside.width, line);
    }
}

/// A field of one line.
pub(super) fn field(brush: &mut Brush<'_>, area: Rect, typed: &TextArea<'static>, focused: bool) {
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
