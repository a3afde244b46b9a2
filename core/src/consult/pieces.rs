//! What is known of a container as pieces of evidence and in a line, without values of the
//! environment: those are never sent to a model.

use jiff::Timestamp;

use crate::diagnose::world::Facts;
use crate::domain::container::Container;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::size::bytes_words;
use crate::domain::spec::SpecChange;

/// Bytes of one piece.
pub(super) const PIECE_BYTES: usize = 400;

pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(PIECE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{} …", &text[..end]) } else { text.to_owned() }
}

pub(super) fn usage(facts: &Facts, now: Timestamp) -> Option<Evidence> {
    let usage = facts.usage.as_ref()?;
    let of = &facts.container.of;
    let mut words = format!(
        "CPU {:.0} %, memory {} of {} ({:.0} %), {} processes",
        usage.cpu_pct,
        bytes_words(usage.mem_used),
        bytes_words(usage.mem_limit),
        usage.mem_pct(),
        usage.pids
    );
    if let Some(throttled) = usage.throttled_pct.filter(|t| *t > 0.0) {
        words = format!("{words}, held back in {throttled:.0} % of periods");
    }
    if let (Some(open), Some(most)) = (usage.fds, usage.fds_limit) {
        words = format!("{words}, {open} of {most} files open");
    }
    Some(Evidence {
        id: EvidenceId(format!("usage-{}", of.id.short())),
        kind: EvidenceKind::Sample,
        container: of.name.clone(),
        ts: now,
        excerpt: words,
        line: None,
    })
}

pub(super) fn probes(facts: &Facts) -> impl Iterator<Item = Evidence> + '_ {
    let of = &facts.container.of;
    facts.container.probes.iter().enumerate().rev().take(2).filter_map(move |(place, probe)| {
        Some(Evidence {
            id: probe.evidence_id(of, place),
            kind: EvidenceKind::Probe,
            container: of.name.clone(),
            ts: probe.ended_at?,
            excerpt: format!("health check ended with {}: {}", probe.exit_code, probe.output),
            line: None,
        })
    })
}

/// A change in words. Of a variable only its name: values are never sent to a model.
pub(super) fn change(change: &SpecChange, container: &Container) -> Evidence {
    Evidence {
        id: EvidenceId(format!(
            "change-{}-{}-{}-{}",
            container.of.id.short(),
            change.field.words().replace(' ', "-"),
            change.name,
            change.at.as_millisecond()
        )),
        kind: EvidenceKind::Inspect,
        container: container.of.name.clone(),
        ts: change.at,
        excerpt: format!("changed: {}", change.without_values()),
        line: None,
    }
}

/// A container in a line. Of its environment, names only.
pub(super) fn describe(facts: &Facts) -> String {
    let c = &facts.container;
    let mut words =
        format!("{} (service {}): image {}, {}", c.of.name, c.of.service, c.image, c.state);
    let mut add = |more: String| {
        words.push_str(", ");
        words.push_str(&more);
    };
    if !c.is_up() {
        add(format!("exit status {}", c.exit_code));
    }
    if c.health.as_str() != "none" {
        add(format!("health {}", c.health.as_str()));
    }
    if c.restart_count > 0 {
        add(format!("{} restarts by its policy", c.restart_count));
    }
    if let Some(limit) = c.memory_limit {
        add(format!("memory limit {}", bytes_words(limit)));
    }
    if let Some(nanos) = c.nano_cpus {
        add(format!("CPU limit {:.2}", nanos as f64 / 1e9));
    }
    if !c.error.is_empty() {
        add(format!("engine says: {}", cut(&c.error)));
    }
    if !c.env.is_empty() {
        let names: Vec<&str> = c.env.keys().map(String::as_str).take(20).collect();
        add(format!("variables {}", names.join(" ")));
    }
    let networks: Vec<&str> = c.networks.iter().map(|n| n.network.as_str()).collect();
    if !networks.is_empty() {
        add(format!("networks {}", networks.join(" ")));
    }
    words
}
