//! What runtimes print when they give up, without any header: the only lines whose level is read
//! from their words, because every one of these forms begins the line and has one meaning.

use crate::detect::reader::level;
use crate::domain::log::Level;

/// What kind of record a line opens, as far as that tells which lines go on with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trace {
    /// Indented lines only.
    #[default]
    Plain,
    /// Frames that begin with `at`: Java, Node, .NET.
    Frames,
    /// The place that Node prints before an uncaught error: code, a mark, then the error.
    Node,
    /// Python's frames: indented, until the exception.
    Python,
    /// Python's exception was there; another traceback may be chained to it.
    PythonEnd,
    /// Goroutines.
    Go,
    /// Rust's panic whose message is the next line.
    RustHead,
    /// Rust's note and backtrace.
    Rust,
}

/// The longest name of an exception with its packages.
const LONGEST_NAME: usize = 160;

/// `java.lang.IllegalStateException: boom`, `ValueError: bad`, `TypeError [ERR_X]: …`, alone or
/// with a text behind the colon.
pub(super) fn is_exception(b: &[u8]) -> bool {
    if !b.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_') {
        return false;
    }
    let run = b
        .iter()
        .take(LONGEST_NAME)
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'$' | b'/'))
        .count();
    let (name, rest) = b.split_at(run);
    let named =
        name.ends_with(b"Error") || name.ends_with(b"Exception") || name.ends_with(b"Throwable");
    named
        && match rest.first() {
            // A word alone ends a sentence as well; with its package it is an exception.
            None => name.contains(&b'.'),
            Some(b':') => matches!(rest.get(1), None | Some(b' ')),
            // Node's codes: `TypeError [ERR_INVALID_ARG_TYPE]: …`.
            Some(b' ') => rest.starts_with(b" [") && rest.windows(2).any(|w| w == b"]:"),
            Some(_) => false,
        }
}

/// `/app/index.js:10`, `node:internal/process/promises:288`: nothing but a place.
fn is_node_place(b: &[u8]) -> bool {
    if !(b.starts_with(b"/") || b.starts_with(b"node:") || b.starts_with(b"file:///")) {
        return false;
    }
    let digits = b.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let Some(path) = b.get(..b.len() - digits).and_then(|rest| rest.strip_suffix(b":")) else {
        return false;
    };
    digits > 0
        && !path.contains(&b' ')
        && (b.starts_with(b"node:")
            || [&b".js"[..], b".cjs", b".mjs", b".ts"].iter().any(|end| path.ends_with(end)))
}

/// `thread 'main' panicked at`, `thread 'main' (77) panicked at`.
fn is_rust_panic(b: &[u8]) -> bool {
    b.strip_prefix(b"thread '").is_some_and(|rest| {
        rest.iter().take(LONGEST_NAME).position(|c| *c == b'\'').is_some_and(|quote| {
            let behind = rest.get(quote..).unwrap_or_default();
            let behind = behind.get(..behind.len().min(48)).unwrap_or_default();
            behind.windows(13).any(|w| w == b" panicked at ") || behind.ends_with(b" panicked at")
        })
    })
}

/// What a text opens that is known to open a record of several lines.
pub(super) fn opens(b: &[u8]) -> Trace {
    match b.first() {
        Some(b'T') if b.starts_with(b"Traceback (most recent call last)") => Trace::Python,
        Some(b'p') if b.starts_with(b"panic: ") => Trace::Go,
        Some(b'f') if b.starts_with(b"fatal error: ") => Trace::Go,
        Some(b'S') if b.starts_with(b"SIG") && b.contains(&b':') => Trace::Go,
        Some(b't') if is_rust_panic(b) => {
            if b.ends_with(b":") {
                Trace::RustHead
            } else {
                Trace::Rust
            }
        }
        Some(b'/' | b'n' | b'f') if is_node_place(b) => Trace::Node,
        Some(b'E') if b.starts_with(b"Exception in thread ") => Trace::Frames,
        Some(b'U')
            if b.starts_with(b"Unhandled exception")
                || b.starts_with(b"Unhandled Exception")
                || b.starts_with(b"Uncaught ") =>
        {
            Trace::Frames
        }
        Some(b'C') if b.starts_with(b"Caused by: ") => Trace::Frames,
        _ if is_exception(b) => Trace::Frames,
        _ => Trace::Plain,
    }
}

/// The level of a line without a header that opens `trace`.
pub(super) fn level_of(b: &[u8], trace: Trace) -> Option<Level> {
    match trace {
        Trace::Go => return Some(Level::Fatal),
        Trace::Plain => {}
        _ => return Some(Level::Error),
    }
    let begins = |form: &str| b.starts_with(form.as_bytes());
    match b.first()? {
        b'S' if begins("Segmentation fault") => Some(Level::Error),
        b'A' if begins("Aborted (core dumped)") => Some(Level::Error),
        b't' if begins("terminate called ") => Some(Level::Error),
        b'F' if begins("Fatal Python error: ") => Some(Level::Fatal),
        b'*' if begins("** (") => Some(Level::Error),
        b'n' if begins("npm ERR! ") || begins("npm error ") => Some(Level::Error),
        b'n' if begins("npm WARN ") || begins("npm warn ") => Some(Level::Warn),
        b'P' if begins("PHP ") => php(b),
        b'(' if begins("(node:") => {
            let text = b.get(..b.len().min(80))?;
            if text.windows(25).any(|w| w == b"UnhandledPromiseRejection") {
                return Some(Level::Error);
            }
            text.windows(8).any(|w| w == b"Warning:").then_some(Level::Warn)
        }
        _ => leading(b),
    }
}

/// `PHP Fatal error:  …`, `PHP Warning:  …`, `PHP Notice:  …`.
pub(super) fn php(b: &[u8]) -> Option<Level> {
    let b = b.strip_prefix(b"PHP ")?;
    let colon = b.iter().take(24).position(|c| *c == b':')?;
    match b.get(..colon)? {
        b"Fatal error"
        | b"Parse error"
        | b"Core error"
        | b"Compile error"
        | b"Recoverable fatal error" => Some(Level::Error),
        b"Warning" | b"Core Warning" => Some(Level::Warn),
        b"Notice" | b"Deprecated" => Some(Level::Info),
        _ => None,
    }
}

/// A text that begins with the level in any case and a colon: `error: cannot open …`,
/// `error[E0308]: …`, `fail: Category[0]`.
pub(super) fn leading(b: &[u8]) -> Option<Level> {
    let run = b.iter().take(10).take_while(|c| c.is_ascii_alphabetic()).count();
    if run < 4 {
        return None;
    }
    let (word, mut rest) = b.split_at(run);
    if rest.first() == Some(&b'[') {
        let close = rest.iter().take(20).position(|c| *c == b']')?;
        rest = rest.get(close + 1..)?;
    }
    if rest.first() != Some(&b':') || !matches!(rest.get(1), None | Some(b' ' | b'\t')) {
        return None;
    }
    let usual = [
        &b"trace"[..],
        b"trce",
        b"debug",
        b"dbug",
        b"info",
        b"notice",
        b"warn",
        b"warning",
        b"error",
        b"fail",
        b"fatal",
        b"critical",
        b"crit",
        b"severe",
        b"panic",
        b"emerg",
    ];
    usual.iter().any(|known| word.eq_ignore_ascii_case(known)).then(|| level::named(word)).flatten()
}
