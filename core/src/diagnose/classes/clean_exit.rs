//! `clean_exit`: it ends by itself with status 0, again and again, although it is meant to run.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::CleanExit, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts()?;
    // What ends well is told only by its going up and down.
    let looping = case.last(AnomalyKind::Flapping)?;
    if facts.container.exit_code != 0 || case.death().is_some() {
        return None;
    }
    let name = &case.subject.name;
    let cause = format!("{name} finishes with status 0 and is started again each time");
    let hypothesis = Hypothesis::of(case, FailureClass::CleanExit, 0.94, cause)
        .proved_by(looping.evidence.clone())
        .proved_by(facts.last_words(2));
    Some(hypothesis.advising(format!(
        "If {name} is a job, give it no restart policy; if it is a service, its command ends too early."
    )))
}
