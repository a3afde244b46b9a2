//! Log lines as they are kept: redacted, display-safe, with the engine's own timestamp.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{AnomalyId, ContainerId};

/// Which stream of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output (everything, for a container with a terminal).
    Stdout,
    /// Standard error.
    Stderr,
}

/// How the writer itself ranked a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Finest detail.
    Trace,
    /// Detail for developers.
    Debug,
    /// Ordinary.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// The process cannot go on.
    Fatal,
}

impl Level {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// One line of one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Whose line.
    pub container: ContainerId,
    /// Counts the lines of this container since sentinel-tui started, from 1, without holes.
    pub seq: u64,
    /// The engine's timestamp, never one from inside the text.
    pub at: Timestamp,
    /// Which stream.
    pub stream: Stream,
    /// Redacted, display-safe, cut to a bounded length.
    pub text: Arc<str>,
    /// Written before sentinel-tui began to watch: shown, never judged.
    pub history: bool,
}

/// A line as the rings keep it: with what the detectors thought of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The line.
    pub line: LogLine,
    /// Its level, when it has one.
    pub level: Option<Level>,
    /// The anomaly that it is evidence of, if any.
    pub anomaly: Option<AnomalyId>,
    /// A mark instead of a line: a gap that could not be filled, lines dropped.
    pub mark: bool,
}
