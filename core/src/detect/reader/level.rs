//! The words that mean a level, and where in a token they stand.
//!
//! A word like "error" in the middle of a message is no level: `INFO 0 errors`, `err=nil` and
//! `GET /error 200` are ordinary lines. So nothing here looks through a text: the header walk
//! asks about one token at the place where levels stand.

use crate::detect::reader::byte::{ALPHA, UPPER, skip};
use crate::domain::log::Level;

/// The longest word that means a level and that a number of 64 bits holds.
const LONGEST: usize = 8;

/// A word as one number, its letters in lower case: compared at once.
const fn key(word: &[u8]) -> u64 {
    let mut key = 0;
    let mut at = 0;
    while at < word.len() {
        key = key << 8 | (word[at] | 0x20) as u64;
        at += 1;
    }
    key
}

/// The words that mean a level, by their length, which begins at 1.
static WORDS: [&[(u64, Level)]; LONGEST] = [
    &[
        (key(b"t"), Level::Trace),
        (key(b"v"), Level::Trace),
        (key(b"d"), Level::Debug),
        (key(b"i"), Level::Info),
        (key(b"w"), Level::Warn),
        (key(b"e"), Level::Error),
        (key(b"f"), Level::Fatal),
        (key(b"c"), Level::Fatal),
    ],
    &[
        (key(b"d1"), Level::Debug),
        (key(b"d2"), Level::Debug),
        (key(b"d3"), Level::Debug),
        (key(b"d4"), Level::Debug),
        (key(b"d5"), Level::Debug),
    ],
    &[
        (key(b"trc"), Level::Trace),
        (key(b"vrb"), Level::Trace),
        (key(b"dbg"), Level::Debug),
        (key(b"deb"), Level::Debug),
        (key(b"inf"), Level::Info),
        (key(b"log"), Level::Info),
        (key(b"wrn"), Level::Warn),
        (key(b"err"), Level::Error),
        (key(b"ftl"), Level::Fatal),
        (key(b"crt"), Level::Fatal),
    ],
    &[
        (key(b"trce"), Level::Trace),
        (key(b"dbug"), Level::Debug),
        (key(b"fine"), Level::Debug),
        (key(b"info"), Level::Info),
        (key(b"note"), Level::Info),
        (key(b"hint"), Level::Info),
        (key(b"warn"), Level::Warn),
        (key(b"eror"), Level::Error),
        (key(b"fail"), Level::Error),
        (key(b"crit"), Level::Fatal),
    ],
    &[
        (key(b"trace"), Level::Trace),
        (key(b"finer"), Level::Trace),
        (key(b"debug"), Level::Debug),
        (key(b"query"), Level::Info),
        (key(b"error"), Level::Error),
        (key(b"fatal"), Level::Fatal),
        (key(b"panic"), Level::Fatal),
        (key(b"emerg"), Level::Fatal),
        (key(b"alert"), Level::Fatal),
    ],
    &[
        (key(b"finest"), Level::Trace),
        (key(b"notice"), Level::Info),
        (key(b"detail"), Level::Info),
        (key(b"config"), Level::Info),
        (key(b"system"), Level::Info),
        (key(b"severe"), Level::Error),
        (key(b"dpanic"), Level::Fatal),
    ],
    &[
        (key(b"verbose"), Level::Trace),
        (key(b"context"), Level::Info),
        (key(b"warning"), Level::Warn),
    ],
    &[(key(b"critical"), Level::Fatal)],
];

/// What a word means, in any case; words of one letter included.
pub(super) fn named(word: &[u8]) -> Option<Level> {
    let Some(known) = WORDS.get(word.len().wrapping_sub(1)) else {
        let long =
            word.eq_ignore_ascii_case(b"information") || word.eq_ignore_ascii_case(b"statement");
        return long.then_some(Level::Info);
    };
    let wanted = key(word);
    known.iter().find(|(word, _)| *word == wanted).map(|(_, level)| *level)
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
    if !(3..=LONGEST + 3).contains(&run) {
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
    if !(3..=LONGEST + 3).contains(&run) {
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
