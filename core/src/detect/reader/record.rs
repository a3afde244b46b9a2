//! Which lines go on with the record that an earlier line of their stream began.
//!
//! A line with a header of its own begins a record, whatever came before it. A line without one
//! goes on with a record if it is indented deeper than where the record began, or if the trace
//! that the record is known to be has such lines: `Caused by:`, a chained traceback, goroutines.

use crate::detect::reader::crash::{Trace, is_exception, opens};
use crate::domain::log::Level;

/// Lines that one record may have: a deep stack trace with its causes.
pub const MOST_LINES: u32 = 500;
/// Bytes that one record may have.
pub const MOST_BYTES: usize = 64 * 1024;
/// Lines that may go on with a record for nothing but their indentation: no message is longer,
/// and a service that indents all its lines must not become one record.
const MOST_INDENTED: u32 = 100;

/// The record that is open in one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// How far its first line is indented.
    indent: usize,
    /// Its lines so far; 0 if none is open.
    lines: u32,
    /// Their bytes.
    bytes: usize,
    trace: Trace,
    level: Option<Level>,
    /// Its header says that something is wrong: an exception may follow.
    serious: bool,
    /// Its last line ends with an opening bracket.
    open: bool,
    /// Its last line was cut by the container runtime.
    partial: bool,
}

/// A line as folding sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    /// Behind its indentation, white space at the end off.
    pub(super) body: &'t [u8],
    /// Its indentation.
    pub(super) indent: usize,
    /// It has a header of its own, or a format of its own.
    pub(super) headed: bool,
    /// It adds to the record before it: PostgreSQL's `DETAIL`.
    pub(super) adds: bool,
    /// Its own level.
    pub(super) level: Option<Level>,
    /// What its message opens.
    pub(super) trace: Trace,
    /// The container runtime cut it.
    pub(super) partial: bool,
}

impl Record {
    /// The level that lines which go on with it have.
    pub(super) fn level(&self) -> Option<Level> {
        self.level
    }

    /// Takes the next line; `true` if it goes on with the record.
    pub(super) fn take(&mut self, line: &Line<'_>) -> bool {
        let bytes = line.body.len() + line.indent;
        let room = self.lines < MOST_LINES && self.bytes + bytes <= MOST_BYTES;
        let goes_on = self.lines > 0 && (self.partial || self.goes_on(line));
        if goes_on && room {
            self.lines += 1;
            self.bytes += bytes;
            self.advance(line);
        } else {
            // A trace that is longer than a record goes on in the next one.
            let trace = if goes_on { self.trace } else { line.trace };
            *self = Self {
                indent: if goes_on && trace != Trace::Plain { 0 } else { line.indent },
                lines: 1,
                bytes,
                trace,
                level: line.level,
                serious: line.headed && line.level >= Some(Level::Warn),
                open: false,
                partial: false,
            };
        }
        self.open = matches!(line.body.last(), Some(b'{' | b'[' | b'('));
        self.partial = line.partial;
        goes_on && room
    }

    fn goes_on(&self, line: &Line<'_>) -> bool {
        if line.headed {
            return line.adds;
        }
        let body = line.body;
        let known = self.trace != Trace::Plain;
        if body.is_empty() {
            return known;
        }
        if line.indent > self.indent {
            return known || self.lines < MOST_INDENTED;
        }
        let begins = |form: &str| body.starts_with(form.as_bytes());
        if body.iter().all(|c| b"}]);,".contains(c)) {
            return self.lines > 1 || self.open;
        }
        // An error was reported, its exception follows.
        if self.serious && self.trace == Trace::Plain {
            return is_exception(body) || opens(body) == Trace::Python || begins("Caused by: ");
        }
        match self.trace {
            // Go's server reports a panic in a line of its log, then dumps.
            Trace::Plain => begins("goroutine ") && body.ends_with(b":"),
            Trace::Frames => {
                begins("Caused by: ")
                    || begins("Suppressed: ")
                    || begins("at ")
                    || begins("... ")
                    || begins("Node.js v")
                    || begins("--- End of ")
                    || (self.open && begins("["))
            }
            Trace::Node => {
                self.lines == 1
                    || begins("^")
                    || begins("Uncaught ")
                    || is_exception(body)
                    || begins("throw ")
                    || begins("[")
            }
            Trace::Python | Trace::RustHead => true,
            Trace::PythonEnd => {
                begins("During handling of the above exception")
                    || begins("The above exception was the direct cause")
                    || begins("Traceback (most recent call last)")
            }
            Trace::Go => is_go(body),
            Trace::Rust => begins("note: ") || begins("stack backtrace:"),
        }
    }

    /// What the record is after a line that went on with it.
    fn advance(&mut self, line: &Line<'_>) {
        let outer = line.indent <= self.indent && !line.body.is_empty();
        self.trace = match self.trace {
            Trace::Plain => match opens(line.body) {
                Trace::Plain if line.body.starts_with(b"at ") => Trace::Frames,
                Trace::Plain if line.body.starts_with(b"goroutine ") => Trace::Go,
                opened => opened,
            },
            Trace::Python if outer => Trace::PythonEnd,
            Trace::PythonEnd if outer && line.body.starts_with(b"Traceback ") => Trace::Python,
            Trace::RustHead => Trace::Rust,
            Trace::Node if outer && is_exception(line.body) => Trace::Frames,
            same => same,
        };
    }
}

/// Lines of a dump of goroutines: their heads, their calls, what created them, the registers.
fn is_go(b: &[u8]) -> bool {
    let begins = |form: &str| b.starts_with(form.as_bytes());
    if begins("goroutine ")
        || begins("[signal ")
        || begins("created by ")
        || begins("exit status ")
        || begins("panic: ")
        || begins("runtime")
        || begins("main.")
        || begins("[originating ")
    {
        return true;
    }
    // `github.com/x/y.(*T).Call(0xc0000, {0x1, 0x2})`.
    let call = b.last() == Some(&b')')
        && b.iter()
            .position(|c| *c == b'(')
            .is_some_and(|open| open > 0 && !b.get(..open).unwrap_or_default().contains(&b' '));
    // `rax    0x0`.
    let register = b.len() < 32 && b.windows(3).any(|w| w == b" 0x");
    call || register
}
