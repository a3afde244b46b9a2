//! Classes of bytes, looked up in a table: the reader spends its time in runs of them.

/// Space and tab.
pub(super) const SPACE: u16 = 1;
/// `0` to `9`.
pub(super) const DIGIT: u16 = 2;
/// `a` to `z`.
pub(super) const LOWER: u16 = 4;
/// `A` to `Z`.
pub(super) const UPPER: u16 = 8;
/// `_ . - $ / @ : # < > \ [ ] ~ *`: what names of loggers have besides letters and digits.
pub(super) const MARK: u16 = 16;
/// `_ . - @ /`: what keys of pairs have besides letters and digits.
pub(super) const KEY: u16 = 32;
/// `. :`: what addresses have.
pub(super) const POINT: u16 = 64;
/// `"` and `\`: where a run of a string ends.
pub(super) const QUOTE: u16 = 128;
/// What no name has.
pub(super) const OTHER: u16 = 256;
/// Letters.
pub(super) const ALPHA: u16 = LOWER | UPPER;
/// Letters and digits.
pub(super) const ALNUM: u16 = ALPHA | DIGIT;

static CLASS: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut class = [0; 256];
    let mut c = 0_u8;
    loop {
        class[c as usize] = match c {
            b' ' | b'\t' => SPACE,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'.' => MARK | KEY | POINT,
            b':' => MARK | POINT,
            b'_' | b'-' | b'@' | b'/' => MARK | KEY,
            b'$' | b'#' | b'<' | b'>' | b'[' | b']' | b'~' | b'*' => MARK,
            b'\\' => MARK | QUOTE,
            b'"' => QUOTE | OTHER,
            _ => OTHER,
        };
        if c == u8::MAX {
            return class;
        }
        c += 1;
    }
}

/// The classes of a byte.
#[inline]
pub(super) fn class(c: u8) -> u16 {
    CLASS[c as usize]
}

/// Where the run of bytes of `classes` that begins at `p` ends.
#[inline]
pub(super) fn skip(b: &[u8], p: usize, classes: u16) -> usize {
    let mut at = p;
    while let Some(c) = b.get(at)
        && class(*c) & classes != 0
    {
        at += 1;
    }
    at
}

/// Where the first byte of `classes` stands from `p` on; the end if there is none.
#[inline]
pub(super) fn find(b: &[u8], p: usize, classes: u16) -> usize {
    let mut at = p;
    while let Some(c) = b.get(at)
        && class(*c) & classes == 0
    {
        at += 1;
    }
    at
}

/// A token: what stands between white space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Where it ends.
    pub(super) end: usize,
    /// The classes that any of its bytes has.
    pub(super) any: u16,
}

/// The token at `p`.
#[inline]
pub(super) fn token(b: &[u8], p: usize) -> Token {
    let rest = b.get(p..).unwrap_or_default();
    let mut any = 0;
    for (at, c) in rest.iter().enumerate() {
        let class = class(*c);
        if class & SPACE != 0 {
            return Token { end: p + at, any };
        }
        any |= class;
    }
    Token { end: p + rest.len(), any }
}
