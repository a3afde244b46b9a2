//! What several rules have in common: words, and the form of a cause that a known line names.

use crate::detect::life::exit::exit_words;
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, proof, topology};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::{Container, RunState};
use crate::domain::diagnosis::Action;
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;

/// A known line names the cause.
pub(super) const NAMED: f64 = 0.70;
/// A known line was the last word before a death.
pub(super) const LAST_WORD: f64 = 0.88;
/// The same before each death of a loop: it explains the loop better than that it loops.
pub(super) const LOOPS_FOR_IT: f64 = 0.93;
/// A reading out of its usual range.
pub(super) const MEASURED: f64 = 0.55;
/// A reading at its limit, which the engine enforces.
pub(super) const AT_THE_LIMIT: f64 = 0.75;
/// What a change a short while before adds to a class that it can cause.
pub(super) const CHANGED: f64 = 0.04;

/// A line in a sentence: in quotes, without the level that it begins with, shortened.
pub(super) fn quoted(text: &str) -> String {
    const LENGTH: usize = 120;
    let line = text.lines().next().unwrap_or_default().trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = first.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_uppercase();
    let leveled = matches!(word.as_str(), "WARN" | "WARNING" | "ERROR" | "CRITICAL" | "FATAL");
    let said = if leveled && !rest.trim().is_empty() { rest.trim() } else { line };
    if said.chars().count() <= LENGTH {
        return format!("“{said}”");
    }
    let head: String = said.chars().take(LENGTH).collect();
    format!("“{head}…”")
}

/// The last line behind an anomaly, as words behind a cause.
pub(super) fn said_in(anomaly: &Anomaly) -> String {
    let last = anomaly.evidence.iter().rfind(|e| e.line.is_some());
    last.map(|e| format!(" ({})", quoted(&e.excerpt))).unwrap_or_default()
}

/// What a probe printed, as words behind a cause.
pub(super) fn printed(output: &str) -> String {
    let output = output.trim();
    if output.is_empty() { String::new() } else { format!(" ({})", quoted(output)) }
}

/// A class that a known line tells: its cause is what the line says. `fatal` ones are the reason of
/// a death right behind them, and a new start meets them again.
pub(super) fn told(case: &Case<'_>, class: FailureClass, fatal: bool) -> Option<Hypothesis> {
    let line = case.signature(class)?;
    let words = line.detail.words.as_deref()?;
    let name = &case.subject.name;
    let peer = line.detail.peer.as_deref().and_then(|p| p.split(',').next());
    let known = case.facts().is_some_and(|f| !topology::named(case.world, f, line).is_empty());
    let whom = match peer {
        Some(host) if known => format!(" ({host})"),
        Some(host) => format!(" ({host}, which is not a watched container)"),
        None => String::new(),
    };
    let said = said_in(line);
    let loops = case.last(AnomalyKind::CrashLoop).is_some();
    let (score, cause) = if fatal && loops {
        (LOOPS_FOR_IT, format!("{name} dies at every start: {words}{whom}{said}"))
    } else if fatal && case.is_last_words(line) {
        (LAST_WORD, format!("{name}: {words}{whom}{said}"))
    } else {
        (NAMED, format!("{name}: {words}{whom}{said}"))
    };
    let burst = case.last(AnomalyKind::ErrorBurst).into_iter().flat_map(|b| b.evidence.clone());
    let deaths = case.death().into_iter().flat_map(|d| d.evidence.clone());
    let evidence: Vec<Evidence> =
        line.evidence.iter().cloned().chain(burst).chain(deaths).collect();
    // The first of several known lines is nearer to the cause.
    let first = case.all_own().find(|a| a.detail.words.is_some()).map(|a| &a.id);
    let score = if first == Some(&line.id) { score + 0.01 } else { score };
    Some(Hypothesis::of(case, class, score, cause).proved_by(evidence))
}

/// A class that a reading tells.
pub(super) fn measured(case: &Case<'_>, class: FailureClass, score: f64) -> Option<Hypothesis> {
    let own = case.all_own().filter(|a| a.kind.measures() == Some(class));
    let told = own.max_by_key(|a| a.severity)?;
    let hypothesis = Hypothesis::of(case, class, score, told.summary.clone());
    Some(hypothesis.proved_by(told.evidence.clone()))
}

/// A class that a line says and a reading shows: either alone tells it, both are two signs of one
/// cause.
pub(super) fn told_or_measured(case: &Case<'_>, class: FailureClass) -> Option<Hypothesis> {
    match (told(case, class, true), measured(case, class, AT_THE_LIMIT)) {
        (Some(line), Some(reading)) => {
            let mut both = line.proved_by(reading.evidence);
            both.score = both.score.max(LAST_WORD);
            Some(both)
        }
        (line, reading) => line.or(reading),
    }
}

/// A new process for a container that used up what the next one has all of again.
pub(super) fn anew(container: &Container, why: String) -> Action {
    if container.is_up() {
        actions::restart(container, why)
    } else {
        actions::start(container, why)
    }
}

/// A recent change adds to a class that it can cause, and is part of its proof.
pub(super) fn weigh_changes(case: &Case<'_>, mut hypothesis: Hypothesis) -> Hypothesis {
    let (Some(facts), changes) = (case.facts(), case.deployed()) else { return hypothesis };
    if !changes.is_empty() {
        hypothesis.score = (hypothesis.score + CHANGED).min(0.98);
        let proofs = changes.iter().map(|c| proof::change(&facts.container, c));
        hypothesis.evidence.extend(proofs);
    }
    hypothesis
}

/// How the process of the subject ended, with its last words.
pub(super) fn end_words(name: &str, code: i64, evidence: &[Evidence]) -> String {
    let last = evidence.iter().rev().find(|e| e.line.is_some());
    let said = last.map(|e| format!("; its last words: {}", quoted(&e.excerpt)));
    format!(
        "the main process of {name} ended with {}{}",
        exit_words(code),
        said.unwrap_or_default()
    )
}

/// A container's state in a sentence.
pub(super) fn state_words(facts: &Facts) -> String {
    if facts.container.state == RunState::Running {
        "unhealthy".to_owned()
    } else if facts.stopped_by_operator.is_some() {
        format!("{} (an operator stopped it)", facts.container.state)
    } else {
        facts.container.state.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_quoted_without_its_level_and_not_at_any_length() {
        for (line, words) in [
            ("FATAL environment variable X is required", "“environment variable X is required”"),
            ("[ERROR]: no luck", "“no luck”"),
            ("Error: listen EADDRINUSE", "“listen EADDRINUSE”"),
            ("error", "“error”"),
            ("first\nsecond", "“first”"),
        ] {
            assert_eq!(quoted(line), words);
        }
        let long = quoted(&"é".repeat(500));
        assert_eq!(long.chars().count(), 123);
        assert!(long.ends_with("…”"));
    }
}
