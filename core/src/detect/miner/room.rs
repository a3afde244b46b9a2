//! How many different words at one place make that place a variable.
//!
//! The figures were measured on eight public log samples (loghub): fewer merge what differs,
//! more split what is the same.

use crate::detect::miner::class;
use crate::detect::miner::token::{Kind, Token};

/// Words of a line that may become variables; those behind stay as they are.
const PLACES: usize = 40;
const USUAL: u8 = 4;
/// Behind `=`, in quotes or in brackets.
const VALUE: u8 = 3;
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

/// The rooms of a line's tokens, in their order.
pub fn rooms(line: &[u8], tokens: &[Token], into: &mut Vec<u8>) {
    into.clear();
    let mut quoted = false;
    let mut places = 0;
    let mut value = false;
    let constant = |t: &Token| matches!(t.kind, Kind::Word | Kind::Part);
    // What would be left of a line of one word says nothing.
    let lone = tokens.iter().filter(|t| constant(t)).count() < 2;
    for (position, token) in tokens.iter().enumerate() {
        let word = token.of(line);
        let room = match token.kind {
            Kind::Mark => {
                if word == b"\"" {
                    quoted = !quoted;
                }
                value = matches!(word, b"=" | b"'" | b"(" | b"[" | b"{" | b"`");
                0
            }
            Kind::Value | Kind::Number => {
                value = false;
                0
            }
            Kind::Word | Kind::Part => {
                let close = std::mem::take(&mut value) || quoted;
                let room = if lone { 0 } else { room(word, token.kind, position, close) };
                places += usize::from(room > 0);
                if places > PLACES { 0 } else { room }
            }
        };
        into.push(room);
    }
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
        assert!(STATES.is_sorted());
        assert!(is_state(b"FAILED") && is_state(b"Running") && is_state(b"ok"));
        assert!(!is_state(b"postgres") && !is_state(b"") && !is_state(b"averylongwordindeed"));
    }
}
