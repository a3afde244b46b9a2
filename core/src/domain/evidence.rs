//! What supports a claim: each piece resolves to something that was really seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ContainerId, EvidenceId};

/// Where a piece of evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A log line.
    Log,
    /// An event of the engine.
    Event,
    /// A resource reading.
    Sample,
    /// A field of the container's inspect.
    Inspect,
    /// A run of the health check.
    Probe,
}

/// The address of a log line in the rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAddress {
    /// Whose line.
    pub container: ContainerId,
    /// Its number ([`crate::domain::log::LogLine::seq`]).
    pub seq: u64,
}

/// One piece of evidence, with enough of it inline to be read after the rings have moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Unique within the incident.
    pub id: EvidenceId,
    /// Its source.
    pub kind: EvidenceKind,
    /// The container's name.
    pub container: String,
    /// When it was observed, by the engine's clock.
    pub ts: Timestamp,
    /// The line, or a sentence that states the fact.
    pub excerpt: String,
    /// Where to jump to, for a log line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineAddress>,
}
