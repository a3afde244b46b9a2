//! `key=value` pairs: Go's logrus, go-kit and slog, Grafana and HashiCorp write them.

use std::ops::Range;

use crate::detect::reader::byte::{ALNUM, KEY, SPACE, find, skip};
use crate::detect::reader::json::string_end;
use crate::detect::reader::level;
use crate::detect::reader::shape::spaces;
use crate::domain::log::Level;

/// The longest key.
const LONGEST_KEY: usize = 64;

/// The pair that begins at `p`: its key, its value without quotes, and where it ends.
pub(super) fn pair(b: &[u8], p: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    if !b.get(p).is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, b'_' | b'@')) {
        return None;
    }
    let key = skip(b, p, ALNUM | KEY);
    if b.get(key) != Some(&b'=') || key - p > LONGEST_KEY {
        return None;
    }
    let begin = key + 1;
    if b.get(begin) == Some(&b'"') {
        let at = string_end(b, begin + 1);
        return Some((p..key, begin + 1..at, (at + 1).min(b.len())));
    }
    let end = find(b, begin, SPACE);
    Some((p..key, begin..end, end))
}

/// Whether pairs begin at `p`: two in a row, without commas between them.
pub(super) fn begins(b: &[u8], p: usize) -> bool {
    let Some((_, value, end)) = pair(b, p) else { return false };
    let gap = spaces(b, end);
    let listed = b.get(value).is_some_and(|value| value.ends_with(b",") || value.contains(&b'='));
    !listed && gap > 0 && pair(b, end + gap).is_some()
}

/// What the pairs from `p` on say: the level, and where the time stands.
pub(super) fn read(b: &[u8], p: usize) -> (Option<Level>, Option<Range<usize>>) {
    let (mut at, mut found, mut time) = (p, None, None);
    while at < b.len() {
        let Some((key, value, end)) = pair(b, at) else {
            // A word without a key: `component=x started`.
            let end = find(b, at, SPACE);
            at = end + spaces(b, end).max(1);
            continue;
        };
        match b.get(key).unwrap_or_default() {
            b"level" | b"lvl" | b"severity" | b"loglevel" | b"log.level" | b"log_level"
            | b"levelname" | b"@level" | b"LEVEL" | b"priority"
                if found.is_none() =>
            {
                found = level::valued(b.get(value).unwrap_or_default());
            }
            b"time" | b"ts" | b"t" | b"timestamp" | b"@timestamp" if time.is_none() => {
                time = Some(value);
            }
            _ => {}
        }
        if found.is_some() && time.is_some() {
            break;
        }
        at = end + spaces(b, end);
    }
    (found, time)
}
