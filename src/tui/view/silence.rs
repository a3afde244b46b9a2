//! The dialog that silences a service: what it covers, for how long, why; and when that would end.

use jiff::SignedDuration;
use ratatui::layout::Rect;

use crate::tui::field::typed;
use crate::tui::lists;
use crate::tui::modal::Silencing;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;
use crate::tui::view::brush::Brush;
use crate::tui::view::frame::{field, frame, keys};
use crate::tui::words;

/// Names of containers that are listed; the others are counted.
const NAMED: usize = 3;
/// Columns of the labels before the fields.
const LABEL: u16 = 10;
/// Columns of the field for the duration.
const DURATION: u16 = 12;

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, state: &State, screen: Rect, silencing: &Silencing) {
    let width = screen.width.saturating_sub(4).min(76);
    let columns = usize::from(width.saturating_sub(4));
    let mut lines = about(state, &silencing.service, columns);
    // The fields stay in view where it is small.
    lines.truncate(usize::from(screen.height.saturating_sub(4)).max(1));
    let running = quiet::named(state, &silencing.service).is_some();
    let verb = if running { "change" } else { "silence" };
    let foot = keys(&[("enter", verb), ("tab", "next field"), ("esc", "cancel")]);
    let title = format!("Silence {}", text::cut(&silencing.service, 40, brush.glyphs.ellipsis));
    let inside = frame(brush, screen, width, lines.len() + 2, &title, &foot);
    for (y, line) in (inside.y..inside.bottom()).zip(&lines) {
        brush.line(inside.x, y, inside.width, line);
    }
    let last = inside.bottom().saturating_sub(1);
    let first = last.saturating_sub(1).max(inside.y);
    for (y, label) in [(first, "For"), (last, "Why")] {
        brush.line(inside.x, y, LABEL, &Styled::of(Role::Dim, label));
    }
    let x = inside.x + LABEL.min(inside.width);
    let room = inside.width.saturating_sub(LABEL);
    let duration = Rect { x, y: first, width: DURATION.min(room), height: 1 };
    field(brush, duration, &silencing.duration, !silencing.in_reason);
    if silencing.proposed && !silencing.in_reason {
        // As a selected text: what is typed takes its place.
        let text = Styled::of(Role::ButtonFocused, typed(&silencing.duration));
        brush.line(x, first, duration.width, &text);
    }
    let outcome = outcome(state, silencing, running);
    let beside = duration.right() + 2;
    brush.line(beside, first, inside.right().saturating_sub(beside), &outcome);
    let why = Rect { x, y: last, width: room, height: 1 };
    field(brush, why, &silencing.reason, silencing.in_reason);
}

/// What it means, and for whom.
fn about(state: &State, service: &str, columns: usize) -> Vec<Styled> {
    let mut lines = Vec::new();
    let mut say = |role, words: &str| {
        lines.extend(paragraph(&Styled::new(), 0, role, words, columns));
    };
    if let Some(silence) = quiet::named(state, service) {
        say(Role::Strong, &format!("Silenced: {}.", quiet::sentence(state, silence)));
        say(Role::Text, "A new time takes its place; 0 ends it.");
    } else {
        say(Role::Text, "What happens to it is seen and counted, and opens no incident.");
    }
    let covered = quiet::covered(state, service);
    let mut names: Vec<&str> =
        covered.iter().take(NAMED).map(|v| v.container.of.name.as_str()).collect();
    let more = covered.len().saturating_sub(NAMED).to_string();
    if covered.len() > NAMED {
        names.push(&more);
    }
    let others = if covered.len() > NAMED { " more" } else { "" };
    match names.as_slice() {
        [] => say(Role::Warn, "No watched container goes by that name now."),
        names => say(Role::Dim, &format!("Covers {}{others}.", names.join(", "))),
    }
    let open = lists::open_of(state, service);
    if open > 0 {
        let stays = if open == 1 { "stays" } else { "stay" };
        say(Role::Dim, &format!("{} of it {stays} open.", words::count(open, "incident")));
    }
    if state.is_read_only() {
        say(Role::Dim, "Read-only forbids changes of containers; this changes only what is told.");
    } else if let Some(why) = &state.snapshot.watching {
        say(Role::Warn, &format!("It counts here only: {why}."));
    }
    lines.push(Styled::new());
    lines
}

/// What the typed duration comes to.
fn outcome(state: &State, silencing: &Silencing, running: bool) -> Styled {
    let seconds = match silencing.seconds(running) {
        Ok(0) => return Styled::of(Role::Ok, "ends the silence now"),
        Ok(seconds) => seconds,
        Err(why) => return Styled::of(Role::Warn, why),
    };
    let until = i64::try_from(seconds)
        .ok()
        .and_then(|s| state.now.checked_add(SignedDuration::from_secs(s)).ok());
    match until {
        Some(until) => Styled::of(Role::Text, format!("until {}", quiet::moment(state, until))),
        None => Styled::of(Role::Warn, "longer than time goes on"),
    }
}
