//! `hang` and `bad_healthcheck`: the process lives, its health check fails.
//!
//! A probe that cannot run (126, 127, "not found") says nothing about the service: no restart.

use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::{Health, RunState};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::failure::FailureClass;
use crate::domain::ids::EvidenceId;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let unhealthy = case.own(AnomalyKind::Unhealthy).last()?;
    let facts = case.facts()?;
    let container = &facts.container;
    let name = &case.subject.name;
    let mut evidence = unhealthy.evidence.clone();
    let probe = container.probes.iter().rev().find(|p| p.exit_code != 0);
    if let Some(probe) = probe {
        evidence.push(Evidence {
            id: EvidenceId(format!("probe-{}-{}", container.of.id.short(), container.probes.len())),
            kind: EvidenceKind::Probe,
            container: name.clone(),
            ts: probe.ended_at.unwrap_or(unhealthy.observed_at),
            excerpt: format!("probe ended with {}: {}", probe.exit_code, probe.output.trim()),
            line: None,
        });
    }
    evidence.extend(facts.last_words(2));
    let output = probe.map(|p| p.output.trim().to_owned()).unwrap_or_default();
    let base = Hypothesis {
        class: FailureClass::Hang,
        root: case.subject.clone(),
        score: 0.8,
        cause: format!("{name} runs but fails its health check{}", said(&output)),
        evidence,
        affected: Vec::new(),
        plan: Vec::new(),
        advice: None,
    };
    let broken_probe = probe.is_some_and(|p| matches!(p.exit_code, 126 | 127))
        || ["executable file not found", ": not found", "exec format error"]
            .iter()
            .any(|sign| output.contains(sign));
    if broken_probe {
        return Some(Hypothesis {
            class: FailureClass::BadHealthcheck,
            score: 0.9,
            cause: format!("the health check of {name} itself cannot run{}", said(&output)),
            advice: Some(format!(
                "Correct the health check command of {name}; restarting it changes nothing."
            )),
            ..base
        });
    }
    if !container.is_up() {
        // It died meanwhile: the death explains more.
        return Some(Hypothesis { score: 0.4, ..base });
    }
    if container.health != Health::Unhealthy {
        // It passes again, or was started again and has no verdict yet: nothing but watch.
        return Some(base);
    }
    if container.state == RunState::Paused {
        return Some(Hypothesis {
            class: FailureClass::Paused,
            score: 0.9,
            cause: format!("{name} is paused, so its health check cannot pass"),
            advice: Some(format!("Unpause {name} if the pause is no longer meant.")),
            ..base
        });
    }
    let plan = vec![actions::restart(
        container,
        format!("{name} is up but does not answer its health check"),
    )];
    Some(Hypothesis { plan, ..base })
}

fn said(output: &str) -> String {
    if output.is_empty() {
        return String::new();
    }
    let head: String = output.chars().take(120).collect();
    format!(" (“{head}”)")
}
