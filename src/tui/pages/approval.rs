//! What the operator reads before approving: exactly what will run, on what, and what it costs.

use sentinel_core::domain::plan::{Fix, FixState, Plan};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolCall;
use serde_json::Value;

use crate::tui::glyphs::Glyphs;
use crate::tui::modal::{Approval, Deed};
use crate::tui::pages::incident::without_code;
use crate::tui::pages::page::Page;
use crate::tui::pages::plan;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};

/// Columns of the labels.
const LABEL: usize = 11;

/// The page.
pub fn page(state: &State, approval: &Approval, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    match approval.deed {
        Deed::Apply => apply(&mut page, state, &approval.plan, glyphs, columns),
        Deed::Undo => undo(&mut page, &approval.plan, columns),
    }
    page
}

fn apply(page: &mut Page, state: &State, shown: &Plan, glyphs: &Glyphs, columns: usize) {
    let risk = status::of_risk(shown.risk());
    let mut line = Styled::of(Role::Dim, "risk       ")
        .and(risk.role, format!("{} {}", risk.word, shown.risk().words()));
    if let Some(expiry) = plan::expiry(shown, state.now) {
        line.push(Role::Dim, format!(" {} {expiry}", glyphs.dot));
    }
    page.lines.push(line);
    if shown.is_from_model() {
        let words = "a language model; the call was composed and checked by sentinel-tui";
        fact(page, "source", Role::Warn, words, columns);
    }
    for why in why_asked(state, shown) {
        fact(page, "asks you", Role::Dim, why, columns);
    }
    let many = shown.steps.len() > 1;
    for step in &shown.steps {
        page.blank();
        let mut head = Styled::new();
        if many {
            head.push(Role::Heading, format!("Step {} of {}  ", step.step, shown.steps.len()));
        }
        head.push(Role::Strong, format!("{}  ", step.target.name));
        page.lines.extend(paragraph(&head, 4, Role::Strong, &step.diff, columns));
        container(page, step, columns);
        call(page, &step.call, columns);
        fact(page, "same as", Role::Info, &format!("$ {}", step.docker_line), columns);
        fact(page, "downtime", Role::Text, &step.downtime, columns);
        match &step.inverse {
            Some(call) => fact(page, "undo", Role::Text, &plan::short_call(call), columns),
            None => {
                fact(page, "undo", Role::Warn, "impossible: it cannot be taken back", columns);
            }
        }
        plan::keep(page, step, 0);
    }
}

/// Why the policy does not do it by itself, where it would do anything: the first two reasons.
fn why_asked<'s>(state: &'s State, shown: &Plan) -> impl Iterator<Item = &'s str> {
    let heals = state.snapshot.mode == Mode::AutoHeal;
    let incident = state.incident(&shown.incident).filter(|_| heals);
    incident.into_iter().flat_map(|i| &i.not_acting).take(2).map(|line| without_code(line))
}

/// What is called to take a plan back, in the order of the calls.
fn undo(page: &mut Page, shown: &Plan, columns: usize) {
    for step in shown.steps.iter().rev().filter(|s| s.state == FixState::Applied) {
        page.blank();
        let head = Styled::of(Role::Strong, format!("{}  ", step.target.name));
        let diff = format!("takes back: {}", step.diff);
        page.lines.extend(paragraph(&head, 4, Role::Strong, &diff, columns));
        container(page, step, columns);
        if let Some(inverse) = &step.inverse {
            call(page, inverse, columns);
        } else {
            let words = "this step cannot be taken back and stays as it is";
            fact(page, "call", Role::Warn, words, columns);
        }
    }
}

fn container(page: &mut Page, step: &Fix, columns: usize) {
    let words = format!("{} ({})", step.target.name, step.target_now().short());
    fact(page, "container", Role::Text, &words, columns);
}

fn call(page: &mut Page, call: &ToolCall, columns: usize) {
    fact(page, "call", Role::Strong, &call.tool, columns);
    for (key, value) in &call.arguments {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let key = Styled::of(Role::Dim, format!("  {key} = "));
        page.lines.extend(paragraph(&key, 4, Role::Text, &value, columns));
    }
}

fn fact(page: &mut Page, label: &str, role: Role, value: &str, columns: usize) {
    let label = Styled::of(Role::Dim, format!("{label:<LABEL$}"));
    page.lines.extend(paragraph(&label, LABEL, role, value, columns));
}
