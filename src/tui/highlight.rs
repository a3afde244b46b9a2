//! What stands out in a line of a log without anybody saying so: numbers with their units, ids,
//! addresses, paths, quoted text, keys, levels. One pass over the bytes, whatever they are.

use std::ops::Range;

use crate::tui::role::Role;

/// Marks at most so many pieces of a line: what is behind them is drawn as plain text.
const MOST: usize = 512;
/// Letters of the longest level word.
const LEVEL_LETTERS: usize = 8;
/// Hexadecimal digits from which on a word of them, letters and digits mixed, is an id.
const ID_DIGITS: usize = 7;

/// A piece of a line that stands out, in bytes, and what it is.
pub type Mark = (Range<usize>, Role);

/// What stands out in a text up to a byte: pieces in order, apart from one another, each at
/// characters. The last one may reach past `until`.
pub fn marks(text: &str, until: usize) -> Vec<Mark> {
    let bytes = text.as_bytes();
    let until = until.min(bytes.len());
    let mut found = Vec::new();
    let mut at = 0;
    while at < until && found.len() < MOST {
        let byte = bytes.get(at).copied().unwrap_or(b' ');
        if matches!(byte, b'"' | b'\'' | b'`') && opens(bytes, at) {
            if let Some(end) = quoted(bytes, at) {
                let key = bytes.get(end) == Some(&b':');
                found.push((at..end, if key { Role::LogKey } else { Role::LogQuoted }));
                at = end;
                continue;
            }
            at += 1;
        } else if !is_word(byte) {
            at += 1;
        } else {
            at = word(text, at, &mut found);
        }
    }
    found
}

/// Whether a quote at a place begins a quoted text: one within a word is an apostrophe.
fn opens(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|b| bytes.get(b));
    before.is_none_or(|b| !is_word(*b) || matches!(b, b'=' | b':' | b'/'))
}

/// Behind the end of a quoted text. One that never ends is none; the search for its end is
/// bounded, so that many open quotes cost no more than their line is long.
fn quoted(bytes: &[u8], at: usize) -> Option<usize> {
    const FAR: usize = 256;
    let quote = *bytes.get(at)?;
    let inner = bytes.get(at + 1..)?;
    let mut escaped = false;
    for (offset, byte) in inner.iter().take(FAR).enumerate() {
        if escaped {
            escaped = false;
        } else if *byte == b'\\' {
            escaped = true;
        } else if *byte == quote {
            return (offset > 0).then_some(at + offset + 2);
        }
    }
    None
}

/// What words are made of; `=` ends a key within one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(
            byte,
            b'_' | b'-'
                | b'.'
                | b'/'
                | b':'
                | b'%'
                | b'@'
                | b'+'
                | b'~'
                | b'#'
                | b'?'
                | b'&'
                | b'='
                | b'*'
        )
}

/// Marks what the word at a place is; behind its end comes back.
fn word(text: &str, at: usize, found: &mut Vec<Mark>) -> usize {
    let bytes = text.as_bytes();
    let length = bytes.get(at..).map_or(0, |rest| rest.iter().take_while(|b| is_word(**b)).count());
    let end = at + length.max(1);
    let Some(whole) = text.get(at..end) else { return end };
    if !is_url(whole)
        && let Some(equals) = whole.find('=')
        && equals > 0
        && whole.bytes().take(equals).all(is_key)
    {
        found.push((at..at + equals, Role::LogKey));
        return at + equals + 1;
    }
    // A sentence's own marks are no part of what it names.
    let trimmed = whole.trim_end_matches(['.', ':', '?', '=', '&', '-', '+']);
    let lead = trimmed.len() - trimmed.trim_start_matches(['=', ':', '+', '#', '&', '?']).len();
    let Some(core) = trimmed.get(lead..).filter(|c| !c.is_empty()) else { return end };
    if let Some(role) = kind(core) {
        found.push((at + lead..at + lead + core.len(), role));
    }
    end
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@')
}

fn is_url(word: &str) -> bool {
    word.find("://").is_some_and(|at| {
        at > 1 && word.bytes().take(at).all(|b| b.is_ascii_lowercase() || b == b'+')
    })
}

/// What a word is, if it is anything that stands out.
fn kind(word: &str) -> Option<Role> {
    let first = word.bytes().next()?;
    if word.len() <= LEVEL_LETTERS && first.is_ascii_uppercase() {
        return level(word).or_else(|| is_id(word).then_some(Role::LogId));
    }
    if is_url(word) {
        return Some(Role::LogPath);
    }
    if is_address(word) || is_id(word) {
        return Some(Role::LogId);
    }
    if is_number(word) {
        return Some(Role::LogNumber);
    }
    let path = matches!(first, b'/' | b'~' | b'.') && word.len() > 2 && word.contains('/');
    path.then_some(Role::LogPath)
}

/// Only words that are written as levels are: `error` in a sentence is a word.
fn level(word: &str) -> Option<Role> {
    match word {
        "ERROR" | "ERR" | "FATAL" | "CRITICAL" | "PANIC" | "SEVERE" | "EMERG" | "ALERT"
        | "CRIT" => Some(Role::LevelError),
        "WARN" | "WARNING" => Some(Role::LevelWarn),
        "INFO" | "NOTICE" => Some(Role::LevelInfo),
        "DEBUG" | "TRACE" => Some(Role::LevelDebug),
        _ => None,
    }
}

