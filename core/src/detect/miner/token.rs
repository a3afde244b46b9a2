//! A line as tokens: what is constant, what is a value, and one hash for the whole.

use crate::detect::miner::class;
use crate::detect::miner::hash;
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
/// Stands for a run of digits while a word is hashed. No word contains it: control characters
/// separate words.
const DIGITS: u8 = 1;
/// Longer words are cut before they are hashed with their digits masked.
const MASKED_BYTES: usize = 64;

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
        matches!(self.kind, Kind::Value | Kind::Number)
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
        if byte == b')' && self.closes(spaced) {
            return;
        }
        self.push(u32::from(byte) | 0x100, at, at + 1, Kind::Mark, spaced);
    }

    /// `VAR (VAR)` is one value, and so is an empty pair of brackets behind a value.
    fn closes(&mut self, _spaced: bool) -> bool {
        let is_open = |t: &Token| t.kind == Kind::Mark && t.word == (u32::from(b'(') | 0x100);
        match self.tokens.as_slice() {
            [.., value, open, inner] if value.is_wild() && is_open(open) && inner.is_wild() => {
                self.tokens.truncate(self.tokens.len() - 2);
                self.whole();
                true
            }
            [.., value, open] if value.is_wild() && is_open(open) && open.spaced => {
                self.tokens.pop();
                self.whole();
                true
            }
            _ => false,
        }
    }

    /// The last token is a value that is more than a number.
    fn whole(&mut self) {
        if let Some(last) = self.tokens.last_mut() {
            last.kind = Kind::Value;
        }
    }

    /// Reads the word that begins at `start`; returns where it ends.
    fn word(&mut self, line: &[u8], start: usize, spaced: bool) -> usize {
        let mut flags = 0;
        let mut end = start;
        while let Some(byte) = line.get(end) {
            let class = class::of(*byte);
            if class & class::END != 0 {
                let letter =
                    |at: usize| line.get(at).is_some_and(|b| class::of(*b) & class::LETTER != 0);
                // An apostrophe: don't, kernel's.
                if *byte == b'\'' && end > start && letter(end - 1) && letter(end + 1) {
                    end += 1;
                    continue;
                }
                break;
            }
            flags |= class;
            end += 1;
        }
        if line.get(end) == Some(&b':') {
            if line[end + 1..].starts_with(b"//") && flags & class::LETTER != 0 {
                let stop = url_end(line, end);
                self.value(start, stop, Kind::Value, spaced);
                return stop;
            }
            if let Some(stop) = colons_end(line, start, end) {
                self.value(start, stop, Kind::Value, spaced);
                return stop;
            }
        }
        // A path keeps its query, an equals sign or not.
        if flags & class::SLASH != 0 && line[start] == b'/' && line[start..end].contains(&b'?') {
            let stop = url_end(line, end);
            self.value(start, stop, Kind::Value, spaced);
            return stop;
        }
        let mut stop = end;
        if flags & class::INNER != 0 {
            while stop > start + 1 && matches!(line[stop - 1], b'.' | b'!' | b'?') {
                stop -= 1;
            }
            if !line[start..stop]
                .iter()
                .any(|b| class::of(*b) & (class::LETTER | class::DIGIT) != 0)
            {
                stop = end;
            }
        }
        let word = &line[start..stop];
        match shape::of(word, flags) {
            Shape::Value => self.value(start, stop, Kind::Value, spaced),
            Shape::Number => self.value(start, stop, Kind::Number, spaced),
            Shape::Word => self.constant(word, start, stop, spaced),
            Shape::Part => {
                self.part(word, start, stop, spaced);
            }
        }
        if stop < end && self.tokens.len() < LINE_TOKENS {
            self.push(u32::from(line[stop]) | 0x200, stop, end, Kind::Mark, false);
        }
        end
    }

    #[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash are kept")]
    fn constant(&mut self, word: &[u8], start: usize, end: usize, spaced: bool) {
        if let Some(last) = self.tokens.last_mut()
            && last.is_wild()
            && spaced
            && ((last.kind == Kind::Number && is_unit(word)) || is_time_word(word))
        {
            last.end = end as u16;
            return;
        }
        if is_calendar(word) {
            self.value(start, end, Kind::Value, spaced);
            return;
        }
        let hash = hash::of_word(word) as u32;
        self.push(hash, start, end, Kind::Word, spaced);
    }

    /// A word with digits; a list of words that differ in nothing else becomes one.
    #[expect(clippy::cast_possible_truncation, reason = "a line has at most LINE_BYTES")]
    fn part(&mut self, word: &[u8], start: usize, end: usize, spaced: bool) {
        let hash = masked_hash(word);
        let comma = |t: &Token| t.word == (u32::from(b',') | 0x100) && t.kind == Kind::Mark;
        match self.tokens.as_mut_slice() {
            [.., before] if before.word == hash && spaced => {
                before.end = end as u16;
            }
            [.., before, between] if before.word == hash && comma(between) => {
                before.end = end as u16;
                self.tokens.pop();
            }
            _ => self.push(hash, start, end, Kind::Part, spaced),
        }
    }

    /// A value; lists and pairs of values become one.
    #[expect(clippy::cast_possible_truncation, reason = "a line has at most LINE_BYTES")]
    fn value(&mut self, start: usize, end: usize, kind: Kind, spaced: bool) {
        let mark = |t: &Token, bytes: &[u8]| {
            t.kind == Kind::Mark && bytes.iter().any(|b| t.word == (u32::from(*b) | 0x100))
        };
        match self.tokens.as_mut_slice() {
            [.., before] if before.is_wild() && spaced => {
                before.end = end as u16;
                before.kind = Kind::Value;
                return;
            }
            [.., before, between]
                if before.is_wild()
                    && ((!spaced && !between.spaced && mark(between, b":,"))
                        || (mark(between, b",") && !between.spaced)) =>
            {
                before.end = end as u16;
                before.kind = Kind::Value;
                self.tokens.pop();
                return;
            }
            [.., before] if !spaced && mark(before, b"<") && kind == Kind::Number => {
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

/// Where an URL ends.
fn url_end(line: &[u8], from: usize) -> usize {
    let ends = |b: &u8| {
        class::of(*b) & class::SPACE != 0
            || matches!(
                b,
                b'"' | b'\'' | b'<' | b'>' | b'`' | b')' | b']' | b'}' | b',' | b';' | b'|'
            )
    };
    let end = line[from..].iter().position(ends).map_or(line.len(), |length| from + length);
    let closing = line[from..end].iter().rev().take_while(|b| matches!(b, b'.' | b':')).count();
    end - closing
}

/// Where an IPv6 or hardware address ends whose first group is `start..end`.
fn colons_end(line: &[u8], start: usize, end: usize) -> Option<usize> {
    let hex = |group: &[u8]| group.len() <= 4 && group.iter().all(u8::is_ascii_hexdigit);
    if !hex(&line[start..end]) {
        return None;
    }
    let stop = line[end..]
        .iter()
        .position(|b| !b.is_ascii_hexdigit() && *b != b':')
        .map_or(line.len(), |length| end + length);
    let text = &line[start..stop];
    let text = text.strip_suffix(b":").unwrap_or(text);
    let groups = text.split(|b| *b == b':');
    if groups.clone().all(hex) && groups.clone().count() >= 3 && text.iter().any(u8::is_ascii_digit)
    {
        Some(start + text.len())
    } else {
        None
    }
}

#[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash are kept")]
fn masked_hash(word: &[u8]) -> u32 {
    let mut masked = [0_u8; MASKED_BYTES];
    let mut length = 0;
    each_masked(word, |byte| {
        if let Some(slot) = masked.get_mut(length) {
            *slot = byte.unwrap_or(DIGITS);
            length += 1;
        }
    });
    hash::of_word(&masked[..length]) as u32
}

/// Tells the bytes of a word, `None` for a run of digits. Numbers that are joined by marks, and
/// a sign, belong to the run.
fn each_masked(word: &[u8], mut tell: impl FnMut(Option<u8>)) {
    let digit = |at: usize| word.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while let Some(byte) = word.get(at) {
        let joins = |at: usize| matches!(word.get(at), Some(b'.' | b'-' | b'_' | b'+'));
        let signed = *byte == b'-'
            && digit(at + 1)
            && (at == 0 || class::of(word[at - 1]) & (class::LETTER | class::DIGIT) == 0);
        if digit(at) || signed {
            at += 1;
            while digit(at) || (joins(at) && digit(at + 1)) {
                at += 1;
            }
            tell(None);
        } else {
            tell(Some(*byte));
            at += 1;
        }
    }
}

/// Appends a word with its digits masked.
pub fn write_masked(word: &[u8], into: &mut Vec<u8>) {
    each_masked(word, |byte| match byte {
        Some(byte) => into.push(byte),
        None => into.extend_from_slice(WILD.as_bytes()),
    });
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

/// A month or a day of the week, as dates have them.
fn is_calendar(word: &[u8]) -> bool {
    matches!(
        word,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
            | b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
    )
}
