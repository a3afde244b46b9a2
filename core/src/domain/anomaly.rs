//! Something out of the ordinary, as a detector reports it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::evidence::Evidence;
use crate::domain::ids::AnomalyId;
use crate::domain::severity::Severity;

/// What a detector saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// The process died and nobody had asked for it.
    Death,
    /// At least three unasked deaths within ten minutes, or five within thirty.
    CrashLoop,
    /// The kernel killed something at the memory limit.
    OomKill,
    /// The health check failed `retries` times.
    Unhealthy,
    /// A connection to a peer was refused or unreachable.
    ConnectionRefused,
    /// A known fatal signature in the log.
    FatalSignature,
    /// Errors far above their usual rate.
    ErrorBurst,
    /// Found stopped at start or after a gap: nobody saw why.
    FoundDown,
    /// The container could not be started.
    StartFailure,
}

impl AnomalyKind {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::CrashLoop => "crash_loop",
            Self::OomKill => "oom_kill",
            Self::Unhealthy => "unhealthy",
            Self::ConnectionRefused => "connection_refused",
            Self::FatalSignature => "fatal_signature",
            Self::ErrorBurst => "error_burst",
            Self::FoundDown => "found_down",
            Self::StartFailure => "start_failure",
        }
    }

    /// Whether the engine itself observed it, as opposed to text that anybody could have
    /// written: only such a fault may authorise a fix without a person.
    pub fn is_engine_observed(self) -> bool {
        match self {
            Self::Death
            | Self::CrashLoop
            | Self::OomKill
            | Self::Unhealthy
            | Self::StartFailure => true,
            Self::ConnectionRefused | Self::FatalSignature | Self::ErrorBurst | Self::FoundDown => {
                false
            }
        }
    }
}

/// One anomaly, with the evidence that supports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its id.
    pub id: AnomalyId,
    /// Where.
    pub container: ContainerRef,
    /// What.
    pub kind: AnomalyKind,
    /// How bad.
    pub severity: Severity,
    /// How sure and how strong, 0 to 1.
    pub score: f64,
    /// One sentence that a person understands.
    pub summary: String,
    /// When the fault was observable, by the engine's clock.
    pub observed_at: Timestamp,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Detector's detail for diagnosis: the signature's name, the peer's host name.
    pub detail: AnomalyDetail,
}

/// What diagnosis needs to know beyond the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnomalyDetail {
    /// Exit status, for a death.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// Name of the matched signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Host name or address of the peer that a line names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}
