//! `start_failure`: its command, entrypoint, mounts or image cannot be run. Starting it again fails
//! the same way.

use crate::detect::life::exit::exit_words;
use crate::diagnose::classes::one_death::is_of_start;
use crate::diagnose::classes::shared::{LAST_WORD, quoted, told};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::StartFailure, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let name = &case.subject.name;
    let advice = format!(
        "Fix the command, entrypoint, mounts or image of {name}; starting it again fails the same way."
    );
    let refused = case
        .last(AnomalyKind::StartFailure)
        .filter(|f| f.detail.class != Some(FailureClass::PortConflict));
    if let Some(failed) = refused {
        return Some(
            Hypothesis::of(case, FailureClass::StartFailure, 0.95, failed.summary.clone())
                .proved_by(failed.evidence.clone())
                .advising(advice),
        );
    }
    if let Some(death) = case.death().filter(|d| d.detail.exit_code.is_some_and(is_of_start)) {
        let facts = case.facts()?;
        let evidence: Vec<_> = death.evidence.iter().cloned().chain(facts.last_words(3)).collect();
        let code = death.detail.exit_code.unwrap_or_default();
        let said = evidence.iter().rev().find(|e| e.line.is_some());
        let said = said.map(|e| format!(": {}", quoted(&e.excerpt)));
        let cause = format!(
            "{name} could not run its command ({}){}",
            exit_words(code),
            said.unwrap_or_default()
        );
        return Some(
            Hypothesis::of(case, FailureClass::StartFailure, 0.95, cause)
                .proved_by(evidence)
                .advising(advice),
        );
    }
    // A line may say it while the process lives; then it is about something else.
    let line = told(case, FailureClass::StartFailure, true)?;
    (line.score >= LAST_WORD).then(|| line.advising(advice))
}
