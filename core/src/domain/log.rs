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

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Words, perhaps behind a header of timestamp, level, process, logger.
    #[default]
    Plain,
    /// One JSON object.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// An access line of nginx, Apache and their like.
    Access,
}

/// What a line says of itself, read once where it enters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its level, if it says so; a line that goes on with a record has that of the record.
    pub level: Option<Level>,
    /// How it is written.
    pub format: Format,
    /// It goes on with the record that an earlier line of its stream began: a stack frame, the
    /// rest of a message of several lines.
    pub continues: bool,
    /// Where the message begins in the text: behind timestamp, level, process, logger. In bytes,
    /// at a character.
    pub message_start: u32,
    /// Where it ends.
    pub message_end: u32,
}

impl Reading {
    /// The message: the part of `text` that its writer composed, without the header that its
    /// logging library put before it. The whole of it if this is the reading of another text.
    pub fn message<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.message_start as usize..self.message_end as usize).unwrap_or(text)
    }

    /// Whether a record begins here that says of itself that something failed.
    pub fn begins_error(&self) -> bool {
        !self.continues && self.level.is_some_and(|level| level >= Level::Error)
    }
}

/// A colour that a program gave to a piece of its own line; a theme says how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of colours")]
pub enum Ink {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    /// No colour, but bold.
    Bold,
    /// No colour, but faint.
    Dim,
}

/// A piece of a text with a colour of its writer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins in the text, in bytes, at a character.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// Its colour.
    pub ink: Ink,
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
    /// The colours that its writer gave it, bounded, beside the text that nothing looks at but
    /// the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub styles: Option<Arc<[Span]>>,
    /// What the text says of itself.
    #[serde(default)]
    pub reading: Reading,
    /// Written before sentinel-tui began to watch: shown, never judged.
    pub history: bool,
}

/// A line as the rings keep it: with what the detectors thought of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The line.
    pub line: LogLine,
    /// The anomaly that it is evidence of, if any.
    pub anomaly: Option<AnomalyId>,
    /// A mark instead of a line: a gap that could not be filled, lines dropped.
    pub mark: bool,
}
