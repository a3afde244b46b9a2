//! `hang`: the process lives and does not answer its health check. It is restarted once.
//!
//! Not when the probe itself is broken, when it has just been started, or when what it needs is
//! down: these rules explain more.

use crate::diagnose::classes::shared::printed;
use crate::diagnose::classes::{Rule, bad_healthcheck, silent};
use crate::diagnose::{Case, Hypothesis, actions, proof};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::Health;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::Hang, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let unhealthy = case.last(AnomalyKind::Unhealthy)?;
    let facts = case.facts()?;
    let container = &facts.container;
    let name = &case.subject.name;
    let probe = proof::failed_probe(container, unhealthy.observed_at);
    let said = probe.as_ref().map(|(p, _)| printed(&p.output)).unwrap_or_default();
    let cause = format!("{name} runs but fails its health check{said}");
    let hypothesis = |score| {
        Hypothesis::of(case, FailureClass::Hang, score, cause.clone())
            .proved_by(unhealthy.evidence.clone())
            .proved_by(probe.map(|(_, evidence)| evidence))
            .proved_by(facts.last_words(2))
    };
    if bad_healthcheck::cannot_run(container) {
        return Some(hypothesis(0.4).advising(format!("A restart of {name} changes no probe.")));
    }
    if !container.is_up() {
        // It died meanwhile: the death explains more.
        return Some(hypothesis(0.4));
    }
    if container.health != Health::Unhealthy {
        // It passes again, or was started again and has no verdict yet: nothing but watch.
        return Some(hypothesis(0.8));
    }
    let why = format!("{name} is up but does not answer its health check");
    Some(hypothesis(0.8).planning(vec![actions::restart(container, why)]))
}
