//! The line below the header on large screens: how all containers are, and beside it how
//! incidents stood over the last hour.

use ratatui::layout::Rect;
use sentinel_core::domain::severity::Severity;

use crate::tui::fleet::{self, Slice};
use crate::tui::glyphs::Glyphs;
use crate::tui::lists;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::view::brush::Brush;
use crate::tui::words;

/// Columns of the ribbon, at least and at most; a minute each where there is room.
const RIBBON: (usize, usize) = (20, 60);
/// Columns of the words before and behind it.
const AROUND: usize = 12;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let mut line = Styled::of(Role::Text, " ");
    containers(&mut line, state, brush.glyphs);
    for group in [incidents(state, brush.glyphs), traffic(state)] {
        if !group.pieces.is_empty() && line.width() + group.width() + 3 <= width {
            line.push(Role::Rule, format!(" {} ", brush.glyphs.bar));
            line.pieces.extend(group.pieces);
        }
    }
    if let Some(cpu) = state.look.own_cpu {
        let own = Styled::of(Role::Dim, format!("  own CPU {}", words::percent(cpu)));
        // What this program takes is less worth than what happened in the last hour.
        if line.width() + own.width() + AROUND + RIBBON.1 <= width {
            line.pieces.extend(own.pieces);
        }
    }
    let room = width.saturating_sub(line.width() + AROUND + 2).min(RIBBON.1);
    if room >= RIBBON.0 {
        let pad = width.saturating_sub(line.width() + room + AROUND);
        line.push(Role::Text, " ".repeat(pad));
        line.push(Role::Dim, "1h ago ");
        ribbon(&mut line, &fleet::ribbon(state, room), brush.glyphs);
        line.push(Role::Dim, " now ");
    }
    brush.line(area.x, area.y, area.width, &line);
}

fn containers(line: &mut Styled, state: &State, glyphs: &Glyphs) {
    if state.snapshot.containers.is_empty() {
        line.push(Role::Dim, "no container");
        return;
    }
    let total = state.snapshot.containers.len();
    if state.snapshot.blind().is_some() {
        // What is not seen is not counted as well.
        line.push(Role::Warn, format!("{} ?/{total}", glyphs.up));
        line.push(Role::Dim, " containers well");
        return;
    }
    let well = state.snapshot.containers.iter().filter(|v| lists::is_well(v)).count();
    line.push(
        if well == total { Role::Ok } else { Role::Warn },
        format!("{} {well}/{total} well", glyphs.up),
    );
    let mut fleet = fleet::count(state);
    if fleet.ended == 0 {
        // They are the well ones, which were counted.
        fleet.up = 0;
    }
    for (count, glyph, word, role) in [
        (fleet.down, glyphs.down, "down", Role::Error),
        (fleet.unhealthy, glyphs.up, "unhealthy", Role::Error),
        (fleet.restarting, glyphs.pending, "restarting", Role::Warn),
        (fleet.starting, glyphs.pending, "starting", Role::Warn),
        (fleet.paused, glyphs.paused, "paused", Role::Warn),
        (fleet.up, glyphs.up, "up", Role::Dim),
        (fleet.ended, glyphs.ended, "ended", Role::Dim),
    ] {
        if count > 0 {
            line.push(role, format!("  {glyph} {count} {word}"));
        }
    }
}

fn incidents(state: &State, glyphs: &Glyphs) -> Styled {
    let mut line = Styled::new();
    let open = fleet::open_by_severity(state);
    if open.is_empty() {
        line.push(Role::Dim, "no incident open");
    }
    for (at, (severity, count)) in open.into_iter().enumerate() {
        let shown = status::of_severity(severity);
        line.push(Role::Text, if at == 0 { "" } else { " " });
        line.push(
            if at == 0 { Role::Error } else { Role::Text },
            if at == 0 { glyphs.incident } else { "" },
        );
        line.push(Role::Text, if at == 0 { " " } else { "" });
        line.push(shown.role, format!("{count} {}", shown.word.trim_end()));
    }
    let staged = lists::to_approve(state);
    if staged > 0 {
        line.push(Role::Strong, format!("  {} {staged}", glyphs.attention));
        line.push(Role::Dim, " to approve");
    }
    line
}

/// What is read.
fn traffic(state: &State) -> Styled {
    let mut line = Styled::new();
    if let Some(lines) = state.trends.lines_per_second() {
        line.push(Role::Dim, format!("{} lines/s", words::per_second(lines)));
        let errors = state.trends.errors_in_a_minute();
        if errors > 0 {
            line.push(Role::Warn, format!("  {errors} errors/min"));
        }
    }
    line
}

/// How grave it was is in the height as well as in the colour; where one began stands a mark.
fn ribbon(line: &mut Styled, slices: &[Slice], glyphs: &Glyphs) {
    for slice in slices {
        let (glyph, role) = match slice.open {
            None => (glyphs.dot, Role::Rule),
            Some(severity) => {
                let height = match severity {
                    Severity::Low => 1,
                    Severity::Medium => 3,
                    Severity::High => 5,
                    Severity::Critical => 7,
                };
                let role = match status::of_severity(severity).role {
                    // Its background would make a wall of a long outage.
                    Role::Critical => Role::Error,
                    other => other,
                };
                let block = glyphs.spark.get(height).copied().unwrap_or(glyphs.dot);
                (if slice.began { glyphs.incident } else { block }, role)
            }
        };
        line.push(role, glyph);
    }
}
