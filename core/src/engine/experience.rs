//! What became of past incidents: kept in mind as they end, and weighed when the same fault is
//! diagnosed again.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::diagnosis::Diagnosis;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::past::{MAX_PAST, Past};
use crate::engine::Engine;
use crate::report::similar::{self, Fingerprint};
use crate::report::spans;

/// What is left of the confidence where the fix failed for the same fault lately. A person may
/// still approve it; the policy asks for more certainty than a weak diagnosis has left then.
const AFTER_FAILURE: f64 = 0.9;

/// What is kept in mind of incidents that have ended, oldest first.
pub(crate) fn of(incidents: &[Incident]) -> Vec<Past> {
    let mut past: Vec<Past> = incidents.iter().filter_map(Past::of).collect();
    sort_and_bound(&mut past);
    past
}

fn sort_and_bound(past: &mut Vec<Past>) {
    past.sort_by(|a, b| (a.closed_at, &a.id).cmp(&(b.closed_at, &b.id)));
    past.drain(..past.len().saturating_sub(MAX_PAST));
}

impl Engine {
    /// What the store knows of incidents that have ended. What this run knows itself stays.
    pub fn recall_past(&mut self, earlier: Vec<Past>) {
        let past = Arc::make_mut(&mut self.past);
        let own: BTreeSet<IncidentId> = past.iter().map(|p| p.id.clone()).collect();
        past.extend(earlier.into_iter().filter(|p| !own.contains(&p.id)));
        sort_and_bound(past);
    }

    /// Incidents that ended in this turn, or were changed after their end, are kept in mind.
    pub(crate) fn keep_in_mind(&mut self, changed: &BTreeSet<IncidentId>) {
        let ended: Vec<Past> = changed
            .iter()
            .filter_map(|id| self.incidents.get(id))
            .filter_map(|open| Past::of(&open.incident))
            .collect();
        if ended.is_empty() {
            return;
        }
        let past = Arc::make_mut(&mut self.past);
        past.retain(|p| !changed.contains(&p.id));
        past.extend(ended);
        sort_and_bound(past);
    }

    /// What is known of the fault from before becomes part of its diagnosis. A kind of fix that
    /// failed for it lately makes the diagnosis a little less sure, and that is said.
    pub(crate) fn weigh(&self, diagnosis: &mut Diagnosis, incident: &Incident, now: Timestamp) {
        let fault = Fingerprint {
            service: incident.service(),
            class: diagnosis.class,
            root: &diagnosis.root,
        };
        let seen = similar::seen_before(fault, &incident.id, &self.past);
        if seen.times == 0 {
            return;
        }
        let failed = diagnosis
            .plan
            .iter()
            .map(|action| action.call.tool.as_str())
            .find(|tool| similar::speaks_against(&seen, tool, now));
        if let Some(tool) = failed {
            let last = seen.fixes.get(tool).and_then(|record| record.last_failed);
            let when = last.map_or_else(|| "lately".to_owned(), spans::moment);
            diagnosis.confidence *= AFTER_FAILURE;
            diagnosis.doubt =
                Some(format!("{tool} did not mend this fault on {when}: less sure than usual"));
        }
        diagnosis.seen_before = Some(seen);
    }
}
