//! `transient_crash`: one death that nobody asked for.
//!
//! A loop, a memory kill, a fatal signal and a sibling that is down explain more, each by its own
//! rule. Found stopped after a gap: nobody knows whether it was meant, so the start is offered and
//! never made by itself.

use crate::detect::life::exit::exit_words;
use crate::diagnose::classes::shared::end_words;
use crate::diagnose::classes::{Rule, native_crash, silent, start_failure};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::TransientCrash, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    died(case).or_else(|| found(case))
}

fn died(case: &Case<'_>) -> Option<Hypothesis> {
    let death = case.last(AnomalyKind::Death)?;
    let code = death.detail.exit_code.unwrap_or_default();
    if native_crash::is_fatal_signal(code) || start_failure::is_of_start(code) {
        return None;
    }
    one_death(case, FailureClass::TransientCrash)
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

fn found(case: &Case<'_>) -> Option<Hypothesis> {
    let found = case.last(AnomalyKind::FoundDown)?;
    let facts = case.facts().filter(|f| !f.container.is_up())?;
    let name = &case.subject.name;
    let code = found.detail.exit_code.unwrap_or(facts.container.exit_code);
    let cause = format!("{name} stopped with {} while nobody was watching", exit_words(code));
    let why = format!("{name} ran before the gap and is down now");
    Some(
        Hypothesis::of(case, FailureClass::TransientCrash, 0.6, cause)
            .proved_by(found.evidence.clone())
            .proved_by(facts.last_words(2))
            .planning(vec![actions::start(&facts.container, why)]),
    )
}
