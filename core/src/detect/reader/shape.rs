//! The shapes of tokens: what may be a program, a logger, a place in the source.

use crate::detect::reader::byte::{LOWER, SPACE, find, skip};

/// The longest token of a header: logger names with their packages.
pub(super) const LONGEST_TOKEN: usize = 96;
/// The longest bracketed element.
const LONGEST_GROUP: usize = 256;

/// White space at `p`.
#[inline]
pub(super) fn spaces(b: &[u8], p: usize) -> usize {
    skip(b, p, SPACE) - p
}

/// How wide the white space at `p` is; a tab is as good as a column.
pub(super) fn width(b: &[u8], p: usize) -> usize {
    let rest = b.get(p..).unwrap_or_default();
    rest.iter()
        .map_while(|c| match c {
            b' ' => Some(1),
            b'\t' => Some(4),
            _ => None,
        })
        .sum()
}

/// Where the token at `p` ends: before white space.
#[inline]
pub(super) fn token_end(b: &[u8], p: usize) -> usize {
    find(b, p, SPACE)
}

/// How often the byte at `p` is repeated there.
pub(super) fn run(b: &[u8], p: usize) -> usize {
    let rest = b.get(p..).unwrap_or_default();
    rest.first().map_or(0, |c| rest.iter().take_while(|x| *x == c).count())
}

/// Where the bracket at `p` is closed, brackets of its kind inside it counted.
pub(super) fn closing(b: &[u8], p: usize) -> Option<usize> {
    let open = *b.get(p)?;
    let close = match open {
        b'[' => b']',
        b'(' => b')',
        b'{' => b'}',
        _ => b'>',
    };
    let group = b.get(p..b.len().min(p + LONGEST_GROUP))?;
    let mut depth = 0_usize;
    for (at, c) in group.iter().enumerate() {
        if *c == open {
            depth += 1;
        } else if *c == close {
            depth -= 1;
            if depth == 0 {
                return Some(p + at);
            }
        }
    }
    None
}

/// `[client 10.0.0.7]`, `[instance: 5f0c]`: a value with its name. The writer composed it; a
/// thread or a logger in brackets has no such form.
pub(super) fn is_labelled(inner: &[u8]) -> bool {
    let (name, rest) = inner.split_at(skip(inner, 0, LOWER));
    if matches!(name, b"" | b"pid" | b"tid" | b"thread" | b"worker" | b"process") {
        return false;
    }
    let value = rest.strip_prefix(b":").unwrap_or(rest);
    value.first() == Some(&b' ')
        && value.iter().any(u8::is_ascii_digit)
        && !value.get(1..).unwrap_or_default().contains(&b' ')
}

/// `app[77]:`, `sshd(pam_unix)[77]:`, `kernel:`, `1#1:`: a program that speaks.
pub(super) fn is_program(token: &[u8]) -> bool {
    token.ends_with(b"]:") && token.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

/// `main.go:45`, `app.py:12`.
pub(super) fn is_place(name: &[u8]) -> bool {
    let Some(colon) = name.iter().rposition(|c| *c == b':') else { return false };
    let (file, line) = name.split_at(colon);
    line.len() > 1
        && line.iter().skip(1).all(u8::is_ascii_digit)
        && file.contains(&b'.')
        && file.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_' || *c == b'/')
}

/// `   12.345678`: the kernel's seconds since it began.
pub(super) fn is_uptime(inner: &[u8]) -> bool {
    let inner = inner.trim_ascii();
    let Some(point) = inner.iter().position(|c| *c == b'.') else { return false };
    let (seconds, micros) = inner.split_at(point);
    !seconds.is_empty()
        && micros.len() == 7
        && seconds.iter().chain(micros.iter().skip(1)).all(u8::is_ascii_digit)
}
