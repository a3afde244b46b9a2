//! The last line: keys that do something here and now, or the line that is being typed.

use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::tui::filter::Filter;
use crate::tui::hints;
use crate::tui::lists;
use crate::tui::pane::Pane;
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
    for hint in hints::placed(state, usize::from(area.width)) {
        let start = u16::try_from(hint.columns.start).unwrap_or(u16::MAX);
        let left = area.width.saturating_sub(start);
        brush.line(area.x.saturating_add(start), area.y, left, &hint.line);
    }
}

/// The fields that a filter of terms knows, if it is one.
fn terms(state: &State, kind: PromptKind) -> Option<String> {
    let fields = match kind {
        PromptKind::List(Pane::Incidents) => lists::INCIDENT_FIELDS,
        PromptKind::List(Pane::Inspector) => state.listing()?.fields(),
        _ => return None,
    };
    Some(format!("words, {}:, - without  esc undo ", fields.join(": ")))
}

fn prompt(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let Some(prompt) = &state.prompt else { return };
    let (mark, pattern) = match prompt.kind {
        PromptKind::Search => ("search /", state.logs.search.as_ref()),
        PromptKind::Filter => ("show only &", None),
        // Terms are told below.
        PromptKind::List(Pane::Incidents | Pane::Inspector) => ("filter /", None),
        PromptKind::List(Pane::Fixes) => ("filter /", state.fixes.filter.as_ref()),
        PromptKind::List(_) => ("filter /", state.containers.filter.as_ref()),
    };
    let odd = state.logs.filter.as_ref().and_then(Filter::odd);
    let terms = terms(state, prompt.kind);
    let help = if let Some(terms) = &terms {
        terms.as_str()
    } else if prompt.kind == PromptKind::Filter {
        odd.unwrap_or("all terms, -without, \"as is\", since:5m  esc undo ")
    } else if pattern.is_some_and(crate::tui::pattern::Pattern::is_literal) {
        "no regex: searched as plain text  esc undo "
    } else if prompt.kind == PromptKind::List(Pane::Containers) {
        "regex, ! inverts, -f letters, -l label=value  esc undo "
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
