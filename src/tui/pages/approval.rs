//! What the operator reads before approving: exactly what will run, on what, and what it costs.

use sentinel_core::domain::evidence::Evidence;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::REJECTED;
use sentinel_core::domain::plan::{Actor, Fix, FixState, Plan, Risk};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolCall;
use serde_json::Value;

use crate::tui::glyphs::Glyphs;
use crate::tui::modal::{Approval, Deed, Focus};
use crate::tui::pages::incident::without_code;
use crate::tui::pages::page::Page;
use crate::tui::pages::plan;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, buttons, paragraph};
use crate::tui::words;

/// Columns of the labels.
const LABEL: usize = 11;

/// The widest that the card gets.
const WIDEST: u16 = 96;
/// Pieces of evidence on the card.
const EVIDENCE: usize = 3;
/// How sure an edge must be for who needs the target to be named.
const NEEDS: f64 = 0.5;

/// The card, measured for the terminal as it is.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// All that it says.
    pub lines: Vec<Styled>,
    /// So many of them, from the first, say what is done.
    pub deed: usize,
    /// What stands below and does not scroll.
    pub below: Vec<Styled>,
    /// Columns of the box.
    pub width: u16,
    /// Lines in view.
    pub room: usize,
    /// The last line that can be the first in view.
    pub most: usize,
}

impl Card {
    /// Lines that say what is done and were not on the screen yet.
    pub fn unread(&self, state: &State, approval: &Approval) -> usize {
        let read = if approval.seen.0 == state.area { approval.seen.1 } else { 0 };
        self.deed.saturating_sub(read)
    }

    /// The same once the frame that is being drawn was.
    fn cut_off(&self, state: &State, approval: &Approval) -> usize {
        let first = approval.scroll.min(self.most);
        let read = if approval.seen.0 == state.area { approval.seen.1 } else { 0 };
        let read = if first <= read { read.max(first + self.room) } else { read };
        self.deed.saturating_sub(read)
    }
}

/// The card of an approval. What is done comes first: nothing is approved that was not in view.
pub fn card(state: &State, approval: &Approval) -> Card {
    let glyphs = Glyphs::of(state.ascii);
    let screen = state.area;
    let width = screen.width.saturating_sub(2).min(WIDEST);
    let columns = usize::from(width.saturating_sub(4));
    let mut page = Page::default();
    let shown = &approval.plan;
    match approval.deed {
        Deed::Apply => apply(&mut page, state, shown, glyphs, columns),
        Deed::Undo => undo(&mut page, shown, columns),
    }
    let deed = page.lines.len();
    if approval.deed == Deed::Apply {
        why(&mut page, state, shown, columns);
    }
    let mut card = Card { lines: page.lines, deed, width, ..Card::default() };
    card.below = below(approval, columns);
    let inside = usize::from(screen.height.saturating_sub(2));
    card.room = inside.saturating_sub(card.below.len()).min(card.lines.len());
    card.most = card.lines.len().saturating_sub(card.room);
    let cut_off = card.cut_off(state, approval);
    if cut_off > 0
        && approval.void.is_none()
        && let Some(last) = card.below.last_mut()
    {
        let words = format!("{} {cut_off} lines say what it does: read on", glyphs.more_down);
        *last = Styled::of(Role::Warn, words);
    }
    card
}

/// What stands below the text: why it is void, or the field and the buttons.
fn below(approval: &Approval, columns: usize) -> Vec<Styled> {
    let (verb, none) = match approval.deed {
        Deed::Apply => ("Approve", "Nothing was approved."),
        Deed::Undo => ("Take back", "Nothing was taken back."),
    };
    let mut below = vec![Styled::new()];
    if let Some(why) = &approval.void {
        below.extend(paragraph(&Styled::new(), 0, Role::Error, why, columns));
        below.push(Styled::of(Role::Strong, none));
        return below;
    }
    if approval.asks_name() {
        below.push(
            Styled::of(Role::Warn, "Type the container's name to confirm: ")
                .and(Role::Strong, approval.target()),
        );
        below.push(Styled::new());
    }
    let run = if approval.plan.steps.len() > 1 {
        format!("{verb} all {} steps", approval.plan.steps.len())
    } else {
        verb.to_owned()
    };
    below.push(buttons(&[
        ("Cancel", approval.focus == Focus::Cancel),
        (&run, approval.focus == Focus::Approve),
    ]));
    below
}

