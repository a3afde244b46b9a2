//! The command palette: the typed line, and below it what fits, with its keys.

use ratatui::layout::Rect;

use crate::tui::modal::Palette;
use crate::tui::palette::{OFFERED, matches};
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::view::frame::{field, frame, keys};

/// Columns of a key.
const KEY: usize = 9;
/// Rows of the box, so that it does not jump while typing.
const ROWS: usize = 15;

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, state: &State, screen: Rect, palette: &Palette) {
    let width = screen.width.saturating_sub(4).min(76);
    let foot = keys(&[("enter", "run"), ("tab", "next"), ("esc", "close")]);
    let found = matches(state, palette);
    let title = match found.len() {
        OFFERED.. => format!("Commands: the first {OFFERED}"),
        count => format!("Commands: {count}"),
    };
    let inside = frame(brush, screen, width, ROWS, &title, &foot);
    brush.line(inside.x, inside.y, 1, &Styled::of(Role::Key, ":"));
    let x = inside.x + 1.min(inside.width);
    let line = Rect { x, width: inside.width.saturating_sub(1), height: 1, ..inside };
    field(brush, line, &palette.typed, true);
    let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
    if found.is_empty() {
        brush.note(list, Role::Dim, "Nothing is called that. Erase a letter, or esc.");
        return;
    }
    let first = first_row(found.len(), palette.cursor, usize::from(list.height));
    let columns = usize::from(list.width.saturating_sub(1));
    let longest = found.iter().map(|e| text::width(&e.words)).max().unwrap_or(0);
    let name = longest.min(columns / 2);
    let rows = found.iter().enumerate().skip(first);
    for (y, (at, entry)) in (list.y..list.bottom()).zip(rows) {
        let what = columns.saturating_sub(name + KEY + 2);
        let line = Styled::of(Role::Strong, text::left(&entry.words, name, brush.glyphs.ellipsis))
            .and(Role::Dim, format!(" {} ", text::left(&entry.what, what, brush.glyphs.ellipsis)))
            .and(Role::Key, text::right(&entry.keys, KEY, ""));
        brush.row(list, y, &line, at == palette.cursor, true);
    }
}
