//! What the operator reads before approving: exactly what will run, on what, and what it costs.

use sentinel_core::domain::plan::Plan;
use serde_json::Value;

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::{Page, plan};
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};

/// The page.
pub fn page(state: &State, shown: &Plan, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let risk = status::of_risk(shown.risk());
    let mut line = Styled::of(Role::Dim, "risk       ")
        .and(risk.role, format!("{} {}", risk.word, shown.risk().words()));
    if let Some(expiry) = plan::expiry(shown, state.now) {
        line.push(Role::Dim, format!(" {} {expiry}", glyphs.dot));
    }
    page.lines.push(line);
    let many = shown.steps.len() > 1;
    for step in &shown.steps {
        page.blank();
        let mut head = Styled::new();
        if many {
            head.push(Role::Heading, format!("Step {} of {}  ", step.step, shown.steps.len()));
        }
        head.push(Role::Strong, format!("{}  ", step.target.name));
        page.lines.extend(paragraph(head, 4, Role::Strong, &step.diff, columns));
        let fact = |page: &mut Page, label: &str, role, value: &str| {
            let label = Styled::of(Role::Dim, format!("{label:<11}"));
            page.lines.extend(paragraph(label, 11, role, value, columns));
        };
        fact(
            &mut page,
            "container",
            Role::Text,
            &format!("{} ({})", step.target.name, step.target.id.short()),
        );
        fact(&mut page, "call", Role::Strong, &step.call.tool);
        for (key, value) in &step.call.arguments {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            fact(&mut page, "", Role::Text, &format!("{key} = {value}"));
        }
        fact(&mut page, "same as", Role::Info, &format!("$ {}", step.docker_line));
        fact(&mut page, "downtime", Role::Text, &step.downtime);
        match &step.inverse {
            Some(call) => fact(&mut page, "undo", Role::Text, &plan::short_call(call)),
            None => fact(&mut page, "undo", Role::Warn, "impossible: it cannot be taken back"),
        }
    }
    page
}
