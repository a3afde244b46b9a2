//! `crash_loop`: it dies again and again. A restart never mends a deterministic failure, so
//! there is no safe fix; where a signature says why, the cause names it.

use crate::diagnose::classes::said_in;
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let looping = case.own(AnomalyKind::CrashLoop).last()?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let mut evidence = looping.evidence.clone();
    evidence.extend(facts.last_words(3));
    let why = case
        .own(AnomalyKind::FatalSignature)
        .last()
        .and_then(|a| Some((a, a.detail.class?, a.detail.words.as_deref()?)));
    // A missing setting or a taken port explains the loop better than "it loops".
    let (class, cause, advice) = match why {
        Some((anomaly, class, words)) if class != FailureClass::NewError => (
            class,
            format!("{name} dies at every start: {words}{}", said_in(anomaly)),
            format!("Correct what the quoted line of {name} names, then start it again."),
        ),
        _ => (
            FailureClass::CrashLoop,
            format!("{}; each start fails the same way", looping.summary),
            format!(
                "Restarting does not help. Read the last lines of {name}; roll back its last change, or stop it to spare the host."
            ),
        ),
    };
    if let Some(signature) = case.own(AnomalyKind::FatalSignature).last() {
        evidence.extend(signature.evidence.clone());
    }
    Some(Hypothesis {
        class,
        root: case.subject.clone(),
        score: 0.92,
        cause,
        evidence,
        affected: Vec::new(),
        plan: Vec::new(),
        advice: Some(advice),
    })
}
