//! The steps of a plan: what runs, what changes, what it costs, how it is taken back.

use sentinel_core::domain::plan::{Fix, FixState, Plan};
use sentinel_core::domain::tool::ToolCall;

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::words;

/// A call without what every call carries anyway: its tool and what it says beyond the target.
pub(super) fn short_call(call: &ToolCall) -> String {
    let own: Vec<String> = call
        .arguments
        .iter()
        .filter(|(k, _)| !matches!(k.as_str(), "container_name" | "expect_started_at" | "reason"))
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    if own.is_empty() { call.tool.clone() } else { format!("{} {}", call.tool, own.join(" ")) }
}

/// Adds the steps to a page.
pub(super) fn steps(page: &mut Page, plan: &Plan, glyphs: &Glyphs, columns: usize) {
    for step in &plan.steps {
        step_lines(page, step, plan.steps.len() > 1, glyphs, columns);
    }
}

fn step_lines(page: &mut Page, step: &Fix, numbered: bool, glyphs: &Glyphs, columns: usize) {
    let risk = status::of_risk(step.risk);
    let mut head = Styled::of(Role::Text, "  ");
    if numbered {
        head.push(Role::Strong, format!("{}. ", step.step));
    }
    head.push(risk.role, format!("[{}] ", risk.word));
    head.push(Role::Strong, format!("{}  ", step.target.name));
    let indent = head.width();
    page.lines.extend(paragraph(&head, indent, Role::Strong, &step.diff, columns));
    page.fact("runs", Role::Info, &format!("$ {}", step.docker_line), columns);
    if step.state == FixState::Staged {
        page.fact("because", Role::Text, &step.reason, columns);
        page.fact("downtime", Role::Text, &step.downtime, columns);
        match &step.inverse {
            Some(call) => page.fact("undo", Role::Text, &short_call(call), columns),
            None => page.fact("undo", Role::Warn, "impossible: it cannot be taken back", columns),
        }
        keep(page, step, 2);
        return;
    }
    // Decided: what it did counts now, not what it would cost.
    let state = status::of_fix(step.state, glyphs);
    let mut line =
        Styled::of(Role::Text, "  ").and(state.role, format!("{} {}", state.glyph, state.word));
    if let Some(result) = &step.result {
        line.push(Role::Dim, format!(" in {} ms", result.duration_ms));
        let role = if result.ok { Role::Text } else { Role::Error };
        line.push(Role::Text, "  ");
        page.lines.extend(paragraph(&line, 4, role, &result.message, columns));
    } else if let Some(progress) = &step.progress {
        line.push(Role::Text, "  ");
        page.lines.extend(paragraph(&line, 4, Role::Text, progress, columns));
    } else {
        page.lines.push(line);
    }
    if step.state == FixState::Applied {
        keep(page, step, 2);
    }
}

/// What a compose file has to say so that the next `compose up` keeps the step. Not wrapped: it is
/// to be copied.
pub(super) fn keep(page: &mut Page, step: &Fix, indent: usize) {
    let Some(patch) = &step.compose_patch else { return };
    let pad = " ".repeat(indent);
    page.lines.push(Styled::of(Role::Dim, format!("{pad}to keep it over the next compose up:")));
    for line in patch.lines() {
        page.lines.push(Styled::of(Role::Info, format!("{pad}  {line}")));
    }
}

/// `expires in 14:32`, `expired`, or nothing for a plan that was decided.
pub(super) fn expiry(plan: &Plan, now: jiff::Timestamp) -> Option<String> {
    if !plan.is_staged() {
        return None;
    }
    Some(if now >= plan.expires_at {
        "expired".to_owned()
    } else {
        format!("{} left", words::countdown(now, plan.expires_at))
    })
}
