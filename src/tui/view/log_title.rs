//! The title of the log pane, and why it is empty.

use ratatui::layout::Rect;
use sentinel_core::domain::container::RunState;

use crate::tui::log_past::{Edge, Range};
use crate::tui::log_sources::Whose;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;
use crate::tui::words;

pub(super) fn title(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let view = &state.logs;
    let mut left = whose(brush, state);
    match &view.range {
        Range::Tail => {}
        Range::Head => left.push(Role::Info, "  from the beginning"),
        Range::Since { from, words } => {
            let clock = words::clock(*from, &state.zone);
            left.push(Role::Info, format!("  since {clock} ({words})"));
        }
    }
    if let Some(range) = view.selected() {
        let count = view.text_between(range).lines().count();
        left.push(Role::Strong, format!("  {} selected", words::count(count, "line")));
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
    let fixed = brush.title_fixed(Pane::Logs);
    let fits = |r: &Styled, room: usize| r.width() + fixed <= room;
    let right = (0..=RIGHT_PARTS)
        .map(|without| right_side(state, without))
        .find(|r| fits(r, room))
        .or_else(|| {
            Some(right_side(state, RIGHT_PARTS)).filter(|r| fits(r, usize::from(area.width)))
        })
        .unwrap_or_else(|| right_side(state, RIGHT_PARTS + 1));
    brush.title(state, Pane::Logs, area, &left, &right);
}

/// Whose lines they are.
fn whose(brush: &Brush<'_>, state: &State) -> Styled {
    let view = &state.logs;
    match &view.whose {
        Whose::Marked => {
            let names: Vec<&str> = view.merged.iter().map(|n| n.short.as_str()).collect();
            let marked = format!("{} marked", names.len());
            let names = format!(": {}", names.join(", "));
            return Styled::of(Role::Strong, marked).and(Role::Text, names);
        }
        Whose::Service(service) => {
            let count = words::count(view.merged.len(), "container");
            return Styled::of(Role::Strong, service.clone()).and(Role::Text, format!(": {count}"));
        }
        Whose::One => {}
    }
    let Some(container) = view.container.as_ref().and_then(|id| state.container(id)) else {
        return Styled::new();
    };
    let mut left = Styled::of(Role::Strong, container.container.of.name.clone());
    if let Some(mark) = quiet::mark(state, &container.container, brush.glyphs) {
        left.push(Role::Info, format!("  {mark}"));
    }
    left
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
        (view.hidden() > 0).then(|| format!("{} hidden", words::count(view.hidden(), "line"))),
    ];
    for part in parts.iter().skip(without).rev().flatten() {
        right.push(Role::Dim, format!("{part}  "));
    }
    // Lines that are missing are told however narrow it is.
    let ids = view.ids();
    let dropped: u64 =
        ids.iter().filter_map(|id| state.container(id)).map(|v| v.lines_dropped).sum();
    if dropped > 0 {
        right.push(Role::Warn, format!("dropped {dropped}  "));
    }
    let short = without > RIGHT_PARTS;
    if !short && (view.past.newer == Edge::Loading || view.past.older == Edge::Loading) {
        right.push(Role::Info, "loading  ");
    }
    let how = if short { "" } else { ", G follows" };
    if view.follow {
        right.push(Role::Ok, "following");
    } else if view.missed > 0 {
        right.push(Role::Warn, format!("+{} new{how}", view.missed));
    } else {
        right.push(Role::Warn, format!("paused{how}"));
    }
    right
}

/// Why no line is shown.
pub(super) fn why_empty(state: &State) -> String {
    let logs = &state.logs;
    if let Some(why) = why_range_empty(state) {
        return why;
    }
    if logs.total() > 0 {
        return format!(
            "All {} lines are hidden by the filter or the level. Esc clears the filter, v the level.",
            logs.total()
        );
    }
    if !logs.merged.is_empty() {
        return "None of these containers has a line that is kept.".to_owned();
    }
    let Some(view) = logs.container.as_ref().and_then(|id| state.container(id)) else {
        return "Select a container to see its log.".to_owned();
    };
    let container = &view.container;
    let name = &container.of.name;
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

/// The same where it is a matter of the range.
fn why_range_empty(state: &State) -> Option<String> {
    let logs = &state.logs;
    if let Edge::Failed(why) = &logs.past.newer {
        return Some(format!("The log cannot be read from its beginning: {why}."));
    }
    match &logs.range {
        Range::Head if logs.past.newer == Edge::Loading => {
            Some("Reading the beginning of the log.".to_owned())
        }
        Range::Head => Some("The log is empty.".to_owned()),
        Range::Since { from, words } => {
            let newest = logs.newest_at().filter(|at| at < from)?;
            let (clock, age) = (words::clock(*from, &state.zone), words::age(state.now, newest));
            Some(format!(
                "No line since {clock} ({words}): the newest is {age} old. r 0 shows the newest \
                 lines, r 1 the log from its beginning."
            ))
        }
        Range::Tail => None,
    }
}
