//! `crash_loop`: it dies again and again. A restart never mends a deterministic failure, so there
//! is no safe fix; where a line or a change says why, that class explains more.

use crate::diagnose::classes::Rule;
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::CrashLoop, judge, excluded };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let looping = case.last(AnomalyKind::CrashLoop)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let cause = format!("{}; each start fails the same way", looping.summary);
    let hypothesis = Hypothesis::of(case, FailureClass::CrashLoop, 0.9, cause)
        .proved_by(looping.evidence.clone())
        .proved_by(facts.last_words(3));
    Some(hypothesis.advising(format!(
        "Restarting does not help. Read the last lines of {name}; roll back its last change, or stop it to spare the host."
    )))
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let deaths = case.own(AnomalyKind::Death).count();
    (deaths > 0).then(|| {
        let times = if deaths == 1 { "once".to_owned() } else { format!("{deaths} times") };
        format!("it died {times}; a loop is three deaths in ten minutes")
    })
}