/// `10.0.0.4`, `10.0.0.4:5432`, `10.0.0.0/8`, `fe80::1`.
fn is_address(word: &str) -> bool {
    let host = word.split('/').next().unwrap_or(word);
    host.parse::<std::net::IpAddr>().is_ok_and(|_| host.contains(['.', ':']))
        || word.parse::<std::net::SocketAddr>().is_ok()
}

/// A hash, a UUID, a container's id: hexadecimal, letters and digits mixed.
fn is_id(word: &str) -> bool {
    let word = word.strip_prefix("sha256:").or_else(|| word.strip_prefix("0x")).unwrap_or(word);
    let (mut digits, mut letters, mut dashes) = (0, 0, 0);
    for byte in word.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'f' | b'A'..=b'F' => letters += 1,
            b'-' => dashes += 1,
            _ => return false,
        }
    }
    let uuid = word.len() == 36 && dashes == 4;
    uuid || (dashes == 0 && digits > 1 && letters > 0 && digits + letters >= ID_DIGITS)
}

/// Digits, perhaps with a sign, a point, colons of a clock, and a unit of a few letters.
fn is_number(word: &str) -> bool {
    let body = word.strip_prefix(['-', '+']).unwrap_or(word);
    let digits = body.trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, '%' | '/'));
    let unit = body.get(digits.len()..).unwrap_or_default();
    let first = digits.bytes().next().is_some_and(|b| b.is_ascii_digit());
    let last = digits.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    // `1m30s` and `2026-11-24T03:15:00Z` have letters between their digits.
    let inner = |b: u8| {
        b.is_ascii_digit()
            || matches!(b, b'.' | b':' | b'-' | b'/' | b'_')
            || matches!(b, b'h' | b'm' | b's' | b'd' | b'T' | b'e' | b'x')
    };
    first && last && digits.bytes().all(inner) && unit.chars().count() <= 6
}

/// Hands the parts of `text` within `part` on, in order and without a hole, each with what it is:
/// a mark's own role, or `base` between marks.
pub fn split(
    text: &str,
    part: Range<usize>,
    base: Role,
    marks: &[Mark],
    mut each: impl FnMut(Role, &str),
) {
    let mut from = part.start;
    let first = marks.partition_point(|(range, _)| range.end <= part.start);
    let inside = marks.iter().skip(first).take_while(|(range, _)| range.start < part.end);
    for (range, role) in inside {
        let (start, end) = (range.start.max(from), range.end.min(part.end));
        each(base, text.get(from..start).unwrap_or_default());
        each(*role, text.get(start..end).unwrap_or_default());
        from = end;
    }
    each(base, text.get(from..part.end).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(&str, Role)> {
        marks(text, text.len()).into_iter().map(|(r, role)| (&text[r], role)).collect()
    }

    #[test]
    fn what_stands_out_is_found() {
        use Role::{LevelError, LevelInfo, LogId, LogKey, LogNumber, LogPath, LogQuoted};
        let cases: &[(&str, &[(&str, Role)])] = &[
            ("GET /orders/11 took 12.5ms", &[("/orders/11", LogPath), ("12.5ms", LogNumber)]),
            (
                "ERROR allocation of 4194304 bytes failed.",
                &[("ERROR", LevelError), ("4194304", LogNumber)],
            ),
            ("an error is a word, DEADLINE too", &[]),
            (
                "user=\"a b\" n=-3 host=db-1",
                &[
                    ("user", LogKey),
                    ("\"a b\"", LogQuoted),
                    ("n", LogKey),
                    ("-3", LogNumber),
                    ("host", LogKey),
                ],
            ),
            ("dial 10.0.0.4:5432 and fe80::1", &[("10.0.0.4:5432", LogId), ("fe80::1", LogId)]),
            ("see https://a.example/x?y=1, please", &[("https://a.example/x?y=1", LogPath)]),
            (
                "id 5f0c1d2e9b and 123e4567-e89b-12d3-a456-426614174000",
                &[("5f0c1d2e9b", LogId), ("123e4567-e89b-12d3-a456-426614174000", LogId)],
            ),
            ("it doesn't end 'here", &[]),
            (
                "[INFO] 93% of 96MiB in 1m30s",
                &[
                    ("INFO", LevelInfo),
                    ("93%", LogNumber),
                    ("96MiB", LogNumber),
                    ("1m30s", LogNumber),
                ],
            ),
            (
                "{\"level\":\"warn\",\"n\":5}",
                &[
                    ("\"level\"", LogKey),
                    ("\"warn\"", LogQuoted),
                    ("\"n\"", LogKey),
                    ("5", LogNumber),
                ],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(&found(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_joined_are_the_line(
            text in "[ -~数é\u{301}🦀]{0,120}", from in 0_usize..60, length in 0_usize..120,
        ) {
            let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|a| text.is_char_boundary(*a)).unwrap_or(0);
            let part = boundary(from)..boundary(from + length).max(boundary(from));
            let marks = marks(&text, part.end);
            prop_assert!(marks.windows(2).all(|w| w[0].0.end <= w[1].0.start));
            prop_assert!(marks.iter().all(|(r, _)| r.start < r.end && text.get(r.clone()).is_some()));
            let mut joined = String::new();
            split(&text, part.clone(), Role::Text, &marks, |_, piece| joined.push_str(piece));
            prop_assert_eq!(&joined, &text[part]);
        }
    }

    #[test]
    fn the_marks_of_a_line_are_bounded() {
        assert_eq!(marks(&"1 ".repeat(10_000), usize::MAX).len(), MOST);
        assert_eq!(marks(&"1 ".repeat(100), 10).len(), 5);
    }
}
