//! The words that mean a level, and where in a token they stand.
//!
//! A word like "error" in the middle of a message is no level: `INFO 0 errors`, `err=nil` and
//! `GET /error 200` are ordinary lines. So nothing here looks through a text: the header walk
//! asks about one token at the place where levels stand.

use crate::detect::reader::byte::{ALPHA, UPPER, skip};
use crate::domain::log::Level;

/// The longest word that means a level.
const LONGEST: usize = 11;

/// What a word means, in any case; words of one letter and numbers included.
pub(super) fn named(word: &[u8]) -> Option<Level> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut lower = [0_u8; LONGEST];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"trace" | b"trc" | b"trce" | b"verbose" | b"vrb" | b"finest" | b"finer" | b"t" | b"v" => {
            Level::Trace
        }
        b"debug" | b"dbg" | b"dbug" | b"deb" | b"fine" | b"d" | b"d1" | b"d2" | b"d3" | b"d4"
        | b"d5" => Level::Debug,
        b"info" | b"inf" | b"i" | b"notice" | b"note" | b"log" | b"hint" | b"detail"
        | b"statement" | b"context" | b"query" | b"information" | b"config" | b"system"
        | b"informational" => Level::Info,
        b"warn" | b"warning" | b"wrn" | b"w" => Level::Warn,
        b"error" | b"err" | b"eror" | b"e" | b"severe" | b"fail" => Level::Error,
        b"fatal" | b"ftl" | b"critical" | b"crit" | b"crt" | b"panic" | b"emerg" | b"emergency"
        | b"alert" | b"f" | b"c" | b"dpanic" => Level::Fatal,
        _ => return None,
    })
}

/// What a number under a level key means: bunyan's and pino's tens, Python's, .NET's have names,
/// syslog's 0 to 7.
pub(super) fn numbered(number: &[u8]) -> Option<Level> {
    Some(match number {
        b"10" => Level::Trace,
        b"20" | b"7" => Level::Debug,
        b"30" | b"6" | b"5" => Level::Info,
        b"40" | b"4" => Level::Warn,
        b"50" | b"3" => Level::Error,
        b"60" | b"2" | b"1" | b"0" => Level::Fatal,
        _ => return None,
    })
}

/// What a value under a level key means: `error`, `E`, `50`, `syslog.err`.
pub(super) fn valued(value: &[u8]) -> Option<Level> {
    let word = value.trim_ascii();
    named(word).or_else(|| numbered(word)).or_else(|| {
        let tail = word.rsplit(|c| !c.is_ascii_alphabetic()).next()?;
        (tail.len() >= 3 && tail.len() < word.len()).then(|| named(tail)).flatten()
    })
}

/// Words that are a level only with a colon behind them: without it they are words like others.
fn needs_colon(word: &[u8]) -> bool {
    matches!(
        word,
        b"LOG"
            | b"HINT"
            | b"DETAIL"
            | b"STATEMENT"
            | b"CONTEXT"
            | b"QUERY"
            | b"CONFIG"
            | b"FINE"
            | b"FINER"
            | b"FINEST"
            | b"PANIC"
            | b"ALERT"
            | b"SYSTEM"
            | b"NOTE"
            | b"FAIL"
            | b"INFORMATION"
            | b"EMERGENCY"
    )
}

/// A level in upper case that begins at `p` and what closes it: `ERROR `, `WARN:`, `INFO|`,
/// `INFO/main`. Its end is behind a colon or bar that belongs to it. Alone at the end of a line
/// it is a word like others.
pub(super) fn upper(b: &[u8], p: usize) -> Option<(Level, usize)> {
    let rest = b.get(p..)?;
    let run = skip(b, p, UPPER) - p;
    if !(3..=LONGEST).contains(&run) {
        return None;
    }
    let word = rest.get(..run)?;
    let level = named(word)?;
    let end = p + run;
    match (rest.get(run)?, rest.get(run + 1)) {
        (b':' | b'|', _) => Some((level, end + 1)),
        _ if needs_colon(word) => None,
        (b' ' | b'\t' | b']' | b')' | b'/' | b'>', _) => Some((level, end)),
        (b',' | b'-', Some(b' ' | b'-')) => Some((level, end + 1)),
        _ => None,
    }
}

/// A level in any case that a delimiter makes one: `error: `, `info | `, `Info    CBS`.
pub(super) fn delimited(b: &[u8], p: usize) -> Option<(Level, usize)> {
    let rest = b.get(p..)?;
    let run = skip(b, p, ALPHA) - p;
    if !(3..=LONGEST).contains(&run) {
        return None;
    }
    let level = named(rest.get(..run)?)?;
    let end = p + run;
    let next = |at: usize| rest.get(run + at).copied();
    match next(0)? {
        b':' | b'|' => Some((level, end + 1)),
        b'\t' => Some((level, end)),
        b' ' if matches!(next(1), Some(b' ' | b'|' | b'-' | b'[' | b':')) => Some((level, end)),
        _ => None,
    }
}

/// The level that all of a bracketed text means: `warn`, `INFO `, `core:error`,
/// `ERROR/MainProcess`, `2`.
pub(super) fn bracketed(inner: &[u8]) -> Option<Level> {
    let inner = inner.trim_ascii();
    if inner.len() < 3 || inner.len() > 40 {
        return None;
    }
    let run = inner.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    if run == inner.len() {
        return named(inner);
    }
    match inner.get(run)? {
        b':' => {
            // Apache's module, then its level (perhaps with a number: `trace3`).
            let tail = inner.get(run + 1..)?.trim_ascii_end();
            let letters = tail.iter().take_while(|c| c.is_ascii_alphabetic()).count();
            (tail.len() <= letters + 1 && letters >= 3).then(|| named(tail.get(..letters)?))?
        }
        b'_' => {
            // `mpm_event:notice`.
            let at = inner.iter().rposition(|c| *c == b':')?;
            let tail = inner.get(at + 1..)?;
            (tail.len() >= 3).then(|| named(tail))?
        }
        b'/' if run >= 3 => named(inner.get(..run)?),
        _ => None,
    }
}

/// A level in upper case anywhere in what a bracketed timestamp is followed by:
/// `INFO  my_crate::module`, `: ERROR/MainProcess`.
pub(super) fn inside(inner: &[u8]) -> Option<Level> {
    inner
        .split(|c| !c.is_ascii_alphabetic())
        .take(6)
        .filter(|word| word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase))
        .find_map(named)
}