fn apply(page: &mut Page, state: &State, shown: &Plan, glyphs: &Glyphs, columns: usize) {
    if let Some(incident) = state.incident(&shown.incident) {
        let line = Styled::of(Role::Dim, "broke      ").and(Role::Text, incident.title.clone());
        page.lines.push(line.cut(columns, glyphs.ellipsis));
    }
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
    if shown.is_edited() {
        let words = "a person changed what was proposed; it was checked by sentinel-tui";
        fact(page, "source", Role::Warn, words, columns);
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
        call(page, &step.call, &step.target.id, columns);
        fact(page, "same as", Role::Info, &format!("$ {}", step.docker_line), columns);
        fact(page, "downtime", Role::Text, &step.downtime, columns);
        match &step.inverse {
            Some(call) => fact(page, "undo", Role::Text, &plan::short_call(call), columns),
            None => {
                fact(page, "undo", Role::Warn, "impossible: it cannot be taken back", columns);
            }
        }
    }
    let dependents = dependents(state, shown);
    if !dependents.is_empty() {
        fact(page, "needed by", Role::Text, &dependents.join(", "), columns);
    }
}

/// Containers that need what the plan changes.
fn dependents<'s>(state: &'s State, shown: &Plan) -> Vec<&'s str> {
    let is_target = |name: &str| shown.steps.iter().any(|s| s.target.name == name);
    let mut names: Vec<&str> = state
        .snapshot
        .edges
        .iter()
        .filter(|e| e.confidence >= NEEDS && is_target(&e.to) && !is_target(&e.from))
        .map(|e| e.from.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The evidence that the card shows.
pub fn evidence<'s>(state: &'s State, shown: &Plan) -> Vec<&'s Evidence> {
    let diagnosis = state.incident(&shown.incident).and_then(|i| i.diagnosis.as_ref());
    diagnosis.map_or_else(Vec::new, |d| d.evidence.iter().take(EVIDENCE).collect())
}

/// What broke, why, how that is known, what else was thought of, and who decides.
fn why(page: &mut Page, state: &State, shown: &Plan, columns: usize) {
    let Some(incident) = state.incident(&shown.incident) else { return };
    page.blank();
    if let Some(diagnosis) = &incident.diagnosis {
        let sure = format!("{:.0}% sure: ", diagnosis.confidence * 100.0);
        fact(page, "cause", Role::Text, &format!("{sure}{}", diagnosis.cause), columns);
    }
    for (at, piece) in (1..).zip(evidence(state, shown)) {
        let label = if at == 1 { "evidence" } else { "" };
        let key = if shown.risk() < Risk::R3 { at.to_string() } else { " ".to_owned() };
        let head = Styled::of(Role::Dim, format!("{label:<LABEL$}"))
            .and(Role::Key, format!("{key} "))
            .and(Role::Dim, format!("{} ", words::clock(piece.ts, &state.zone)));
        page.lines.extend(paragraph(&head, LABEL + 2, Role::Text, &piece.excerpt, columns));
    }
    for other in incident.diagnosis.iter().flat_map(|d| &d.rejected).take(2) {
        let words = format!("{} of {}: {}", other.class.words(), other.root, other.why);
        fact(page, "not", Role::Dim, &words, columns);
    }
    let refusals = incident
        .timeline
        .iter()
        .filter(|e| matches!(e.actor, Actor::Person(_)) && e.what.starts_with(REJECTED));
    for entry in refusals.rev().take(2) {
        let at = words::clock(entry.at, &state.zone);
        let words = format!("{} at {at}: {}", entry.actor, entry.what);
        fact(page, "before", Role::Warn, &words, columns);
    }
    let healed = why_asked(state, shown).collect::<Vec<_>>();
    for why in &healed {
        fact(page, "asks you", Role::Dim, why, columns);
    }
    if healed.is_empty() && state.snapshot.mode == Mode::Approve {
        let words = "auto-heal is off: a person decides each time";
        fact(page, "asks you", Role::Dim, words, columns);
    }
    for step in &shown.steps {
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
            call(page, inverse, &step.target.id, columns);
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

/// A call as it is made. That it names the container whose id stands above needs no line.
fn call(page: &mut Page, call: &ToolCall, target: &ContainerId, columns: usize) {
    fact(page, "call", Role::Strong, &call.tool, columns);
    let named = |key: &str, value: &Value| key == "container_name" && value == target.as_str();
    for (key, value) in call.arguments.iter().filter(|(key, value)| !named(key, value)) {
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
