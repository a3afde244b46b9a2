//! When an endpoint that keeps failing is left alone, and when it is tried again.

use jiff::{SignedDuration, Timestamp};

/// So many failures in a row open it.
pub const FAILURES: u32 = 5;
/// The first pause.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// A circuit breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures since the last success.
    failures: u32,
    /// How often it has opened since the last success.
    opened: u32,
    until: Option<Timestamp>,
}

impl Breaker {
    /// Whether a call may be made now, or when it may. Behind a pause one call is let through; the
    /// others wait until its outcome is known, or for another pause should it never be.
    pub fn may(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match self.until {
            Some(until) if now < until => Err(until),
            Some(_) => {
                self.until = Some(later(now, self.pause()));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A call succeeded.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A call failed for a reason that the next one would meet, too.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.until = Some(later(now, self.pause()));
            self.opened = self.opened.saturating_add(1);
        }
    }

    /// The endpoint itself said when it wants to be asked again.
    pub fn rest_until(&mut self, now: Timestamp, wanted: Timestamp) {
        let until = wanted.min(later(now, LONGEST_PAUSE));
        self.until = Some(self.until.map_or(until, |known| known.max(until)));
    }

    /// Until when nothing is asked, if it is open.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| now < *until)
    }

    fn pause(&self) -> SignedDuration {
        let factor = 1_i32.checked_shl(self.opened.min(16)).unwrap_or(i32::MAX);
        FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(at(0));
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.may(at(0)), Ok(()));
        breaker.failed(at(0));
        assert_eq!(breaker.may(at(14)), Err(at(15)));
        assert_eq!(breaker.open_until(at(14)), Some(at(15)));
    }

    #[test]
    fn one_call_is_let_through_and_decides() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.may(at(15)), Ok(()));
        assert_eq!(breaker.may(at(16)), Err(at(45)), "another one waits");
        // The one that was let through was given up: after a while another one may.
        assert_eq!(breaker.may(at(45)), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.may(at(46)), Ok(()));
        assert_eq!(breaker.may(at(46)), Ok(()));
    }

    #[test]
    fn pauses_grow_up_to_ten_minutes() {
        let mut breaker = Breaker::default();
        let mut now = 0;
        for _ in 0..4 {
            breaker.failed(at(now));
        }
        let mut pauses = Vec::new();
        for _ in 0..40 {
            breaker.failed(at(now));
            let until = breaker.open_until(at(now)).unwrap();
            pauses.push(until.as_second() - now);
            now = until.as_second();
        }
        assert_eq!(&pauses[..7], [15, 30, 60, 120, 240, 480, 600]);
        assert_eq!(pauses.last(), Some(&600));
    }

    #[test]
    fn what_the_endpoint_asks_for_is_kept_up_to_ten_minutes() {
        let mut breaker = Breaker::default();
        breaker.rest_until(at(0), at(90));
        assert_eq!(breaker.may(at(89)), Err(at(90)));
        breaker.rest_until(at(0), at(86_400));
        assert_eq!(breaker.open_until(at(0)), Some(at(600)));
    }
}
