//! Error rate against its own past: a burst is far above both an absolute floor and the
//! decaying baseline. Somebody who was always loud is no news: at first it only learns.

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

/// So long after the watch, or the process, began the usual noise is being learned.
const LEARNING: SignedDuration = SignedDuration::from_secs(30);
/// While it is being learned a burst has at least so many errors in a window, at least one whole
/// window was heard before, and the container ran already when the watch, or its last process,
/// began.
const STRONG: f64 = 30.0;

/// Counts the errors of one container.
#[derive(Debug, Default)]
pub struct ErrorRate {
    window_start: Option<Timestamp>,
    count: u32,
    baseline: f64,
    told_at: Option<Timestamp>,
    /// When the watch, or the process, began; `None`: long ago.
    began: Option<Timestamp>,
    /// It ran before that.
    ran_before: bool,
    /// Windows that were closed while learning.
    learned: u32,
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
    /// The watch, or a new process of the container, begins. `ran_before`: it is no beginning for
    /// the container itself.
    pub fn begins(&mut self, at: Timestamp, ran_before: bool) {
        self.ran_before = ran_before;
        self.began = Some(at);
        self.window_start.get_or_insert(at);
    }

    /// Counts one error line; a burst is told once per ten seconds.
    pub fn error(&mut self, at: Timestamp) -> Option<Burst> {
        self.roll(at);
        self.count += 1;
        let count = f64::from(self.count);
        if count < FLOOR || count < FACTOR * (self.baseline + 1.0) {
            return None;
        }
        if self.is_learning(at) {
            let heard = self.began.is_some_and(|began| at.duration_since(began) >= WINDOW);
            if !self.ran_before || !heard || count < STRONG {
                return None;
            }
        }
        if self.told_at.is_some_and(|told| at.duration_since(told) < REPEAT) {
            return None;
        }
        self.told_at = Some(at);
        Some(Burst { count: self.count, baseline: self.baseline })
    }

    /// Whether the usual noise at `at` is still being learned.
    pub fn is_learning(&self, at: Timestamp) -> bool {
        self.began.is_some_and(|began| at.duration_since(began) < LEARNING)
    }

    /// Closes windows that have passed. Empty ones pull the baseline down.
    fn roll(&mut self, at: Timestamp) {
        // The engine's clock is behind ours: it begins with the first line.
        if let Some(began) = self.began.as_mut().filter(|began| **began > at) {
            *began = at;
            self.window_start = Some(at);
        }
        let Some(start) = self.window_start else {
            self.window_start = Some(at);
            return;
        };
        let elapsed = at.duration_since(start);
        if elapsed < WINDOW {
            return;
        }
        let windows = (elapsed.as_secs() / WINDOW.as_secs()).clamp(1, 600);
        // What is heard while learning is the usual: the mean of these windows. Not so what was
        // called a burst.
        let learns = self.is_learning(start) && self.told_at.is_none();
        let weight = if learns { 1.0 / f64::from(self.learned + 1) } else { ALPHA };
        self.learned += u32::from(learns);
        self.baseline += weight * (f64::from(self.count) - self.baseline);
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

    /// When the first burst is told, in milliseconds after the watch began; errors come `gap`
    /// milliseconds apart from `from` on for 100 seconds.
    fn told(ran_before: bool, from: i64, gap: i64) -> Option<i64> {
        let mut rate = ErrorRate::default();
        rate.begins(at(0), ran_before);
        let mut times = (0..100_000 / gap).map(|i| from + i * gap);
        times.find(|time| rate.error(at(*time)).is_some())
    }

    #[test]
    fn who_is_loud_from_the_beginning_is_no_news() {
        for ran_before in [true, false] {
            for gap in [20, 100, 500, 900] {
                assert_eq!(told(ran_before, 0, gap), None, "{ran_before} {gap}");
            }
        }
    }

    #[test]
    fn a_strong_burst_is_told_soon_after_the_watch_began() {
        // Twenty errors a second, as the demo does at least.
        for from in [10_000, 15_000, 29_000, 300_000] {
            let at = told(true, from, 50).unwrap();
            assert!(at - from <= 2000, "{from}: {at}");
        }
        // A weak one has to wait until what is usual is known.
        assert!(told(true, 12_000, 900).is_none_or(|at| at >= 30_000));
        assert!(told(true, 40_000, 500).is_some());
    }

    #[test]
    fn a_noisy_start_of_a_new_container_is_no_burst() {
        let noisy = |rate: &mut ErrorRate| (0..250).any(|i| rate.error(at(i * 100)).is_some());
        let mut rate = ErrorRate::default();
        rate.begins(at(0), false);
        assert!(!noisy(&mut rate));
    }

    #[test]
    fn a_clock_that_is_behind_is_no_reason_to_learn_for_long() {
        let mut rate = ErrorRate::default();
        rate.begins(at(3_600_000), true);
        assert!(
            (0..400).all(|i| rate.error(at(i * 10)).is_none()),
            "it begins with its first line"
        );
        assert!((0..2000).any(|i| rate.error(at(200_000 + i * 5)).is_some()));
    }
}
