//! The panel in which questions are asked.

use ratatui::layout::Rect;

use crate::tui::pages::talk as page;
use crate::tui::role::Role;
use crate::tui::styled::Styled;
use crate::tui::talk::{Talk, room};
use crate::tui::text;
use crate::tui::view::brush::Brush;
use crate::tui::view::frame::{field, frame, keys};

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, screen: Rect, talk: &Talk) {
    let (width, rows, columns) = room(screen);
    let page = page::page(talk, brush.glyphs, columns);
    let close = if talk.running.is_some() { "cancel" } else { "close" };
    let mut pairs = vec![("enter", "ask"), ("esc", close)];
    if talk.chosen.is_some() {
        pairs = vec![("enter", "to its line"), ("tab", "next"), ("esc", close)];
    } else if !talk.evidence().is_empty() {
        pairs.insert(1, ("tab", "evidence"));
    }
    if page.lines.len() > rows {
        pairs.push(("pgup", "earlier"));
    }
    let title = format!("Ask about {}", text::cut(&talk.title, 40, brush.glyphs.ellipsis));
    let inside = frame(brush, screen, width, rows + 2, &title, &keys(&pairs));
    let last = inside.bottom().saturating_sub(1);
    let most = page.lines.len().saturating_sub(rows);
    let first = most.saturating_sub(talk.back);
    let chosen = talk.chosen.and_then(|at| page.stops.get(at)).copied();
    let list = Rect { height: inside.height.saturating_sub(2), ..inside };
    for (y, (at, line)) in (list.y..list.bottom()).zip(page.lines.iter().enumerate().skip(first)) {
        brush.row(list, y, line, chosen == Some(at), true);
    }
    if first < most {
        let more = format!("{} {} more", brush.glyphs.more_down, most - first);
        let line = Styled::of(Role::Dim, more);
        brush.line(inside.x, last.saturating_sub(1), inside.width, &line);
    }
    brush.line(inside.x, last, 2, &Styled::of(Role::Key, "? "));
    let typed = Rect { x: inside.x + 2, y: last, width: inside.width.saturating_sub(2), height: 1 };
    field(brush, typed, &talk.typed, true);
}
