//! Many containers that die within seconds of each other: one cause, not many.
//!
//! Only deaths that nobody asked for count, so an engine that shuts down, a deploy and a compose
//! operation are no storm.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::detect::Finding;
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::ContainerRef;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::severity::Severity;

/// Deaths of one storm are this close together.
const TOGETHER: SignedDuration = SignedDuration::from_secs(10);
/// Containers that make a storm at least.
const AT_LEAST: usize = 3;
/// And at least one of so many that ran.
const SHARE: usize = 4;
/// A storm is over after so long without a death.
const OVER: SignedDuration = SignedDuration::from_secs(60);
/// Deaths remembered; a storm of more is told with the first of them.
const REMEMBERED: usize = 64;
/// Names in the sentence.
const NAMED: usize = 8;

/// The last deaths of all containers.
#[derive(Debug, Default)]
pub struct Storm {
    deaths: VecDeque<(Timestamp, ContainerRef)>,
    last: Option<Timestamp>,
    /// This storm was told.
    told: bool,
}

impl Storm {
    /// A container died and nobody had asked for it; `running` others still run. If that makes it
    /// a storm, the first one that died and what to say of it.
    pub fn died(
        &mut self,
        of: &ContainerRef,
        at: Timestamp,
        running: usize,
    ) -> Option<(ContainerRef, Finding)> {
        let goes_on = self.last.is_some_and(|last| at.duration_since(last) <= OVER);
        self.told &= goes_on;
        self.last = Some(at);
        self.deaths.retain(|(d, who)| at.duration_since(*d) <= TOGETHER && who.id != of.id);
        if self.deaths.len() == REMEMBERED {
            self.deaths.pop_front();
        }
        self.deaths.push_back((at, of.clone()));
        let count = self.deaths.len();
        if self.told || count < AT_LEAST || count * SHARE < running + count {
            return None;
        }
        self.told = true;
        // Events of one moment may come in any order.
        let first = self.deaths.iter().min_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)))?;
        let others: Vec<&str> = self
            .deaths
            .iter()
            .filter(|(_, who)| who.id != first.1.id)
            .map(|(_, who)| who.name.as_str())
            .collect();
        let more = others.len().saturating_sub(NAMED);
        let names = others.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let summary = format!(
            "{count} containers died within {} s: {} first, then {names}{more}",
            TOGETHER.as_secs(),
            first.1.name
        );
        let finding = Finding {
            kind: AnomalyKind::RestartStorm,
            // Each death is told by itself; this says only that they belong together. It joins
            // the incident of the first, and opens none.
            severity: Severity::Medium,
            score: 0.9,
            summary: summary.clone(),
            observed_at: at,
            evidence: vec![Evidence {
                id: EvidenceId(format!("storm-{}-{}", first.1.id.short(), at.as_millisecond())),
                kind: EvidenceKind::Event,
                container: first.1.name.clone(),
                ts: at,
                excerpt: summary,
                line: None,
            }],
            detail: AnomalyDetail::default(),
        };
        Some((first.1.clone(), finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> ContainerRef {
        ContainerRef {
            id: name.into(),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn three_of_a_few_within_seconds_are_a_storm_told_once_on_the_first() {
        let mut storm = Storm::default();
        assert!(storm.died(&of("db"), at(1), 5).is_none());
        assert!(storm.died(&of("api"), at(3), 4).is_none());
        let (first, finding) = storm.died(&of("web"), at(9), 3).unwrap();
        assert_eq!(first.name, "db");
        assert_eq!(finding.summary, "3 containers died within 10 s: db first, then api, web");
        assert!(storm.died(&of("cache"), at(12), 2).is_none());
        // The next one is another.
        for (n, name) in ["db", "api"].iter().enumerate() {
            assert!(storm.died(&of(name), at(100), 5 - n).is_none());
        }
        assert!(storm.died(&of("web"), at(100), 3).is_some());
    }

    #[test]
    fn one_that_loops_few_of_many_and_slow_ones_are_none() {
        let mut storm = Storm::default();
        for n in 0..9 {
            assert!(storm.died(&of("api"), at(n), 3).is_none());
        }
        let mut storm = Storm::default();
        for (n, name) in ["a", "b", "c", "d"].iter().enumerate() {
            assert!(storm.died(&of(name), at(1), 50 - n).is_none());
        }
        let mut storm = Storm::default();
        for (n, name) in (0..).zip(["a", "b", "c", "d"]) {
            assert!(storm.died(&of(name), at(n * 6), 0).is_none());
        }
    }
}
