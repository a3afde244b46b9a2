//! What the analyst makes of an incident: whether it agrees with the rules, what it rests on, what
//! it would do, and what of it did not stand up to the check.

use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::opinion::{Agreement, Answered, Claim, Opinion, Proposal};

use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::words;

/// The section; nothing without an opinion.
pub(super) fn section(page: &mut Page, state: &State, incident: &Incident, columns: usize) {
    let Some(opinion) = incident.opinion.as_deref() else { return };
    page.heading("Analyst");
    let line = Styled::of(role(opinion.agreement), format!("  {}", opinion.agreement.words()))
        .and(Role::Dim, format!("  {}", blames(opinion)));
    page.lines.push(line);
    if !opinion.cause.is_empty() {
        page.say(2, Role::Text, &opinion.cause, columns);
    }
    for claim in &opinion.claims {
        said(page, state, claim, columns);
    }
    if let Some(proposal) = &opinion.proposal {
        proposed(page, proposal, columns);
    }
    if !opinion.advice.is_empty() {
        page.fact("advises", Role::Text, &opinion.advice, columns);
    }
    for look in &opinion.looked {
        let how = if look.ok { "looked" } else { "looked, in vain" };
        page.fact(how, Role::Dim, &format!("{} {}", look.tool, look.target), columns);
    }
    for problem in &opinion.problems {
        page.fact("unfounded", Role::Warn, problem, columns);
    }
    page.say(2, Role::Dim, &by(&opinion.by), columns);
}

/// How its word stands to that of the rules.
pub(super) fn role(agreement: Agreement) -> Role {
    match agreement {
        Agreement::Agrees => Role::Ok,
        Agreement::OtherClass | Agreement::OtherRoot => Role::Warn,
        Agreement::Undecided => Role::Dim,
    }
}

fn blames(opinion: &Opinion) -> String {
    let class = opinion.class.map_or_else(String::new, FailureClass::words);
    let root = opinion.root.as_deref().unwrap_or_default();
    let sure = format!("{:.0}% sure", opinion.confidence * 100.0);
    [class.as_str(), root, &sure]
        .into_iter()
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

fn said(page: &mut Page, state: &State, claim: &Claim, columns: usize) {
    let (mark, role) = if claim.supported { ("  + ", Role::Ok) } else { ("  ? ", Role::Warn) };
    let text = if claim.supported {
        claim.text.clone()
    } else {
        format!("{} (no evidence for it)", claim.text)
    };
    page.lines.extend(paragraph(&Styled::of(role, mark), 4, Role::Text, &text, columns));
    for piece in &claim.evidence {
        let line = Styled::of(Role::Dim, format!("      {} ", words::clock(piece.ts, &state.zone)))
            .and(Role::Strong, format!("{} ", piece.container));
        page.lines.extend(paragraph(&line, 8, Role::Dim, &piece.excerpt, columns));
    }
}

fn proposed(page: &mut Page, proposal: &Proposal, columns: usize) {
    page.fact("would do", Role::Text, &proposal.words.join(", then "), columns);
    let what = match &proposal.refused {
        Some(why) => format!("not staged: {why}"),
        None => "staged; only a person can approve it".to_owned(),
    };
    page.fact("", Role::Dim, &what, columns);
}

/// Who answered, and what it took.
pub(super) fn by(answered: &Answered) -> String {
    let tokens = answered.prompt_tokens + answered.completion_tokens;
    let cost =
        answered.cost_usd.map_or_else(|| "cost unknown".to_owned(), |usd| format!("{usd:.4} USD"));
    format!(
        "{}, {tokens} tokens, {cost}, {:.1} s",
        answered.model,
        std::time::Duration::from_millis(answered.latency_ms).as_secs_f64()
    )
}
