//! `start_failure` and what the engine says of a start that it could not make: a command that
//! cannot be run, a port that is taken. Starting it again fails the same way.

use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let failed = case.own(AnomalyKind::StartFailure).last()?;
    let name = &case.subject.name;
    // Read from the engine's own words: what a process prints never gets there.
    let class = failed
        .detail
        .class
        .filter(|class| *class == FailureClass::PortConflict)
        .unwrap_or(FailureClass::StartFailure);
    Some(Hypothesis {
        class,
        root: case.subject.clone(),
        score: 0.9,
        cause: failed.summary.clone(),
        evidence: failed.evidence.clone(),
        affected: Vec::new(),
        plan: Vec::new(),
        advice: Some(match class {
            FailureClass::PortConflict => {
                format!(
                    "Find who holds the port that {name} wants and stop it, or change the port."
                )
            }
            _ => format!(
                "Fix the command, entrypoint, mounts or image of {name}; starting it again fails the same way."
            ),
        }),
    })
}
