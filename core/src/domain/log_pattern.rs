//! Kinds of line of a container's log, for front ends: what the detectors know of each, and where
//! it stands in the lines that are kept.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::container::ContainerRef;
use crate::domain::log::{Level, LogEntry};

/// Kinds of one container that are told at most; the rest is counted.
pub const MOST_PATTERNS: usize = 500;
/// Columns of [`LogPattern::recent`].
pub const RECENT_COLUMNS: usize = 20;
/// Seconds of one column.
pub const RECENT_SECONDS: i64 = 30;
/// Newest lines of a kind that come with it.
pub const MOST_SAMPLES: usize = 20;

/// One kind of line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPattern {
    /// Its id within the container.
    pub id: u32,
    /// Its constant words, and `<*>` for what varies.
    pub text: String,
    /// Lines since it was first seen; over restarts, if what was learned was kept.
    pub count: u64,
    /// When its first line came.
    pub first_seen: Timestamp,
    /// When its newest line came.
    pub last_seen: Timestamp,
    /// Lines a minute, as it is usual.
    pub usual: f32,
    /// Lines within the last minute.
    pub now: u32,
    /// Far above its usual rate within the last minute.
    pub bursting: bool,
    /// First seen lately, in a log that was known well before.
    pub is_new: bool,
    /// The highest level among the lines that are kept.
    pub level: Option<Level>,
    /// Lines in each of the last [`RECENT_COLUMNS`] times [`RECENT_SECONDS`], oldest first; `None`
    /// where no line is kept from so long ago.
    pub recent: Vec<Option<u32>>,
    /// The newest lines that are kept, oldest first.
    pub samples: Vec<Arc<LogEntry>>,
}

/// The kinds of line of one container.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPatterns {
    /// Whose.
    pub of: ContainerRef,
    /// Up to when lines were heard, by the engine's clock.
    pub until: Timestamp,
    /// The kinds, most frequent first, at most [`MOST_PATTERNS`].
    pub patterns: Vec<LogPattern>,
    /// Kinds beyond those.
    pub left_out: usize,
    /// Lines of all kinds.
    pub lines: u64,
    /// Lines that became no kind of their own, because too many new ones came.
    pub other: u64,
    /// What is usual is known: before that, nothing is called new.
    pub is_known: bool,
}
