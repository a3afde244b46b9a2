//! A diagnosis in the JSONL contract. Field names are stable; additions only.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::diagnosis::{Diagnosis, Rejected, Source};
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::seen::Seen;
use crate::domain::topology::Edge;

/// One planned call on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanStepWire {
    /// Tool name.
    pub tool: String,
    /// Arguments.
    pub arguments: Map<String, Value>,
    /// Name of the target.
    pub target: String,
    /// Why.
    pub reason: String,
}

/// A diagnosis on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiagnosisWire {
    /// Who says so.
    pub source: Source,
    /// The class.
    pub class: FailureClass,
    /// Name of the container at fault.
    pub root: String,
    /// 0 to 1.
    pub confidence: f64,
    /// One sentence.
    pub cause: String,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// What else it could have been.
    pub rejected: Vec<Rejected>,
    /// The actions, in order.
    pub plan: Vec<PlanStepWire>,
    /// What a human should do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The edges between containers that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// The explanation that is nearly as good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_tie: Option<String>,
    /// What changed a short while before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_changes: Vec<String>,
    /// What is known of this fault from before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_before: Option<Seen>,
    /// What makes the plan less sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

impl From<&Diagnosis> for DiagnosisWire {
    fn from(d: &Diagnosis) -> Self {
        Self {
            source: d.source,
            class: d.class,
            root: d.root.clone(),
            confidence: d.confidence,
            cause: d.cause.clone(),
            evidence: d.evidence.clone(),
            rejected: d.rejected.clone(),
            plan: d
                .plan
                .iter()
                .map(|a| PlanStepWire {
                    tool: a.call.tool.clone(),
                    arguments: a.call.arguments.clone(),
                    target: a.target.name.clone(),
                    reason: a.reason.clone(),
                })
                .collect(),
            advice: d.advice.clone(),
            edges: d.edges.clone(),
            near_tie: d.near_tie.clone(),
            recent_changes: d.recent_changes.clone(),
            seen_before: d.seen_before.clone(),
            doubt: d.doubt.clone(),
        }
    }
}
