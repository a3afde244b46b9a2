//! What is wrong, why, and what would mend it.

use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::seen::Seen;
use crate::domain::tool::ToolCall;
use crate::domain::topology::Edge;

/// Who made the diagnosis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The deterministic rules.
    #[default]
    Rules,
    /// A language model.
    Model,
    /// A person changed what was proposed.
    Person,
}

/// A hypothesis that lost, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// The class that was considered.
    pub class: FailureClass,
    /// The container that it would have blamed.
    pub root: String,
    /// Its score, 0 to 1.
    pub score: f64,
    /// Why it lost.
    pub why: String,
}

/// One action that would mend the cause, before it is staged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The call.
    pub call: ToolCall,
    /// Its target.
    pub target: ContainerRef,
    /// Why this helps, one sentence.
    pub reason: String,
    /// The call that takes it back, when there is one.
    pub inverse: Option<ToolCall>,
    /// What changes, as a short before → after.
    pub diff: String,
    /// The same as a `docker` command line.
    pub docker_line: String,
    /// Expected downtime in words.
    pub downtime: String,
}

/// The answer of `diagnose`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Who says so.
    pub source: Source,
    /// The class.
    pub class: FailureClass,
    /// Name of the container at fault.
    pub root: String,
    /// 0 to 1.
    pub confidence: f64,
    /// The cause in one sentence.
    pub cause: String,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Names of containers that suffer from it.
    pub affected: Vec<String>,
    /// What else it could have been.
    pub rejected: Vec<Rejected>,
    /// Actions in order; empty for "no safe fix".
    pub plan: Vec<Action>,
    /// What a human should do, when there is no safe fix.
    pub advice: Option<String>,
    /// The edges between containers that the verdict rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Another explanation is nearly as good, and what would tell them apart; then nothing but
    /// a look is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_tie: Option<String>,
    /// What changed a short while before, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_changes: Vec<String>,
    /// What is known of this fault from before, and which fix mended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_before: Option<Seen>,
    /// What makes the plan less sure than the cause: its fix failed for this fault lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}
