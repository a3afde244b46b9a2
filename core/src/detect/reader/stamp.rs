//! Timestamps as writers put them before their lines: found without an expression, read while
//! they are found.
//!
//! One grammar for both uses: [`at`] says where a timestamp ends (the header walk needs no more),
//! [`read`] which moment it is (for replaying a file by its own clock).

use jiff::Timestamp;

use crate::detect::reader::clock::{behind_seconds, clock, digits, fraction, is, number, zone};
use crate::detect::reader::moment::Parts;
use crate::detect::reader::shape::spaces;

/// A timestamp in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    /// Where it ends, in bytes of the line.
    pub(super) end: usize,
    /// What it is, besides a date and a time of day.
    pub(super) kind: Kind,
}

/// What a timestamp is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// A date and a time of day.
    #[default]
    Full,
    /// `Nov 24 03:15:02`: a host and a program follow (RFC 3164).
    Bsd,
    /// `24/Nov/2026:03:15:02 +0000`: the time of an access line.
    Access,
    /// A date without a time.
    Date,
    /// A time without a date.
    Time,
    /// Seconds since 1970 with a fraction.
    Epoch,
    /// The same as a whole number, which may be any number.
    Number,
}

impl Stamp {
    fn new(end: usize, kind: Kind) -> Self {
        Self { end, kind }
    }

    /// A date and a time of day, not only one of them or a count of seconds.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.kind, Kind::Full | Kind::Bsd | Kind::Access)
    }
}

/// The timestamp that begins at `p`, if one does.
pub(super) fn at(b: &[u8], p: usize) -> Option<Stamp> {
    find(b, p, &mut Parts::default())
}

/// glog's timestamp, without separators in its date: `1124 03:15:02.123456`, or with the year.
pub(super) fn glog(b: &[u8], p: usize) -> Option<Stamp> {
    glog_parts(b, p, &mut Parts::default())
}

fn glog_parts(b: &[u8], p: usize, parts: &mut Parts) -> Option<Stamp> {
    if digits(b, p) == 8 {
        return find(b, p, parts).filter(Stamp::is_full);
    }
    (parts.month, parts.day) = (number(b, p, 2)?.0, number(b, p + 2, 2)?.0);
    if digits(b, p) != 4 || !is(b, p + 4, b' ') || !parts.is_dated() {
        return None;
    }
    Some(Stamp::new(clock(b, p + 5, parts, false)?, Kind::Full))
}

/// The moment of the timestamp that begins at `p`, if one does.
pub(super) fn read(b: &[u8], p: usize, now: Timestamp) -> Option<Timestamp> {
    let mut parts = Parts::default();
    find(b, p, &mut parts).or_else(|| glog_parts(b, p, &mut parts))?;
    parts.moment(now)
}

/// The month that a name of three letters means.
fn month(b: &[u8], p: usize) -> Option<u32> {
    let name: [u8; 3] = b.get(p..p + 3)?.try_into().ok()?;
    Some(match name.map(|c| c | 0x20) {
        [b'j', b'a', b'n'] => 1,
        [b'f', b'e', b'b'] => 2,
        [b'm', b'a', b'r'] => 3,
        [b'a', b'p', b'r'] => 4,
        [b'm', b'a', b'y'] => 5,
        [b'j', b'u', b'n'] => 6,
        [b'j', b'u', b'l'] => 7,
        [b'a', b'u', b'g'] => 8,
        [b's', b'e', b'p'] => 9,
        [b'o', b'c', b't'] => 10,
        [b'n', b'o', b'v'] => 11,
        [b'd', b'e', b'c'] => 12,
        _ => return None,
    })
}

fn is_weekday(b: &[u8], p: usize) -> bool {
    let Some([a, b, c]) = b.get(p..p + 3) else { return false };
    matches!(
        (a, b, c),
        (b'M', b'o', b'n')
            | (b'T', b'u', b'e')
            | (b'W', b'e', b'd')
            | (b'T', b'h', b'u')
            | (b'F', b'r', b'i')
            | (b'S', b'a', b't')
            | (b'S', b'u', b'n')
    )
}

fn find(b: &[u8], p: usize, parts: &mut Parts) -> Option<Stamp> {
    let c = *b.get(p)?;
    let found = if c.is_ascii_digit() {
        iso(b, p, parts).or_else(|| numeric(b, p, parts))?
    } else if matches!(c, b'J' | b'F' | b'M' | b'A' | b'S' | b'O' | b'N' | b'D' | b'T' | b'W') {
        named(b, p, parts)?
    } else {
        return None;
    };
    // Something like `10.30.16.4` or `12:00:00abc` is no time.
    match b.get(found.end) {
        None | Some(b' ' | b'\t' | b']' | b'|' | b')') => Some(found),
        Some(c) => (found.kind != Kind::Date && b",:;>\"-[".contains(c)).then_some(found),
    }
}

