//! When an incident went from one phase to the next, and how long each lasted.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::domain::incident::{DIAGNOSED, Incident, IncidentState};

/// The moments of an incident. What did not happen, or is not in the record any more, is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phases {
    /// When the fault could first be observed.
    pub first_signal: Timestamp,
    /// When the incident was opened.
    pub opened: Timestamp,
    /// When the first diagnosis stood.
    pub diagnosed: Option<Timestamp>,
    /// When the last plan that was called was approved.
    pub approved: Option<Timestamp>,
    /// When all of its calls had been made.
    pub applied: Option<Timestamp>,
    /// When every check had held for long enough.
    pub verified: Option<Timestamp>,
    /// When it ended, in whichever way.
    pub closed: Option<Timestamp>,
}

/// One phase and how long it lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What went on.
    pub name: &'static str,
    /// How long.
    pub lasted: SignedDuration,
}

/// Waiting until somebody decided.
pub const DECISION: &str = "until a decision";

impl Phases {
    /// Of an incident.
    pub fn of(incident: &Incident) -> Self {
        let approved = incident.attempts().last();
        let since = |at: Timestamp| incident.timeline.iter().filter(move |e| e.at >= at);
        let applied = approved.and_then(|at| {
            since(at)
                .filter(|e| e.state.is_some())
                .skip_while(|e| e.state != Some(IncidentState::Fixing))
                .nth(1)
                .filter(|e| e.state == Some(IncidentState::Verifying))
                .map(|e| e.at)
        });
        let verified = incident.state == IncidentState::Resolved;
        Self {
            first_signal: incident.observed_at,
            opened: incident.opened_at,
            diagnosed: incident
                .timeline
                .iter()
                .find(|e| e.state.is_none() && e.what.starts_with(DIAGNOSED))
                .map(|e| e.at),
            approved,
            applied,
            verified: incident.closed_at.filter(|_| verified),
            closed: incident.closed_at,
        }
    }

    /// From the first signal to the end; `None` while it lasts.
    pub fn impact(&self) -> Option<SignedDuration> {
        Some(self.closed?.duration_since(self.first_signal))
    }

    /// The phases that are known, in order.
    pub fn each(&self) -> Vec<Phase> {
        let ends = [
            ("until it was noticed", Some(self.opened)),
            ("until its diagnosis", self.diagnosed),
            (DECISION, self.approved),
            ("until it was applied", self.applied),
            ("until it was verified", self.verified),
        ];
        let mut from = self.first_signal;
        let mut phases = Vec::new();
        for (name, end) in ends {
            let Some(end) = end else { continue };
            let lasted = end.duration_since(from).max(SignedDuration::ZERO);
            phases.push(Phase { name, lasted });
            from = from.max(end);
        }
        phases
    }

    /// The phase that took longest, if there are several.
    pub fn longest(&self) -> Option<Phase> {
        let phases = self.each();
        (phases.len() > 1).then(|| phases.into_iter().max_by_key(|p| p.lasted)).flatten()
    }
}
