//! What was left alone on purpose, and why: counted and shown, never dropped in silence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why something that looks like trouble opened no incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietReason {
    /// An operator stopped, killed, paused or disconnected it.
    OperatorIntent,
    /// It was replaced by a new container of the same service: a deploy.
    Deploy,
    /// A one-off job; its end is its purpose.
    OneOff,
    /// It ended by itself with status 0 and is not meant to run for ever.
    CleanExit,
    /// Inside the start period of its health check, or just started.
    StartUp,
    /// A person silenced the service, or the one that it complains of, for a while.
    Silenced,
    /// Its label `sre-sentinel.quiet` says so.
    QuietLabel,
}

impl QuietReason {
    /// In words that complete "left alone: …".
    pub fn words(self) -> &'static str {
        match self {
            Self::OperatorIntent => "an operator meant it",
            Self::Deploy => "the service is being deployed",
            Self::OneOff => "a one-off job ended",
            Self::CleanExit => "it ended by itself with status 0",
            Self::StartUp => "it has just started",
            Self::Silenced => "it or what it complains of is silenced",
            Self::QuietLabel => "its label sre-sentinel.quiet says so",
        }
    }
}

/// Cases of one service that were left alone for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The container's name.
    pub container: String,
    /// Its service.
    pub service: String,
    /// Why.
    pub reason: QuietReason,
    /// What it was, the last time.
    pub what: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

/// A service that a person silenced: what happens to it is seen, counted and opens no incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The service, or a container's name.
    pub service: String,
    /// When it ends.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
}
