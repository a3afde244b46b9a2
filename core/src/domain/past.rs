//! What is kept in mind of an incident that has ended: enough to know the fault again, and which
//! fix mended it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::failure::FailureClass;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::{FixState, Plan};

/// Past incidents that are kept in mind; the oldest give way.
pub const MAX_PAST: usize = 500;
/// Fixes that are kept in mind of one of them.
const MAX_TRIED: usize = 16;

/// What came of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was applied, and every check held.
    Worked,
    /// It was applied and did not mend it, was taken back, or its call failed.
    Failed,
    /// It was applied, and nothing is known of what it was worth.
    Unproven,
}

/// A fix that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The tool that was called.
    pub tool: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// A past incident in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Which.
    pub id: IncidentId,
    /// The service that it was opened on.
    pub service: String,
    /// The container at fault.
    pub root: String,
    /// Its class.
    pub class: FailureClass,
    /// How it ended.
    pub state: IncidentState,
    /// When it ended.
    pub closed_at: Timestamp,
    /// The incident before it that it continued.
    pub reopens: Option<IncidentId>,
    /// The fixes that were tried, oldest first, bounded.
    pub tried: Vec<Tried>,
}

impl Past {
    /// An incident that has ended, in short; `None` while it is open, and for what proved to be
    /// a symptom of another one.
    pub fn of(incident: &Incident) -> Option<Self> {
        let closed_at = incident.closed_at.filter(|_| incident.state.is_closed())?;
        if incident.merged_into().is_some() {
            return None;
        }
        let earlier = incident.earlier_plans.iter().flat_map(|plan| tried(plan, Outcome::Failed));
        let verified = if incident.state == IncidentState::Resolved {
            Outcome::Worked
        } else {
            Outcome::Unproven
        };
        let last = incident.plan.iter().flat_map(|plan| tried(plan, verified));
        Some(Self {
            id: incident.id.clone(),
            service: incident.container.service.clone(),
            root: incident.root.clone(),
            class: incident.class,
            state: incident.state,
            closed_at,
            reopens: incident.reopens.clone(),
            tried: earlier.chain(last).take(MAX_TRIED).collect(),
        })
    }
}

/// The calls of a plan that were made; what was applied and stands had this `outcome`.
fn tried(plan: &Plan, outcome: Outcome) -> impl Iterator<Item = Tried> {
    plan.steps.iter().filter_map(move |step| {
        let outcome = match step.state {
            FixState::Applied => outcome,
            FixState::Failed | FixState::Undoing | FixState::Undone => Outcome::Failed,
            _ => return None,
        };
        Some(Tried { tool: step.call.tool.clone(), outcome })
    })
}
