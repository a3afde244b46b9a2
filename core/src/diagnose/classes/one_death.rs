//! What the classes of a single death have in common: how it ended, and whether it is started again.

use crate::diagnose::classes::shared::end_words;
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;

/// Whether an exit status is that of a fatal signal which a process earns by itself.
pub(super) fn is_fatal_signal(code: i64) -> bool {
    matches!(code, 132 | 134 | 135 | 136 | 139)
}

/// Whether an exit status says that the command could not be run (126, 127, 128).
pub(super) fn is_of_start(code: i64) -> bool {
    matches!(code, 126..=128)
}

/// One death, whatever ended the process: started again if nobody else does it.
pub(super) fn one_death(case: &Case<'_>, class: FailureClass) -> Option<Hypothesis> {
    let death = case.last(AnomalyKind::Death)?;
    let facts = case.facts()?;
    let code = death.detail.exit_code.unwrap_or_default();
    let name = &case.subject.name;
    let mut evidence = death.evidence.clone();
    evidence.extend(facts.last_words(3));
    let cause = end_words(name, code, &evidence);
    let hypothesis = |score| Hypothesis::of(case, class, score, cause.clone()).proved_by(evidence);
    // It runs again, or the engine's own policy is about to start it: nothing to do but watch.
    if facts.container.state == RunState::Restarting {
        return Some(hypothesis(0.8));
    }
    if facts.container.is_up() {
        // What is wrong with it now explains more than a death that it got over.
        return Some(hypothesis(0.6));
    }
    if facts.container.restart_policy.restarts_after(code, facts.container.restart_count) {
        return Some(hypothesis(0.8));
    }
    if facts.container.auto_remove {
        return Some(hypothesis(0.8).advising(format!(
            "{name} was run with --rm: the engine removes it; run it again by hand."
        )));
    }
    let why = format!("{name} died once and has no restart policy that brings it back");
    Some(hypothesis(0.8).planning(vec![actions::start(&facts.container, why)]))
}
