//! `restart_storm`: many stopped at once. Lost in one gap, one plan starts them all, those first that
//! others need; nobody knows whether it was meant, so it is offered only. Seen to die together, the
//! one that all others need is at fault, by its own class; without one it is the engine or the host.

use std::collections::VecDeque;

use jiff::SignedDuration;

use crate::diagnose::classes::Rule;
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, proof, topology};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::RestartStorm, judge, excluded };

/// Deaths of one storm are this close to the last of them.
const TOGETHER: SignedDuration = SignedDuration::from_secs(15);

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    lost(case).or_else(|| seen(case))
}

/// Seen to die together without one that the others need: the engine or the host did that.
fn seen(case: &Case<'_>) -> Option<Hypothesis> {
    let storm = case.last(AnomalyKind::RestartStorm)?;
    let dead = dead(case, storm);
    // Who says why it died is no victim of what killed the others.
    let says = |a: &Anomaly| a.kind == AnomalyKind::FatalSignature && case.is_last_words(a);
    if case.all_own().any(says) {
        return None;
    }
    if dead.len() < 2 || ancestor(case, &dead).is_some() {
        return None;
    }
    let stays_down = |f: &&Facts| {
        let container = &f.container;
        let comes_back =
            container.restart_policy.restarts_after(container.exit_code, container.restart_count);
        !container.is_up() && !comes_back && !container.auto_remove
    };
    let left: Vec<&Facts> = dead.iter().copied().filter(stays_down).collect();
    let name = &case.subject.name;
    let cause = format!(
        "{}; none of them is needed by all others, so something below them did it",
        storm.summary
    );
    let mut hypothesis = Hypothesis::of(case, FailureClass::RestartStorm, 0.9, cause)
        .proved_by(storm.evidence.clone())
        .proved_by(case.death().into_iter().flat_map(|d| d.evidence.clone()))
        .proved_by(dead.iter().map(|f| {
            let (container, words) = (&f.container, format!("{} ended", f.container.of.name));
            let at = container.finished_at.unwrap_or(storm.observed_at);
            proof::inspect(container, "finished-at", at, words)
        }));
    let names = dead.iter().map(|f| &f.container.of.name);
    hypothesis.affected = names.filter(|other| *other != name).cloned().collect();
    if left.is_empty() {
        return Some(hypothesis.advising(
            "The engine brings them back by itself; look at the host (dmesg, the engine's journal) for what ended them.",
        ));
    }
    let starts = in_order(case, left)
        .into_iter()
        .map(|f| {
            let why = format!("{} died with the others and is still down", f.container.of.name);
            actions::start(&f.container, why)
        })
        .collect();
    Some(hypothesis.planning(starts))
}

/// Those that ended around a storm without anybody asking for it, by id.
fn dead<'a>(case: &Case<'a>, storm: &Anomaly) -> Vec<&'a Facts> {
    let all = case.world.containers.values().filter(|f| f.stopped_by_operator.is_none());
    all.filter(|f| {
        f.container
            .finished_at
            .is_some_and(|at| storm.observed_at.duration_since(at).abs() <= TOGETHER)
    })
    .collect()
}

/// The one among the dead that all the others need: then it is its fault, and no storm.
fn ancestor<'a>(case: &Case<'_>, dead: &[&'a Facts]) -> Option<&'a Facts> {
    let is = |a: &Facts, b: &Facts| a.container.of.id == b.container.of.id;
    let needs = |f: &Facts, other: &Facts| {
        topology::ancestors(case.world, f).into_iter().any(|a| is(a, other))
    };
    dead.iter().copied().find(|one| dead.iter().all(|f| is(f, one) || needs(f, one)))
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let storm = case.last(AnomalyKind::RestartStorm)?;
    let one = ancestor(case, &dead(case, storm))?;
    Some(format!("all that died with it need {}", one.container.of.name))
}

/// Found stopped after a gap, all at once.
fn lost(case: &Case<'_>) -> Option<Hypothesis> {
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
