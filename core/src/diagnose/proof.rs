//! Evidence that no detector made: fields of an inspect, runs of a probe, changes of a spec.

use jiff::Timestamp;

use crate::domain::container::{Container, Probe};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::spec::SpecChange;

/// A field of the container as inspected.
pub fn inspect(container: &Container, field: &str, ts: Timestamp, excerpt: String) -> Evidence {
    Evidence {
        id: EvidenceId(format!("inspect-{}-{field}", container.of.id.short())),
        kind: EvidenceKind::Inspect,
        container: container.of.name.clone(),
        ts,
        excerpt,
        line: None,
    }
}

/// What changed of a service's configuration.
pub fn change(container: &Container, change: &SpecChange) -> Evidence {
    let field = change.field.words().replace(' ', "-");
    let at = change.at.as_millisecond();
    Evidence {
        id: EvidenceId(format!("change-{}-{field}-{}-{at}", change.container.short(), change.name)),
        kind: EvidenceKind::Inspect,
        container: container.of.name.clone(),
        ts: change.at,
        excerpt: format!("changed: {}", change.words()),
        line: None,
    }
}

/// The last run of the health check that failed.
pub fn failed_probe(container: &Container, otherwise: Timestamp) -> Option<(&Probe, Evidence)> {
    let (number, probe) =
        container.probes.iter().enumerate().rev().find(|(_, p)| p.exit_code != 0)?;
    let evidence = Evidence {
        id: probe.evidence_id(&container.of, number),
        kind: EvidenceKind::Probe,
        container: container.of.name.clone(),
        ts: probe.ended_at.unwrap_or(otherwise),
        excerpt: format!("probe ended with {}: {}", probe.exit_code, probe.output.trim()),
        line: None,
    };
    Some((probe, evidence))
}
