//! A periodic writer that falls silent.
//!
//! The rule "expected lines over dispersion > 5, and a gap over twice the longest one" had 22
//! false alarms a day on the bursty stream. What is asked here is more: twice as many expected
//! lines, a gap of a minute at least, and for one kind of line a writer that is regular.

use serde::{Deserialize, Serialize};

use crate::detect::score::WINDOW;
use crate::detect::score::rate::Rate;

/// Shorter gaps are no silence, in seconds.
const SHORTEST: u32 = 60;
/// Windows that must have been watched: ten minutes.
const LEARNED: u32 = 60;
/// Rarer writers cannot be missed: lines per window.
const RATE: f32 = 0.5;
/// Lines that should have come meanwhile, over the dispersion.
const EXPECTED: f32 = 10.0;
/// After n windows the factor over the longest pause is 1 + 120 / n times as large.
const FEW: f32 = 120.0;
/// A kind of line that scatters more than this is not periodic.
const REGULAR: f32 = 2.0;

/// When a writer last wrote, and its longest pause so far. 12 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// The second of the last line; 0: there was none.
    last: u32,
    /// Seconds of the longest pause that ended.
    longest: u32,
    /// Its present pause was told.
    told: bool,
}

/// A silence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Seconds without a line.
    pub gap: u32,
    /// Lines per window that are usual.
    pub usual: f32,
    /// It wrote regularly.
    pub regular: bool,
}

impl Gaps {
    /// A line came; the seconds since the last one.
    #[inline]
    pub fn heard(&mut self, second: u32) -> u32 {
        if self.last == 0 {
            self.last = second;
            return 0;
        }
        let gap = second.saturating_sub(self.last);
        if gap > self.longest {
            // What was called a silence is no measure for the next one.
            self.longest =
                if self.told { gap.min(self.longest.max(SHORTEST / 2) * 2) } else { gap };
        }
        self.told = false;
        self.last = self.last.max(second);
        gap
    }

    /// So many seconds went by in which nothing could be heard.
    pub fn skip(&mut self, seconds: u32) {
        if self.last != 0 {
            self.last = self.last.saturating_add(seconds);
        }
    }

    /// Whether it has been silent for too long at `second`. It is told once for each silence.
    /// `since`: before that second it did not run, or could not be heard. `kind`: it is one kind
    /// of line, which is allowed less than a whole container.
    pub fn silence(&mut self, second: u32, since: u32, rate: &Rate, kind: bool) -> Option<Silence> {
        if self.told || self.last == 0 || rate.seen() < LEARNED {
            return None;
        }
        let gap = second.saturating_sub(self.last.max(since));
        let times = if kind { 3.0 } else { 2.0 };
        // The longest pause of a short time says little.
        let few = 1.0 + FEW / rate.seen() as f32;
        if gap < SHORTEST || gap as f32 <= self.longest as f32 * times * few {
            return None;
        }
        let (usual, phi) = (rate.at_least(), rate.phi());
        let regular = phi <= REGULAR;
        let expected = gap as f32 / WINDOW as f32 * usual / phi;
        if usual < RATE || expected < EXPECTED || (kind && !regular) {
            return None;
        }
        self.told = true;
        Some(Silence { gap, usual, regular })
    }

    /// That of two which turned out to be one.
    pub fn absorb(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        self.longest = self.longest.min(other.longest).max(1);
        self.told &= other.told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::score::window_of;

    /// A writer that writes every `every` seconds for `seconds` seconds, then falls silent.
    fn writer(every: u32, seconds: u32) -> (Gaps, Rate, u32) {
        let (mut gaps, mut rate) = (Gaps::default(), Rate::default());
        let begin = 1_000_000;
        for second in (begin..begin + seconds).step_by(every as usize) {
            rate.add(window_of(i64::from(second)), 0);
            gaps.heard(second);
        }
        (gaps, rate, begin + seconds)
    }

    #[test]
    fn a_heartbeat_that_stops_is_told_once_after_a_minute() {
        let (mut gaps, rate, end) = writer(2, 1200);
        let told: Vec<_> =
            (0..600).filter(|i| gaps.silence(end + i, 0, &rate, true).is_some()).collect();
        assert_eq!(told.len(), 1);
        assert!((55..=62).contains(&told[0]), "{told:?}");
        // It speaks, and falls silent again: by now it is known to pause.
        gaps.heard(end + 700);
        assert!((0..600).any(|i| gaps.silence(end + 700 + i, 0, &rate, true).is_some()));
    }

    #[test]
    fn who_writes_seldom_or_is_hardly_known_is_not_missed() {
        let (mut gaps, rate, end) = writer(40, 4000);
        assert!((0..4000).all(|i| gaps.silence(end + i, 0, &rate, true).is_none()));
        let (mut gaps, rate, end) = writer(2, 300);
        assert!((0..4000).all(|i| gaps.silence(end + i, 0, &rate, true).is_none()));
    }

    #[test]
    fn a_pause_as_long_as_an_earlier_one_is_none() {
        let (mut gaps, mut rate, end) = writer(2, 1200);
        let again = end + 200;
        for second in again..again + 600 {
            gaps.heard(second);
            rate.add(window_of(i64::from(second)), 0);
        }
        assert!((0..390).all(|i| gaps.silence(again + 600 + i, 0, &rate, false).is_none()));
        assert!((0..800).any(|i| gaps.silence(again + 600 + i, 0, &rate, false).is_some()));
    }

    #[test]
    fn what_could_not_be_heard_is_no_silence() {
        let (mut gaps, rate, end) = writer(2, 1200);
        let since = end + 3600;
        assert!((0..59).all(|i| gaps.silence(since + i, since, &rate, true).is_none()));
        assert!(gaps.silence(since + 100, since, &rate, true).is_some());
    }
}
