//! The log of the selected container.

use std::ops::Range;

use ratatui::layout::Rect;
use sentinel_core::domain::container::RunState;
use sentinel_core::domain::log::{Level, LogEntry};

use crate::tui::layout::inside;
use crate::tui::log_view::LogView;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::Brush;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    title(brush, state, area);
    let area = inside(area);
    let view = &state.logs;
    if view.shown().is_empty() {
        brush.note(area, Role::Dim, &why_empty(state));
        return;
    }
    let (rows, columns) = (usize::from(area.height), usize::from(area.width));
    let mut y = area.y;
    for number in view.shown().iter().skip(view.first_in_view(rows, columns)) {
        if y >= area.bottom() {
            break;
        }
        let Some(entry) = view.entry(*number) else { continue };
        let current = *number == view.cursor;
        let focused = state.focus == Pane::Logs;
        for line in lines(brush, state, entry, columns) {
            if y >= area.bottom() {
                break;
            }
            let selected = current && (focused || !view.follow);
            brush.row(area, y, &line, selected, focused);
            y += 1;
        }
    }
}

fn title(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let view = &state.logs;
    let mut left = Styled::new();
    if let Some(container) = view.container.as_ref().and_then(|id| state.container(id)) {
        left.push(Role::Strong, container.container.of.name.clone());
        if container.lines_dropped > 0 {
            left.push(Role::Warn, format!("  {} lines dropped", container.lines_dropped));
        }
    }
    if let Some(filter) = &view.filter {
        left.push(Role::Text, " ");
        left.push(Role::Match, format!(" &{} ", filter.text()));
    }
    if let Some(search) = &view.search {
        left.push(Role::Text, " ");
        left.push(Role::Match, format!(" /{} ", search.text()));
    }
    if let Some(least) = view.least {
        left.push(Role::Warn, format!(" {} and above", least.as_str()));
    }
    let mut right = Styled::new();
    if view.is_narrowed() {
        right.push(Role::Dim, format!("{} of {} lines  ", view.shown().len(), view.total()));
    }
    if view.left > 0 {
        right.push(Role::Dim, format!("from column {}  ", view.left + 1));
    }
    if view.wrap {
        right.push(Role::Dim, "wrap  ");
    }
    right.push(Role::Dim, format!("{}  ", view.times.word()));
    if view.follow {
        right.push(Role::Ok, "following");
    } else if view.missed > 0 {
        right.push(Role::Warn, format!("+{} new, G follows", view.missed));
    } else {
        right.push(Role::Warn, "paused, G follows");
    }
    brush.title(state, Pane::Logs, area, &left, &right);
}

fn why_empty(state: &State) -> String {
    let Some(view) = state.logs.container.as_ref().and_then(|id| state.container(id)) else {
        return "Select a container to see its log.".to_owned();
    };
    let container = &view.container;
    let name = &container.of.name;
    if state.logs.total() > 0 {
        return format!(
            "All {} lines are hidden by the filter or the level. Esc clears the filter, v the level.",
            state.logs.total()
        );
    }
    if container.log_driver == "none" {
        return format!("{name} uses the log driver `none`: the engine keeps no log to read.");
    }
    if container.started_at.is_none() && container.state == RunState::Created {
        return format!("{name} was never started, so it has written nothing.");
    }
    if let Some(broken) = state.snapshot.degraded.iter().find(|d| d.part == "docker") {
        return format!("No lines: {}", broken.detail);
    }
    if container.is_up() {
        format!("{name} has written no line yet (log driver {}).", container.log_driver)
    } else {
        format!("{name} is {}, and no line of it is kept.", container.state)
    }
}

fn lines(brush: &Brush<'_>, state: &State, entry: &LogEntry, columns: usize) -> Vec<Styled> {
    let view = &state.logs;
    if entry.mark {
        let rule = brush.glyphs.rule.repeat(3);
        return vec![Styled::of(Role::Mark, format!("{rule} {} {rule}", entry.line.text))];
    }
    let level = status::of_level(entry.level);
    let mut head = Styled::of(level.role, level.word);
    let anomalous = entry.anomaly.is_some();
    head.push(Role::LevelError, if anomalous { brush.glyphs.anomaly } else { "" });
    head.push(Role::Text, if anomalous { " " } else { "  " });
    head.push(Role::Dim, view.times.show(entry.line.at, state.now, &state.zone));
    let role = body_role(entry);
    let room = view.text_columns(columns);
    let text = entry.line.text.as_ref();
    let places = view.search.as_ref().map(|s| s.places(text)).unwrap_or_default();
    let body = highlighted(text, role, &places);
    if view.wrap {
        wrapped(&head, &body, text, room, view)
    } else {
        vec![scrolled(brush, head, &body, room, view.left)]
    }
}

fn body_role(entry: &LogEntry) -> Role {
    if entry.anomaly.is_some() {
        return Role::Anomaly;
    }
    match entry.level {
        Some(Level::Error | Level::Fatal) => Role::Error,
        Some(Level::Warn) => Role::Warn,
        Some(Level::Debug | Level::Trace) => Role::Dim,
        Some(Level::Info) | None => Role::Text,
    }
}

/// The text in pieces: found places stand out.
fn highlighted(text: &str, role: Role, places: &[Range<usize>]) -> Styled {
    let mut line = Styled::new();
    let mut from = 0;
    for place in places {
        line.push(role, text.get(from..place.start).unwrap_or_default());
        line.push(Role::Match, text.get(place.clone()).unwrap_or_default());
        from = place.end;
    }
    line.push(role, text.get(from..).unwrap_or_default());
    line
}

fn scrolled(
    brush: &Brush<'_>,
    mut head: Styled,
    body: &Styled,
    room: usize,
    left: usize,
) -> Styled {
    let mut skip = left;
    let mut used = 0;
    let too_long = body.width().saturating_sub(left) > room;
    let room = if too_long { room.saturating_sub(1) } else { room };
    for (role, piece) in &body.pieces {
        let width = text::width(piece);
        if skip >= width {
            skip -= width;
            continue;
        }
        let rest = text::skip(piece, skip);
        skip = 0;
        let part = text::take(&rest, room.saturating_sub(used)).to_owned();
        used += text::width(&part);
        head.push(*role, part);
        if used >= room {
            break;
        }
    }
    if too_long {
        head.push(Role::Dim, brush.glyphs.more_right);
    }
    head
}

/// The same cuts as [`text::chunks`] makes, with the pieces' meanings kept.
fn wrapped(head: &Styled, body: &Styled, whole: &str, room: usize, view: &LogView) -> Vec<Styled> {
    let indent = " ".repeat(3 + view.times.columns());
    let mut pieces = body.pieces.iter();
    let mut rest: Option<(Role, &str)> = pieces.next().map(|(r, t)| (*r, t.as_str()));
    let mut lines = Vec::new();
    for (at, chunk) in text::chunks(whole, room).iter().enumerate() {
        let mut line = if at == 0 { head.clone() } else { Styled::of(Role::Text, indent.clone()) };
        let mut bytes = chunk.len();
        while bytes > 0 {
            let Some((role, piece)) = rest else { break };
            let cut = bytes.min(piece.len());
            line.push(role, piece.get(..cut).unwrap_or(piece));
            bytes -= cut;
            rest = match piece.get(cut..) {
                Some(more) if !more.is_empty() => Some((role, more)),
                _ => pieces.next().map(|(r, t)| (*r, t.as_str())),
            };
        }
        lines.push(line);
    }
    lines
}
