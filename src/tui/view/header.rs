//! The first line: what this is, what it watches, what it may do, how things are.

use ratatui::layout::Rect;
use sentinel_core::domain::snapshot::Mode;

use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;
use crate::tui::words;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let clock = state.now.to_zoned_datetime(state.zone.clone()).strftime("%H:%M").to_string();
    let mut right = Styled::new();
    counts(&mut right, state, brush, width);
    right.push(Role::Dim, format!("  {clock} "));
    let mut left = Styled::of(Role::Product, " sentinel-tui").and(Role::Text, "  ");
    let (role, badge) = match state.snapshot.mode {
        Mode::ReadOnly => (Role::ReadOnly, " RO "),
        Mode::Approve => (Role::Approve, " APPROVE "),
        Mode::AutoHeal => (Role::AutoHeal, " AUTO-HEAL "),
    };
    left.push(role, badge);
    left.push(Role::Text, "  ");
    // What is least needed goes first where it is narrow.
    for host in hosts(state) {
        if left.width() + host.width() + right.width() + 2 <= width {
            left.pieces.extend(host.pieces);
            break;
        }
    }
    let room = width.saturating_sub(left.width() + right.width());
    let broken = degraded(state, brush, room.saturating_sub(2));
    let gap = room.saturating_sub(broken.width());
    left.pieces.extend(broken.pieces);
    left.push(Role::Text, " ".repeat(gap));
    left.pieces.extend(right.pieces);
    brush.line(area.x, area.y, area.width, &left);
}

/// The engine, from long to short.
fn hosts(state: &State) -> Vec<Styled> {
    match &state.snapshot.engine {
        Some(engine) => vec![
            Styled::of(Role::Strong, engine.name.clone())
                .and(Role::Dim, format!("  Docker {} (API {})", engine.version, engine.api)),
            Styled::of(Role::Strong, engine.name.clone())
                .and(Role::Dim, format!("  Docker {}", engine.version)),
            Styled::of(Role::Strong, engine.name.clone()),
        ],
        None => vec![Styled::of(Role::Warn, "connecting"), Styled::of(Role::Warn, "?")],
    }
}

fn counts(line: &mut Styled, state: &State, brush: &Brush<'_>, width: usize) {
    let total = state.snapshot.containers.len();
    let well = state.snapshot.containers.iter().filter(|v| lists::is_well(v)).count();
    let open = lists::open_count(state);
    let staged = lists::staged_count(state);
    let role = if well == total { Role::Ok } else { Role::Warn };
    if state.snapshot.engine.is_some() || total > 0 {
        line.push(role, format!("{} {well}/{total}", brush.glyphs.up));
        line.push(Role::Dim, if width >= 100 { " containers well  " } else { "  " });
    }
    if open > 0 {
        line.push(Role::Error, format!("{} {open}", brush.glyphs.incident));
        line.push(Role::Dim, if width >= 100 { " open" } else { "" });
    } else if width >= 100 {
        line.push(Role::Dim, "no incident");
    }
    if staged > 0 {
        line.push(Role::Text, "  ");
        line.push(Role::Strong, format!("{} {staged}", brush.glyphs.attention));
        line.push(Role::Dim, if width >= 100 { " to approve" } else { "" });
    }
}

/// Parts that do not work, in words; shorter where there is no room.
fn degraded(state: &State, brush: &Brush<'_>, room: usize) -> Styled {
    let parts = &state.snapshot.degraded;
    let Some(first) = parts.first() else { return Styled::new() };
    let names = parts.iter().map(|d| d.part.as_str()).collect::<Vec<_>>().join(", ");
    let long = format!(
        "  {} {}: {} ({})",
        brush.glyphs.attention,
        first.part,
        first.detail,
        words::age(state.now, first.since)
    );
    let short = format!("  {} {names} degraded", brush.glyphs.attention);
    let text =
        if parts.len() == 1 && crate::tui::text::width(&long) <= room { long } else { short };
    Styled::of(Role::Warn, crate::tui::text::cut(&text, room, brush.glyphs.ellipsis))
}

/// The line of tabs, where one pane is shown at a time.
pub fn tabs(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let mut line = Styled::new();
    for pane in Pane::ALL {
        if pane == Pane::Inspector && state.inspector.is_none() {
            continue;
        }
        let badge = match pane {
            Pane::Incidents => lists::open_count(state),
            Pane::Fixes => lists::staged_count(state),
            Pane::Containers | Pane::Logs | Pane::Inspector => 0,
        };
        let role = if pane == state.focus { Role::TitleFocused } else { Role::Title };
        let short = area.width < 76;
        let title: String =
            if short { pane.title().chars().take(5).collect() } else { pane.title().to_owned() };
        line.push(Role::Text, " ");
        line.push(role, format!("{} {title}", pane.number()));
        if badge > 0 {
            line.push(Role::Error, format!(" {badge}"));
        }
        line.push(Role::Text, " ");
        line.push(Role::Rule, brush.glyphs.bar);
    }
    brush.line(area.x, area.y, area.width, &line);
}
