//! What others put before a line while they carry it: container runtimes and Compose.
//!
//! The monitor never sees these, a file may. They are taken off before a line is read, so that
//! an indented line behind them is an indented line.

use std::borrow::Cow;

use crate::detect::reader::byte::{ALNUM, KEY, SPACE, skip};
use crate::detect::reader::shape::token_end;
use crate::detect::reader::{json, stamp};

/// The longest name that Compose puts before a line.
const LONGEST_NAME: usize = 64;

/// What stands before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wrap {
    /// Where the line itself begins.
    pub(super) end: usize,
    /// Where the carrier's timestamp begins.
    pub(super) stamp: Option<usize>,
    /// The line goes on in the next one: CRI's `P`.
    pub(super) partial: bool,
}

/// What stands before a line: Compose's `web-1  | `, then the timestamp of `docker logs -t` or
/// CRI's `2026-11-24T03:15:02.123456789Z stdout F `.
pub(super) fn prefix(b: &[u8]) -> Wrap {
    let mut wrap = Wrap { end: compose(b).unwrap_or(0), ..Wrap::default() };
    let at = wrap.end;
    if b.get(at + 10) != Some(&b'T') || !b.get(at).is_some_and(u8::is_ascii_digit) {
        return wrap;
    }
    let end = token_end(b, at);
    let Some(behind) = b.get(end + 1..) else { return wrap };
    if behind.starts_with(b"stdout ") || behind.starts_with(b"stderr ") {
        if matches!((behind.get(7), behind.get(8)), (Some(b'F' | b'P'), Some(b' ') | None)) {
            wrap.stamp = Some(at);
            wrap.partial = behind.get(7) == Some(&b'P');
            wrap.end = (end + 10).min(b.len());
        }
    } else if is_engine_time(b.get(at..end).unwrap_or_default())
        && stamp::at(b, at).is_some_and(|found| found.end == end)
    {
        wrap.stamp = Some(at);
        wrap.end = end + 1;
    }
    wrap
}

/// Docker writes nine digits behind the point, always; hardly anyone else does.
fn is_engine_time(token: &[u8]) -> bool {
    let Some(point) = token.get(19) else { return false };
    *point == b'.'
        && token.get(20..29).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        && matches!(token.get(29), Some(b'Z' | b'+' | b'-'))
}

/// `web-1  | `: a name with its number, or padded to a column.
fn compose(b: &[u8]) -> Option<usize> {
    // Spares the lines that begin with a timestamp or a bracket.
    if !b.first().is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let name = skip(b, 0, ALNUM | KEY);
    if name == 0 || name > LONGEST_NAME || b.get(name) != Some(&b' ') {
        return None;
    }
    let pad = skip(b, name, SPACE) - name;
    if b.get(name + pad) != Some(&b'|') || !matches!(b.get(name + pad + 1), None | Some(b' ')) {
        return None;
    }
    let token = b.get(..name)?;
    let digits = token.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let numbered = digits > 0
        && digits < name
        && token.get(name - digits - 1).is_some_and(|c| matches!(c, b'-' | b'_'));
    let lower = token.first().is_some_and(u8::is_ascii_lowercase);
    // `12:00:01 | …` and `INFO  | …` have headers of their own.
    (numbered || (lower && pad >= 2 && digits < name)).then(|| (name + pad + 2).min(b.len()))
}

/// The line that its program wrote, without what its carrier added: for files only. Knows
/// Docker's json-file, CRI, `docker logs -t` and Compose's prefix; any other text comes back as it
/// is. Apply it before a line is cleaned: what json-file has escaped may be anything.
pub fn unwrapped(text: &str) -> Cow<'_, str> {
    let b = text.as_bytes();
    if json::begins(b, 0)
        && let Some(said) = json::read(b, 0)
        && said.wrapped
        && let Some(raw) = said.message.and_then(|span| text.get(span))
    {
        let quoted = format!("\"{raw}\"");
        if let Ok(line) = serde_json::from_str::<String>(&quoted) {
            let end = line.trim_end_matches(['\n', '\r']).len();
            return Cow::Owned(line.get(..end).unwrap_or_default().to_owned());
        }
    }
    Cow::Borrowed(text.get(prefix(b).end..).unwrap_or(text))
}
