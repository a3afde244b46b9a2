//! The last line: keys that do something here and now, or the line that is being typed.

use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use sentinel_core::domain::plan::Plan;
use sentinel_core::domain::snapshot::Mode;

use crate::tui::action::Action;
use crate::tui::filter::Filter;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::{PromptKind, State};
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::Brush;

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    if state.prompt.is_some() {
        prompt(brush, state, area);
        return;
    }
    let mut line = Styled::of(Role::Text, " ");
    let help = hint(state, Action::Help, "help");
    let room = usize::from(area.width).saturating_sub(help.width() + 2);
    for (action, word) in hints(state) {
        let next = hint(state, action, word);
        if line.width() + next.width() + 2 > room {
            break;
        }
        line.pieces.extend(next.pieces);
        line.push(Role::Text, "  ");
    }
    let gap = usize::from(area.width).saturating_sub(line.width() + help.width() + 1);
    line.push(Role::Text, " ".repeat(gap));
    line.pieces.extend(help.pieces);
    brush.line(area.x, area.y, area.width, &line);
}

fn hint(state: &State, action: Action, word: &str) -> Styled {
    match state.keymap.key_for(state.context(), action) {
        Some(key) => Styled::of(Role::Key, key.to_string()).and(Role::KeyText, format!(" {word}")),
        None => Styled::new(),
    }
}

/// Only what does something where the operator stands, most useful first.
fn hints(state: &State) -> Vec<(Action, &'static str)> {
    let mut list = Vec::new();
    match state.focus {
        Pane::Containers => {
            if !state.snapshot.containers.is_empty() {
                list.extend([
                    (Action::Logs, "logs"),
                    (Action::Inspect, "inspect"),
                    (Action::Ask, "ask"),
                    (Action::Sort, "sort"),
                ]);
            }
            list.push((Action::Search, "filter"));
        }
        Pane::Incidents => {
            if let Some(incident) = state.incidents.item.as_ref().and_then(|i| state.incident(i)) {
                list.extend([
                    (Action::Open, "inspect"),
                    (Action::Ask, "ask"),
                    (Action::Logs, "logs of root"),
                ]);
                if !incident.state.is_closed() && !state.is_read_only() {
                    list.push((Action::Dismiss, "dismiss"));
                }
            }
            list.push((Action::Search, "filter"));
        }
        Pane::Fixes => {
            if !lists::fixes(state).is_empty() {
                if lists::to_approve(state) > 0 {
                    list.extend([(Action::Approve, "approve"), (Action::Reject, "reject")]);
                }
                list.push((Action::Open, "inspect"));
            }
        }
        Pane::Logs => {
            list.extend([(Action::Search, "search"), (Action::Filter, "filter")]);
            if state.logs.search.is_some() {
                list.extend([(Action::NextMatch, "next"), (Action::PreviousMatch, "previous")]);
            }
            list.extend([(Action::NextError, "error"), (Action::LevelFilter, "level")]);
            if !state.logs.follow {
                list.push((Action::Bottom, "follow"));
            }
            list.extend([(Action::Wrap, "wrap"), (Action::Times, "time"), (Action::Copy, "copy")]);
        }
        Pane::Inspector => list = inspector(state),
    }
    let top = state.focus == Pane::Containers && state.inspector.is_none() && !state.zoom;
    if !top {
        list.push((Action::Back, "back"));
    }
    list.extend([
        (Action::NextPane, "pane"),
        (Action::Zoom, if state.zoom { "unzoom" } else { "zoom" }),
    ]);
    if state.menu.is_some() {
        list.push((Action::Menu, "faults"));
    }
    if top {
        list.push((Action::Leave, "quit"));
    }
    if state.snapshot.brakes.halt.is_some() {
        list.push((Action::Halt, "release kill switch"));
    } else if state.snapshot.mode == Mode::AutoHeal {
        list.push((Action::Halt, "kill switch"));
    }
    if quiet::service(state).is_some() && !state.shows_quiet() {
        list.push((Action::Silence, "silence"));
    }
    if !state.snapshot.suppressed.is_empty() && !state.shows_quiet() {
        list.push((Action::Quiet, "left alone"));
    }
    list
}

/// The same on a page of the inspector.
fn inspector(state: &State) -> Vec<(Action, &'static str)> {
    let mut list = Vec::new();
    if let Some(incident) = state.inspected_incident() {
        let staged = incident.plan.as_ref().is_some_and(Plan::is_staged);
        if staged && lists::to_approve(state) > 0 {
            list.extend([(Action::Approve, "approve"), (Action::Reject, "reject")]);
        }
        let evidence = incident.diagnosis.as_ref().map_or(0, |d| d.evidence.len());
        if evidence > 0 {
            list.push((Action::Open, "evidence"));
        }
        let applied = incident.plan.as_ref().is_some_and(Plan::can_undo);
        if applied && state.why_no_approval().is_none() {
            list.push((Action::Undo, "take back"));
        }
        if !incident.state.is_closed() && !state.is_read_only() {
            list.push((Action::Dismiss, "dismiss"));
        }
    }
    if !state.shows_quiet() {
        list.push((Action::Ask, "ask"));
    }
    if state.shows_quiet() && !quiet::rows(state).is_empty() {
        list.push((Action::Open, "container"));
        // What this page is for does not wait behind the rest.
        list.push((Action::Silence, "silence, end"));
    }
    list.extend([(Action::Logs, "logs"), (Action::Copy, "copy")]);
    if state.inspected_incident().is_some() {
        list.push((Action::Postmortem, "postmortem"));
    }
    list
}

fn prompt(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let Some(prompt) = &state.prompt else { return };
    let (mark, pattern) = match prompt.kind {
        PromptKind::Search => ("search /", state.logs.search.as_ref()),
        PromptKind::Filter => ("show only &", None),
        PromptKind::List(Pane::Incidents) => ("filter /", state.incidents.filter.as_ref()),
        PromptKind::List(Pane::Fixes) => ("filter /", state.fixes.filter.as_ref()),
        PromptKind::List(_) => ("filter /", state.containers.filter.as_ref()),
    };
    let odd = state.logs.filter.as_ref().and_then(Filter::odd);
    let help = if prompt.kind == PromptKind::Filter {
        odd.unwrap_or("all terms, -without, \"as is\", since:5m  esc undo ")
    } else if pattern.is_some_and(crate::tui::pattern::Pattern::is_literal) {
        "no regex: searched as plain text  esc undo "
    } else {
        "text or regex, ! inverts  enter keep  esc undo "
    };
    brush.line(area.x, area.y, area.width, &Styled::of(Role::Key, format!(" {mark}")));
    let start = u16::try_from(text::width(mark) + 1).unwrap_or(0);
    let help_width = u16::try_from(text::width(help)).unwrap_or(0);
    let mut width = area.width.saturating_sub(start);
    if width > help_width + 16 {
        width -= help_width;
        brush.line(area.x + start + width, area.y, help_width, &Styled::of(Role::Dim, help));
    }
    let mut typed = prompt.typed.clone();
    typed.set_style(brush.theme.style(Role::Text));
    typed.set_cursor_line_style(brush.theme.style(Role::Text));
    typed.set_cursor_style(brush.theme.style(Role::ButtonFocused));
    typed.render(Rect { x: area.x + start, width, ..area }, brush.buf);
}
