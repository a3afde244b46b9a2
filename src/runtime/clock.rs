//! Tells when the wall clock was set or the machine slept: deadlines are wall-clock times.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A smaller difference is drift, not a jump.
const JUMP: SignedDuration = SignedDuration::from_secs(5);

/// The wall clock against a clock that is never set and does not run while the machine sleeps.
#[derive(Debug)]
pub(super) struct Clock {
    wall: Timestamp,
    steady: Instant,
}

impl Clock {
    pub(super) fn new(wall: Timestamp) -> Self {
        Self { wall, steady: Instant::now() }
    }

    /// By how much the wall clock jumped since the last question.
    pub(super) fn jumped(&mut self, wall: Timestamp) -> Option<SignedDuration> {
        let steady = Instant::now();
        let passed = SignedDuration::try_from(steady - self.steady).unwrap_or_default();
        let by = wall.duration_since(self.wall) - passed;
        *self = Self { wall, steady };
        (by.abs() > JUMP).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_once_and_time_that_passes_is_none() {
        let start = Timestamp::now();
        let mut clock = Clock::new(start);
        assert_eq!(clock.jumped(start), None);
        let hour = SignedDuration::from_hours(1);
        let by = clock.jumped(start + hour).unwrap();
        assert!((by - hour).abs() < SignedDuration::from_secs(1), "{by}");
        assert_eq!(clock.jumped(start + hour), None);
        assert!(clock.jumped(start).unwrap().is_negative());
    }
}
