//! Incidents that ended before those that a snapshot holds, read from the store page by page.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;

/// Past incidents that are kept here at most; `incidents list` knows them all.
pub const PAST_KEPT: usize = 500;

/// Past incidents, as far as they were asked for.
#[derive(Clone, Debug, Default)]
pub struct PastIncidents {
    /// Newest first.
    pub kept: Vec<Arc<Incident>>,
    /// The oldest that was read.
    pub before: Option<(Timestamp, IncidentId)>,
    /// Asked for under this generation, and not there yet.
    pub running: Option<u64>,
    /// There are no older ones, or no more are kept here.
    pub ended: bool,
}

impl PastIncidents {
    /// Takes a page. True if the next is wanted at once, because nothing of this one was new.
    pub fn take(&mut self, page: Vec<Incident>, known: &HashSet<IncidentId>) -> bool {
        let Some(last) = page.last() else {
            self.ended = true;
            return false;
        };
        self.before = Some((last.opened_at, last.id.clone()));
        let before = self.kept.len();
        for incident in page {
            if !known.contains(&incident.id) && !self.kept.iter().any(|k| k.id == incident.id) {
                self.kept.push(Arc::new(incident));
            }
        }
        if self.kept.len() >= PAST_KEPT {
            self.kept.truncate(PAST_KEPT);
            self.ended = true;
        }
        self.kept.len() == before && !self.ended
    }
}
