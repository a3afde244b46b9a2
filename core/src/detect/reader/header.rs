//! The header walk: what stands before a message, element by element.
//!
//! A header is timestamps, a level, process and thread numbers, brackets, a host and a program, a
//! logger. They come in any order, so the walk knows no formats: it accepts what has the shape of
//! such an element, and commits to it once a timestamp or a level has made sure that this is a
//! header at all. Plain words end it. A writer names itself once: behind `app.db ERROR` a
//! `word:` is part of the message, behind `ERROR` it is the logger.

use crate::detect::reader::byte::{ALPHA, DIGIT, LOWER, POINT, Token, skip};
use crate::detect::reader::shape::{
    LONGEST_TOKEN, closing, is_place, is_program, run, spaces, token_end,
};
use crate::detect::reader::stamp::{Kind, Stamp};
use crate::detect::reader::walk::{MOST_ELEMENTS, Walk};
use crate::detect::reader::{byte, level, shape, stamp};
use crate::domain::log::Level;

/// Plain words that may stand between a timestamp and the level: a logger's name, a thread's.
const PLAIN_WORDS: usize = 2;

/// Digits of the longest number that may be a process or a thread.
const LONGEST_NUMBER: usize = 12;

/// Elements that may stand before the first timestamp or the level.
const MOST_UNSTAMPED: usize = 6;

/// What stands in brackets behind a timestamp and a level, if it is longer than this, names the
/// writer: `[2026-11-24T03:15:02Z INFO  my_crate::module]`.
const LEVEL_ALONE: usize = 12;

