//! The log of the selected container, or of several.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::layout::Rect;
use sentinel_core::domain::log::{Ink, Level, LogEntry, Span};

use crate::tui::highlight::{self, Mark};
use crate::tui::layout::inside;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::Brush;
use crate::tui::view::log_title;

/// Lines up to so many bytes are searched whole; of longer ones only what is in view is.
const SEARCHED_WHOLE: usize = 16 * 1024;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    log_title::title(brush, state, area);
    let area = inside(area);
    let view = &state.logs;
    if view.shown().is_empty() {
        brush.note(area, Role::Dim, &log_title::why_empty(state));
        return;
    }
    let area = pinned(brush, state, area);
    let (rows, columns) = (usize::from(area.height), usize::from(area.width));
    let start = view.start(rows, columns);
    let focused = state.focus == Pane::Logs;
    let selection = view.selected();
    let mut skip = start.skip;
    let mut drawn: Vec<(Styled, bool)> = Vec::with_capacity(rows + 1);
    let mut note = None;
    for number in view.shown().iter().skip(start.place) {
        let left = rows.saturating_sub(drawn.len());
        if left == 0 {
            break;
        }
        let Some(entry) = view.entry(*number) else { continue };
        let current = *number == view.cursor && (focused || !view.follow);
        let selected = current || selection.as_ref().is_some_and(|s| s.contains(number));
        let part = skip..skip + left;
        skip = 0;
        let of_entry = lines(brush, state, (*number, entry), columns, part);
        drawn.extend(of_entry.into_iter().map(|line| (line, selected)));
        if current && let Some(why) = why_marked(brush, state, entry) {
            note = Some(drawn.len());
            drawn.push((why, false));
        }
    }
    // The reason of the last line in view takes the place of the first one, never of its own.
    let over = if note.is_some_and(|at| at >= rows) { drawn.len().saturating_sub(rows) } else { 0 };
    for (y, (line, selected)) in (area.y..area.bottom()).zip(drawn.iter().skip(over)) {
        brush.row(area, y, line, *selected, focused);
    }
}

/// Why a line is marked, to stand under it.
fn why_marked(brush: &Brush<'_>, state: &State, entry: &LogEntry) -> Option<Styled> {
    let id = entry.anomaly.as_ref()?;
    let alone = || state.snapshot.anomalies.iter().map(AsRef::as_ref);
    let within = || state.snapshot.incidents.iter().flat_map(|i| &i.anomalies);
    let anomaly = alone().chain(within()).find(|a| &a.id == id);
    let indent = " ".repeat(2);
    let line = Styled::of(Role::Anomaly, format!("{indent}{} ", brush.glyphs.more_up));
    Some(match anomaly {
        Some(a) => {
            let severity = status::of_severity(a.severity);
            line.and(severity.role, severity.word).and(Role::Anomaly, format!(" {}", a.summary))
        }
        None => line.and(Role::Dim, "anomalous; its reason is not kept any more"),
    })
}

/// Says on top that lines fell away under a reader who holds the view; what is left of the pane
/// comes back.
fn pinned(brush: &mut Brush<'_>, state: &State, area: Rect) -> Rect {
    if state.logs.pinned_rows() == 0 || area.height == 0 {
        return area;
    }
    let rule = brush.glyphs.rule.repeat(3);
    let words = match state.logs.edge_words() {
        Some(words) => words,
        None => format!("{} older lines dropped", state.logs.fell),
    };
    let words = format!(" {rule} {words} {rule}");
    brush.line(area.x, area.y, area.width, &Styled::of(Role::Mark, words));
    inside(area)
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
        let name = view.name_of(&entry.line.container).map(|(_, name)| format!("{name}: "));
        let words = format!("{}{}", name.unwrap_or_default(), entry.line.text);
        return vec![Styled::of(Role::Mark, format!("{rule} {words} {rule}"))];
    }
    let level = status::of_level(entry.line.reading.level);
    let mut head = Styled::of(level.role, level.word);
    let anomalous = entry.anomaly.is_some();
    head.push(Role::LevelError, if anomalous { brush.glyphs.anomaly } else { "" });
    head.push(Role::Text, if anomalous { "" } else { " " });
    let marked = view.bookmarks.contains(&entry.line);
    head.push(Role::Strong, if marked { brush.glyphs.bookmark } else { " " });
    head.push(Role::Dim, view.times.show(entry.line.at, state.now, &state.zone));
    let names = view.name_columns(columns);
    if let Some((role, name)) = view.name_of(&entry.line.container) {
        let width = names.saturating_sub(1);
        head.push(role, text::left(name, width, brush.glyphs.ellipsis));
        head.push(Role::Text, " ");
    }
    let role = body_role(entry);
    let room = view.text_columns(columns);
    let mut text = view.text_of(entry);
    // What is shown in another form than it was written has no colours of its writer's.
    let own = entry.line.styles.as_deref().filter(|_| matches!(text, Cow::Borrowed(_)));
    let fold = view.fold_words(number);
    if view.wrap {
        text.to_mut().push_str(fold.as_deref().unwrap_or_default());
        return wrapped(state, (&head, names), (&text, (role, own)), room, part);
    }
    // What a line stands for is seen however long it is.
    let fold = fold.unwrap_or_default();
    let room = room.saturating_sub(text::width(&fold)).max(1);
    vec![scrolled(brush, state, head, (&text, (role, own)), room).and(Role::Mark, fold)]
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
/// stands out, and quiet lines stay quiet; what the writer coloured stays as they wanted it.
fn marked((text, (role, own)): (&str, Body<'_>), until: usize) -> Vec<Mark> {
    if matches!(role, Role::Anomaly | Role::Dim) {
        return Vec::new();
    }
    match own {
        Some(spans) => spans.iter().map(of_writer).collect(),
        None => highlight::marks(text, until),
    }
}

/// How the text of a line looks: its role, and the colours of its writer.
type Body<'a> = (Role, Option<&'a [Span]>);

/// Colours are taken for what they mean, so that they can be read in every theme.
fn of_writer(span: &Span) -> Mark {
    let role = match span.ink {
        Ink::Red => Role::Error,
        Ink::Green => Role::Ok,
        Ink::Yellow => Role::Warn,
        Ink::Blue => Role::Info,
        Ink::Magenta => Role::LogId,
        Ink::Cyan => Role::LogPath,
        Ink::Bold => Role::Strong,
        Ink::Dim => Role::Dim,
    };
    (span.start as usize..span.end as usize, role)
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
    (text, (role, own)): (&str, Body<'_>),
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
    let marks = marked((text, (role, own)), seen.end);
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
    (head, names): (&Styled, usize),
    (text, (role, own)): (&str, Body<'_>),
    room: usize,
    part: Range<usize>,
) -> Vec<Styled> {
    let indent = " ".repeat(3 + state.logs.times.columns() + names);
    let pieces = text::pieces(text, room, part.start, part.len());
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Vec::new() };
    let places = found(state, text, first.start..last.end);
    let marks = marked((text, (role, own)), last.end);
    let rows = pieces.into_iter().enumerate();
    rows.map(|(at, piece)| {
        let first = part.start + at == 0;
        let mut line = if first { head.clone() } else { Styled::of(Role::Text, indent.clone()) };
        highlighted(&mut line, (text, role), piece, (&places, &marks));
        line
    })
    .collect()
}
