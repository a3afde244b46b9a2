//! How many calls within a minute: a bucket that fills evenly.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The bucket.
#[derive(Debug)]
pub(crate) struct Pace {
    per_minute: u32,
    /// Calls that may be made at once, and when that was counted.
    left: Mutex<(f64, Instant)>,
}

impl Pace {
    /// A full bucket.
    pub(crate) fn new(per_minute: u32, now: Instant) -> Self {
        Self { per_minute, left: Mutex::new((f64::from(per_minute), now)) }
    }

    /// Calls within a minute.
    pub(crate) fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Takes one call, or says how long to wait for it.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Duration> {
        let rate = f64::from(self.per_minute) / 60.0;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(left.1).as_secs_f64();
        let mut calls = (left.0 + passed * rate).min(f64::from(self.per_minute));
        let taken = calls >= 1.0;
        if taken {
            calls -= 1.0;
        }
        *left = (calls, now);
        if taken { Ok(()) } else { Err(Duration::from_secs_f64((1.0 - calls) / rate)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_then_one_after_the_other() {
        let begin = Instant::now();
        let pace = Pace::new(60, begin);
        assert!((0..60).all(|_| pace.take(begin).is_ok()));
        let wait = pace.take(begin).unwrap_err();
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1), "{wait:?}");
        let later = begin + Duration::from_millis(1500);
        assert!(pace.take(later).is_ok());
        assert!(pace.take(later).is_err());
        let rested = later + Duration::from_hours(1);
        assert_eq!((0..100).filter(|_| pace.take(rested).is_ok()).count(), 60);
    }
}
