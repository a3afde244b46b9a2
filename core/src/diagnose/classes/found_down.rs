//! Found stopped without a witnessed death: nobody knows whether it was meant, so the start is
//! offered and never done by itself. What was lost in one gap is one case: one plan starts it all,
//! those first that others need.

use std::collections::VecDeque;

use crate::detect::life::exit::exit_words;
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, topology};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let found = case.own(AnomalyKind::FoundDown).last()?;
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
    let facts = case.facts()?;
    if down.is_empty() {
        return None;
    }
    let name = &case.subject.name;
    let many = down.len() > 1;
    if !many {
        evidence.extend(facts.last_words(2));
    }
    let affected = down
        .iter()
        .map(|f| f.container.of.name.clone())
        .filter(|other| other != name)
        .collect::<Vec<_>>();
    let plan = in_order(case, down)
        .into_iter()
        .map(|f| {
            let container = &f.container;
            let reason = format!("{} ran before the gap and is down now", container.of.name);
            actions::start(container, reason)
        })
        .collect();
    Some(Hypothesis {
        class: if many { FailureClass::RestartStorm } else { FailureClass::TransientCrash },
        root: case.subject.clone(),
        score: 0.6,
        cause: if many {
            format!("{name} and {} more stopped while nobody was watching", affected.len())
        } else {
            format!(
                "{name} stopped with {} while nobody was watching",
                exit_words(found.detail.exit_code.unwrap_or(facts.container.exit_code))
            )
        },
        evidence,
        affected,
        plan,
        advice: None,
    })
}

/// Those first that others need; a circle keeps the order in which they were found.
fn in_order<'w>(case: &Case<'w>, down: Vec<&'w Facts>) -> Vec<&'w Facts> {
    let mut left: VecDeque<&Facts> = down.into();
    let mut ordered = Vec::new();
    let mut postponed = 0;
    while let Some(next) = left.pop_front() {
        let waits = topology::declared(case.world, next)
            .iter()
            .any(|d| left.iter().any(|l| l.container.of.id == d.container.of.id));
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
