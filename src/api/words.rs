//! What is said over the WebSocket: one JSON object per message.
//!
//! A client says [`Hello`] first; then the server says [`Say`], and events as they stand in
//! docs/jsonl.md; the client may [`Ask`].

use std::sync::Arc;

use sentinel_core::domain::command::Command;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::LogEntry;
use sentinel_core::domain::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

/// Version of what is said. Both ends must speak the same.
pub const PROTOCOL: u32 = 1;
/// Bytes that a client may say at once.
pub const LONGEST: usize = 64 * 1024;
/// Log entries in one page.
pub const PAGE: usize = 2000;

/// The first word.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub v: u32,
    /// The token, if it was not shown in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Who asks, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is wanted.
    #[serde(default)]
    pub want: Want,
    /// Where an earlier connection ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Place>,
}

/// What a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// A snapshot in short, then events.
    #[default]
    Events,
    /// Everything that a screen shows, whenever it changes, and events.
    View,
}

/// A place in the stream of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Of which run: numbers begin anew with each.
    pub run: String,
    /// The last number that was received.
    pub seq: u64,
}

/// What a client asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Log lines of a container behind a number; all that are kept if it is 0 or the revision is
    /// another one.
    Logs {
        /// Whose.
        container: ContainerId,
        /// The last number that is there already.
        after: u64,
        /// The revision of what is there.
        revision: u64,
    },
    /// Do something.
    Command {
        /// Comes back with the answer.
        id: u64,
        /// What.
        command: Command,
    },
}

/// What the server says beside events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Say {
    /// The first word.
    Welcome {
        /// [`PROTOCOL`].
        v: u32,
        /// Version of the program.
        version: String,
        /// Names the run for [`Place`].
        run: String,
        /// Whether commands are taken: the token was shown.
        may_change: bool,
    },
    /// The state of everything.
    View {
        /// As front ends have it.
        snapshot: Arc<Snapshot>,
    },
    /// A page of a log.
    Logs {
        /// Whose.
        container: ContainerId,
        /// Oldest first.
        entries: Vec<Arc<LogEntry>>,
        /// Number of the newest entry that is kept.
        last: u64,
        /// Counts changes of entries that were given out before.
        revision: u64,
        /// It takes the place of what is there.
        whole: bool,
    },
    /// The answer to a command.
    Answer {
        /// Of the command.
        id: u64,
        /// Whether it was done.
        ok: bool,
        /// In one sentence.
        text: String,
    },
    /// Nothing more is said: the connection ends.
    Refused {
        /// Why.
        why: String,
        /// Version of the program, where the reason is that it speaks otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}
