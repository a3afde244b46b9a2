//! A line as tokens: what is constant, what is a value, and one hash for the whole.

use crate::detect::miner::class;
use crate::detect::miner::extent::{colons_end, is_apostrophe, sentence_end, url_end, word_end};
use crate::detect::miner::hash;
use crate::detect::miner::mask;
use crate::detect::miner::shape;
use crate::detect::miner::shape::Shape;

/// Bytes of a line that are read. What comes after them does not count.
pub const LINE_BYTES: usize = 4096;
/// Tokens of a line that are read.
pub const LINE_TOKENS: usize = 128;
/// How a value is shown in a template.
pub const WILD: &str = "<*>";
/// The hash of any value.
pub const WILD_WORD: u32 = 0x5bd1_e995;
/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mark such as `=`.
    Mark,
    /// A constant word.
    Word,
    /// A word whose digits do not count.
    Part,
    /// A value.
    Value,
    /// A value that is a path or an URL.
    Path,
    /// A value that is one number.
    Number,
}

/// One token of a line.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Its hash; [`WILD_WORD`] for values.
    pub word: u32,
    /// Where it begins in the line, in bytes.
    pub start: u16,
    /// Where it ends.
    pub end: u16,
    /// What it is.
    pub kind: Kind,
    /// White space comes before it.
    pub spaced: bool,
}

impl Token {
    /// It is a value, by its shape.
    pub fn is_wild(&self) -> bool {
        matches!(self.kind, Kind::Value | Kind::Path | Kind::Number)
    }

    /// Its bytes in `line`.
    pub fn of<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// The tokens of one line, at most [`LINE_TOKENS`]. Kept and used again for the next.
#[derive(Debug)]
pub struct Tokens {
    tokens: Vec<Token>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { tokens: Vec::with_capacity(LINE_TOKENS + 2) }
    }
}

impl Tokens {
    /// The tokens.
    pub fn as_slice(&self) -> &[Token] {
        &self.tokens
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.tokens.capacity() * size_of::<Token>()
    }

    /// The hash of the line.
    pub fn key(&self) -> u64 {
        let mut key = self.tokens.len() as u64;
        for (position, token) in self.tokens.iter().enumerate() {
            key = key.wrapping_add(hash::of_place(token.word, position));
        }
        key
    }

