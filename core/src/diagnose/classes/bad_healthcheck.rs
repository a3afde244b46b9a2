//! `bad_healthcheck`: the probe is broken, not the service: it cannot run (126, 127, "not found"),
//! it never passed since the container was made while the service goes about its work, or it is given
//! less time than it needs on good days. No restart.

use crate::diagnose::classes::Rule;
use crate::diagnose::classes::shared::printed;
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::{Container, Health};
use crate::domain::failure::FailureClass;
use crate::domain::log::Level;

pub(super) const RULE: Rule = Rule { class: FailureClass::BadHealthcheck, judge, excluded };

/// The share of its time limit that a run may need before the limit is called too short.
const NEARLY: f64 = 0.8;

/// Whether the last failed probe could not even be run.
pub(super) fn cannot_run(container: &Container) -> bool {
    let Some(probe) = container.probes.iter().rev().find(|p| p.exit_code != 0) else {
        return false;
    };
    matches!(probe.exit_code, 126 | 127)
        || ["executable file not found", ": not found", "exec format error"]
            .iter()
            .any(|sign| probe.output.contains(sign))
}

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let unhealthy = case.last(AnomalyKind::Unhealthy)?;
    let facts = case.facts()?;
    let container = &facts.container;
    let name = &case.subject.name;
    let (probe, proof) = proof::failed_probe(container, unhealthy.observed_at)?;
    let said = printed(&probe.output);
    let (score, cause) = if cannot_run(container) {
        (0.95, format!("the health check of {name} itself cannot run{said}"))
    } else if never_passed(case) {
        (0.9, format!("the health check of {name} never passed although it works on{said}"))
    } else if is_too_hasty(container) {
        // Slow by itself or given too little time: a tie with a hang, so nothing is restarted.
        (0.82, format!("the health check of {name} passes only just within its time limit"))
    } else {
        return None;
    };
    Some(
        Hypothesis::of(case, FailureClass::BadHealthcheck, score, cause)
            .proved_by(unhealthy.evidence.clone())
            .proved_by([proof])
            .advising(format!(
                "Correct the health check of {name} (its command, its time limit); restarting it changes nothing."
            )),
    )
}

/// Its last run took too long, and those that pass need nearly all of the time that they are given.
fn is_too_hasty(container: &Container) -> bool {
    let Some(check) = &container.health_check else { return false };
    let late = container.probes.last().is_some_and(|p| p.exit_code == -1);
    let passed = container.probes.iter().filter(|p| p.exit_code == 0);
    let (all, near) = passed.fold((0, 0), |(all, near), p| {
        (all + 1, near + u32::from(p.duration >= check.timeout.mul_f64(NEARLY)))
    });
    late && near >= 2 && near == all
}

/// It never was healthy since it was made (its run is its first, no health was seen before), and
/// its log goes on without an error.
fn never_passed(case: &Case<'_>) -> bool {
    let Some(facts) = case.facts() else { return false };
    let container = &facts.container;
    let first_run = match (container.created_at, container.started_at) {
        (Some(created), Some(started)) => started.duration_since(created).as_secs() < 60,
        _ => false,
    };
    let errors =
        |l: &crate::domain::log::LogLine| l.reading.level.is_some_and(|v| v >= Level::Error);
    let begun = container.started_at.unwrap_or(case.now);
    let works =
        facts.tail.iter().filter(|l| l.at >= begun).count() >= 3 && !facts.tail.iter().any(errors);
    container.health == Health::Unhealthy
        && first_run
        && container.restart_count == 0
        && !facts.was_healthy
        && works
}

fn excluded(case: &Case<'_>) -> Option<String> {
    case.last(AnomalyKind::Unhealthy)?;
    let facts = case.facts()?;
    Some(if facts.was_healthy {
        "the same health check passed before".to_owned()
    } else {
        "the probe runs, and the service shows no sign of working beside it".to_owned()
    })
}
