//! The inspector: a page that scrolls, with one piece of evidence chosen.

use ratatui::layout::Rect;

use crate::tui::layout::inside;
use crate::tui::pages;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::{State, Subject};
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let list = inside(area);
    let page = pages::inspected(state, usize::from(list.width));
    let Some(inspector) = &state.inspector else {
        brush.title(state, Pane::Inspector, area, &Styled::new(), &Styled::new());
        return;
    };
    let height = usize::from(list.height);
    let scroll = inspector.scroll.min(page.lines.len().saturating_sub(height));
    let above = scroll > 0;
    let below = scroll + height < page.lines.len();
    let mut right = Styled::new();
    if above || below {
        let up = if above { brush.glyphs.more_up } else { " " };
        let down = if below { brush.glyphs.more_down } else { " " };
        right.push(
            Role::Dim,
            format!("{up}{down} {}/{}", (scroll + height).min(page.lines.len()), page.lines.len()),
        );
    }
    let left = match &inspector.subject {
        Subject::Incident(_) => Styled::of(Role::Dim, "incident"),
        Subject::Container(_) => Styled::of(Role::Dim, "container"),
        Subject::Doctor => Styled::of(Role::Dim, "doctor"),
        Subject::Quiet => Styled::of(Role::Dim, "silenced and left alone"),
        Subject::Listing(_) | Subject::Row(..) => pages::listing::title(state),
    };
    brush.title(state, Pane::Inspector, area, &left, &right);
    let chosen = inspector.chosen.and_then(|at| page.stops.get(at)).copied();
    for (y, (at, line)) in (list.y..list.bottom()).zip(page.lines.iter().enumerate().skip(scroll)) {
        brush.row(list, y, line, chosen == Some(at), state.focus == Pane::Inspector);
    }
}
