//! The list of fixes that wait for a decision.

use ratatui::layout::Rect;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::Plan;

use crate::tui::layout::inside;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::words;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let rows = lists::fixes(state);
    let waiting = lists::to_approve(state);
    let mut left = Styled::new();
    if let Some(filter) = &state.fixes.filter {
        left.push(Role::Match, format!(" /{} ", filter.text()));
    }
    let right = if waiting > 0 {
        Styled::of(Role::Strong, format!("{} {waiting} to approve", brush.glyphs.attention))
    } else if state.is_read_only() {
        Styled::of(Role::Dim, "read-only")
    } else if state.snapshot.watching.is_some() {
        Styled::of(Role::Dim, "decided elsewhere")
    } else {
        Styled::new()
    };
    brush.title(state, Pane::Fixes, area, &left, &right);
    let list = inside(area);
    if rows.is_empty() {
        let text = if state.fixes.filter.is_some() {
            "No fix matches the filter. Esc clears it."
        } else {
            "Nothing waits for approval."
        };
        brush.note(list, Role::Dim, text);
        return;
    }
    let height = usize::from(list.height);
    let first = first_row(rows.len(), state.fixes.row, height);
    for (y, (incident, plan)) in (list.y..list.bottom()).zip(rows.iter().skip(first)) {
        let selected = state.fixes.item.as_ref() == Some(&incident.id);
        let line = row(brush, state, incident, plan);
        brush.row(list, y, &line, selected, state.focus == Pane::Fixes);
    }
}

fn row(brush: &Brush<'_>, state: &State, incident: &Incident, plan: &Plan) -> Styled {
    let at = lists::current_step(plan);
    let Some(step) = plan.steps.get(at) else {
        return Styled::of(Role::Dim, format!("empty plan of {}", incident.id));
    };
    let risk = status::of_risk(plan.risk());
    let mut line = Styled::of(risk.role, format!("{} ", risk.word));
    if let Some(until) = incident.snoozed_until().filter(|_| plan.is_staged()) {
        // Nothing to do here until then: grey, with the time left.
        let left = words::countdown(state.now, until);
        let rest = format!("put off {left}  {} {}", step.target.name, step.diff);
        return Styled::of(Role::Dim, format!("{} {rest}", risk.word));
    }
    if plan.is_staged() {
        let left = words::countdown(state.now, plan.expires_at);
        line.push(Role::Dim, format!("{} ", text::right(&left, 5, "")));
    } else {
        let shown = status::of_fix(step.state, brush.glyphs);
        line.push(shown.role, format!("{} {} ", shown.glyph, shown.word));
    }
    line.push(Role::Strong, format!("{} ", step.target.name));
    line.push(Role::Text, step.diff.replace(" → ", &format!(" {} ", brush.glyphs.arrow)));
    if plan.steps.len() > 1 {
        line.push(Role::Dim, format!("  +{} more", plan.steps.len() - 1));
    }
    line
}
