//! `dependency_down`: it cannot reach a sibling, and that sibling, or one that it needs in turn, is
//! not running or not healthy. The deepest broken one is at fault; it is started (or restarted),
//! those that complain are left alone.

use crate::diagnose::classes::Rule;
use crate::diagnose::classes::shared::{NAMED, said_in, state_words, told};
use crate::diagnose::{Case, Hypothesis, actions, proof, topology};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::DependencyDown, judge, excluded };

const CLASS: FailureClass = FailureClass::DependencyDown;

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    broken_sibling(case).or_else(|| {
        // The line names a peer, and no watched one is broken: outside, or back already.
        let line = case.last(AnomalyKind::ConnectionRefused);
        let mut hypothesis = told(case, CLASS, false).or_else(|| unreachable(case, line?))?;
        hypothesis.score = hypothesis.score.min(NAMED - 0.02);
        Some(hypothesis.advising("Check the peer that the line names."))
    })
}

fn unreachable(case: &Case<'_>, line: &Anomaly) -> Option<Hypothesis> {
    let peer = line.detail.peer.as_deref()?;
    let cause = format!("{} cannot reach {peer}{}", case.subject.name, said_in(line));
    Some(Hypothesis::of(case, CLASS, NAMED, cause).proved_by(line.evidence.clone()))
}

/// The complaint that a broken sibling explains: a line that names a peer, a failing health
/// check, or a death.
fn sign<'a>(case: &Case<'a>) -> Option<(&'a Anomaly, bool)> {
    let line = case
        .last(AnomalyKind::ConnectionRefused)
        .or_else(|| case.signature(CLASS))
        .or_else(|| case.signature(FailureClass::DnsFailure))
        .or_else(|| case.signature(FailureClass::SlowDependency));
    if let Some(line) = line {
        return Some((line, true));
    }
    let fault = case.last(AnomalyKind::Unhealthy).or_else(|| case.last(AnomalyKind::CrashLoop));
    fault.or_else(|| case.last(AnomalyKind::ErrorBurst)).map(|f| (f, false))
}

/// Whatever it writes about while something that it needs is frozen: a client that waits for an
/// answer says little, and nothing that a signature knows.
fn sign_of_frozen<'a>(case: &Case<'a>) -> Option<(&'a Anomaly, bool)> {
    let facts = case.facts()?;
    let mut needs = topology::upstream(case.world, facts).into_iter();
    needs.find(|(_, f)| f.container.state == RunState::Paused)?;
    case.all_own().rfind(|a| a.kind.is_said()).map(|line| (line, false))
}

fn broken_sibling(case: &Case<'_>) -> Option<Hypothesis> {
    let (sign, says_so) = sign(case).or_else(|| sign_of_frozen(case))?;
    let (sibling, edges) = case.broken_upstream(says_so.then_some(sign))?;
    let name = &case.subject.name;
    let at_fault = &sibling.container;
    let whose = &at_fault.of.name;
    let state = state_words(sibling);
    let ts = at_fault.finished_at.unwrap_or(sign.observed_at);
    let field = proof::inspect(at_fault, "state", ts, format!("{whose} is {state}"));
    // Without a line that complains there is only what it needs and that it fails.
    let score = match (says_so, sign.kind) {
        (true, _) => 0.94,
        (false, AnomalyKind::ErrorBurst) => 0.72,
        (false, _) => 0.87,
    };
    let cause = format!("{name} cannot reach {whose}, which is {state}");
    let mut hypothesis = Hypothesis::of(case, CLASS, score, cause)
        .proved_by(sign.evidence.clone())
        .proved_by([field]);
    hypothesis.root = at_fault.of.clone();
    hypothesis.affected = vec![name.clone()];
    let between = edges.iter().map(|e| &e.to).filter(|to| *to != whose).cloned();
    hypothesis.affected.extend(between);
    hypothesis.edges = edges;
    if at_fault.auto_remove {
        return Some(
            hypothesis.advising(format!("{whose} was run with --rm; run it again by hand.")),
        );
    }
    let reason = format!("{name} needs {whose}, which is {state}");
    Some(match at_fault.state {
        // The engine's restart policy is about to start it: nothing to do but watch.
        RunState::Restarting => hypothesis,
        RunState::Paused => hypothesis.planning(vec![actions::unpause(at_fault, reason)]),
        _ if at_fault.is_up() => hypothesis.planning(vec![actions::restart(at_fault, reason)]),
        _ => hypothesis.planning(vec![actions::start(at_fault, reason)]),
    })
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let facts = case.facts()?;
    let needed: Vec<String> = topology::upstream(case.world, facts)
        .into_iter()
        .map(|(_, f)| f.container.of.name.clone())
        .collect();
    Some(if needed.is_empty() {
        "it is not known to need any watched container".to_owned()
    } else {
        format!("what it needs runs: {}", needed.join(", "))
    })
}
