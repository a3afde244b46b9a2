//! `transient_crash`: one death that nobody asked for.
//!
//! A loop, a memory kill, a fatal signal and a sibling that is down explain more, each by its own
//! rule. Found stopped after a gap: nobody knows whether it was meant, so the start is offered and
//! never made by itself.

use crate::detect::life::exit::exit_words;
use crate::diagnose::classes::one_death::{is_fatal_signal, is_of_start, one_death};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::TransientCrash, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    died(case).or_else(|| found(case))
}

fn died(case: &Case<'_>) -> Option<Hypothesis> {
    let death = case.last(AnomalyKind::Death)?;
    let code = death.detail.exit_code.unwrap_or_default();
    if is_fatal_signal(code) || is_of_start(code) {
        return None;
    }
    one_death(case, FailureClass::TransientCrash)
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
