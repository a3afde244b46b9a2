//! The first line: what this is, what it watches, what it may do, how things are.

use std::borrow::Cow;

use ratatui::layout::Rect;
use sentinel_core::domain::snapshot::Mode;

use crate::tui::layout::layout;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;
use crate::tui::words;

/// From this width on the program's name stands before the rest.
const NAMED: usize = 56;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let clock = state.now.to_zoned_datetime(state.zone.clone()).strftime("%H:%M").to_string();
    let mut right = Styled::new();
    // Where there is a line for them they stand there.
    if layout(state).fleet.is_none() {
        counts(&mut right, state, brush, width);
    }
    right.push(Role::Dim, format!("  {clock} "));
    let mut left = Styled::of(Role::Text, " ");
    if width >= NAMED {
        left = Styled::of(Role::Product, " sentinel-tui").and(Role::Text, "  ");
    }
    for (role, badge) in badges(state, width >= 76) {
        left.push(role, badge);
        left.push(Role::Text, " ");
    }
    left.push(Role::Text, " ");
    // What is least needed goes first where it is narrow.
    for host in hosts(state) {
        if left.width() + host.width() + right.width() + 2 <= width {
            left.pieces.extend(host.pieces);
            break;
        }
    }
    let gap = width.saturating_sub(left.width() + right.width());
    left.push(Role::Text, " ".repeat(gap));
    left.pieces.extend(right.pieces);
    brush.line(area.x, area.y, area.width, &left);
}

/// What this instance may do, and what holds it back; where it is `roomy` all of it.
fn badges(state: &State, roomy: bool) -> Vec<(Role, Cow<'static, str>)> {
    let mut badges: Vec<(Role, Cow<'static, str>)> = Vec::new();
    if state.snapshot.engine.as_ref().is_some_and(|engine| engine.simulated) {
        badges.push((Role::AutoHeal, " SIM ".into()));
    }
    let held = if state.snapshot.watching.is_some() {
        Some((Role::ReadOnly, " WATCHING ".into()))
    } else if state.snapshot.brakes.halt.is_some() {
        Some((Role::ReadOnly, " HALTED ".into()))
    } else {
        None
    };
    let mode = match state.snapshot.mode {
        Mode::ReadOnly => (Role::ReadOnly, " RO ".into()),
        Mode::Approve => (Role::Approve, " APPROVE ".into()),
        Mode::AutoHeal => (Role::AutoHeal, " AUTO-HEAL ".into()),
    };
    if held.is_none() || (roomy && state.snapshot.watching.is_none()) {
        badges.push(mode);
    }
    badges.extend(held);
    let silenced = quiet::silences(state).count();
    if silenced > 0 && layout(state).fleet.is_some() {
        badges.push((Role::ReadOnly, format!(" SILENCED {silenced} ").into()));
    }
    badges
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
    let staged = lists::to_approve(state);
    let stale = state.snapshot.blind().is_some();
    let role = if well == total && !stale { Role::Ok } else { Role::Warn };
    if state.snapshot.engine.is_some() || total > 0 {
        // What is not seen is not counted as well.
        let well = if stale { "?".to_owned() } else { well.to_string() };
        line.push(role, format!("{} {well}/{total}", brush.glyphs.up));
        line.push(Role::Dim, if width >= 100 { " containers well  " } else { "  " });
    }
    if open > 0 {
        line.push(Role::Error, format!("{} {open}", brush.glyphs.incident));
        line.push(Role::Dim, if width >= 100 { " open" } else { "" });
    } else if width >= 100 {
        line.push(Role::Dim, "no incident");
    }
    let silenced = quiet::silences(state).count();
    if silenced > 0 {
        line.push(Role::Text, "  ");
        line.push(Role::Info, format!("{} {silenced}", brush.glyphs.silenced));
        line.push(Role::Dim, if width >= 100 { " silenced" } else { "" });
    }
    if staged > 0 {
        line.push(Role::Text, "  ");
        line.push(Role::Strong, format!("{} {staged}", brush.glyphs.attention));
        line.push(Role::Dim, if width >= 100 { " to approve" } else { "" });
    }
}

/// The line that says what does not work and since when.
pub fn banner(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let mut line = Styled::new();
    for part in &state.snapshot.degraded {
        line.push(Role::Warn, format!(" {} {} ", brush.glyphs.attention, part.part));
        line.push(Role::Dim, format!("{}: ", words::age(state.now, part.since)));
        line.push(Role::Text, reason_first(&part.detail));
        line.push(Role::Text, " ");
    }
    brush.line(area.x, area.y, area.width, &line);
}

/// The reason out of `cannot reach X at ADDRESS: REASON`: it is what a narrow line must show; the
/// part is named before it, and its address is known.
fn reason_first(detail: &str) -> String {
    let line = detail.replace('\n', "; ");
    let reason = line.find("://").and_then(|at| {
        let start = line.get(..at)?.rfind(" at ")?;
        let end = start + line.get(start..)?.find(": ")? + 2;
        if end > at + 2 { line.get(end..) } else { None }
    });
    reason.map_or(line.clone(), str::to_owned)
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
            Pane::Fixes => lists::to_approve(state),
            Pane::Containers | Pane::Logs | Pane::Inspector => 0,
        };
        let role = if pane == state.focus { Role::TitleFocused } else { Role::Title };
        // Very narrow: three letters, and no air.
        let (letters, air) = match area.width {
            0..56 => (3, ""),
            56..76 => (5, " "),
            _ => (usize::MAX, " "),
        };
        let title: String = pane.title().chars().take(letters).collect();
        line.push(Role::Text, air);
        line.push(role, format!("{} {title}", pane.number()));
        if badge > 0 {
            line.push(Role::Error, format!(" {badge}"));
        }
        line.push(Role::Text, air);
        line.push(Role::Rule, brush.glyphs.bar);
    }
    brush.line(area.x, area.y, area.width, &line);
}

#[cfg(test)]
mod tests {
    use super::reason_first;

    #[test]
    fn the_reason_of_an_outage_comes_before_the_address() {
        let long = "cannot reach the Docker engine at unix:///var/run/docker.sock (DOCKER_HOST): \
                    connection refused\nwhat is shown may be out of date";
        assert_eq!(reason_first(long), "connection refused; what is shown may be out of date");
        assert_eq!(reason_first("no answer for 5 s"), "no answer for 5 s");
        assert_eq!(
            reason_first("see https://example.org: it says"),
            "see https://example.org: it says"
        );
    }
}
