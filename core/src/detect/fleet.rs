//! The engine's own end: it stops the whole fleet, then its event stream ends.
//!
//! Each death looks like an operator's stop. Told apart by what they have in common: all of them,
//! close together, and then silence.

use jiff::{SignedDuration, Timestamp};

/// Deaths of one shutdown are this close together; the engine waits for each stop timeout.
const TOGETHER: SignedDuration = SignedDuration::from_secs(60);
/// A single container that was stopped before the stream ended proves nothing.
const AT_LEAST: usize = 2;

/// Whether the engine took down the fleet: nothing runs any more, and at least two ended as asked
/// within a minute of the last one. `ends` has an entry per container that was running until it
/// was asked to end; `running` counts those that still run.
pub fn was_shut_down(running: usize, ends: &[Timestamp]) -> bool {
    let Some(last) = ends.iter().max() else { return false };
    let together = ends.iter().filter(|at| last.duration_since(**at) <= TOGETHER).count();
    running == 0 && together >= AT_LEAST
}

/// Whether an end belongs to a shutdown whose last end was `last`.
pub fn belongs(end: Timestamp, last: Timestamp) -> bool {
    last.duration_since(end) <= TOGETHER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn all_at_once_and_then_silence_is_a_shutdown() {
        assert!(was_shut_down(0, &[at(10), at(11), at(20)]));
        assert!(!was_shut_down(1, &[at(10), at(11)]));
        assert!(!was_shut_down(0, &[at(10)]));
        assert!(!was_shut_down(0, &[at(10), at(500)]));
        assert!(!was_shut_down(0, &[]));
    }
}
