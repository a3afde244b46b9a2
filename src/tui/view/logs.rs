//! The log of the selected container.

use std::ops::Range;

use ratatui::layout::Rect;
use sentinel_core::domain::container::RunState;
use sentinel_core::domain::log::{Level, LogEntry};

use crate::tui::highlight::{self, Mark};
use crate::tui::layout::inside;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::Brush;
use crate::tui::words;

/// Lines up to so many bytes are searched whole; of longer ones only what is in view is.
const SEARCHED_WHOLE: usize = 16 * 1024;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    title(brush, state, area);
    let area = inside(area);
    let view = &state.logs;
    if view.shown().is_empty() {
        brush.note(area, Role::Dim, &why_empty(state));
        return;
    }
    let area = pinned(brush, state, area);
    let (rows, columns) = (usize::from(area.height), usize::from(area.width));
    let start = view.start(rows, columns);
    let focused = state.focus == Pane::Logs;
    let mut skip = start.skip;
    let mut y = area.y;
    for number in view.shown().iter().skip(start.place) {
        let left = usize::from(area.bottom() - y);
        if left == 0 {
            break;
        }
        let Some(entry) = view.entry(*number) else { continue };
        let selected = *number == view.cursor && (focused || !view.follow);
        let part = skip..skip + left;
        skip = 0;
        for line in lines(brush, state, (*number, entry), columns, part) {
            brush.row(area, y, &line, selected, focused);
            y += 1;
        }
    }
}

/// Says on top that lines fell away under a reader who holds the view; what is left of the pane
/// comes back.
fn pinned(brush: &mut Brush<'_>, state: &State, area: Rect) -> Rect {
    if state.logs.pinned_rows() == 0 || area.height == 0 {
        return area;
    }
    let rule = brush.glyphs.rule.repeat(3);
    let words = format!(" {rule} {} older lines dropped {rule}", state.logs.fell);
    brush.line(area.x, area.y, area.width, &Styled::of(Role::Mark, words));
    inside(area)
}

