//! Times of day and zones, and the numbers that they are made of.

use crate::detect::reader::byte::{DIGIT, UPPER, skip};
use crate::detect::reader::moment::Parts;

/// The number at `p` of at most `most` digits, and where it ends.
#[inline]
pub(super) fn number(b: &[u8], p: usize, most: usize) -> Option<(u32, usize)> {
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
#[inline]
pub(super) fn digits(b: &[u8], p: usize) -> usize {
    skip(b, p, DIGIT) - p
}

#[inline]
pub(super) fn is(b: &[u8], p: usize, what: u8) -> bool {
    b.get(p) == Some(&what)
}

/// `3:15:02`, with a fraction behind `.`, `,` or `:`; `03.15.02` if `dotted`.
pub(super) fn clock(b: &[u8], p: usize, parts: &mut Parts, dotted: bool) -> Option<usize> {
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
    (parts.hour, parts.minute, parts.second) = (hour, minute, second);
    parts.is_timed().then(|| behind_seconds(b, at, parts))
}

/// Behind the fraction of a second, if there is one.
#[inline]
pub(super) fn behind_seconds(b: &[u8], at: usize, parts: &mut Parts) -> usize {
    let mark = b.get(at).copied();
    if !(matches!(mark, Some(b'.' | b',')) || (mark == Some(b':') && digits(b, at + 1) <= 3)) {
        return at;
    }
    let Some((nanos, end)) = fraction(b, at + 1) else { return at };
    parts.nanos = nanos;
    end
}

/// The nanoseconds that the digits behind a point mean; digits beyond the ninth are dropped.
pub(super) fn fraction(b: &[u8], p: usize) -> Option<(u32, usize)> {
    const TENS: [u32; 10] =
        [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1];
    let (value, end) = number(b, p, 9)?;
    Some((value * TENS.get(end - p)?, skip(b, end, DIGIT)))
}

/// Behind the time: `Z`, `+00:00`, ` +0000`, ` UTC`, ` PM`.
#[inline]
pub(super) fn zone(b: &[u8], p: usize, parts: &mut Parts) -> usize {
    let at = p + usize::from(is(b, p, b' '));
    match b.get(at) {
        Some(b'Z' | b'z') if at == p => p + 1,
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
            let end = skip(b, at, UPPER);
            match b.get(at..end).unwrap_or_default() {
                half @ (b"AM" | b"PM") => {
                    parts.hour = parts.hour % 12 + if half == b"PM" { 12 } else { 0 };
                    end
                }
                b"UTC" | b"GMT" | b"CET" | b"CEST" | b"EET" | b"EEST" | b"WET" | b"BST"
                | b"IST" | b"MSK" | b"JST" | b"EST" | b"EDT" | b"CST" | b"CDT" | b"MST"
                | b"MDT" | b"PST" | b"PDT"
                    if at > p =>
                {
                    end
                }
                _ => p,
            }
        }
        _ => p,
    }
}
