//! Lines as their writers meant them: level, header, message, and which lines are one record.
//!
//! Start at [`Reader::read`]. A [`Reader`] sees all lines of one container in order, because a
//! stack trace is told only by what came before it; [`one`] reads a line by itself.
//!
//! Two entries lead here. The monitor hands in text that [`crate::redact::clean`] made safe:
//! valid, without escape sequences and controls, cut with a mark. A file holds anything: take
//! off what carried the line with [`wrap::unwrapped`], then clean it, then read it. The reader
//! itself survives any text; it only finds no header behind an escape sequence.
//!
//! A level is never read from the words of a message. It comes from a key (JSON, logfmt, syslog's
//! priority), from where levels stand in a header, from the status of an access line, or from one
//! of the forms in which runtimes give up.

mod access;
mod behind;
mod byte;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod cases_services;
mod clock;
mod crash;
pub mod fields;
#[cfg(test)]
mod folding;
mod header;
mod json;
mod level;
mod logfmt;
mod moment;
#[cfg(test)]
mod properties;
pub mod record;
mod shape;
mod stamp;
mod syslog;
mod walk;
pub mod wrap;

use jiff::Timestamp;

use crate::detect::reader::crash::Trace;
use crate::detect::reader::record::{Line, Record};
use crate::detect::reader::walk::{Head, walk};
use crate::domain::log::{Format, Level, Reading, Stream};

/// Reads the lines of one container, in order.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    out: Record,
    err: Record,
}

impl Reader {
    /// Reads the next line of a stream.
    pub fn read(&mut self, stream: Stream, text: &str) -> Reading {
        let read = read(text);
        let record = match stream {
            Stream::Stdout => &mut self.out,
            Stream::Stderr => &mut self.err,
        };
        let bytes = text.as_bytes();
        let continues = record.take(&Line {
            body: bytes.get(read.body..read.end).unwrap_or_default(),
            indent: read.body - read.from,
            headed: read.headed,
            adds: read.adds,
            level: read.level,
            trace: read.trace,
            partial: read.partial,
        });
        let mut reading = read.reading();
        if continues {
            reading.continues = true;
            reading.level = record.level();
            if !read.headed {
                reading.message_start = offset(read.body);
            }
        }
        reading
    }
}

/// Reads a line by itself: it begins a record.
pub fn one(text: &str) -> Reading {
    read(text).reading()
}

/// The writer's own timestamp of a line, or that of who carried it; UTC where it names no zone,
/// the year and the day of `now` where it names none.
pub fn stamp(text: &str, now: Timestamp) -> Option<Timestamp> {
    let read = read(text);
    let bytes = text.as_bytes();
    let said = match read.format {
        Format::Json => json::read(bytes, read.body).and_then(|said| said.time),
        Format::Logfmt => logfmt::read(bytes, read.message).1,
        Format::Plain | Format::Access => None,
    };
    let at = read.stamp.or(said.map(|span| span.start))?;
    stamp::read(bytes, at, now)
}

/// What is known of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    level: Option<Level>,
    format: Format,
    headed: bool,
    adds: bool,
    partial: bool,
    /// What its message opens; looked for where it may be bad news.
    trace: Trace,
    /// Behind what carried it.
    from: usize,
    /// Behind its indentation.
    body: usize,
    message: usize,
    message_end: usize,
    /// Behind its last character that is no white space.
    end: usize,
    stamp: Option<usize>,
}

impl Read {
    fn reading(&self) -> Reading {
        Reading {
            level: self.level,
            format: self.format,
            continues: false,
            message_start: offset(self.message),
            message_end: offset(self.message_end),
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn read(text: &str) -> Read {
    let end = text.trim_ascii_end().len();
    let b = text.as_bytes().get(..end).unwrap_or_default();
    let wrap = wrap::prefix(b);
    let from = wrap.end.min(end);
    let body = from + shape::spaces(b, from);
    let mut read =
        Read { from, body, end, stamp: wrap.stamp, partial: wrap.partial, ..Read::default() };
    let (priority, begin) = match syslog::priority(b, body) {
        Some((level, end)) => (Some(level), end),
        None => (None, body),
    };
    // What is structured as a whole has no header that the walk could find.
    let head = if json::begins(b, begin) || logfmt::begins(b, begin) {
        Head { start: begin, ..Head::default() }
    } else if priority.is_some()
        && let Some((start, stamp)) = syslog::structured(b, begin)
    {
        Head { start: start.min(end), headed: true, stamp, ..Head::default() }
    } else {
        walk(b, begin)
    };
    read.level = head.level.or(priority);
    read.headed = head.headed || priority.is_some();
    read.stamp = read.stamp.or(head.stamp);
    (read.message, read.message_end) = (head.start.min(end), end);
    body_of(b, &head, &mut read);
    read
}

/// What the message is written as, and what that says.
fn body_of(b: &[u8], head: &Head, read: &mut Read) {
    let start = read.message;
    match b.get(start) {
        Some(b'{') if json::begins(b, start) => {
            if let Some(said) = json::read(b, start) {
                read.format = Format::Json;
                read.headed = true;
                read.level = said.level.or(read.level);
                json_message(b, &said, read);
                return;
            }
        }
        Some(b'"' | b'0'..=b'9' | b'[') => {
            if let Some(request) = access::read(b, start, head.access) {
                read.format = Format::Access;
                read.headed = true;
                read.level = read.level.or_else(|| Some(request.level(b)));
                (read.message, read.message_end) = (request.span().start, request.span().end);
                return;
            }
        }
        Some(_) if logfmt::begins(b, start) => {
            read.format = Format::Logfmt;
            read.headed = true;
            read.level = logfmt::read(b, start).0.or(read.level);
            return;
        }
        _ => {}
    }
    let message = b.get(start..).unwrap_or_default();
    match read.level {
        None if head.headed => {
            read.level = crash::leading(message).or_else(|| crash::php(message));
        }
        None => {
            read.trace = crash::opens(message);
            read.level = crash::level_of(message, read.trace);
        }
        Some(Level::Info) => read.adds = adds(b.get(..start).unwrap_or_default()),
        Some(level) if level >= Level::Warn => read.trace = crash::opens(message),
        Some(_) => {}
    }
}

/// The message of an object; of a line that another program wrote the part behind its header.
fn json_message(b: &[u8], said: &json::Said, read: &mut Read) {
    let Some(span) = said.message.clone() else { return };
    (read.message, read.message_end) = (span.start, span.end);
    if !said.wrapped {
        return;
    }
    let mut line = b.get(..span.end).unwrap_or_default();
    while let Some(rest) = line.strip_suffix(b"\\n").or_else(|| line.strip_suffix(b"\\r")) {
        if rest.len() < span.start {
            break;
        }
        line = rest;
    }
    read.message_end = line.len();
    let head = walk(line, span.start);
    read.message = head.start.min(line.len());
    read.level = head.level.or_else(|| {
        let message = line.get(head.start..).unwrap_or_default();
        crash::level_of(message, crash::opens(message)).filter(|_| !head.headed)
    });
}

/// PostgreSQL says more of a record in lines of their own.
fn adds(header: &[u8]) -> bool {
    // Two spaces stand behind its colon.
    let Some(header) = header.strip_suffix(b":  ") else { return false };
    [&b"DETAIL"[..], b"HINT", b"CONTEXT", b"STATEMENT", b"QUERY", b"LOCATION"]
        .iter()
        .any(|word| header.ends_with(word))
}