fn title(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let view = &state.logs;
    let mut left = Styled::new();
    if let Some(container) = view.container.as_ref().and_then(|id| state.container(id)) {
        left.push(Role::Strong, container.container.of.name.clone());
        if let Some(mark) = quiet::mark(state, &container.container, brush.glyphs) {
            left.push(Role::Info, format!("  {mark}"));
        }
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
    // The state is the last thing to go where it is narrow.
    let room = usize::from(area.width).saturating_sub(left.width());
    let right = (0..=RIGHT_PARTS)
        .map(|without| right_side(state, without))
        .find(|r| r.width() + brush.title_fixed(Pane::Logs) <= room)
        .unwrap_or_else(|| right_side(state, RIGHT_PARTS));
    brush.title(state, Pane::Logs, area, &left, &right);
}

/// How many parts of the right side can be left out.
const RIGHT_PARTS: usize = 5;

/// What is shown and how, without its first parts: the least needed ones come first.
fn right_side(state: &State, without: usize) -> Styled {
    let view = &state.logs;
    let mut right = Styled::new();
    let parts = [
        Some(view.times.word().to_owned()),
        (view.left > 0).then(|| format!("from column {}", view.left + 1)),
        view.wrap.then(|| "wrap".to_owned()),
        view.raw.then(|| "raw".to_owned()),
        view.is_narrowed().then(|| format!("{} hidden", words::count(view.hidden(), "line"))),
    ];
    for part in parts.iter().skip(without).rev().flatten() {
        right.push(Role::Dim, format!("{part}  "));
    }
    if view.follow {
        right.push(Role::Ok, "following");
    } else if view.missed > 0 {
        right.push(Role::Warn, format!("+{} new, G follows", view.missed));
    } else {
        right.push(Role::Warn, "paused, G follows");
    }
    right
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
    if let Some(broken) = state.snapshot.blind() {
        return format!("No lines: {}", broken.detail);
    }
    if container.is_up() {
        format!("{name} has written no line yet (log driver {}).", container.log_driver)
    } else {
        format!("{name} is {}, and no line of it is kept.", container.state)
    }
}

/// The rows of an entry that are in `part`.
fn lines(
    brush: &Brush<'_>,
    state: &State,
    (number, entry): (u64, &LogEntry),
    columns: usize,
    part: Range<usize>,
) -> Vec<Styled> {
    let view = &state.logs;
    if entry.mark {
        let rule = brush.glyphs.rule.repeat(3);
        return vec![Styled::of(Role::Mark, format!("{rule} {} {rule}", entry.line.text))];
    }
    let level = status::of_level(entry.line.reading.level);
    let mut head = Styled::of(level.role, level.word);
    let anomalous = entry.anomaly.is_some();
    head.push(Role::LevelError, if anomalous { brush.glyphs.anomaly } else { "" });
    head.push(Role::Text, if anomalous { "" } else { " " });
    let marked = view.bookmarks.contains(&entry.line);
    head.push(Role::Strong, if marked { brush.glyphs.bookmark } else { " " });
    head.push(Role::Dim, view.times.show(entry.line.at, state.now, &state.zone));
    let role = body_role(entry);
    let room = view.text_columns(columns);
    let mut text = view.text_of(entry);
    let fold = view.fold_words(number);
    if view.wrap {
        text.to_mut().push_str(fold.as_deref().unwrap_or_default());
        return wrapped(state, &head, (&text, role), room, part);
    }
    // What a line stands for is seen however long it is.
    let fold = fold.unwrap_or_default();
    let room = room.saturating_sub(text::width(&fold)).max(1);
    vec![scrolled(brush, state, head, (&text, role), room).and(Role::Mark, fold)]
}

fn body_role(entry: &LogEntry) -> Role {
    if entry.anomaly.is_some() {
        return Role::Anomaly;
    }
    match entry.line.reading.level {
        Some(Level::Error | Level::Fatal) => Role::Error,
        Some(Level::Warn) => Role::Warn,
        Some(Level::Debug | Level::Trace) => Role::Dim,
        Some(Level::Info) | None => Role::Text,
    }
}

/// Where in a text that is partly in view the search finds something.
fn found(state: &State, text: &str, seen: Range<usize>) -> Vec<Range<usize>> {
    let Some(search) = &state.logs.search else { return Vec::new() };
    if text.len() <= SEARCHED_WHOLE {
        return search.places(text);
    }
    let start = seen.start;
    let places = search.places(text.get(seen).unwrap_or_default());
    places.into_iter().map(|p| p.start + start..p.end + start).collect()
}

/// What stands out in a text up to a byte. Evidence keeps its one colour, so that it is what
/// stands out, and quiet lines stay quiet.
fn marked((text, role): (&str, Role), until: usize) -> Vec<Mark> {
    if matches!(role, Role::Anomaly | Role::Dim) {
        return Vec::new();
    }
    highlight::marks(text, until)
}

/// Adds a part of a text; found places stand out above all.
fn highlighted(
    line: &mut Styled,
    (text, role): (&str, Role),
    part: Range<usize>,
    (places, marks): (&[Range<usize>], &[Mark]),
) {
    let mut from = part.start;
    for place in places.iter().filter(|p| p.start < part.end && p.end > part.start) {
        let (start, end) = (place.start.max(part.start), place.end.min(part.end));
        highlight::split(text, from..start, role, marks, |role, piece| line.push(role, piece));
        line.push(Role::Match, text.get(start..end).unwrap_or_default());
        from = end;
    }
    highlight::split(text, from..part.end, role, marks, |role, piece| line.push(role, piece));
}

/// One row of a long line, with marks where it goes on.
fn scrolled(
    brush: &Brush<'_>,
    state: &State,
    mut head: Styled,
    (text, role): (&str, Role),
    room: usize,
) -> Styled {
    let left = state.logs.left;
    let (mut skip, mut room) = (left, room);
    if left > 0 && !text.is_empty() && room > 2 {
        head.push(Role::Dim, brush.glyphs.more_left);
        (skip, room) = (left + 1, room - 1);
    }
    let (blank, rest) = text::skip(text, skip);
    head.push(Role::Text, " ".repeat(blank));
    room = room.saturating_sub(blank);
    let mut part = text::take(rest, room);
    let goes_on = part.len() < rest.len();
    if goes_on {
        part = text::take(part, room.saturating_sub(1));
    }
    let start = text.len() - rest.len();
    let seen = start..start + part.len();
    let places = found(state, text, seen.clone());
    let marks = marked((text, role), seen.end);
    highlighted(&mut head, (text, role), seen, (&places, &marks));
    if goes_on {
        head.push(Role::Text, " ".repeat(room.saturating_sub(1 + text::width(part))));
        head.push(Role::Dim, brush.glyphs.more_right);
    }
    head
}

/// The rows of a wrapped line that are in `part`.
fn wrapped(
    state: &State,
    head: &Styled,
    (text, role): (&str, Role),
    room: usize,
    part: Range<usize>,
) -> Vec<Styled> {
    let indent = " ".repeat(3 + state.logs.times.columns());
    let pieces = text::pieces(text, room, part.start, part.len());
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Vec::new() };
    let places = found(state, text, first.start..last.end);
    let marks = marked((text, role), last.end);
    let rows = pieces.into_iter().enumerate();
    rows.map(|(at, piece)| {
        let first = part.start + at == 0;
        let mut line = if first { head.clone() } else { Styled::of(Role::Text, indent.clone()) };
        highlighted(&mut line, (text, role), piece, (&places, &marks));
        line
    })
    .collect()
}
