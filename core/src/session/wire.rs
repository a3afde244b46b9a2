//! How a session stands in a recording: one JSON object per line. The first says what it is, the
//! version, and how the session began; each further one is an input with the time it was given.
//!
//! ```text
//! {"sentinel_recording":1,"program":"0.1.0","start":{…}}
//! {"at":"2026-11-24T03:15:02.123456789Z","in":{"signal":{"signal":"tick"}}}
//! {"at":"2026-11-24T03:15:09.5Z","in":{"end":"asked to stop"}}
//! ```
//!
//! A version that is read stays readable: fields are added with a default. A recording may come
//! from a stranger, so whatever is in one is an error with words or a session, and never a panic.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::clock;
use crate::redact;
use crate::session::input::{Input, Start};

/// The version that is written, and the newest that is read.
pub const VERSION: u64 = 1;
/// Bytes of one line, at most.
pub const MOST_LINE: usize = 64 << 20;
/// Bytes of what the parser says of a line, which may quote it.
const WORDS: usize = 300;

/// Why a line is no part of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// The first line is that of something else.
    #[error("this is no recording: the first line must begin with {{\"sentinel_recording\":")]
    Foreign,
    /// A newer program wrote it.
    #[error(
        "the recording has version {found}, and this sentinel-tui reads up to {VERSION}: replay it with the newer one that recorded it"
    )]
    Newer {
        /// What it says.
        found: u64,
    },
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// Its time is none that a recording can have.
    #[error("the time {0} is out of range")]
    Time(Timestamp),
}

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The version of the recording.
    #[serde(rename = "sentinel_recording")]
    pub version: u64,
    /// The version of the program that recorded.
    pub program: String,
    /// How the session began.
    pub start: Start,
}

/// Every further line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Given<'a> {
    /// When it was given.
    pub at: Timestamp,
    /// What was given.
    #[serde(rename = "in")]
    pub input: Input<'a>,
}

/// What every version has.
#[derive(Deserialize)]
struct AnyHead {
    sentinel_recording: u64,
}

impl Head {
    /// Reads the first line.
    pub fn read(line: &[u8]) -> Result<Self, LineError> {
        // The version first: what a newer one has besides is nobody's mistake.
        match serde_json::from_slice::<AnyHead>(line) {
            Ok(AnyHead { sentinel_recording: VERSION }) => {}
            Ok(AnyHead { sentinel_recording: found }) if found > VERSION => {
                return Err(LineError::Newer { found });
            }
            Ok(_) => return Err(LineError::Damaged("there is no such version".to_owned())),
            Err(error) if is_recording(line) => return Err(damaged(&error)),
            Err(_) => return Err(LineError::Foreign),
        }
        serde_json::from_slice(line).map_err(|e| damaged(&e))
    }
}

impl Given<'static> {
    /// Reads a further line.
    pub fn read(line: &[u8]) -> Result<Self, LineError> {
        let given: Self = serde_json::from_slice(line).map_err(|e| damaged(&e))?;
        // Holds and deadlines are added to it: it must leave room for them.
        if !clock::is_plausible(given.at) {
            return Err(LineError::Time(given.at));
        }
        Ok(given)
    }
}

/// Whether a line wants to be the first of a recording.
fn is_recording(line: &[u8]) -> bool {
    line.starts_with(b"{\"sentinel_recording\":")
}

/// What the parser says, without its line number, which is always 1, and safe to show.
fn damaged(error: &serde_json::Error) -> LineError {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    let words = redact::clean(words.as_bytes(), WORDS);
    LineError::Damaged(match error.column() {
        0 => words,
        column => format!("{words}, at byte {column}"),
    })
}
