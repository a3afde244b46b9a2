//! The form in which a tool that only reads gets its arguments.

use ratatui::layout::Rect;

use crate::tui::form::{Form, Kind};
use crate::tui::role::Role;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::view::frame::{field, frame, keys};

/// Columns of the names before the fields, at most.
const NAMES: usize = 22;
/// Lines below the fields: what is wrong or meant, the call.
const BELOW: usize = 3;

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, screen: Rect, form: &Form) {
    let width = screen.width.saturating_sub(4).min(96);
    let columns = usize::from(width.saturating_sub(4));
    let names = form.fields.iter().map(|f| text::width(&f.name) + 2).max().unwrap_or(0);
    let names = names.clamp(8, NAMES.min(columns / 2));
    let most = usize::from(screen.height.saturating_sub(2)).saturating_sub(BELOW).max(1);
    let shown = form.fields.len().clamp(1, most);
    let foot = keys(&[("enter", "call"), ("tab", "next field"), ("esc", "close")]);
    let title = format!("Call {}", form.tool.name);
    let inside = frame(brush, screen, width, shown + BELOW, &title, &foot);
    let first = first_row(form.fields.len(), form.at, shown);
    if form.fields.is_empty() {
        let none = Styled::of(Role::Dim, "It takes no arguments.");
        brush.line(inside.x, inside.y, inside.width, &none);
    }
    let rows = form.fields.iter().enumerate().skip(first).take(shown);
    let label = u16::try_from(names).unwrap_or(u16::MAX).min(inside.width);
    for (y, (at, one)) in (inside.y..inside.bottom()).zip(rows) {
        let focused = at == form.at;
        let role = if focused { Role::Strong } else { Role::Text };
        let name = text::cut(&one.name, names.saturating_sub(2), brush.glyphs.ellipsis);
        let star = if one.required { "*" } else { " " };
        let head = Styled::of(role, name).and(Role::Warn, star);
        brush.line(inside.x, y, label, &head);
        let x = inside.x + label;
        let room = inside.width.saturating_sub(label);
        if matches!(one.kind, Kind::OneOf(_)) {
            let role = if focused { Role::ButtonFocused } else { Role::Button };
            let line = Styled::of(role, format!("< {} >", one.chosen()));
            brush.line(x, y, room, &line);
        } else {
            field(brush, Rect { x, y, width: room, height: 1 }, &one.typed, focused);
        }
    }
    let bottom = inside.bottom().saturating_sub(2);
    let mut below = match form.arguments() {
        Ok(_) => paragraph(&Styled::new(), 0, Role::Dim, &about(form), columns),
        Err((at, why)) => {
            let name = form.fields.get(at).map_or("", |f| f.name.as_str());
            paragraph(&Styled::new(), 0, Role::Warn, &format!("{name}: {why}"), columns)
        }
    };
    below.truncate(2);
    for (y, line) in (bottom..inside.bottom()).zip(&below) {
        brush.line(inside.x, y, inside.width, line);
    }
}

/// What the field with the focus is for.
fn about(form: &Form) -> String {
    let Some(field) = form.fields.get(form.at) else { return String::new() };
    let turn = if matches!(field.kind, Kind::OneOf(_)) { ", left and right choose" } else { "" };
    let required = if field.required { ", must be given" } else { "" };
    let said = if field.said.is_empty() { String::new() } else { format!(": {}", field.said) };
    format!("{}{required}{turn}{said}", field.words)
}
