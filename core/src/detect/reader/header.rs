//! The header walk: what stands before a message, element by element.
//!
//! A header is timestamps, a level, process and thread numbers, brackets, a host and a program, a
//! logger. They come in any order, so the walk knows no formats: it accepts what has the shape of
//! such an element, and commits to it once a timestamp or a level has made sure that this is a
//! header at all. Plain words end it. A writer names itself once: behind `app.db ERROR` a
//! `word:` is part of the message, behind `ERROR` it is the logger.

use crate::detect::reader::{level, stamp};
use crate::domain::log::Level;

/// What the walk found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// The level, if the header has one.
    pub(super) level: Option<Level>,
    /// Where the message begins.
    pub(super) start: usize,
    /// A timestamp or a level stands before the message.
    pub(super) headed: bool,
    /// The time of an access line stands right before the message.
    pub(super) access: bool,
}

/// Elements that a header may have; no known one has more than ten.
const MOST_ELEMENTS: usize = 14;
/// Plain words that may stand between a timestamp and the level: a logger's name, a thread's.
const PLAIN_WORDS: usize = 2;
/// The longest bracketed element.
const LONGEST_GROUP: usize = 160;
/// The longest token of a header: logger names with their packages.
const LONGEST_TOKEN: usize = 96;

struct Walk<'t> {
    b: &'t [u8],
    at: usize,
    /// Behind what is surely header.
    start: usize,
    level: Option<Level>,
    stamped: bool,
    access: bool,
    /// Plain words since `start`.
    plain: usize,
    /// Tokens since `start` that may name the writer.
    names: usize,
    /// The line begins with an address: a user name may follow.
    address: bool,
}

/// Walks the header that begins at `from`.
pub(super) fn walk(b: &[u8], from: usize) -> Head {
    let mut walk = Walk {
        b,
        at: from,
        start: from,
        level: None,
        stamped: false,
        access: false,
        plain: 0,
        names: 0,
        address: false,
    };
    walk.before_level();
    walk.start += spaces(b, walk.start);
    Head {
        level: walk.level,
        start: walk.start,
        headed: walk.stamped || walk.level.is_some(),
        access: walk.access,
    }
}

/// White space at `p`.
pub(super) fn spaces(b: &[u8], p: usize) -> usize {
    b.get(p..).unwrap_or_default().iter().take_while(|c| matches!(c, b' ' | b'\t')).count()
}

/// Where the token at `p` ends: before white space.
fn token_end(b: &[u8], p: usize) -> usize {
    let rest = b.get(p..).unwrap_or_default();
    p + rest.iter().position(|c| matches!(c, b' ' | b'\t')).unwrap_or(rest.len())
}

