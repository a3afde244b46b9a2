//! The menu of ranges of the log.

use ratatui::layout::Rect;

use crate::tui::range::{CHOICES, Choice};
use crate::tui::role::Role;
use crate::tui::styled::Styled;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::view::frame::{frame, keys};

/// Columns of the box.
const WIDTH: u16 = 38;

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, screen: Rect, cursor: usize) {
    let foot = keys(&[("0-8", "show"), ("esc", "close")]);
    let width = WIDTH.min(screen.width);
    let inside = frame(brush, screen, width, CHOICES.len(), "Lines of the log", &foot);
    let first = first_row(CHOICES.len(), cursor, usize::from(inside.height));
    let rows = CHOICES.iter().enumerate().skip(first);
    for (y, (at, (choice, words))) in (inside.y..inside.bottom()).zip(rows) {
        let lead = match choice {
            Choice::Tail | Choice::Head => "",
            Choice::Last(_) => "the last ",
            Choice::Start | Choice::Incident => "since ",
        };
        let line =
            Styled::of(Role::Key, format!("{at} ")).and(Role::Text, format!("{lead}{words}"));
        brush.row(inside, y, &line, at == cursor, true);
    }
}
