//! Lines as their writers meant them: level, header, message, and which lines are one record.
//!
//! Start at [`Reader::read`]. A [`Reader`] sees all lines of one container in order, because a
//! stack trace is told only by what came before it; [`one`] reads a line by itself.

mod behind;
mod header;
mod level;
mod shape;
mod stamp;
mod syslog;
mod walk;

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
    let bytes = text.as_bytes();
    let end = text.trim_ascii_end().len();
    let from = bytes.len() - text.trim_ascii_start().len();
    let head = walk::walk(bytes.get(..end).unwrap_or_default(), from.min(end));
    Reading {
        level: head.level,
        message_start: u32::try_from(head.start).unwrap_or(u32::MAX),
        message_end: u32::try_from(end).unwrap_or(u32::MAX),
        ..Reading::default()
    }
}
