//! Timestamps as writers put them before their lines: found without an expression, read while
//! they are found.
//!
//! One grammar for both uses: [`at`] says where a timestamp ends (the header walk needs no more),
//! and its [`Parts`] say which moment it is (`moment`, for replaying a file by its own clock).

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A timestamp in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    /// Where it ends, in bytes of the line.
    pub(super) end: usize,
    /// `Nov 24 03:15:02`: a host and a program follow (RFC 3164).
    pub(super) bsd: bool,
    /// `24/Nov/2026:03:15:02 +0000`: the time of an access line.
    pub(super) access: bool,
    /// A date without a time.
    pub(super) date_only: bool,
    number: bool,
    parts: Parts,
}

/// What a timestamp says. Zero means unsaid for `year`, `month` and `day`.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    /// Minutes east of UTC.
    offset: i32,
    /// Nanoseconds since 1970, for a number that counts from there.
    epoch: Option<i128>,
}

impl Stamp {
    /// A date and a time of day, not only one of them or a count of seconds.
    pub(super) fn is_full(&self) -> bool {
        !self.date_only && self.parts.month != 0
    }

    /// A whole number of seconds, which may be any number.
    pub(super) fn is_number(&self) -> bool {
        self.number
    }

    /// The moment. UTC where it names no zone (or one by a name: only `UTC`, `GMT` and `Z` are
    /// sure); without a year that of `now`, or the one before when it would lie more than a day
    /// ahead; without a date that of `now`.
    pub(super) fn moment(&self, now: Timestamp) -> Option<Timestamp> {
        let parts = &self.parts;
        if let Some(nanos) = parts.epoch {
            return Timestamp::from_nanosecond(nanos).ok();
        }
        let today = Offset::UTC.to_datetime(now);
        let (month, day) = if parts.month == 0 {
            (today.month(), today.day())
        } else {
            (i8::try_from(parts.month).ok()?, i8::try_from(parts.day).ok()?)
        };
        let of_year = |year: i16| -> Option<Timestamp> {
            let civil = DateTime::new(
                year,
                month,
                day,
                i8::try_from(parts.hour).ok()?,
                i8::try_from(parts.minute).ok()?,
                // A leap second is the one before it.
                i8::try_from(parts.second.min(59)).ok()?,
                i32::try_from(parts.nanos).ok()?,
            )
            .ok()?;
            let offset = Offset::from_seconds(parts.offset * 60).ok()?;
            offset.to_timestamp(civil).ok()
        };
        if parts.year != 0 {
            return of_year(i16::try_from(parts.year).ok()?);
        }
        let found = of_year(today.year());
        match found {
            Some(at) if at.duration_since(now) <= SignedDuration::from_hours(24) => found,
            _ => of_year(today.year() - 1).or(found),
        }
    }
}

/// The number at `p` of at most `most` digits, and where it ends.
fn number(b: &[u8], p: usize, most: usize) -> Option<(u32, usize)> {
    let mut value = 0_u32;
    let mut at = p;
    while at < p + most
        && let Some(c @ b'0'..=b'9') = b.get(at)
    {
        value = value * 10 + u32::from(c - b'0');
        at += 1;
    }
    (at > p).then_some((value, at))
}