/// `2026-11-24T03:15:02`, which most lines begin with, without looking for its parts.
#[inline]
fn iso(b: &[u8], p: usize, parts: &mut Parts) -> Option<Stamp> {
    let s: &[u8; 19] = b.get(p..p + 19)?.try_into().ok()?;
    let frame = s[4] == s[7]
        && matches!(s[4], b'-' | b'/')
        && matches!(s[10], b'T' | b' ')
        && s[13] == b':'
        && s[16] == b':';
    let pair = |at: usize| -> u32 {
        let (tens, ones) = (s[at].wrapping_sub(b'0'), s[at + 1].wrapping_sub(b'0'));
        if tens > 9 || ones > 9 { 1000 } else { u32::from(tens * 10 + ones) }
    };
    if !frame {
        return None;
    }
    let (century, year) = (pair(0), pair(2));
    (parts.month, parts.day) = (pair(5), pair(8));
    (parts.hour, parts.minute, parts.second) = (pair(11), pair(14), pair(17));
    parts.year = century * 100 + year;
    if !(parts.is_dated() && parts.is_timed()) {
        return None;
    }
    let end = behind_seconds(b, p + 19, parts);
    Some(Stamp::new(zone(b, end, parts), Kind::Full))
}

fn numeric(b: &[u8], p: usize, parts: &mut Parts) -> Option<Stamp> {
    let run = digits(b, p);
    let end = p + run;
    // Most numbers before a message are processes and threads.
    if matches!(run, 3 | 5 | 7 | 9) || (run == 4 && is(b, end, b' ')) {
        return None;
    }
    *parts = Parts::default();
    match run {
        1 | 2 => short(b, p, end, parts),
        4 => {
            let separator = *b.get(end).filter(|c| matches!(c, b'-' | b'/' | b'.'))?;
            parts.year = number(b, p, 4)?.0;
            let (month, at) = number(b, end + 1, 2)?;
            if !is(b, at, separator) {
                return None;
            }
            let (day, at) = number(b, at + 1, 2)?;
            (parts.month, parts.day) = (month, day);
            parts.is_dated().then(|| with_time(b, at, parts, separator == b'-'))
        }
        6 | 8 | 14 => packed(b, p, run, parts),
        10 | 13 | 16 | 19 if is(b, p, b'1') => {
            let mut value = 0_i64;
            for c in b.get(p..end)? {
                value = value * 10 + i64::from(c - b'0');
            }
            let mut nanos = value * 10_i64.pow(u32::try_from(19 - run).ok()?);
            let (mut end, mut kind) = (end, Kind::Number);
            if run == 10 && is(b, end, b'.') {
                let (fraction, after) = fraction(b, end + 1)?;
                nanos += i64::from(fraction);
                (end, kind) = (after, Kind::Epoch);
            }
            parts.epoch = Some(nanos);
            Some(Stamp::new(end, kind))
        }
        _ => None,
    }
}

/// A date without separators: `261124 031502`, `20261124-03:15:02`, `20261124031502`.
fn packed(b: &[u8], p: usize, run: usize, parts: &mut Parts) -> Option<Stamp> {
    let year = if run == 6 { 2 } else { 4 };
    parts.year = number(b, p, year)?.0 + if year == 2 { 2000 } else { 0 };
    parts.month = number(b, p + year, 2)?.0;
    parts.day = number(b, p + year + 2, 2)?.0;
    if !parts.is_dated() {
        return None;
    }
    let end = p + run;
    let at = match b.get(end) {
        _ if run == 14 => p + 8,
        Some(b' ') => end + spaces(b, end),
        Some(b'-' | b'T' | b'_') if run == 8 => end + 1,
        _ => return None,
    };
    let end = if run == 14 || digits(b, at) == 6 {
        parts.hour = number(b, at, 2)?.0;
        parts.minute = number(b, at + 2, 2)?.0;
        parts.second = number(b, at + 4, 2)?.0;
        if !parts.is_timed() {
            return None;
        }
        at + 6
    } else {
        clock(b, at, parts, false)?
    };
    Some(Stamp::new(zone(b, end, parts), Kind::Full))
}

