//! Past incidents that are the same fault again: how often, and which fix mended it.
//!
//! The fingerprint of a fault is its service, its class and the container at fault. Text of a log
//! is no part of it: whoever can write a line could else make one fault look like another.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::failure::FailureClass;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::past::{Outcome, Past};
use crate::domain::seen::{Record, Seen};
use crate::report::spans;

/// A fix that failed within this time speaks against itself.
pub const LATELY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// By what a fault is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint<'a> {
    /// The service.
    pub service: &'a str,
    /// The class.
    pub class: FailureClass,
    /// The container at fault.
    pub root: &'a str,
}

impl<'a> Fingerprint<'a> {
    /// Of an incident.
    pub fn of(incident: &'a Incident) -> Self {
        Self { service: incident.service(), class: incident.class, root: &incident.root }
    }

    fn of_past(past: &'a Past) -> Self {
        Self { service: &past.service, class: past.class, root: &past.root }
    }
}

/// What is known of the fault of an incident from before it; what ended after it does not count.
pub fn seen(incident: &Incident, past: &[Past]) -> Seen {
    let until = incident.closed_at.unwrap_or(Timestamp::MAX);
    let before = past.iter().filter(|p| p.closed_at < until);
    lookup(Fingerprint::of(incident), &incident.id, &before.collect::<Vec<_>>())
}

/// What is known of a fault from incidents other than `id`.
pub fn seen_before(fault: Fingerprint<'_>, id: &IncidentId, past: &[Past]) -> Seen {
    lookup(fault, id, &past.iter().collect::<Vec<_>>())
}

fn lookup(fault: Fingerprint<'_>, id: &IncidentId, past: &[&Past]) -> Seen {
    /// So many are named.
    const NAMED: usize = 5;
    let mut same: Vec<&Past> =
        past.iter().copied().filter(|p| &p.id != id && Fingerprint::of_past(p) == fault).collect();
    same.sort_by_key(|p| p.closed_at);
    let came_back = |of: &Past| past.iter().any(|p| p.reopens.as_ref() == Some(&of.id));
    let mut fixes: BTreeMap<String, Record> = BTreeMap::new();
    for one in &same {
        for tried in &one.tried {
            let record = fixes.entry(tried.tool.clone()).or_default();
            match tried.outcome {
                Outcome::Worked if came_back(one) => record.came_back += 1,
                Outcome::Worked => {
                    record.worked += 1;
                    record.last_worked = Some(one.closed_at);
                }
                Outcome::Failed => {
                    record.failed += 1;
                    record.last_failed = Some(one.closed_at);
                }
                Outcome::Unproven => {}
            }
        }
    }
    Seen {
        times: same.len(),
        last: same.last().map(|p| p.closed_at),
        which: same.iter().rev().take(NAMED).map(|p| p.id.clone()).collect(),
        fixes,
    }
}

/// `seen 3 times, restart_container worked twice, last 2 days ago`; `None` if it was never seen.
pub fn words(seen: &Seen, now: Timestamp) -> Option<String> {
    let last = seen.last?;
    let mut parts = vec![format!("seen {}", spans::times(seen.times))];
    for (tool, record) in &seen.fixes {
        let mut said = Vec::new();
        for (count, what) in [
            (record.worked, "worked"),
            (record.came_back, "helped for minutes only"),
            (record.failed, "failed"),
        ] {
            if count > 0 {
                said.push(format!("{what} {}", spans::times(count)));
            }
        }
        if !said.is_empty() {
            parts.push(format!("{tool} {}", said.join(" and ")));
        }
    }
    parts.push(format!("last {}", spans::ago(now, last)));
    Some(parts.join(", "))
}

/// Whether a kind of fix failed for this fault lately, and has not worked since.
pub fn speaks_against(seen: &Seen, tool: &str, now: Timestamp) -> bool {
    seen.fixes.get(tool).is_some_and(|record| {
        record.last_failed.is_some_and(|failed| {
            now.duration_since(failed) <= LATELY
                && record.last_worked.is_none_or(|worked| worked < failed)
        })
    })
}
