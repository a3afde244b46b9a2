//! What an inspect alone shows: down without a witnessed end, a start that failed, unhealthy.

use jiff::Timestamp;

use crate::detect::{Finding, probes, signatures};
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::{Container, Health, RunState};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::severity::Severity;

/// A container that is down and nobody saw why: the engine took it along when it shut down, or it
/// ended out of sight.
pub fn down(container: &Container, taken_along: bool, now: Timestamp) -> Finding {
    let at = container.finished_at.unwrap_or(now);
    let text = if taken_along {
        format!("{} was stopped when the engine shut down and did not come back", container.of.name)
    } else {
        format!(
            "{} was found stopped with exit status {}; nobody saw it stop",
            container.of.name, container.exit_code
        )
    };
    Finding {
        kind: AnomalyKind::FoundDown,
        severity: Severity::High,
        score: 0.7,
        summary: text.clone(),
        observed_at: at,
        evidence: vec![Evidence {
            id: EvidenceId(format!("inspect-{}-exit", container.of.id.short())),
            kind: EvidenceKind::Inspect,
            container: container.of.name.clone(),
            ts: at,
            excerpt: text,
            line: None,
        }],
        detail: AnomalyDetail { exit_code: Some(container.exit_code), ..Default::default() },
    }
}

/// A container that is unhealthy already when watching begins, or after a gap: as if the event
/// had just come.
pub fn unhealthy(container: &Container, now: Timestamp) -> Option<Finding> {
    let sick = container.state == RunState::Running && container.health == Health::Unhealthy;
    let name = &container.of.name;
    let text = format!("the health check of {name} fails");
    let probes = probes::failed(&container.probes, &container.of, now);
    let inspect = Evidence {
        id: EvidenceId(format!("inspect-{}-health", container.of.id.short())),
        kind: EvidenceKind::Inspect,
        container: name.clone(),
        ts: now,
        excerpt: format!("{name} is unhealthy"),
        line: None,
    };
    sick.then(|| Finding {
        kind: AnomalyKind::Unhealthy,
        severity: Severity::High,
        score: 1.0,
        summary: text.clone(),
        observed_at: now,
        evidence: [inspect].into_iter().chain(probes).collect(),
        detail: AnomalyDetail::default(),
    })
}

/// A container that runs on without a network that somebody took from it at `at`.
pub fn without_network(container: &Container, network: &str, at: Timestamp) -> Finding {
    let name = &container.of.name;
    let rest = match container.networks.len() {
        0 => "it has no other".to_owned(),
        n => format!("{n} of its networks remain"),
    };
    let text = format!("{name} was disconnected from network {network} through the engine; {rest}");
    Finding {
        kind: AnomalyKind::Surroundings,
        // Somebody did it; whoever misses the network will say so, and that is the incident.
        severity: Severity::Medium,
        score: 0.8,
        summary: text.clone(),
        observed_at: at,
        evidence: vec![Evidence {
            id: EvidenceId(format!("inspect-{}-network-{network}", container.of.id.short())),
            kind: EvidenceKind::Inspect,
            container: name.clone(),
            ts: at,
            excerpt: text,
            line: None,
        }],
        detail: AnomalyDetail::default(),
    }
}

/// A container that the engine could not start, and why it says so.
pub fn start_failure(container: &Container, now: Timestamp) -> Finding {
    let name = &container.of.name;
    let text = format!("{name} could not be started: {}", container.error);
    Finding {
        kind: AnomalyKind::StartFailure,
        severity: Severity::High,
        score: 1.0,
        summary: text.clone(),
        observed_at: now,
        evidence: vec![Evidence {
            id: EvidenceId(format!("inspect-{}-error", container.of.id.short())),
            kind: EvidenceKind::Inspect,
            container: name.clone(),
            ts: now,
            excerpt: text,
            line: None,
        }],
        detail: AnomalyDetail {
            exit_code: Some(container.exit_code),
            class: signatures::of(&container.error).map(|s| s.class),
            ..Default::default()
        },
    }
}