    /// Reads a line.
    pub fn read(&mut self, line: &str) {
        self.tokens.clear();
        let line = line.as_bytes();
        let line = line.get(..LINE_BYTES).unwrap_or(line);
        let mut at = 0;
        let mut spaced = false;
        while at < line.len() && self.tokens.len() < LINE_TOKENS {
            let byte = line[at];
            let class = class::of(byte);
            if class & class::SPACE != 0 {
                spaced = true;
                at += 1;
                continue;
            }
            if class & class::SPLIT != 0 {
                self.mark(line, at, spaced);
                at += 1;
            } else {
                at = self.word(line, at, spaced);
            }
            spaced = false;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a line has at most LINE_BYTES")]
    fn push(&mut self, word: u32, start: usize, end: usize, kind: Kind, spaced: bool) {
        self.tokens.push(Token { word, start: start as u16, end: end as u16, kind, spaced });
    }

    fn mark(&mut self, line: &[u8], at: usize, spaced: bool) {
        let byte = line[at];
        if byte == b')' && self.closes() {
            return;
        }
        self.push(mark_word(byte), at, at + 1, Kind::Mark, spaced);
    }

    /// `VAR (VAR)` is one value, and so is an empty pair of brackets behind a value.
    fn closes(&mut self) -> bool {
        match self.tokens.as_slice() {
            [.., value, open, inner]
                if value.is_wild() && open.word == mark_word(b'(') && inner.is_wild() =>
            {
                self.tokens.truncate(self.tokens.len() - 2);
            }
            [.., value, open] if value.is_wild() && open.word == mark_word(b'(') && open.spaced => {
                self.tokens.pop();
            }
            _ => return false,
        }
        true
    }

    /// Reads the word that begins at `start`; returns where it ends.
    #[inline]
    fn word(&mut self, line: &[u8], start: usize, spaced: bool) -> usize {
        let (mut end, mut flags) = word_end(line, start);
        while line.get(end) == Some(&b'\'') && end > start && is_apostrophe(line, end) {
            let (further, more) = word_end(line, end + 1);
            end = further;
            flags |= more;
        }
        if line.get(end) == Some(&b':')
            && let Some(stop) = self.behind_colon(line, start, end, flags, spaced)
        {
            return stop;
        }
        let mut stop = end;
        if flags & (class::INNER | class::POINT | class::SLASH) != 0 {
            // A path keeps its query: it goes on behind the equals sign.
            if line[start] == b'/'
                && line.get(end) == Some(&b'=')
                && line[start..end].contains(&b'?')
            {
                let stop = url_end(line, end);
                self.value(line, start, stop, Kind::Path, spaced);
                return stop;
            }
            stop = sentence_end(line, start, end);
        }
        let word = &line[start..stop];
        let mut masked = [0; mask::BYTES];
        match shape::of(word, flags, &mut masked) {
            Shape::Word => self.constant(word, start, stop, spaced),
            Shape::Part(length) => {
                self.part(hash::of_word(&masked[..length]), start, stop, spaced);
            }
            Shape::Value => self.value(line, start, stop, Kind::Value, spaced),
            Shape::Path => self.value(line, start, stop, Kind::Path, spaced),
            Shape::Number => self.value(line, start, stop, Kind::Number, spaced),
        }
        if stop < end && self.tokens.len() < LINE_TOKENS {
            self.push(mark_word(line[stop]), stop, end, Kind::Mark, false);
        }
        end
    }

    /// An URL, a path with a drive, or an address with colons, if that is what it is.
    fn behind_colon(
        &mut self,
        line: &[u8],
        start: usize,
        end: usize,
        flags: u8,
        spaced: bool,
    ) -> Option<usize> {
        let (stop, kind) = match &line[end + 1..] {
            [b'/', b'/', host, ..] if flags & class::LETTER != 0 => {
                let bracket =
                    if *host == b'[' { line[end..].iter().position(|b| *b == b']') } else { None };
                (url_end(line, end + bracket.unwrap_or(1) + 1), Kind::Path)
            }
            [b'\\', ..] if end == start + 1 && flags & class::LETTER != 0 => {
                (url_end(line, end + 1), Kind::Path)
            }
            _ => (colons_end(line, start, end)?, Kind::Value),
        };
        self.value(line, start, stop, kind, spaced);
        Some(stop)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash are kept")]
    fn constant(&mut self, word: &[u8], start: usize, end: usize, spaced: bool) {
        if spaced
            && let Some(last) = self.tokens.last_mut()
            && last.is_wild()
            && ((last.kind == Kind::Number && is_unit(word)) || is_time_word(word))
        {
            last.end = end as u16;
            return;
        }
        let hash = hash::of_word(word) as u32;
        self.push(hash, start, end, Kind::Word, spaced);
    }

    /// A word with digits; a list of words that differ in nothing else becomes one.
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash are kept")]
    fn part(&mut self, hash: u64, start: usize, end: usize, spaced: bool) {
        let hash = hash as u32;
        match self.tokens.as_mut_slice() {
            [.., before] if before.word == hash && spaced => before.end = end as u16,
            [.., before, between] if before.word == hash && between.word == mark_word(b',') => {
                before.end = end as u16;
                self.tokens.pop();
            }
            _ => self.push(hash, start, end, Kind::Part, spaced),
        }
    }

    /// A value; lists and pairs of values become one.
    #[expect(clippy::cast_possible_truncation, reason = "a line has at most LINE_BYTES")]
    fn value(&mut self, line: &[u8], start: usize, end: usize, kind: Kind, spaced: bool) {
        match self.tokens.as_mut_slice() {
            [rest @ .., before] if before.is_wild() => {
                let third = rest.last().is_some_and(Token::is_wild);
                if spaced && is_list(line, before, kind, &line[start..end], third) {
                    before.end = end as u16;
                    before.kind = if kind == Kind::Path { Kind::Path } else { Kind::Value };
                    return;
                }
            }
            [rest @ .., before, between] if before.is_wild() && !between.spaced => {
                let third = matches!(rest, [.., first, comma]
                    if first.is_wild() && comma.word == mark_word(b','));
                let joins = match between.word {
                    COLON => !spaced,
                    COMMA => !spaced || is_list(line, before, kind, &line[start..end], third),
                    _ => false,
                };
                if joins {
                    before.end = end as u16;
                    before.kind = if before.kind == Kind::Path { Kind::Path } else { Kind::Value };
                    self.tokens.pop();
                    return;
                }
            }
            [.., before] if !spaced && kind == Kind::Number && before.word == mark_word(b'<') => {
                let space = before.spaced;
                self.tokens.pop();
                self.push(WILD_WORD, start, end, kind, space);
                return;
            }
            _ => {}
        }
        self.push(WILD_WORD, start, end, kind, spaced);
    }
}

const COLON: u32 = mark_word(b':');
const COMMA: u32 = mark_word(b',');

/// The hash of a mark.
const fn mark_word(byte: u8) -> u32 {
    0x0100 | byte as u32
}

/// Whether a value behind another one, with a space between, belongs to it: the parts of a date,
/// a list. Of two numbers each may say something of its own, as the status and the size of a
/// response do.
fn is_list(line: &[u8], before: &Token, kind: Kind, text: &[u8], third: bool) -> bool {
    match (before.kind, kind) {
        (Kind::Path, Kind::Path) | (Kind::Value, Kind::Value) => true,
        (Kind::Path, _) | (_, Kind::Path) => false,
        _ => third || is_time(text) || is_time(before.of(line)),
    }
}

/// Looks like a part of a date or a time of the day.
fn is_time(text: &[u8]) -> bool {
    match text {
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', ..] => true,
        [b'0'..=b'9', ..] => text.iter().any(|b| matches!(b, b':' | b'-')),
        _ => false,
    }
}

/// A unit that stands as a word of its own behind a number.
fn is_unit(word: &[u8]) -> bool {
    matches!(
        word,
        b"ms"
            | b"s"
            | b"sec"
            | b"secs"
            | b"second"
            | b"seconds"
            | b"msec"
            | b"msecs"
            | b"us"
            | b"usec"
            | b"ns"
            | b"nsec"
            | b"min"
            | b"mins"
            | b"minute"
            | b"minutes"
            | b"hour"
            | b"hours"
            | b"day"
            | b"days"
            | b"millis"
            | b"milliseconds"
            | b"microseconds"
            | b"byte"
            | b"bytes"
            | b"B"
            | b"KB"
            | b"kB"
            | b"MB"
            | b"GB"
            | b"TB"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TiB"
            | b"Bytes"
            | b"K"
            | b"M"
            | b"G"
            | b"MHz"
            | b"GHz"
            | b"%"
    )
}

/// A part of a time that stands behind other parts.
fn is_time_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"AM" | b"PM" | b"UTC" | b"GMT" | b"CET" | b"CEST" | b"EST" | b"EDT" | b"PST" | b"PDT"
    )
}
