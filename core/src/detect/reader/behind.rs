//! The header walk behind the level: brackets, numbers, one logger.

use crate::detect::reader::byte;
use crate::detect::reader::byte::{ALNUM, KEY, LOWER, MARK, OTHER, Token, UPPER, skip};
use crate::detect::reader::shape::{
    LONGEST_TOKEN, closing, is_labelled, run, spaces, token_end, width,
};
use crate::detect::reader::stamp;
use crate::detect::reader::stamp::Kind;
use crate::detect::reader::walk::{MOST_ELEMENTS, Walk};

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
    /// It is the context of one, which follows.
    Context,
}

impl Walk<'_> {
    /// Behind the level: brackets, numbers, one logger.
    pub(super) fn behind_level(&mut self) {
        let mut named = self.names > 0;
        let mut grouped = false;
        let mut columns = 0;
        let mut gap = width(self.b, self.at);
        if !named && self.joined_logger() {
            return;
        }
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
                    let run = run(self.b, at);
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
                        if found.kind != Kind::Date && !self.stamped {
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
                    let number =
                        token.iter().all(u8::is_ascii_digit) && matches!(next, b'-' | b'[');
                    if !(process || number) {
                        return;
                    }
                    self.commit(end);
                    // nginx names itself by its process alone.
                    if process {
                        return;
                    }
                }
                b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                    if named && columns == 0 {
                        return;
                    }
                    match self.logger(gap >= 2, grouped) {
                        Named::No | Named::Done => return,
                        Named::Column => {
                            columns += 1;
                            gap = width(self.b, self.at);
                            if columns == 2 {
                                return;
                            }
                        }
                        Named::Bracket => {}
                        Named::Context => continue,
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

    /// `ERROR:app.db:message`: Python's logger, joined to the level.
    fn joined_logger(&mut self) -> bool {
        if self.byte(self.at.wrapping_sub(1)) != b':' {
            return false;
        }
        let end = skip(self.b, self.at, ALNUM | KEY);
        if end == self.at || self.byte(end) != b':' {
            return false;
        }
        self.commit(end + 1);
        true
    }

    /// `request{method=GET uri=/}: `: the spans that Rust's tracing writes before the module.
    fn span_context(&self) -> Option<usize> {
        let open = skip(self.b, self.at, ALNUM | MARK);
        if self.byte(open) != b'{' {
            return None;
        }
        let close = closing(self.b, open)?;
        (self.byte(close + 1) == b':').then_some(close + 2)
    }

    /// A logger that begins here.
    fn logger(&mut self, wide: bool, grouped: bool) -> Named {
        let at = self.at;
        let Token { end, any } = byte::token(self.b, at);
        let other = any & OTHER != 0;
        let token = self.b.get(at..end).unwrap_or_default();
        if other && let Some(end) = self.span_context() {
            self.commit(end);
            return Named::Context;
        }
        if token.len() > LONGEST_TOKEN {
            return Named::No;
        }
        let strict = !(self.stamped || grouped);
        let dotted = |name: &[u8]| {
            name.windows(2).any(|w| w == b"::" || (w[0] == b'.' && w[1].is_ascii_alphanumeric()))
        };
        if let Some(name) = token.strip_suffix(b":") {
            // A plain word in lower case begins a message as often: `spawned: 'app'`.
            let plain = skip(self.b, at, LOWER) + 1 == end;
            if !other && !plain && (!strict || dotted(name)) {
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
        let capitals = skip(self.b, at, UPPER) == end;
        if next == b'[' && !other && (dotted(token) || capitals) {
            self.commit(end);
            return Named::Bracket;
        }
        if wide && width(self.b, end) >= 2 {
            self.commit(end);
            return Named::Column;
        }
        Named::No
    }
}
