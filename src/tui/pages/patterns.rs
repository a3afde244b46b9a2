//! Kinds of log line: how many, how many now, what bursts, what is new; and one kind with its
//! newest lines.

use sentinel_core::domain::log_pattern::{LogPattern, LogPatterns, RECENT_COLUMNS, RECENT_SECONDS};

use crate::tui::glyphs::Glyphs;
use crate::tui::listing::Listing;
use crate::tui::pages::list_parts::{of_level, short};
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::{text, words};

/// From so many columns on there is room for a chart of half the width, and for a whole one.
const CHARTED: (usize, usize) = (56, 90);
/// From so many on the share and the container are told.
const SHARED: usize = 70;
/// Columns of a container's name.
const NAME: usize = 16;
/// What varies in a kind of line.
const WILD: &str = "<*>";

/// The list.
pub(super) fn list(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let list = &state.listings.patterns;
    let rows = state.listing_rows(Listing::Patterns);
    about(&mut page, state, columns);
    if rows.is_empty() {
        let why = if list.running.is_some() {
            "The kinds of line are being fetched."
        } else if state.snapshot.containers.is_empty() {
            "No container is watched yet, so there is no log to sort."
        } else {
            "No line was read yet: kinds of line come with the first ones."
        };
        page.none(state, Listing::Patterns, why, columns);
        return page;
    }
    let named = list.only.is_none();
    page.lines.push(heading(columns, named));
    for key in rows {
        if let Some((of, pattern)) = list.at(key) {
            page.row(row(state, of, pattern, glyphs, (columns, named)));
        }
    }
    page
}

fn about(page: &mut Page, state: &State, columns: usize) {
    let list = &state.listings.patterns;
    let shown: Vec<&LogPatterns> = list.shown().map(|(_, p)| p).collect();
    let sum = |of: fn(&LogPatterns) -> u64| shown.iter().map(|p| of(p)).sum::<u64>();
    if !shown.is_empty() {
        let kinds = sum(|p| p.patterns.len() as u64 + p.left_out as u64);
        let mut said = vec![format!("{} lines of {kinds} kinds", short(sum(|p| p.lines)))];
        let left_out = sum(|p| p.left_out as u64);
        if left_out > 0 {
            said.push(format!("the {left_out} rarest are not listed"));
        }
        let other = sum(|p| p.other);
        if other > 0 {
            said.push(format!("{other} lines came too fast to be sorted"));
        }
        let learning = shown.iter().filter(|p| !p.is_known).count();
        if learning > 0 {
            let of = words::count(learning, "log");
            said.push(format!("{of} still being learned, nothing of it is called new"));
        }
        let said = said.join("; ");
        page.say(0, Role::Dim, &format!("{said}."), columns);
    }
    if let Some(trouble) = &list.trouble {
        page.say(0, Role::Error, trouble, columns);
    }
}

fn heading(columns: usize, named: bool) -> Styled {
    let mut line = format!("{:>6} ", "lines");
    if columns >= SHARED {
        line.push_str("share ");
    }
    line.push_str(" /min ");
    if let Some(width) = charted(columns) {
        line.push_str(&text::left(&format!("{} min", minutes()), width + 1, ""));
    }
    line.push_str("level ");
    if named && columns >= SHARED {
        line.push_str(&text::left("container", NAME + 1, ""));
    }
    line.push_str("kind of line");
    Styled::of(Role::Heading, line)
}

fn row(
    state: &State,
    of: &LogPatterns,
    pattern: &LogPattern,
    glyphs: &Glyphs,
    (columns, named): (usize, bool),
) -> Styled {
    let mut line = Styled::of(Role::Text, format!("{:>6} ", short(pattern.count)));
    if columns >= SHARED {
        let share = pattern.count as f64 * 100.0 / (of.lines.max(1)) as f64;
        line.push(Role::Dim, format!("{:>5} ", words::percent(share)));
    }
    let rate = if pattern.bursting { Role::Warn } else { Role::Text };
    line.push(rate, format!("{:>5} ", short(u64::from(pattern.now))));
    if let Some(width) = charted(columns) {
        line.push(Role::Spark, format!("{} ", chart(pattern, glyphs, width)));
    }
    let (role, word) = of_level(pattern.level);
    line.push(role, format!("{word:<5} "));
    if named && columns >= SHARED {
        let name = text::left(&of.of.name, NAME, glyphs.ellipsis);
        line.push(Role::LogName, format!("{name} "));
    }
    marks(&mut line, state, pattern);
    wild(&mut line, &pattern.text);
    line
}

