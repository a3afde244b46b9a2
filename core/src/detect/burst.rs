//! Error rate against its own past: a burst is far above both an absolute floor and the
//! decaying baseline.

use jiff::{SignedDuration, Timestamp};

/// Errors are counted in windows of this length.
const WINDOW: SignedDuration = SignedDuration::from_secs(10);
/// Below this many errors in a window nothing is a burst.
const FLOOR: f64 = 10.0;
/// A burst is this many times the baseline (per window, plus one so that silence counts as one).
const FACTOR: f64 = 5.0;
/// Weight of the newest window in the exponentially weighted baseline: a memory of about
/// ten windows, so that a new normal is learned within two minutes.
const ALPHA: f64 = 0.1;
/// While a burst lasts it is told again after this long, so that "quiet" can be seen.
const REPEAT: SignedDuration = SignedDuration::from_secs(10);

/// Counts the errors of one container.
#[derive(Debug, Default)]
pub struct ErrorRate {
    window_start: Option<Timestamp>,
    count: u32,
    baseline: f64,
    told_at: Option<Timestamp>,
}

/// A burst: how many errors in the window, and the baseline per window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Errors in the current window.
    pub count: u32,
    /// Usual errors per window.
    pub baseline: f64,
}

impl ErrorRate {
    /// Counts one error line; a burst is told once per ten seconds.
    pub fn error(&mut self, at: Timestamp) -> Option<Burst> {
        self.roll(at);
        self.count += 1;
        let count = f64::from(self.count);
        if count < FLOOR || count < FACTOR * (self.baseline + 1.0) {
            return None;
        }
        if self.told_at.is_some_and(|told| at.duration_since(told) < REPEAT) {
            return None;
        }
        self.told_at = Some(at);
        Some(Burst { count: self.count, baseline: self.baseline })
    }

    /// Closes windows that have passed. Empty ones pull the baseline down.
    fn roll(&mut self, at: Timestamp) {
        let Some(start) = self.window_start else {
            self.window_start = Some(at);
            return;
        };
        let elapsed = at.duration_since(start);
        if elapsed < WINDOW {
            return;
        }
        let windows = (elapsed.as_secs() / WINDOW.as_secs()).clamp(1, 600);
        self.baseline += ALPHA * (f64::from(self.count) - self.baseline);
        for _ in 1..windows {
            self.baseline *= 1.0 - ALPHA;
        }
        self.count = 0;
        self.window_start = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1_000_000 + millis)
    }

    #[test]
    fn many_errors_from_silence_are_a_burst() {
        let mut rate = ErrorRate::default();
        let told: Vec<_> = (0..30).filter_map(|i| rate.error(at(i * 100))).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told.first().map(|b| b.count), Some(10));
    }

    #[test]
    fn a_steady_trickle_is_no_burst() {
        let mut rate = ErrorRate::default();
        // One error every two seconds for ten minutes.
        assert!((0..300).all(|i| rate.error(at(i * 2000)).is_none()));
    }

    #[test]
    fn a_noisy_service_is_judged_by_its_own_noise() {
        let mut rate = ErrorRate::default();
        // Nine errors a window, for long: below the floor, the baseline learns.
        for window in 0..60 {
            for i in 0..9 {
                assert!(rate.error(at(window * 10_000 + i * 1000)).is_none());
            }
        }
        // Thirty in a window: three times the usual, not a burst. A hundred: one.
        let base = 600_000;
        assert!((0..30).all(|i| rate.error(at(base + i * 300)).is_none()));
        assert!((0..100).any(|i| rate.error(at(base + 20_000 + i * 50)).is_some()));
    }
}
