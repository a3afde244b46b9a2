//! `flapping`: it goes up and down without settling. Healing is frozen: whatever is done joins in.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::Flapping, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let flaps = case.last(AnomalyKind::Flapping)?;
    let name = &case.subject.name;
    // A loop of deaths, or a memory kill each time, says more than that it goes up and down.
    let says_more = [AnomalyKind::OomKill, AnomalyKind::CrashLoop];
    let score = if says_more.into_iter().any(|k| case.last(k).is_some()) { 0.85 } else { 0.91 };
    Some(
        Hypothesis::of(case, FailureClass::Flapping, score, flaps.summary.clone())
            .proved_by(flaps.evidence.clone())
            .advising(format!(
                "Nothing is healed while {name} goes up and down; find what makes it fall, or stop it."
            )),
    )
}
