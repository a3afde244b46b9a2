//! `slow_dependency`: a peer answers too slowly. The one whose own durations or processor rose first
//! is at fault, not those that wait for it.

use crate::diagnose::classes::shared::{MEASURED, told};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, topology};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::SlowDependency, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts()?;
    let line = case.signature(FailureClass::SlowDependency);
    let slow = line.or_else(|| case.last(AnomalyKind::NumericDrift))?;
    let mut hypothesis = told(case, FailureClass::SlowDependency, false).unwrap_or_else(|| {
        let cause = slow.summary.clone();
        Hypothesis::of(case, FailureClass::SlowDependency, MEASURED + 0.02, cause)
            .proved_by(slow.evidence.clone())
    });
    // The sibling whose own readings left their range first.
    let named = line.map(|l| topology::named(case.world, facts, l)).unwrap_or_default();
    let needed = topology::upstream(case.world, facts);
    let siblings = named.into_iter().chain(needed.iter().map(|(_, f)| *f));
    let sick = siblings.into_iter().filter_map(|f| {
        let signs = case.anomalies.iter().filter(|a| a.container.id == f.container.of.id);
        let own = signs.filter(|a| {
            matches!(
                a.kind,
                AnomalyKind::NumericDrift | AnomalyKind::CpuSaturation | AnomalyKind::CpuThrottled
            )
        });
        own.min_by_key(|a| a.observed_at).map(|a| (f, a))
    });
    let Some((sibling, why)) = sick.min_by_key(|(_, a)| a.observed_at) else {
        // Slow by itself, or waiting for something that nobody here can see.
        return line.map(|_| {
            let name = &case.subject.name;
            hypothesis
                .advising(format!("Look at the peer that {name} waits for: its load, its disk."))
        });
    };
    let whose = &sibling.container.of.name;
    hypothesis.cause = format!("{} waits for {whose}: {}", case.subject.name, why.summary);
    hypothesis.score += 0.08;
    hypothesis.root = sibling.container.of.clone();
    hypothesis.affected = vec![case.subject.name.clone()];
    hypothesis.edges = topology::needs(case.world, facts, sibling, line).into_iter().collect();
    Some(
        hypothesis
            .proved_by(why.evidence.clone())
            .advising(format!("Mend {whose}; those that wait for it recover by themselves.")),
    )
}
