//! Lines as their writers meant them: level, header, message, and which lines are one record.
//!
//! Start at [`Reader::read`]. A [`Reader`] sees all lines of one container in order, because a
//! stack trace is told only by what came before it; [`one`] reads a line by itself.

use crate::detect::level;
use crate::domain::log::{Reading, Stream};

/// Reads the lines of one container, in order.
#[derive(Debug, Default)]
pub struct Reader {}

impl Reader {
    /// Reads the next line of a stream.
    pub fn read(&mut self, stream: Stream, text: &str) -> Reading {
        let _ = stream;
        one(text)
    }
}

/// Reads a line by itself: it begins a record.
pub fn one(text: &str) -> Reading {
    Reading {
        level: level::of(text),
        message_end: u32::try_from(text.len()).unwrap_or(u32::MAX),
        ..Reading::default()
    }
}
