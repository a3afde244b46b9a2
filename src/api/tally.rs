//! What is counted of the stream of events since the start.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sentinel_core::domain::event::{Event, IncidentWire};

/// Upper bounds of the times from a fault to its end, in seconds.
const REPAIR: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];
/// Upper bounds of the times from a fault to its incident, in seconds.
const DETECTION: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// The counts.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Incidents that were opened, by class at that time.
    pub(super) opened: BTreeMap<&'static str, u64>,
    /// Incidents that ended, by how.
    pub(super) ended: BTreeMap<&'static str, u64>,
    /// Fixes by what came of them.
    pub(super) fixes: BTreeMap<&'static str, u64>,
    /// Anomalies.
    pub(super) anomalies: u64,
    /// Events that the API itself missed.
    pub(super) missed: u64,
    /// From a fault to its end.
    pub(super) repair: Spread,
    /// From a fault to its incident.
    pub(super) detection: Spread,
}

/// Observations, counted up to each of some bounds.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    pub(super) bounds: &'static [f64],
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
    pub(super) count: u64,
}

impl Spread {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    fn take(&mut self, from: Timestamp, to: Timestamp) {
        let seconds = to.duration_since(from).as_secs_f64().max(0.0);
        for (bound, count) in self.bounds.iter().zip(&mut self.counts) {
            if seconds <= *bound {
                *count += 1;
            }
        }
        self.sum += seconds;
        self.count += 1;
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            opened: BTreeMap::new(),
            ended: BTreeMap::new(),
            fixes: BTreeMap::new(),
            anomalies: 0,
            missed: 0,
            repair: Spread::new(REPAIR),
            detection: Spread::new(DETECTION),
        }
    }
}

impl Tally {
    /// Counts a fact.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::IncidentOpened { incident } => {
                *self.opened.entry(incident.class.as_str()).or_default() += 1;
                self.detection.take(incident.observed_at, incident.opened_at);
            }
            Event::IncidentResolved { incident } => self.end("resolved", Some(incident)),
            Event::IncidentDismissed { incident } => self.end("dismissed", Some(incident)),
            Event::IncidentEscalated { .. } => self.end("escalated", None),
            Event::IncidentMerged { .. } => self.end("merged", None),
            Event::FixApplied(_) => self.fix("applied"),
            Event::FixFailed(_) => self.fix("failed"),
            Event::FixRejected(_) => self.fix("rejected"),
            Event::FixExpired(_) => self.fix("expired"),
            Event::FixStale(_) => self.fix("stale"),
            Event::FixUndone(_) => self.fix("undone"),
            Event::Anomaly { .. } => self.anomalies += 1,
            _ => {}
        }
    }

    fn end(&mut self, how: &'static str, incident: Option<&IncidentWire>) {
        *self.ended.entry(how).or_default() += 1;
        if let Some(incident) = incident.filter(|_| how == "resolved")
            && let Some(closed) = incident.closed_at
        {
            self.repair.take(incident.observed_at, closed);
        }
    }

    fn fix(&mut self, result: &'static str) {
        *self.fixes.entry(result).or_default() += 1;
    }
}
