//! The errors of a container in all, against their own past. Somebody who was always loud is no
//! news: at first it only learns.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::detect::score::WINDOW;
use crate::detect::score::rate::Rate;

/// Windows in which a simpler rule holds because too little is known for the one of [`Rate`].
const YOUNG: u32 = 30;
/// Below this many errors in a window nothing is a burst.
const FLOOR: f32 = 10.0;
/// A burst of a young one is this many times the baseline (per window, plus one so that silence
/// counts as one).
const FACTOR: f32 = 5.0;
/// While a burst lasts it is told again after this long, so that "quiet" can be seen.
const REPEAT: SignedDuration = SignedDuration::from_secs(10);
/// So long after the watch, or the process, began the usual noise is being learned.
const LEARNING: SignedDuration = SignedDuration::from_secs(30);
/// While it is being learned a burst has at least so many errors in a window, at least one whole
/// window was heard before, and the container ran already when the watch, or its last process,
/// began.
const STRONG: f32 = 30.0;

/// A burst of errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBurst {
    /// Errors in the current window.
    pub count: u32,
    /// Usual errors per window.
    pub usual: f32,
    /// Windows in a row in which it lasts, this one among them.
    pub lasts: u32,
}

/// Counts the errors of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorRate {
    rate: Rate,
    /// Milliseconds after the full ten seconds at which windows begin: with the watch.
    phase: i64,
    /// The window in which the watch began; 0: it did not.
    first: u32,
    /// The window of the burst that is under way, and how many it has lasted.
    burst_at: u32,
    lasts: u32,
    told_at: Option<Timestamp>,
    /// When the watch, or the process, began; `None`: long ago.
    began: Option<Timestamp>,
    /// It ran before that.
    ran_before: bool,
}

impl ErrorRate {
    /// The watch, or a new process of the container, begins. `ran_before`: it is no beginning for
    /// the container itself.
    pub fn begins(&mut self, at: Timestamp, ran_before: bool) {
        self.ran_before = ran_before;
        self.began = Some(at);
        if self.first == 0 {
            self.first_heard(at);
        }
    }

    fn first_heard(&mut self, at: Timestamp) {
        self.phase = at.as_millisecond().rem_euclid(WINDOW * 1000);
        self.first = self.window(at);
    }

    fn window(&self, at: Timestamp) -> u32 {
        let window = (at.as_millisecond() - self.phase).div_euclid(WINDOW * 1000);
        u32::try_from(window).unwrap_or_default().max(1)
    }

    /// Counts one error line; a burst is told once per ten seconds.
    pub fn error(&mut self, at: Timestamp) -> Option<ErrorBurst> {
        // The engine's clock is behind ours: it begins with the first line.
        if let Some(began) = self.began.as_mut().filter(|began| **began > at) {
            *began = at;
        }
        if self.first == 0 || self.window(at) < self.first {
            self.first_heard(at);
        }
        let window = self.window(at);
        let look = self.rate.add(window, window - self.first);
        let count = self.rate.count() as f32;
        let usual = self.rate.usual();
        let burst = if self.rate.seen() < YOUNG {
            count >= FLOOR && count >= FACTOR * (usual + 1.0)
        } else {
            let strong = look && self.rate.burst().is_some_and(|b| b.strong);
            strong || self.burst_at == self.rate.window()
        };
        if !burst {
            return None;
        }
        if self.is_learning(at) {
            let heard = SignedDuration::from_secs(WINDOW);
            let heard = self.began.is_some_and(|began| at.duration_since(began) >= heard);
            if !self.ran_before || !heard || count < STRONG {
                return None;
            }
        }
        if self.burst_at != self.rate.window() {
            self.rate.call_burst();
            let goes_on = self.burst_at + 1 == self.rate.window();
            self.lasts = if goes_on { self.lasts + 1 } else { 1 };
            self.burst_at = self.rate.window();
        }
        if self.told_at.is_some_and(|told| at.duration_since(told) < REPEAT) {
            return None;
        }
        self.told_at = Some(at);
        Some(ErrorBurst { count: self.rate.count(), usual, lasts: self.lasts })
    }

    /// Whether the usual noise at `at` is still being learned.
    pub fn is_learning(&self, at: Timestamp) -> bool {
        self.began.is_some_and(|began| at.duration_since(began) < LEARNING)
    }

    /// Errors of a usual window.
    pub fn usual(&self) -> f32 {
        self.rate.usual()
    }

    /// Nothing could be heard for so many windows.
    pub fn skip(&mut self, windows: u32) {
        self.rate.skip(windows);
        if self.first != 0 {
            self.first = self.first.saturating_add(windows);
        }
        (self.told_at, self.burst_at) = (None, 0);
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
        // The same after an hour of watching.
        let mut rate = ErrorRate::default();
        rate.begins(at(0), true);
        let told: Vec<_> = (0..30).filter_map(|i| rate.error(at(3_600_000 + i * 100))).collect();
        assert_eq!(told.len(), 1);
        assert!(told.first().is_some_and(|b| b.count <= 12), "{told:?}");
    }

    #[test]
    fn a_burst_that_lasts_is_told_again_and_again() {
        for begin in [20_000, 3_604_000] {
            let mut rate = ErrorRate::default();
            rate.begins(at(0), true);
            let told: Vec<_> = (0..1200)
                .map(|i| begin + i * 50)
                .filter(|time| rate.error(at(*time)).is_some())
                .collect();
            let gaps: Vec<_> = told.windows(2).map(|w| w[1] - w[0]).collect();
            assert!(told.len() >= 5, "{told:?}");
            assert!(gaps.iter().all(|gap| *gap < 15_000), "{gaps:?}");
        }
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
        assert!((0..200).any(|i| rate.error(at(base + 20_000 + i * 50)).is_some()));
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
            assert!(at - from <= 3000, "{from}: {at}");
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
