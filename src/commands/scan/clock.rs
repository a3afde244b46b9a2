//! When a line of a file was written, as time that never goes back.

use jiff::{SignedDuration, Timestamp};

/// Lines of several writers stand a little out of order; a jump back by more than this is another
/// part of the log (files put together, a year that is not written): time then goes on from there.
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_mins(10);

/// The time of the lines of one input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    last: Option<Timestamp>,
    /// Whether a line said when it was written.
    dated: bool,
    /// What is added to what lines say.
    ahead: SignedDuration,
}

impl Clock {
    /// The time of a line that says `own` of itself and arrives at `arrived`. Before the first line
    /// that says anything it is the time of arrival, after it that of the line before.
    pub fn at(&mut self, own: Option<Timestamp>, arrived: Timestamp) -> Timestamp {
        let said = match own {
            Some(own) => {
                if !self.dated {
                    // What came before had no time at all: nothing to be in order with.
                    *self = Self { dated: true, ..Self::default() };
                }
                self.said(own)
            }
            None if self.dated => self.last.unwrap_or(arrived),
            None => arrived,
        };
        let at = self.last.map_or(said, |last| last.max(said));
        self.last = Some(at);
        at
    }

    fn said(&mut self, own: Timestamp) -> Timestamp {
        let at = own.saturating_add(self.ahead).unwrap_or(own);
        match self.last {
            Some(last) if last.duration_since(at) > OUT_OF_ORDER => {
                self.ahead = last.duration_since(own);
                last
            }
            _ => at,
        }
    }

    /// The time now, when the last line came `ago`.
    pub fn since(&self, ago: SignedDuration) -> Option<Timestamp> {
        self.last?.checked_add(ago).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn lines_without_a_time_have_that_of_their_arrival_or_of_the_line_before() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(None, at(1_000_000)), at(1_000_000));
        assert_eq!(clock.at(None, at(1_000_002)), at(1_000_002));
        // The first that says a time sets it, however long ago that was.
        assert_eq!(clock.at(Some(at(100)), at(1_000_003)), at(100));
        assert_eq!(clock.at(None, at(1_000_004)), at(100));
        assert_eq!(clock.at(Some(at(105)), at(1_000_005)), at(105));
        assert_eq!(clock.since(SignedDuration::from_secs(3)), Some(at(108)));
    }

    #[test]
    fn a_small_step_back_waits_and_a_large_one_goes_on_from_there() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(Some(at(10_000)), at(0)), at(10_000));
        assert_eq!(clock.at(Some(at(9_990)), at(0)), at(10_000));
        assert_eq!(clock.at(Some(at(10_001)), at(0)), at(10_001));
        // A file of the day before, appended.
        assert_eq!(clock.at(Some(at(1_000)), at(0)), at(10_001));
        assert_eq!(clock.at(Some(at(1_007)), at(0)), at(10_008));
    }

    proptest! {
        #[test]
        fn time_never_goes_back_once_a_line_has_said_it(
            said in prop::collection::vec(prop::option::of(0i64..100_000_000), 1..100),
        ) {
            let mut clock = Clock::default();
            let mut last = clock.at(Some(at(5)), at(0));
            for own in said {
                let now = clock.at(own.map(at), at(0));
                prop_assert!(now >= last);
                last = now;
            }
        }
    }
}
