//! `restart_storm`: many stopped at once. Lost in one gap, one plan starts them all, those first that
//! others need; nobody knows whether it was meant, so it is offered only. Seen to die together, the
//! one that the others need is at fault.

use std::collections::VecDeque;

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, topology};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::RestartStorm, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    case.last(AnomalyKind::FoundDown)?;
    let mut down: Vec<&Facts> = Vec::new();
    let mut evidence = Vec::new();
    for anomaly in case.anomalies.iter().filter(|a| a.kind == AnomalyKind::FoundDown) {
        let Some(facts) = case.world.containers.get(&anomaly.container.id) else { continue };
        let known = down.iter().any(|f| f.container.of.id == facts.container.of.id);
        if !facts.container.is_up() && !known {
            down.push(facts);
            evidence.extend(anomaly.evidence.clone());
        }
    }
    if down.len() < 2 {
        return None;
    }
    let name = &case.subject.name;
    let affected: Vec<String> =
        down.iter().map(|f| f.container.of.name.clone()).filter(|other| other != name).collect();
    let cause = format!("{name} and {} more stopped while nobody was watching", affected.len());
    let plan = in_order(case, down)
        .into_iter()
        .map(|f| {
            let container = &f.container;
            let reason = format!("{} ran before the gap and is down now", container.of.name);
            actions::start(container, reason)
        })
        .collect();
    let mut hypothesis = Hypothesis::of(case, FailureClass::RestartStorm, 0.7, cause)
        .proved_by(evidence)
        .planning(plan);
    hypothesis.affected = affected;
    Some(hypothesis)
}

/// Those first that others need; a circle keeps the order in which they were found.
fn in_order<'w>(case: &Case<'w>, down: Vec<&'w Facts>) -> Vec<&'w Facts> {
    let mut left: VecDeque<&Facts> = down.into();
    let mut ordered = Vec::new();
    let mut postponed = 0;
    while let Some(next) = left.pop_front() {
        let waits = topology::upstream(case.world, next)
            .iter()
            .any(|(_, d)| left.iter().any(|l| l.container.of.id == d.container.of.id));
        if waits && postponed <= left.len() {
            postponed += 1;
            left.push_back(next);
        } else {
            postponed = 0;
            ordered.push(next);
        }
    }
    ordered
}
