//! The list of incidents: open ones first, closed ones dimmed.

use ratatui::layout::Rect;
use sentinel_core::domain::incident::Incident;

use crate::tui::layout::inside;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::words;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let rows = lists::incidents(state);
    let open = lists::open_count(state);
    let mut left = Styled::new();
    if let Some(filter) = &state.incidents.filter {
        left.push(Role::Match, format!(" /{} ", filter.text()));
    }
    let right = if open > 0 {
        Styled::of(Role::Error, format!("{open} open"))
    } else {
        Styled::of(Role::Dim, "none open")
    };
    brush.title(state, Pane::Incidents, area, &left, &right);
    let list = inside(area);
    if rows.is_empty() {
        let (role, text) = if state.incidents.filter.is_some() {
            (Role::Dim, "No incident matches the filter. Esc clears it.")
        } else if state.snapshot.engine.is_none() {
            (Role::Dim, "Nothing is watched yet.")
        } else {
            (Role::Dim, "No incidents.")
        };
        brush.note(list, role, text);
        return;
    }
    let height = usize::from(list.height);
    let first = first_row(rows.len(), state.incidents.row, height);
    for (y, incident) in (list.y..list.bottom()).zip(rows.iter().skip(first)) {
        let selected = state.incidents.item.as_ref() == Some(&incident.id);
        let line = row(brush, state, incident, usize::from(list.width));
        brush.row(list, y, &line, selected, state.focus == Pane::Incidents);
    }
}

fn row(brush: &Brush<'_>, state: &State, incident: &Incident, width: usize) -> Styled {
    let closed = incident.state.is_closed();
    let shown = status::of_incident(incident, state.why_no_approval().is_none(), brush.glyphs);
    let severity = status::of_severity(incident.severity);
    let age = match incident.closed_at {
        Some(at) => words::age(state.now, at),
        None => words::age(state.now, incident.observed_at),
    };
    let quiet = |role: Role| if closed { Role::Dim } else { role };
    // Where it is narrow the symbol says it alone, and the title gets the room.
    let word = if width >= 44 { text::left(&shown.word, 10, "") } else { String::new() };
    let mut line = Styled::of(quiet(severity.role), severity.word)
        .and(Role::Text, " ")
        .and(quiet(shown.role), format!("{} {word}", shown.glyph))
        .and(Role::Dim, format!("{} ", text::right(&age, 4, "")));
    if let Some(silence) = quiet::silence_of(state, &incident.container).filter(|_| !closed) {
        line.push(Role::Info, format!("{} ", quiet::timed(state, silence, brush.glyphs)));
    }
    if width >= 90 {
        let service = text::left(incident.service(), 12, brush.glyphs.ellipsis);
        line.push(quiet(Role::Strong), format!("{service} "));
    }
    line.push(quiet(Role::Text), incident.title.clone());
    line
}
