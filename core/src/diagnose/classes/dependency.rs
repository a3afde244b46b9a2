//! `dependency_down`: it cannot reach a sibling, and that sibling is not running or not healthy.
//! The sibling is at fault; it is started (or restarted), the one that complains is left alone.

use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, topology};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::{Health, RunState};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::failure::FailureClass;
use crate::domain::ids::EvidenceId;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts()?;
    let refused = case.own(AnomalyKind::ConnectionRefused).last();
    // Without a line that complains, only what it declares and a failing health check.
    let sign = refused.or_else(|| case.own(AnomalyKind::Unhealthy).last())?;
    let named = refused.map(|r| topology::named(case.world, facts, r)).unwrap_or_default();
    let candidates = named.into_iter().chain(topology::declared(case.world, facts));
    let sibling = candidates.into_iter().find(|s| is_broken(s))?;
    let name = &case.subject.name;
    let at_fault = &sibling.container;
    let state = state_words(sibling);
    let mut evidence = sign.evidence.clone();
    evidence.push(Evidence {
        id: EvidenceId(format!("inspect-{}-state", at_fault.of.id.short())),
        kind: EvidenceKind::Inspect,
        container: at_fault.of.name.clone(),
        ts: at_fault.finished_at.unwrap_or(sign.observed_at),
        excerpt: format!("{} is {state}", at_fault.of.name),
        line: None,
    });
    let base = Hypothesis {
        class: FailureClass::DependencyDown,
        root: at_fault.of.clone(),
        score: if refused.is_some() { 0.94 } else { 0.87 },
        cause: format!("{name} cannot reach {}, which is {state}", at_fault.of.name),
        evidence,
        affected: vec![name.clone()],
        plan: Vec::new(),
        advice: None,
    };
    if at_fault.auto_remove {
        return Some(Hypothesis {
            advice: Some(format!("{} was run with --rm; run it again by hand.", at_fault.of.name)),
            ..base
        });
    }
    if at_fault.state == RunState::Restarting {
        // The engine's restart policy is about to start it: nothing to do but watch.
        return Some(base);
    }
    if at_fault.state == RunState::Paused {
        return Some(Hypothesis {
            advice: Some(format!("Unpause {} if the pause is no longer meant.", at_fault.of.name)),
            ..base
        });
    }
    let reason = format!("{name} needs {}, which is {state}", at_fault.of.name);
    let action = if at_fault.is_up() {
        actions::restart(at_fault, reason)
    } else {
        actions::start(at_fault, reason)
    };
    Some(Hypothesis { plan: vec![action], ..base })
}

fn is_broken(facts: &Facts) -> bool {
    facts.container.state != RunState::Running || facts.container.health == Health::Unhealthy
}

fn state_words(facts: &Facts) -> String {
    if facts.container.state == RunState::Running {
        "unhealthy".to_owned()
    } else if facts.stopped_by_operator.is_some() {
        format!("{} (an operator stopped it)", facts.container.state)
    } else {
        facts.container.state.to_string()
    }
}
