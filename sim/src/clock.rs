//! A clock that can run faster than that of the machine.

use jiff::{SignedDuration, Timestamp};

/// The fastest that is allowed.
pub const FASTEST: f64 = 1000.0;

/// Maps the machine's time to the world's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    real: Timestamp,
    ours: Timestamp,
    factor: f64,
}

impl Clock {
    /// Runs with the machine.
    pub fn new(now: Timestamp) -> Self {
        Self { real: now, ours: now, factor: 1.0 }
    }

    /// The world's time.
    pub fn at(&self, real: Timestamp) -> Timestamp {
        let elapsed = real.duration_since(self.real).as_secs_f64().max(0.0);
        let ours = SignedDuration::try_from_secs_f64(elapsed * self.factor);
        ours.ok().and_then(|elapsed| self.ours.checked_add(elapsed).ok()).unwrap_or(self.ours)
    }

    /// How much of the machine's time a piece of the world's takes.
    pub fn real(&self, ours: SignedDuration) -> SignedDuration {
        SignedDuration::try_from_secs_f64(ours.as_secs_f64() / self.factor)
            .unwrap_or(SignedDuration::ZERO)
    }

    /// Goes on at another pace.
    pub fn pace(&mut self, real: Timestamp, factor: f64) {
        *self = Self { real, ours: self.at(real), factor: factor.clamp(0.001, FASTEST) };
    }

    /// Jumps ahead.
    pub fn jump(&mut self, real: Timestamp, ahead: SignedDuration) {
        let ours = self.at(real).checked_add(ahead.max(SignedDuration::ZERO));
        *self = Self { real, ours: ours.unwrap_or(self.ours), factor: self.factor };
    }

    /// How fast it runs.
    pub fn factor(&self) -> f64 {
        self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_pace_makes_no_jump() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut clock = Clock::new(at(100));
        clock.pace(at(110), 10.0);
        assert_eq!(clock.at(at(110)), at(110));
        assert_eq!(clock.at(at(112)), at(130));
        clock.jump(at(112), SignedDuration::from_secs(70));
        assert_eq!(clock.at(at(113)), at(210));
        assert_eq!(clock.real(SignedDuration::from_secs(5)), SignedDuration::from_millis(500));
        assert_eq!(clock.at(at(0)), at(200), "never back");
    }
}