/// Where the bracket at `p` is closed, brackets of its kind inside it counted.
fn closing(b: &[u8], p: usize) -> Option<usize> {
    let open = *b.get(p)?;
    let close = match open {
        b'[' => b']',
        b'(' => b')',
        b'{' => b'}',
        _ => b'>',
    };
    let mut depth = 0_usize;
    for (at, c) in b.get(p..)?.iter().enumerate().take(LONGEST_GROUP) {
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
fn is_labelled(inner: &[u8]) -> bool {
    let run = inner.iter().take_while(|c| c.is_ascii_lowercase()).count();
    let (name, rest) = inner.split_at(run);
    if matches!(name, b"" | b"pid" | b"tid" | b"thread" | b"worker" | b"process") {
        return false;
    }
    let value = rest.strip_prefix(b":").unwrap_or(rest);
    value.first() == Some(&b' ')
        && value.iter().any(u8::is_ascii_digit)
        && !value.get(1..).unwrap_or_default().contains(&b' ')
}

/// `app[77]:`, `sshd(pam_unix)[77]:`, `kernel:`, `1#1:`: a program that speaks.
fn is_program(token: &[u8]) -> bool {
    token.ends_with(b"]:") && token.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

/// A token that may be the name of a logger with a colon behind it: no white space, and more
/// than a plain word in lower case, which begins a message as often (`spawned: 'app'`).
fn is_logger(name: &[u8]) -> bool {
    let Some(first) = name.first() else { return false };
    if !(first.is_ascii_alphabetic() || *first == b'_' || *first == b'$') {
        return false;
    }
    let mut plain = true;
    for c in name {
        match c {
            b'a'..=b'z' => {}
            b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'$' | b'/' | b'-' | b'@' | b':' | b'#'
            | b'<' | b'>' | b'\\' | b'[' | b']' | b'~' | b'*' => plain = false,
            _ => return false,
        }
    }
    !plain
}

/// `main.go:45`, `app.py:12`.
fn is_place(name: &[u8]) -> bool {
    let Some(colon) = name.iter().rposition(|c| *c == b':') else { return false };
    let (file, line) = name.split_at(colon);
    line.len() > 1
        && line.iter().skip(1).all(u8::is_ascii_digit)
        && file.contains(&b'.')
        && file.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_' || *c == b'/')
}

impl Walk<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.b.get(at).copied().unwrap_or(0)
    }

    /// Everything up to `at` is header.
    fn commit(&mut self, at: usize) {
        self.at = at;
        self.start = at;
        self.plain = 0;
    }

    /// Nothing but white space lies between what is surely header and here.
    fn adjacent(&self) -> bool {
        self.start + spaces(self.b, self.start) == self.at
    }

    fn found_level(&mut self, level: Level, end: usize) {
        self.level = Some(level);
        self.commit(end);
    }

    fn before_level(&mut self) {
        for _ in 0..MOST_ELEMENTS {
            self.at += spaces(self.b, self.at);
            let c = self.byte(self.at);
            let go_on = match c {
                0 => false,
                b'0'..=b'9' => self.stamp() || self.number() || self.word(),
                b'A'..=b'Z' => self.stamp() || self.level_word() || self.word(),
                b'a'..=b'z' => self.level_word() || self.word(),
                b'[' | b'(' | b'<' | b'{' => self.group(c),
                b'-' | b'|' | b':' => self.separator() || self.word(),
                b'"' | b'\'' | b'}' => false,
                _ => self.word(),
            };
            if self.level.is_some() {
                self.behind_level();
                return;
            }
            if !go_on || self.access {
                break;
            }
        }
        if self.stamped {
            self.at = self.start + spaces(self.b, self.start);
            self.named_behind_stamp();
        }
    }

    /// A timestamp. Behind the first one only what is no plain word may stand before another;
    /// before the first one only one name, of the user, behind an address.
    fn stamp(&mut self) -> bool {
        if self.plain > usize::from(self.address && !self.stamped) {
            return false;
        }
        let Some(found) = stamp::at(self.b, self.at) else { return false };
        // `10.0.0.1:80 03:15:02` in a text is no header; a date alone must begin the line or
        // stand behind another timestamp.
        if found.date_only && !(self.adjacent() || self.stamped) {
            return false;
        }
        self.stamp_found(&found);
        true
    }

    fn stamp_found(&mut self, found: &stamp::Stamp) {
        self.stamped = true;
        self.names = 0;
        let mut end = found.end;
        if matches!(self.byte(end), b',' | b';') {
            end += 1;
        } else if self.byte(end) == b':' && self.byte(end + 1) == b' ' {
            end += 1;
        }
        self.commit(end);
        if found.bsd {
            self.host_and_program();
        }
    }

    /// Behind `Nov 24 03:15:02`: a host, then `program[pid]:` (RFC 3164), either may be missing.
    fn host_and_program(&mut self) {
        let host = self.start + spaces(self.b, self.start);
        let host_end = token_end(self.b, host);
        let token = self.b.get(host..host_end).unwrap_or_default();
        if token.is_empty() || !token.iter().all(|c| c.is_ascii_alphanumeric() || b"._-:/[]()@".contains(c)) {
            return;
        }
        if token.ends_with(b":") {
            if is_program(token) || token.len() > 1 {
                self.program_found(host_end);
            }
            return;
        }
        let begin = host_end + spaces(self.b, host_end);
        self.commit(host_end);
        let Some(end) = self.program(begin) else { return };
        self.program_found(end);
    }

    /// Where the program that is named at `begin` ends: at the first colon that white space or
    /// the end follows, with few words before it.
    fn program(&self, begin: usize) -> Option<usize> {
        let mut at = begin;
        for words in 0..4 {
            let end = token_end(self.b, at);
            if end == at {
                return None;
            }
            let token = self.b.get(at..end)?;
            if token.ends_with(b":") {
                let closed = token.ends_with(b"]:") || token.ends_with(b"):");
                return (words == 0 || closed).then_some(end);
            }
            // `com.apple.xpc.launchd[1] (com.apple.domain.pid): `, `Microsoft Word[77]: `.
            at = end + spaces(self.b, end);
        }
        None
    }

    /// Behind a program its own header may stand: a timestamp or a level in upper case.
    fn program_found(&mut self, end: usize) {
        self.commit(end);
        self.names = 1;
        let begin = end + spaces(self.b, end);
        if let Some((level, end)) = level::upper(self.b, begin) {
            if self.byte(end - 1) != b':' {
                self.found_level(level, end);
            } else {
                self.level = Some(level);
                self.start = begin;
            }
        }
    }

    /// A number alone: a process, a thread, a flag.
    fn number(&mut self) -> bool {
        let end = token_end(self.b, self.at);
        let token = self.b.get(self.at..end).unwrap_or_default();
        if token.len() > 12 || !token.iter().all(u8::is_ascii_digit) {
            return false;
        }
        if self.stamped && self.adjacent() {
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
        if !(self.stamped && self.adjacent()) {
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
        if !matches!(self.byte(self.at), b'V' | b'D' | b'I' | b'W' | b'E' | b'F') || self.byte(next) != b' ' {
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
        // A tag of one plain word is surely the writer here.
        if token.ends_with(b":") && token.len() > 1 {
            self.commit(end);
            self.names = 1;
        }
        true
    }

    /// Brackets: with a timestamp or a level inside, or an element of its own.
    fn group(&mut self, open: u8) -> bool {
        let Some(close) = closing(self.b, self.at) else { return false };
        let begin = self.at + 1 + spaces(self.b, self.at + 1);
        let inner = self.b.get(self.at + 1..close).unwrap_or_default();
        if open != b'{' && self.plain <= usize::from(self.address)
            && let Some(found) = stamp::at(self.b, begin)
            && found.end <= close
        {
            let rest = self.b.get(found.end..close).unwrap_or_default();
            self.stamped = true;
            self.names = 0;
            self.access = found.access;
            let level = if rest.is_empty() { None } else { level::inside(rest) };
            self.commit(close + 1);
            if let Some(level) = level {
                self.level = Some(level);
                self.names = usize::from(rest.len() > 12);
            }
            return true;
        }
        if open != b'{' && let Some(level) = level::bracketed(inner) {
            self.found_level(level, close + 1);
            return true;
        }
        if open == b'<' || (open == b'{' && !self.stamped) {
            return false;
        }
        if self.stamped && self.adjacent() && open != b'(' {
            if is_labelled(inner) {
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
        let run = self.b.get(self.at..).unwrap_or_default().iter().take_while(|x| **x == c).count();
        let end = self.at + run;
        // Bars also stand between elements without white space.
        if run > 2 || !(c == b'|' || matches!(self.byte(end), b' ' | b'\t')) {
            return false;
        }
        if self.stamped && self.adjacent() {
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
        let end = token_end(self.b, self.at);
        let token = self.b.get(self.at..end).unwrap_or_default();
        if token.len() > LONGEST_TOKEN || token.len() == 0 {
            return false;
        }
        // `app.ERROR:`, `UTC:10.0.0.1(5432):user@db:[77]:LOG:`.
        if let Some(body) = token.strip_suffix(b":") {
            let run = body.iter().rev().take_while(|c| c.is_ascii_uppercase()).count();
            let (before, word) = body.split_at(body.len() - run);
            if run >= 3 && before.last().is_some_and(|c| b".:|])".contains(c))
                && let Some(level) = level::named(word)
            {
                self.found_level(level, end);
                self.names = 1;
                return true;
            }
            if self.stamped && self.adjacent() && (is_program(token) || is_place(body)) {
                self.commit(end);
                self.names = 1;
                return true;
            }
        }
        let plain = token.iter().all(u8::is_ascii_alphabetic) && !token.iter().all(u8::is_ascii_uppercase)
            || (token.len() == 1 && token[0].is_ascii_alphabetic());
        if plain {
            self.plain += 1;
            let most = if self.stamped { PLAIN_WORDS } else { usize::from(self.address) };
            if self.plain > most {
                return false;
            }
        } else if self.start == self.at || !self.stamped && self.names == 0 {
            self.address = token.iter().any(u8::is_ascii_digit)
                && token.iter().any(|c| matches!(c, b'.' | b':'));
        }
        if token.len() > 1 && !token.ends_with(b",") {
            self.names += 1;
        }
        // A sentence: `Started, then …`, `loaded 3 rules.`
        if !self.stamped && matches!(token.last(), Some(b',' | b'.' | b';' | b'!')) && token.len() > 2 {
            return false;
        }
        self.at = end;
        true
    }

    /// Behind a timestamp without a level: `chrome.exe *64 - message`, `name[77]: message`.
    fn named_behind_stamp(&mut self) {
        let end = token_end(self.b, self.at);
        let token = self.b.get(self.at..end).unwrap_or_default();
        if token.is_empty() || !token[0].is_ascii_alphanumeric() {
            return;
        }
        let mut behind = end + spaces(self.b, end);
        // A note on the program: `*64`.
        if self.byte(behind) == b'*' {
            behind = token_end(self.b, behind);
            behind += spaces(self.b, behind);
        }
        if self.byte(behind) == b'-' && self.byte(behind + 1) == b' ' && behind > end {
            self.commit(behind + 1);
        } else if self.names > 0 {
            // An ISO timestamp, a host, `program[77]:`.
            let next = self.b.get(behind..token_end(self.b, behind)).unwrap_or_default();
            if is_program(next) {
                let end = behind + next.len();
                self.program_found(end);
            }
        }
    }

    /// Behind the level: brackets, numbers, one logger.
    fn behind_level(&mut self) {
        let mut named = self.names > 0;
        let mut grouped = false;
        let mut columns = 0;
        let mut gap = spaces(self.b, self.at);
        for _ in 0..MOST_ELEMENTS {
            self.at += spaces(self.b, self.at);
            let at = self.at;
            let c = self.byte(at);
            match c {
                b'[' => {
                    let Some(close) = closing(self.b, at) else { return };
                    if is_labelled(self.b.get(at + 1..close).unwrap_or_default()) {
                        return;
                    }
                    let colon = usize::from(self.byte(close + 1) == b':');
                    self.commit(close + 1 + colon);
                    if grouped && named {
                        return;
                    }
                    grouped = true;
                }
                b'(' if grouped => {
                    let Some(close) = closing(self.b, at) else { return };
                    self.commit(close + 1);
                    return;
                }
                b'<' => {
                    let Some(close) = closing(self.b, at) else { return };
                    let inner = self.b.get(at + 1..close).unwrap_or_default();
                    if !inner.iter().all(|c| c.is_ascii_digit() || *c == b'.') {
                        return;
                    }
                    self.commit(close + 1);
                }
                b'-' | b'|' | b':' | b']' | b')' => {
                    let run =
                        self.b.get(at..).unwrap_or_default().iter().take_while(|x| **x == c).count();
                    let end = at + run;
                    let open = matches!(self.byte(end), b' ' | b'\t' | 0);
                    if !open && c != b']' && c != b')' {
                        return;
                    }
                    self.commit(end);
                    if c == b'-' && run < 3 && named {
                        return;
                    }
                }
                b'0'..=b'9' => {
                    if let Some(found) = stamp::at(self.b, at) {
                        if !found.date_only && !self.stamped {
                            self.stamped = true;
                            self.commit(found.end);
                            continue;
                        }
                        return;
                    }
                    let end = token_end(self.b, at);
                    let token = self.b.get(at..end).unwrap_or_default();
                    let next = self.byte(end + spaces(self.b, end));
                    let body = token.strip_suffix(b":").unwrap_or(token);
                    let process = body.len() < token.len() && body.contains(&b'#');
                    let number = token.iter().all(u8::is_ascii_digit) && matches!(next, b'-' | b'[');
                    if !(process || number) {
                        return;
                    }
                    self.commit(end);
                }
                b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                    if named && columns == 0 {
                        return;
                    }
                    match self.logger(gap >= 2, grouped) {
                        Named::No => return,
                        Named::Done => {
                            return;
                        }
                        Named::Column => {
                            columns += 1;
                            gap = spaces(self.b, self.at);
                            if columns == 2 {
                                return;
                            }
                        }
                        Named::Bracket => named = true,
                    }
                    named = true;
                    if self.byte(self.at + spaces(self.b, self.at)) == b'[' {
                        grouped = true;
                    }
                }
                _ => return,
            }
        }
    }

    /// A logger that begins here.
    fn logger(&mut self, wide: bool, grouped: bool) -> Named {
        let at = self.at;
        let end = token_end(self.b, at);
        let token = self.b.get(at..end).unwrap_or_default();
        if token.len() > LONGEST_TOKEN {
            return Named::No;
        }
        let strict = !(self.stamped || grouped);
        let dotted = |name: &[u8]| {
            name.windows(2).any(|w| w == b"::" || (w[0] == b'.' && w[1].is_ascii_alphanumeric()))
        };
        if let Some(name) = token.strip_suffix(b":") {
            if is_logger(name) && (!strict || dotted(name)) {
                self.commit(end);
                return Named::Done;
            }
            return Named::No;
        }
        let begin = end + spaces(self.b, end);
        let next = self.byte(begin);
        let lone = |at: usize| matches!(self.byte(at), b' ' | b'\t' | 0);
        if next == b':' && lone(begin + 1) && begin > end {
            self.commit(begin + 1);
            return Named::Done;
        }
        if next == b'-' && (!strict || dotted(token)) {
            let run = usize::from(self.byte(begin + 1) == b'-') + 1;
            if lone(begin + run) {
                self.commit(begin + run);
                return Named::Done;
            }
        }
        let capitals = token.iter().all(u8::is_ascii_uppercase);
        if next == b'[' && (dotted(token) || capitals) && is_logger(token) {
            self.commit(end);
            return Named::Bracket;
        }
        if wide && (begin - end >= 2 || self.byte(end) == b'\t') {
            self.commit(end);
            return Named::Column;
        }
        Named::No
    }
}

/// How a logger is told from a message.
enum Named {
    /// There is none.
    No,
    /// By what closes it: the message follows.
    Done,
    /// By the width of the gap behind it: another may follow.
    Column,
    /// By the bracket that follows.
    Bracket,
}