/// How many digits stand at `p`.
fn digits(b: &[u8], p: usize) -> usize {
    b.get(p..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count()
}

fn is(b: &[u8], p: usize, what: u8) -> bool {
    b.get(p) == Some(&what)
}

/// The month that a name of three letters means.
fn month(b: &[u8], p: usize) -> Option<u32> {
    let name = b.get(p..p + 3)?;
    Some(match [name[0] & 0xdf, name[1] & 0xdf, name[2] & 0xdf] {
        [b'J', b'A', b'N'] => 1,
        [b'F', b'E', b'B'] => 2,
        [b'M', b'A', b'R'] => 3,
        [b'A', b'P', b'R'] => 4,
        [b'M', b'A', b'Y'] => 5,
        [b'J', b'U', b'N'] => 6,
        [b'J', b'U', b'L'] => 7,
        [b'A', b'U', b'G'] => 8,
        [b'S', b'E', b'P'] => 9,
        [b'O', b'C', b'T'] => 10,
        [b'N', b'O', b'V'] => 11,
        [b'D', b'E', b'C'] => 12,
        _ => return None,
    })
}

fn is_weekday(b: &[u8], p: usize) -> bool {
    b.get(p..p + 3).is_some_and(|name| {
        matches!(name, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
    })
}

/// The timestamp that begins at `p`, if one does.
pub(super) fn at(b: &[u8], p: usize) -> Option<Stamp> {
    let c = *b.get(p)?;
    let found = if c.is_ascii_digit() {
        numeric(b, p)?
    } else if c.is_ascii_uppercase() {
        named(b, p)?
    } else {
        return None;
    };
    // Something like `10.30.16.4` or `12:00:00abc` is no time.
    match b.get(found.end) {
        None => Some(found),
        Some(b' ' | b'\t' | b']' | b'|' | b')') => Some(found),
        Some(c) => (!found.date_only && b",:;>\"-[".contains(c)).then_some(found),
    }
}

fn numeric(b: &[u8], p: usize) -> Option<Stamp> {
    let run = digits(b, p);
    let end = p + run;
    let mut parts = Parts::default();
    match run {
        1 | 2 => short(b, p, end),
        4 if is(b, end, b' ') => {
            // glog: 1124 03:15:02.123456.
            (parts.month, parts.day) = (number(b, p, 2)?.0, number(b, p + 2, 2)?.0);
            let end = clock(b, end + 1, &mut parts, false)?;
            dated(&parts).then_some(Stamp { end, parts, ..Stamp::default() })
        }
        4 => {
            let separator = *b.get(end).filter(|c| matches!(c, b'-' | b'/' | b'.'))?;
            parts.year = number(b, p, 4)?.0;
            let (month, at) = number(b, end + 1, 2)?;
            if !is(b, at, separator) {
                return None;
            }
            let (day, at) = number(b, at + 1, 2)?;
            (parts.month, parts.day) = (month, day);
            if !(1970..2200).contains(&parts.year) || !dated(&parts) {
                return None;
            }
            Some(with_time(b, at, parts, separator == b'-'))
        }
        6 | 8 => {
            let year = run - 4;
            parts.year = number(b, p, year)?.0 + if year == 2 { 2000 } else { 0 };
            parts.month = number(b, p + year, 2)?.0;
            parts.day = number(b, p + year + 2, 2)?.0;
            if !(1970..2200).contains(&parts.year) || !dated(&parts) {
                return None;
            }
            let at = match b.get(end)? {
                b' ' => end + spaces(b, end),
                b'-' | b'T' | b'_' if run == 8 => end + 1,
                _ => return None,
            };
            let end = if digits(b, at) == 6 {
                packed_time(b, at, &mut parts)?
            } else {
                clock(b, at, &mut parts, false)?
            };
            Some(Stamp { end: zone(b, end, &mut parts), parts, ..Stamp::default() })
        }
        10 | 13 | 16 | 19 if is(b, p, b'1') => {
            let mut value = 0_i128;
            for c in b.get(p..end)? {
                value = value * 10 + i128::from(c - b'0');
            }
            let mut nanos = value * 10_i128.pow(u32::try_from(19 - run).ok()?);
            let mut end = end;
            let number = !is(b, end, b'.');
            if run == 10 && is(b, end, b'.') {
                let (fraction, after) = fraction(b, end + 1)?;
                nanos += i128::from(fraction);
                end = after;
            }
            parts.epoch = Some(nanos);
            Some(Stamp { end, number, parts, ..Stamp::default() })
        }
        14 => {
            parts.year = number(b, p, 4)?.0;
            parts.month = number(b, p + 4, 2)?.0;
            parts.day = number(b, p + 6, 2)?.0;
            if !(1970..2200).contains(&parts.year) || !dated(&parts) {
                return None;
            }
            let end = packed_time(b, p + 8, &mut parts)?;
            Some(Stamp { end: zone(b, end, &mut parts), parts, ..Stamp::default() })
        }
        _ => None,
    }
}

/// What begins with one or two digits: a time of day, or a date that does not begin with a long
/// year.
fn short(b: &[u8], p: usize, end: usize) -> Option<Stamp> {
    let mut parts = Parts::default();
    let separator = *b.get(end)?;
    if separator == b':' {
        let end = clock(b, p, &mut parts, false)?;
        return Some(Stamp { end: zone(b, end, &mut parts), parts, ..Stamp::default() });
    }
    let first = number(b, p, 2)?.0;
    if !matches!(separator, b'/' | b'-' | b'.' | b' ') {
        return None;
    }
    // 24/Nov/2026, 24-Nov-2026, 24 Nov 2026.
    if let Some(month) = month(b, end + 1) {
        let at = end + 4;
        if !is(b, at, separator) || digits(b, at + 1) != 4 {
            return None;
        }
        (parts.day, parts.month) = (first, month);
        parts.year = number(b, at + 1, 4)?.0;
        let at = at + 5;
        if !dated(&parts) {
            return None;
        }
        let access = separator == b'/' && is(b, at, b':');
        let stamp = with_time(b, at, parts, false);
        return (!stamp.date_only).then_some(Stamp { access, ..stamp });
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
        if !dated(&parts) {
            return None;
        }
        let stamp = with_time(b, at, parts, false);
        return (!stamp.date_only).then_some(stamp);
    }
    // 03-17 16:13:38.811, 10.30 16:49:06.
    (parts.month, parts.day) = (first, second);
    if !dated(&parts) || !matches!(b.get(at), Some(b' ' | b'T')) {
        return None;
    }
    let end = clock(b, at + 1, &mut parts, false)?;
    Some(Stamp { end: zone(b, end, &mut parts), parts, ..Stamp::default() })
}

/// What begins with the name of a month or a day of the week.
fn named(b: &[u8], p: usize) -> Option<Stamp> {
    let mut parts = Parts::default();
    let mut at = p;
    if is_weekday(b, at) {
        at += 3 + usize::from(is(b, at + 3, b','));
        at += spaces(b, at);
        if b.get(at)?.is_ascii_digit() {
            // Tue, 24 Nov 2026 03:15:02 GMT.
            return short(b, at, at + digits(b, at)).filter(|s| s.parts.year != 0);
        }
    }
    parts.month = month(b, at)?;
    let gap = spaces(b, at + 3);
    let (day, after) = number(b, at + 3 + gap, 2)?;
    parts.day = day;
    if gap == 0 || !dated(&parts) {
        return None;
    }
    at = after + usize::from(is(b, after, b','));
    at += spaces(b, at);
    let mut bsd = true;
    if digits(b, at) == 4 {
        let (year, after) = number(b, at, 4)?;
        parts.year = year;
        at = after + spaces(b, after);
        bsd = false;
    }
    let mut end = clock(b, at, &mut parts, false)?;
    end = zone(b, end, &mut parts);
    // Sun Dec 04 04:47:44 2005.
    let gap = spaces(b, end);
    if bsd && gap == 1 && digits(b, end + 1) == 4 && !is(b, end + 5, b'-') {
        let (year, after) = number(b, end + 1, 4)?;
        if (1970..2200).contains(&year) {
            (parts.year, end, bsd) = (year, after, false);
        }
    }
    Some(Stamp { end, bsd, parts, ..Stamp::default() })
}

fn dated(parts: &Parts) -> bool {
    (1..=12).contains(&parts.month) && (1..=31).contains(&parts.day)
}

fn spaces(b: &[u8], p: usize) -> usize {
    b.get(p..).unwrap_or_default().iter().take_while(|c| **c == b' ').count()
}

/// The time behind a date that ends at `at`, if there is one.
fn with_time(b: &[u8], at: usize, mut parts: Parts, dashed: bool) -> Stamp {
    let begin = match b.get(at) {
        Some(b'T' | b't' | b'_' | b'-' | b':') => at + 1,
        Some(b' ') => at + spaces(b, at),
        Some(b',') if is(b, at + 1, b' ') => at + 2,
        _ => return Stamp { end: at, date_only: true, parts, ..Stamp::default() },
    };
    let dotted = dashed && is(b, at, b'-');
    match clock(b, begin, &mut parts, dotted) {
        Some(end) => Stamp { end: zone(b, end, &mut parts), parts, ..Stamp::default() },
        None => Stamp { end: at, date_only: true, parts, ..Stamp::default() },
    }
}

/// `3:15:02`, with a fraction behind `.`, `,` or `:`; `03.15.02` if `dotted`.
fn clock(b: &[u8], p: usize, parts: &mut Parts, dotted: bool) -> Option<usize> {
    let separator = if dotted && is(b, p + 2, b'.') { b'.' } else { b':' };
    let (hour, at) = number(b, p, 2)?;
    if !is(b, at, separator) {
        return None;
    }
    let (minute, at) = number(b, at + 1, 2)?;
    if !is(b, at, separator) {
        return None;
    }
    let (second, at) = number(b, at + 1, 2)?;
    if hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    (parts.hour, parts.minute, parts.second) = (hour, minute, second);
    let mark = b.get(at).copied();
    if matches!(mark, Some(b'.' | b',')) || (mark == Some(b':') && digits(b, at + 1) <= 3) {
        if let Some((nanos, end)) = fraction(b, at + 1) {
            parts.nanos = nanos;
            return Some(end);
        }
    }
    Some(at)
}

/// `031502`.
fn packed_time(b: &[u8], p: usize, parts: &mut Parts) -> Option<usize> {
    parts.hour = number(b, p, 2)?.0;
    parts.minute = number(b, p + 2, 2)?.0;
    parts.second = number(b, p + 4, 2)?.0;
    (parts.hour < 24 && parts.minute < 60 && parts.second < 61).then_some(p + 6)
}

/// The nanoseconds that the digits behind a point mean; digits beyond the ninth are dropped.
fn fraction(b: &[u8], p: usize) -> Option<(u32, usize)> {
    let run = digits(b, p);
    let used = run.min(9);
    let (value, _) = number(b, p, used)?;
    Some((value * 10_u32.pow(u32::try_from(9 - used).ok()?), p + run))
}

/// Behind the time: `Z`, `+00:00`, ` +0000`, ` UTC`, ` PM`.
fn zone(b: &[u8], p: usize, parts: &mut Parts) -> usize {
    if matches!(b.get(p), Some(b'Z' | b'z')) {
        return p + 1;
    }
    let at = p + usize::from(is(b, p, b' '));
    match b.get(at) {
        Some(sign @ (b'+' | b'-')) => {
            let run = digits(b, at + 1);
            let long = run == 4 || (run == 2 && is(b, at + 3, b':') && digits(b, at + 4) == 2);
            // A dash and two digits may be anything; a plus is a zone.
            if !(long || (run == 2 && *sign == b'+' && at == p)) {
                return p;
            }
            let hours = number(b, at + 1, 2).map_or(0, |n| n.0);
            let begin = if is(b, at + 3, b':') { at + 4 } else { at + 3 };
            let minutes = if long { number(b, begin, 2).map_or(0, |n| n.0) } else { 0 };
            let east = i32::try_from(hours * 60 + minutes).unwrap_or(0);
            parts.offset = if *sign == b'-' { -east } else { east };
            if long { begin + 2 } else { at + 3 }
        }
        Some(b'A'..=b'Z') => {
            let name = b.get(at..).unwrap_or_default();
            let run = name.iter().take_while(|c| c.is_ascii_uppercase()).count();
            match name.get(..run).unwrap_or_default() {
                half @ (b"AM" | b"PM") => {
                    parts.hour = parts.hour % 12 + if half == b"PM" { 12 } else { 0 };
                    at + 2
                }
                b"UTC" | b"GMT" | b"CET" | b"CEST" | b"EET" | b"EEST" | b"WET" | b"BST"
                | b"IST" | b"MSK" | b"JST" | b"EST" | b"EDT" | b"CST" | b"CDT" | b"MST"
                | b"MDT" | b"PST" | b"PDT"
                    if at > p =>
                {
                    at + run
                }
                _ => p,
            }
        }
        _ => p,
    }
}
