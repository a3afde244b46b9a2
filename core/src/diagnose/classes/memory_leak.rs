//! `memory_leak`: its memory grows towards its limit and does not level off. A restart at a quiet
//! moment gives it back; a higher limit only buys time.
//!
//! Stores that fill their cache up to the limit by design are no leak.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, MEASURED, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::MemoryLeak, judge, excluded: silent };

/// A restart is proposed when the limit is this near, in seconds.
const SOON: u64 = 3600;
/// Programs that use what they are given.
const CACHES: &[&str] = &[
    "postgres",
    "mysql",
    "mariadb",
    "redis",
    "valkey",
    "memcached",
    "elasticsearch",
    "opensearch",
    "mongo",
    "cassandra",
    "java",
    "jvm",
    "varnish",
    "squid",
    "clickhouse",
];

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let growth = case.last(AnomalyKind::MemoryGrowth);
    let score = if growth.is_some() { AT_THE_LIMIT } else { MEASURED };
    let hypothesis = measured(case, FailureClass::MemoryLeak, score)?;
    let facts = case.facts()?;
    let container = &facts.container;
    let name = &case.subject.name;
    let advice = format!(
        "Restart {name} at a quiet moment before it reaches its limit; a higher limit only buys time."
    );
    let text = format!("{} {}", container.image, container.command).to_ascii_lowercase();
    if CACHES.iter().any(|program| text.contains(program)) {
        return Some(hypothesis.advising(format!(
            "{name} may fill its memory by design: compare its own settings with its limit before anything else."
        )));
    }
    let near = growth.and_then(|g| g.detail.seconds_to_limit).is_some_and(|s| s <= SOON);
    if !near || !container.is_up() {
        return Some(hypothesis.advising(advice));
    }
    let why = format!("{name} is about to reach its memory limit; a restart gives its memory back");
    Some(hypothesis.planning(vec![actions::restart(container, why)]))
}
