//! The engine's own end: it stops the whole fleet, then its event stream ends.
//!
//! Each death looks like an operator's stop. Told apart by what they have in common: all of them,
//! close together, and right after them silence.

use jiff::{SignedDuration, Timestamp};

/// Deaths of one shutdown are this close together, and the silence this close to them; the engine
/// waits for each stop timeout.
const TOGETHER: SignedDuration = SignedDuration::from_secs(60);
/// A single container that was stopped before the stream ended proves nothing.
const AT_LEAST: usize = 2;

/// The end of a container that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedEnd {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// When its event arrived, by ours.
    pub seen: Timestamp,
}

/// Whether the engine, whose event stream ends `now`, took down the fleet: nothing runs any more,
/// and at least two ended as asked within a minute of the last one, which was seen within the last
/// minute. Then the engine's time of that last end. `ends` has an entry per container that was
/// running until it was asked to end; `running` counts those that still run.
pub fn shut_down(running: usize, ends: &[AskedEnd], now: Timestamp) -> Option<Timestamp> {
    let last = ends.iter().map(|end| end.at).max()?;
    let seen = ends.iter().map(|end| end.seen).max()?;
    let together = ends.iter().filter(|end| belongs(end.at, last)).count();
    // What an operator stopped long ago is no part of this.
    let just_now = now.duration_since(seen) <= TOGETHER;
    (running == 0 && together >= AT_LEAST && just_now).then_some(last)
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

    fn judged(running: usize, ends: &[i64], now: i64) -> bool {
        let ends: Vec<AskedEnd> =
            ends.iter().map(|s| AskedEnd { at: at(*s), seen: at(*s) }).collect();
        shut_down(running, &ends, at(now)).is_some()
    }

    #[test]
    fn all_at_once_and_then_silence_is_a_shutdown() {
        assert!(judged(0, &[10, 11, 20], 21));
        assert!(!judged(1, &[10, 11], 12));
        assert!(!judged(0, &[10], 11));
        assert!(!judged(0, &[10, 500], 501));
        assert!(!judged(0, &[], 1));
    }

    #[test]
    fn a_stop_of_long_ago_is_no_shutdown_of_now() {
        assert!(judged(0, &[10, 11], 70));
        assert!(!judged(0, &[10, 11], 3600));
    }

    #[test]
    fn an_engine_whose_clock_is_ahead_or_behind_changes_nothing() {
        for skew in [-3600, 3600] {
            let ends = [10, 11].map(|s| AskedEnd { at: at(s + skew), seen: at(s) });
            assert!(shut_down(0, &ends, at(12)).is_some(), "{skew}");
            assert!(shut_down(0, &ends, at(3600)).is_none(), "{skew}");
        }
    }
}
