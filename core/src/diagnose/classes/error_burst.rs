//! `error_burst`: errors far above their usual rate, and nothing that says more. Text authorises no
//! action.

use crate::diagnose::classes::Rule;
use crate::diagnose::classes::shared::measured;
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::ErrorBurst, judge, excluded };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let name = &case.subject.name;
    let advice = format!("Read the error lines of {name}; what changed before they began?");
    if let Some(burst) = case.last(AnomalyKind::ErrorBurst) {
        let cause = format!("{}; {name} itself still runs", burst.summary);
        return Some(
            Hypothesis::of(case, FailureClass::ErrorBurst, 0.65, cause)
                .proved_by(burst.evidence.clone())
                .advising(advice),
        );
    }
    Some(measured(case, FailureClass::ErrorBurst, 0.55)?.advising(advice))
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let more = case.all_own().any(|a| {
        a.kind == AnomalyKind::ErrorBurst || a.kind.measures() == Some(FailureClass::ErrorBurst)
    });
    (!more).then(|| "its errors are no more than usual".to_owned())
}