/// What begins with one or two digits: a time of day, or a date that does not begin with a long
/// year.
fn short(b: &[u8], p: usize, end: usize, parts: &mut Parts) -> Option<Stamp> {
    let separator = *b.get(end)?;
    if separator == b':' {
        let end = clock(b, p, parts, false)?;
        return Some(Stamp::new(zone(b, end, parts), Kind::Time));
    }
    if !matches!(separator, b'/' | b'-' | b'.' | b' ') {
        return None;
    }
    let first = number(b, p, 2)?.0;
    // 24/Nov/2026, 24-Nov-2026, 24 Nov 2026.
    if let Some(month) = month(b, end + 1) {
        let at = end + 4;
        if !is(b, at, separator) || digits(b, at + 1) != 4 {
            return None;
        }
        (parts.day, parts.month, parts.year) = (first, month, number(b, at + 1, 4)?.0);
        let at = at + 5;
        if !parts.is_dated() {
            return None;
        }
        let access = separator == b'/' && is(b, at, b':');
        let found = with_time(b, at, parts, false);
        let kind = if access { Kind::Access } else { Kind::Full };
        return (found.kind == Kind::Full).then_some(Stamp { kind, ..found });
    }
    if separator == b' ' {
        return None;
    }
    let (second, at) = number(b, end + 1, 2)?;
    if is(b, at, separator) && (2..=4).contains(&digits(b, at + 1)) {
        let long = digits(b, at + 1) == 4;
        let (third, at) = number(b, at + 1, 4)?;
        (parts.year, parts.month, parts.day) = if !long {
            // 17/06/09 20:10:40.
            (2000 + first, second, third)
        } else if separator == b'/' && first <= 12 {
            (third, first, second)
        } else {
            (third, second, first)
        };
        if !parts.is_dated() {
            return None;
        }
        return Some(with_time(b, at, parts, false)).filter(|found| found.kind == Kind::Full);
    }
    // 03-17 16:13:38.811, 10.30 16:49:06.
    (parts.month, parts.day) = (first, second);
    if !parts.is_dated() || !matches!(b.get(at), Some(b' ' | b'T')) {
        return None;
    }
    let end = clock(b, at + 1, parts, false)?;
    Some(Stamp::new(zone(b, end, parts), Kind::Full))
}

/// What begins with the name of a month or a day of the week.
fn named(b: &[u8], p: usize, parts: &mut Parts) -> Option<Stamp> {
    let mut at = p;
    if is_weekday(b, at) {
        at += 3 + usize::from(is(b, at + 3, b','));
        at += spaces(b, at);
        if b.get(at)?.is_ascii_digit() {
            // Tue, 24 Nov 2026 03:15:02 GMT.
            return short(b, at, at + digits(b, at), parts).filter(|_| parts.year != 0);
        }
    }
    parts.month = month(b, at)?;
    let gap = spaces(b, at + 3);
    let (day, after) = number(b, at + 3 + gap, 2)?;
    parts.day = day;
    if gap == 0 || !parts.is_dated() {
        return None;
    }
    at = after + usize::from(is(b, after, b','));
    at += spaces(b, at);
    let mut kind = Kind::Bsd;
    if digits(b, at) == 4 {
        let (year, after) = number(b, at, 4)?;
        (parts.year, kind) = (year, Kind::Full);
        at = after + spaces(b, after);
    }
    let end = clock(b, at, parts, false)?;
    let mut end = zone(b, end, parts);
    // Sun Dec 04 04:47:44 2005.
    if kind == Kind::Bsd && is(b, end, b' ') && digits(b, end + 1) == 4 && !is(b, end + 5, b'-') {
        let (year, after) = number(b, end + 1, 4)?;
        if (1970..2200).contains(&year) {
            (parts.year, end, kind) = (year, after, Kind::Full);
        }
    }
    Some(Stamp::new(end, kind))
}

/// The time behind a date that ends at `at`, if there is one.
fn with_time(b: &[u8], at: usize, parts: &mut Parts, dashed: bool) -> Stamp {
    let begin = match b.get(at) {
        Some(b'T' | b't' | b'_' | b'-' | b':') => at + 1,
        Some(b' ') => at + spaces(b, at),
        Some(b',') if is(b, at + 1, b' ') => at + 2,
        _ => return Stamp::new(at, Kind::Date),
    };
    let dotted = dashed && is(b, at, b'-');
    match clock(b, begin, parts, dotted) {
        Some(end) => Stamp::new(zone(b, end, parts), Kind::Full),
        None => Stamp::new(at, Kind::Date),
    }
}
