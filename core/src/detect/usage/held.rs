//! A condition that has to hold for a while, and that is told once until it is over.

use jiff::{SignedDuration, Timestamp};

use crate::domain::severity::Severity;

/// Readings further apart than this prove nothing about the time between them.
const LONGEST_GAP: SignedDuration = SignedDuration::from_secs(90);

/// One condition on the way from beginning to end. Time counts, not readings: they come as often
/// as the sampler can afford.
#[derive(Debug, Default)]
pub struct Held {
    since: Option<Timestamp>,
    last: Option<Timestamp>,
    told: Option<Severity>,
}

impl Held {
    /// Whether the condition has held for `long` now. `on`: it holds; `off`: it is over. Between
    /// the two (a hysteresis) it goes on, but does not begin.
    pub fn holds(&mut self, at: Timestamp, on: bool, off: bool, long: SignedDuration) -> bool {
        let gap = self.last.is_some_and(|last| {
            let gap = at.duration_since(last);
            gap > LONGEST_GAP || gap.is_negative()
        });
        self.last = Some(at);
        if off {
            self.since = None;
            self.told = None;
            return false;
        }
        if gap && self.told.is_none() {
            self.since = None;
        }
        if on {
            self.since.get_or_insert(at);
        } else if self.told.is_none() {
            // It was not told yet, so it begins anew when it comes back.
            self.since = None;
        }
        on && self.since.is_some_and(|since| at.duration_since(since) >= long)
    }

    /// How long it has held.
    pub fn lasted(&self, at: Timestamp) -> SignedDuration {
        self.since.map_or(SignedDuration::ZERO, |since| at.duration_since(since))
    }

    /// Whether to tell: it was not told yet, or only as less bad.
    pub fn tells(&mut self, severity: Severity) -> bool {
        let news = self.told.is_none_or(|told| severity > told);
        if news {
            self.told = Some(severity);
        }
        news
    }

    /// Whether it has begun and is not over.
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// Begins anew: another process.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    const TEN: SignedDuration = SignedDuration::from_secs(10);

    #[test]
    fn time_counts_not_readings() {
        for step in [1, 2, 5] {
            let mut held = Held::default();
            let mut times = (0_i64..=40).step_by(step);
            let first = times.find(|t| held.holds(at(*t), true, false, TEN));
            assert_eq!(first, Some(10), "every {step} s");
        }
        let mut held = Held::default();
        assert!(!held.holds(at(0), true, false, TEN));
        assert!(!held.holds(at(500), true, false, TEN), "nobody saw what was between");
        assert!(held.holds(at(510), true, false, TEN));
    }

    #[test]
    fn it_is_told_once_again_when_worse_and_anew_after_its_end() {
        let mut held = Held::default();
        held.holds(at(0), true, false, TEN);
        assert!(held.holds(at(10), true, false, TEN));
        assert!(held.tells(Severity::Medium));
        assert!(!held.tells(Severity::Medium));
        assert!(held.tells(Severity::High));
        assert!(!held.holds(at(12), false, false, TEN), "between on and off");
        assert!(held.holds(at(14), true, false, TEN));
        assert!(!held.tells(Severity::High));
        held.holds(at(16), false, true, TEN);
        assert!(!held.is_on());
        held.holds(at(18), true, false, TEN);
        assert!(held.holds(at(28), true, false, TEN));
        assert!(held.tells(Severity::Medium));
    }
}