/// Bursting, new.
fn marks(line: &mut Styled, state: &State, pattern: &LogPattern) {
    if pattern.bursting {
        line.push(Role::Warn, "burst ");
    }
    if pattern.is_new {
        line.push(Role::Info, format!("new {} ", words::clock(pattern.first_seen, &state.zone)));
    }
}

/// The words of a kind, and what varies in it.
fn wild(line: &mut Styled, words: &str) {
    for (at, part) in words.split(WILD).enumerate() {
        if at > 0 {
            line.push(Role::LogNumber, WILD);
        }
        line.push(Role::Text, part);
    }
}

/// What the chart covers.
fn minutes() -> u64 {
    RECENT_COLUMNS as u64 * RECENT_SECONDS.unsigned_abs() / 60
}

/// Columns of the chart, if there is room for one.
fn charted(columns: usize) -> Option<usize> {
    match columns {
        _ if columns >= CHARTED.1 => Some(RECENT_COLUMNS),
        _ if columns >= CHARTED.0 => Some(RECENT_COLUMNS / 2),
        _ => None,
    }
}

/// Columns from before the oldest line that is kept stay blank.
fn chart(pattern: &LogPattern, glyphs: &Glyphs, width: usize) -> String {
    let each = (RECENT_COLUMNS / width.max(1)).max(1);
    let known: Vec<f32> = pattern
        .recent
        .chunks(each)
        .filter(|chunk| chunk.iter().any(Option::is_some))
        .map(|chunk| chunk.iter().flatten().sum::<u32>() as f32)
        .collect();
    glyphs.sparkline(known.into_iter(), width, 1.0)
}

/// One kind.
pub(super) fn one(state: &State, key: u64, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let Some((of, pattern)) = state.listings.patterns.at(key) else {
        page.say(0, Role::Dim, "This kind of line is not kept any more.", columns);
        return page;
    };
    let mut words = Styled::new();
    marks(&mut words, state, pattern);
    let head = format!("{}{}", words.plain(), pattern.text);
    page.say(0, Role::Strong, &head, columns);
    page.heading("How often");
    let share = pattern.count as f64 * 100.0 / (of.lines.max(1)) as f64;
    page.fact("container", Role::Strong, &of.of.name, columns);
    let count = format!("{} of {} lines, {}", pattern.count, of.lines, words::percent(share));
    page.fact("lines", Role::Text, &count, columns);
    let rate =
        format!("{} within the last minute, usually {:.1} a minute", pattern.now, pattern.usual);
    let role = if pattern.bursting { Role::Warn } else { Role::Text };
    page.fact("rate", role, &rate, columns);
    let minutes = minutes();
    let drawn = format!(
        "{}  the last {minutes} minutes",
        chart(pattern, glyphs, RECENT_COLUMNS).trim_start()
    );
    page.fact("chart", Role::Spark, &drawn, columns);
    let (role, level) = of_level(pattern.level);
    if !level.is_empty() {
        page.fact("level", role, level, columns);
    }
    let moment = |at| words::date(at, &state.zone);
    page.fact("first", Role::Text, &moment(pattern.first_seen), columns);
    page.fact("last", Role::Text, &moment(pattern.last_seen), columns);
    page.heading("Newest lines");
    if pattern.samples.is_empty() {
        let none = "None of its lines is kept any more.";
        page.say(2, Role::Dim, none, columns);
    }
    for entry in pattern.samples.iter().rev() {
        let (role, _) = of_level(entry.line.reading.level);
        let at = words::clock(entry.line.at, &state.zone);
        let line = Styled::of(Role::Dim, format!("  {at} "))
            .and(if role == Role::Dim { Role::Text } else { role }, entry.line.text.to_string());
        page.row(line.cut(columns, glyphs.ellipsis));
    }
    page
}