impl Walk<'_> {
    /// Accepts elements until the level is found, then what stands behind it.
    pub(super) fn before_level(&mut self) {
        if self.glog() {
            return;
        }
        for element in 0..MOST_ELEMENTS {
            self.advance();
            let c = self.byte(self.at);
            let go_on = match c {
                b'0'..=b'9' => self.stamp() || self.number() || self.word(),
                b'A'..=b'Z' => self.stamp() || self.level_word() || self.word(),
                b'a'..=b'z' => self.level_word() || self.word(),
                b'[' | b'(' | b'<' | b'{' => self.group(c),
                b'-' | b'|' | b':' => self.separator() || self.word(),
                0 | b'"' | b'\'' | b'}' => false,
                _ => self.word(),
            };
            if self.done {
                return;
            }
            if self.level.is_some() {
                self.behind_level();
                return;
            }
            // A header that has begun by now has a timestamp.
            if !go_on || self.access || (element >= MOST_UNSTAMPED && !self.stamped) {
                break;
            }
        }
        if self.stamped {
            self.named_behind_stamp();
        }
    }

    /// glog and klog: `E1124 03:15:02.123456       1 file.go:12] message`.
    fn glog(&mut self) -> bool {
        let level = match self.byte(self.at) {
            b'I' => Level::Info,
            b'W' => Level::Warn,
            b'E' => Level::Error,
            b'F' => Level::Fatal,
            _ => return false,
        };
        let begin = self.at + 1;
        let Some(found) = stamp::glog(self.b, begin) else { return false };
        let place = self.b.get(found.end..).unwrap_or_default();
        let Some(close) = place.iter().take(LONGEST_TOKEN).position(|c| *c == b']') else {
            return false;
        };
        (self.stamp, self.stamped) = (Some(begin), true);
        self.found_level(level, found.end + close + 1);
        true
    }

    /// A timestamp. Behind the first one only what is no plain word may stand before another;
    /// before the first one only one name, of the user, behind an address.
    fn stamp(&mut self) -> bool {
        if self.plain > usize::from(self.address && !self.stamped) {
            return false;
        }
        let Some(found) = stamp::at(self.b, self.at) else { return false };
        // A date alone, or a number that may be anything, needs company.
        if (found.kind == Kind::Date && !(self.adjacent || self.stamped))
            || (found.kind == Kind::Number
                && (self.byte(found.end) != b' ' || (!self.stamped && self.names == 0)))
        {
            return false;
        }
        self.stamp_found(&found, self.at);
        true
    }

    fn stamp_found(&mut self, found: &Stamp, begin: usize) {
        let date_only = found.kind == Kind::Date;
        if self.stamp.is_none() || (self.date_only && !date_only) {
            (self.stamp, self.date_only) = (Some(begin), date_only);
        }
        self.stamped = true;
        self.names = 0;
        let mut end = found.end;
        if matches!(self.byte(end), b',' | b';')
            || (self.byte(end) == b':' && self.byte(end + 1) == b' ')
        {
            end += 1;
        }
        self.commit(end);
        if found.kind == Kind::Bsd {
            self.host_and_program();
        } else if let Some(level) = self.redis_mark() {
            self.found_level(level, self.start + 2);
            self.names = 1;
        }
    }

    /// Redis writes a mark for the level: `1:M 24 Nov 2026 03:15:02.123 * Ready`.
    fn redis_mark(&self) -> Option<Level> {
        let level = match self.byte(self.start + 1) {
            b'.' | b'-' => Level::Debug,
            b'*' => Level::Info,
            b'#' => Level::Warn,
            _ => return None,
        };
        let process = self.b.iter().take_while(|c| c.is_ascii_digit()).count();
        let role = self.text(process, process + 3);
        (self.byte(self.start) == b' '
            && self.byte(self.start + 2) == b' '
            && process > 0
            && matches!(role, [b':', b'M' | b'S' | b'C' | b'X', b' ']))
        .then_some(level)
    }

    /// A number alone: a process, a thread, a flag.
    fn number(&mut self) -> bool {
        let end = skip(self.b, self.at, DIGIT);
        if end > self.at + LONGEST_NUMBER || !matches!(self.byte(end), b' ' | b'\t' | 0) {
            return false;
        }
        if self.stamped && self.adjacent {
            self.commit(end);
        }
        self.at = end;
        true
    }

    /// A level word where one may stand.
    fn level_word(&mut self) -> bool {
        if let Some((level, end)) = level::upper(self.b, self.at) {
            self.found_level(level, end);
            return true;
        }
        if !(self.stamped && self.adjacent) {
            return false;
        }
        if let Some((level, end)) = level::delimited(self.b, self.at) {
            self.found_level(level, end);
            return true;
        }
        self.letter()
    }

    /// One letter as a level (Android, MongoDB, etcd): told from a word by what follows.
    fn letter(&mut self) -> bool {
        let next = self.at + 1;
        if !matches!(self.byte(self.at), b'V' | b'D' | b'I' | b'W' | b'E' | b'F')
            || self.byte(next) != b' '
        {
            return false;
        }
        let begin = next + spaces(self.b, next);
        let end = token_end(self.b, begin);
        let token = self.b.get(begin..end).unwrap_or_default();
        let behind = end + spaces(self.b, end);
        let fits = token.contains(&b':')
            || matches!(token, b"|" | b"-")
            || (token.len() > 1 && token.iter().all(u8::is_ascii_uppercase))
            || (self.byte(behind) == b':' && behind > end);
        let Some(level) = level::named(&[self.byte(self.at)]).filter(|_| fits) else {
            return false;
        };
        self.found_level(level, next);
        // A tag of one plain word is surely the writer here, and the message follows.
        if token.ends_with(b":") && token.len() > 1 {
            self.commit(end);
            self.done = true;
        }
        true
    }

    /// Brackets: with a timestamp or a level inside, or an element of its own.
    fn group(&mut self, open: u8) -> bool {
        let Some(close) = closing(self.b, self.at) else { return false };
        let begin = self.at + 1 + spaces(self.b, self.at + 1);
        let inner = self.b.get(self.at + 1..close).unwrap_or_default();
        if open != b'{'
            && self.plain <= usize::from(self.address)
            && let Some(found) = stamp::at(self.b, begin)
            && found.end <= close
        {
            let rest = self.b.get(found.end..close).unwrap_or_default();
            let level = if rest.is_empty() { None } else { level::inside(rest) };
            let named = level.is_some() && rest.len() > LEVEL_ALONE;
            self.stamp_found(&found, begin);
            self.access = found.kind == Kind::Access;
            self.commit(close + 1);
            self.level = level;
            self.names = usize::from(named);
            return true;
        }
        if open != b'{'
            && let Some(level) = level::bracketed(inner)
        {
            self.found_level(level, close + 1);
            return true;
        }
        if shape::is_uptime(inner) {
            self.stamped = true;
            self.commit(close + 1);
            return true;
        }
        if open == b'<' || (open == b'{' && !self.stamped) {
            return false;
        }
        if self.stamped && self.adjacent && open != b'(' {
            if shape::is_labelled(inner) {
                return false;
            }
            self.commit(close + 1);
        }
        self.at = close + 1;
        true
    }

    /// A dash, a bar or a colon between elements.
    fn separator(&mut self) -> bool {
        let c = self.byte(self.at);
        let run = run(self.b, self.at);
        let end = self.at + run;
        // Bars also stand between elements without white space.
        if run > 2 || !(c == b'|' || matches!(self.byte(end), b' ' | b'\t')) {
            return false;
        }
        if self.stamped && self.adjacent {
            self.commit(end);
            if c == b'|' {
                self.barred();
            }
        }
        self.at = self.at.max(end);
        true
    }

    /// `|Step_LSC|30002312|`: fields between bars.
    fn barred(&mut self) {
        for _ in 0..5 {
            let end = token_end(self.b, self.at).min(self.at + LONGEST_TOKEN);
            let field = self.b.get(self.at..end).unwrap_or_default();
            let Some(bar) = field.iter().position(|c| *c == b'|') else { return };
            if let Some(level) = field.get(..bar).and_then(level::bracketed) {
                self.found_level(level, self.at + bar + 1);
                return;
            }
            self.commit(self.at + bar + 1);
            self.names = 1;
        }
    }

    /// Any other token: part of the header only if a timestamp or a level comes behind it.
    fn word(&mut self) -> bool {
        let Token { end, any } = byte::token(self.b, self.at);
        let token = self.b.get(self.at..end).unwrap_or_default();
        if token.len() > LONGEST_TOKEN || token.is_empty() {
            return false;
        }
        // `app.ERROR:`, `UTC:10.0.0.1(5432):user@db:[77]:LOG:`.
        if let Some(body) = token.strip_suffix(b":") {
            let run = body.iter().rev().take_while(|c| c.is_ascii_uppercase()).count();
            let (before, word) = body.split_at(body.len() - run);
            if run >= 3
                && before.last().is_some_and(|c| b".:|])".contains(c))
                && let Some(level) = level::named(word)
            {
                self.found_level(level, end);
                self.names = 1;
                return true;
            }
            if self.stamped && self.adjacent && (is_program(token) || is_place(body)) {
                self.commit(end);
                self.names = 1;
                return true;
            }
        }
        let letters = any & !ALPHA == 0;
        let plain = letters && (any & LOWER != 0 || token.len() == 1);
        if plain {
            self.plain += 1;
            let most = if self.stamped { PLAIN_WORDS } else { usize::from(self.address) };
            if self.plain > most {
                return false;
            }
        } else if !self.stamped && self.names == 0 {
            self.address = any & DIGIT != 0 && any & POINT != 0;
        }
        if token.len() > 1 && !token.ends_with(b",") {
            self.names += 1;
        }
        // A sentence: `Started, then …`, `loaded 3 rules.`
        if !self.stamped
            && matches!(token.last(), Some(b',' | b'.' | b';' | b'!'))
            && token.len() > 2
        {
            return false;
        }
        self.at = end;
        true
    }
}
