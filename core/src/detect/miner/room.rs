//! How many different words at one place make that place a variable.
//!
//! The figures were measured on eight public log samples (loghub): fewer merge what differs,
//! more split what is the same.

use crate::detect::miner::class;
use crate::detect::miner::token::{Kind, Token};

/// Words of a line that may become variables; those behind stay as they are.
pub const PLACES: usize = 40;
pub const USUAL: u8 = 4;
/// Behind `=`, in quotes or in brackets.
pub const VALUE: u8 = 3;
/// Words with digits are names of things more often than words.
const PART: u8 = 2;
/// The first word tells what the line is about.
const FIRST: u8 = 8;
/// Words in capitals are names of things more often than values.
const CAPITALS: u8 = 12;

/// Words that say what state something is in, or how something ended. A line with another one
/// is another template on purpose: from RUNNING to FAILED is news. Lower case, sorted.
const STATES: &[&str] = &[
    "aborted",
    "accept",
    "accepted",
    "active",
    "alive",
    "allowed",
    "available",
    "bad",
    "blocked",
    "broken",
    "canceled",
    "cancelled",
    "closed",
    "closing",
    "complete",
    "completed",
    "connected",
    "connecting",
    "corrupt",
    "crashed",
    "critical",
    "dead",
    "debug",
    "degraded",
    "denied",
    "deny",
    "disable",
    "disabled",
    "disconnected",
    "down",
    "empty",
    "enable",
    "enabled",
    "err",
    "error",
    "errors",
    "exceeded",
    "exited",
    "expired",
    "fail",
    "failed",
    "failing",
    "failure",
    "false",
    "fatal",
    "finished",
    "follower",
    "found",
    "full",
    "good",
    "granted",
    "healthy",
    "high",
    "inactive",
    "info",
    "invalid",
    "killed",
    "leader",
    "locked",
    "lost",
    "low",
    "master",
    "missing",
    "new",
    "nil",
    "no",
    "none",
    "normal",
    "not",
    "null",
    "off",
    "offline",
    "ok",
    "on",
    "online",
    "open",
    "opened",
    "passed",
    "paused",
    "pending",
    "primary",
    "ready",
    "refused",
    "rejected",
    "replica",
    "reset",
    "resumed",
    "running",
    "secondary",
    "shutdown",
    "slave",
    "slow",
    "standby",
    "start",
    "started",
    "starting",
    "stop",
    "stopped",
    "stopping",
    "succeeded",
    "success",
    "successful",
    "suspended",
    "terminated",
    "timeout",
    "true",
    "unavailable",
    "undefined",
    "unhealthy",
    "unknown",
    "unreachable",
    "up",
    "valid",
    "waiting",
    "warn",
    "warning",
    "yes",
];

/// Whether a word says a state.
pub fn is_state(word: &[u8]) -> bool {
    if matches!(word, b"GET" | b"POST" | b"PUT" | b"DELETE" | b"HEAD" | b"PATCH" | b"OPTIONS") {
        return true;
    }
    let mut lower = [0_u8; 16];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    STATES.binary_search_by(|state| state.as_bytes().cmp(lower)).is_ok()
}

/// Keys whose values say what happened, not to whom. A new value of them is news as a state is.
const WHAT: &[&str] = &[
    "code",
    "err",
    "error",
    "event",
    "exception",
    "level",
    "message",
    "msg",
    "outcome",
    "reason",
    "result",
    "severity",
    "state",
    "status",
    "type",
];

/// Where a word stands.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The quote that it is in, or 0.
    quote: u8,
    /// Directly behind `=` or an opening bracket.
    value: bool,
    /// The value of a key of [`WHAT`].
    what: bool,
    /// The quote may be that of a key: it stands where the members of an object begin.
    member: bool,
}

impl Place {
    /// Passes a mark; `before` is the token before it, `word` the last word.
    fn mark(&mut self, mark: u8, spaced: bool, before: Option<(Kind, &[u8])>, word: &[u8]) {
        match mark {
            b'"' | b'\'' | b'`' => {
                if self.quote == mark {
                    self.quote = 0;
                    self.what = false;
                } else if self.quote == 0
                    && (spaced || before.is_none_or(|(kind, _)| kind == Kind::Mark))
                {
                    self.quote = mark;
                    self.member = before.is_none_or(|(_, text)| matches!(text, b"{" | b","));
                }
                self.value = false;
            }
            _ if self.quote != 0 => {}
            b'=' | b':' => {
                self.what = says_what(word);
                self.value = mark == b'=';
            }
            _ => {
                self.value = matches!(mark, b'(' | b'[' | b'{');
                self.what = false;
            }
        }
    }
}

/// The rooms of a line's tokens, in their order.
pub fn rooms(line: &[u8], tokens: &[Token], into: &mut Vec<u8>) {
    into.clear();
    let constant = |t: &&Token| matches!(t.kind, Kind::Word | Kind::Part);
    // What would be left of a line of one word says nothing.
    let lone = tokens.iter().filter(constant).count() < 2;
    let is = |at: usize, mark: u8| tokens.get(at).is_some_and(|t| t.of(line) == [mark]);
    let mut place = Place::default();
    let mut places = 0;
    let mut word: &[u8] = b"";
    for (at, token) in tokens.iter().enumerate() {
        let text = token.of(line);
        let room = match token.kind {
            Kind::Mark => {
                let before = at.checked_sub(1).and_then(|at| tokens.get(at));
                let before = before.map(|t| (t.kind, t.of(line)));
                place.mark(text.first().copied().unwrap_or_default(), token.spaced, before, word);
                0
            }
            Kind::Value | Kind::Path | Kind::Number => {
                place.value = false;
                0
            }
            Kind::Word | Kind::Part => {
                let close = std::mem::take(&mut place.value) || place.quote != 0;
                let key = is(at + 1, b'=')
                    || (place.quote != 0 && place.member && is(at + 1, b'"') && is(at + 2, b':'));
                word = text;
                if lone || key {
                    0
                } else if place.what {
                    room(text, token.kind, at, false).max(CAPITALS * u8::from(!is_state(text)))
                } else {
                    room(text, token.kind, at, close)
                }
            }
        };
        places += usize::from(room > 0);
        into.push(if places > PLACES { 0 } else { room });
    }
}

fn says_what(word: &[u8]) -> bool {
    let mut lower = [0_u8; 16];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    WHAT.binary_search_by(|what| what.as_bytes().cmp(lower)).is_ok()
}

fn room(word: &[u8], kind: Kind, position: usize, close: bool) -> u8 {
    if is_state(word) || !word.iter().any(|b| class::of(*b) & class::LETTER != 0) {
        0
    } else if kind == Kind::Part {
        PART
    } else if position == 0 {
        FIRST
    } else if close {
        VALUE
    } else if word.len() > 1 && !word.iter().any(u8::is_ascii_lowercase) {
        CAPITALS
    } else {
        USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_sorted_and_found_in_any_case() {
        assert!(STATES.is_sorted() && WHAT.is_sorted());
        assert!(is_state(b"FAILED") && is_state(b"Running") && is_state(b"ok"));
        assert!(!is_state(b"postgres") && !is_state(b"") && !is_state(b"averylongwordindeed"));
    }
}
