//! The header walk over syslog: the priority, the structured header of RFC 5424, and the host and
//! program of RFC 3164.

use crate::detect::reader::level;
use crate::detect::reader::shape::{is_program, run, spaces, token_end};
use crate::detect::reader::stamp;
use crate::detect::reader::walk::Walk;
use crate::domain::log::Level;

/// Words that the name of a program may have: `Microsoft Word[77]:`.
const PROGRAM_WORDS: usize = 4;

/// The level in `<34>`, and where that ends. The last three bits are the severity.
pub(super) fn priority(b: &[u8], p: usize) -> Option<(Level, usize)> {
    let rest = b.get(p..)?.strip_prefix(b"<")?;
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let number = rest.get(..digits)?.iter().fold(0_u32, |n, c| n * 10 + u32::from(c - b'0'));
    let level = match number & 7 {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    };
    (number <= 191).then_some((level, p + digits + 2))
}

/// Where the message of RFC 5424 begins, whose version stands at `p`, and where its timestamp.
pub(super) fn structured(b: &[u8], p: usize) -> Option<(usize, Option<usize>)> {
    if b.get(p) != Some(&b'1') || b.get(p + 1) != Some(&b' ') {
        return None;
    }
    let begin = p + 2;
    let stamp = stamp::at(b, begin).map(|_| begin);
    if stamp.is_none() && b.get(begin) != Some(&b'-') {
        return None;
    }
    let mut at = begin;
    // Timestamp, host, program, process, kind of message.
    for _ in 0..5 {
        at = token_end(b, at);
        if b.get(at) != Some(&b' ') {
            return None;
        }
        at += 1;
    }
    if b.get(at) == Some(&b'-') {
        at += 1;
    } else {
        while b.get(at) == Some(&b'[') {
            at = element_end(b, at)?;
        }
    }
    // A byte order mark may say that the message is UTF-8.
    let at = at + spaces(b, at);
    let mark = b.get(at..).is_some_and(|rest| rest.starts_with("\u{feff}".as_bytes()));
    Some((at + if mark { 3 } else { 0 }, stamp))
}

/// Where the structured element at `p` ends; its values are quoted and may have brackets.
fn element_end(b: &[u8], p: usize) -> Option<usize> {
    let (mut at, mut quoted) = (p, false);
    loop {
        match b.get(at)? {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

impl Walk<'_> {
    /// Behind `Nov 24 03:15:02`: a host, then `program[pid]:` (RFC 3164), either may be missing.
    pub(super) fn host_and_program(&mut self) {
        let host = self.start + spaces(self.b, self.start);
        let end = token_end(self.b, host);
        let token = self.text(host, end);
        let is_name = |c: &u8| c.is_ascii_alphanumeric() || b"._-:/[]()@".contains(c);
        if token.is_empty() || !token.iter().all(is_name) {
            return;
        }
        if token.len() > 1 && token.ends_with(b":") {
            self.program_found(end);
            return;
        }
        let begin = end + spaces(self.b, end);
        let behind = self.program(begin);
        if behind.is_none() && level::upper(self.b, host).is_some() {
            return;
        }
        self.commit(end);
        match behind {
            Some(end) => self.program_found(end),
            // `--- last message repeated 1 time ---` is no separator.
            None if run(self.b, begin) > 2 => self.done = true,
            None => self.names = 1,
        }
    }

    /// Where the program that is named at `begin` ends: at the first token with a colon behind
    /// it. Behind several words it must carry its process.
    fn program(&self, begin: usize) -> Option<usize> {
        let mut at = begin;
        for words in 0..PROGRAM_WORDS {
            let end = token_end(self.b, at);
            let token = self.text(at, end);
            if token.ends_with(b":") {
                let closed = token.ends_with(b"]:") || token.ends_with(b"):");
                return (words == 0 || closed).then_some(end);
            }
            if token.is_empty() {
                return None;
            }
            // `com.apple.xpc.launchd[1] (com.apple.domain.pid): `.
            at = end + spaces(self.b, end);
        }
        None
    }

    /// Behind a program the message begins, unless its own header does: a date with a time, or a
    /// level in upper case.
    pub(super) fn program_found(&mut self, end: usize) {
        self.commit(end);
        self.names = 1;
        self.at = end + spaces(self.b, end);
        let begin = self.at + usize::from(self.byte(self.at) == b'[');
        let own = stamp::at(self.b, begin).is_some_and(|found| found.is_full());
        if own || level::upper(self.b, self.at).is_some() {
            self.names = 0;
        } else {
            self.done = true;
        }
    }

    /// Behind a timestamp without a level: `chrome.exe *64 - message`, `host name[77]: message`.
    pub(super) fn named_behind_stamp(&mut self) {
        let at = self.start + spaces(self.b, self.start);
        let end = token_end(self.b, at);
        let token = self.text(at, end);
        if !token.first().is_some_and(u8::is_ascii_alphanumeric) {
            return;
        }
        let mut behind = end + spaces(self.b, end);
        let next = self.text(behind, token_end(self.b, behind));
        if is_program(next) {
            self.commit(behind + next.len());
            return;
        }
        // A note on the program: `*64`.
        if next.len() > 1 && next.starts_with(b"*") {
            behind += next.len();
            behind += spaces(self.b, behind);
        }
        if behind > end && self.byte(behind) == b'-' && self.byte(behind + 1) == b' ' {
            self.commit(behind + 1);
        }
    }
}
