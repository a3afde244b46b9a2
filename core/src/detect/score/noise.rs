//! How noisy a container is: one that alarms often is believed less.
//!
//! Two brakes. A bucket of tokens bounds how many findings of low and of medium severity are told
//! in an hour. And a noise score (alarms on errors, half of them forgotten in an hour) asks of a
//! noisy container that an error burst lasts before it counts as high.

use serde::{Deserialize, Serialize};

use crate::domain::severity::Severity;

/// Tokens of a full bucket, for each of low and medium.
const TOKENS: f32 = 8.0;
/// Tokens that come back in an hour.
const PER_HOUR: f32 = 8.0;
/// From this score on a container is noisy.
const NOISY: f32 = 3.0;
/// Half of the score is forgotten in so many seconds.
const HALF_LIFE: f32 = 3600.0;

/// What was told of one container.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    low: f32,
    medium: f32,
    score: f32,
    /// The second of the last look.
    at: u32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { low: TOKENS, medium: TOKENS, score: 0.0, at: 0 }
    }
}

impl Noise {
    fn pass(&mut self, second: u32) {
        let seconds = second.saturating_sub(self.at) as f32;
        self.at = self.at.max(second);
        let back = seconds * PER_HOUR / 3600.0;
        self.low = (self.low + back).min(TOKENS);
        self.medium = (self.medium + back).min(TOKENS);
        self.score *= (-seconds / HALF_LIFE).exp2();
    }

    /// Whether one more finding may be told; it is counted if so. High ones always may.
    pub fn may_tell(&mut self, severity: Severity, second: u32) -> bool {
        self.pass(second);
        let tokens = match severity {
            Severity::Low => &mut self.low,
            Severity::Medium => &mut self.medium,
            Severity::High | Severity::Critical => return true,
        };
        let may = *tokens >= 1.0;
        if may {
            *tokens -= 1.0;
        }
        may
    }

    /// An episode of errors began.
    pub fn errors(&mut self, second: u32) {
        self.pass(second);
        self.score += 1.0;
    }

    /// Whether it had many of these lately.
    pub fn is_noisy(&mut self, second: u32) -> bool {
        self.pass(second);
        self.score >= NOISY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_findings_are_bounded_by_the_hour_and_high_ones_are_not() {
        let mut noise = Noise::default();
        let told = |noise: &mut Noise, severity, from: u32| {
            (from..from + 3600).step_by(10).filter(|s| noise.may_tell(severity, *s)).count()
        };
        assert_eq!(told(&mut noise, Severity::Low, 1000), 15);
        assert_eq!(told(&mut noise, Severity::Low, 4600), 8);
        assert_eq!(told(&mut noise, Severity::Medium, 8200), 15);
        assert_eq!(told(&mut noise, Severity::High, 8200), 360);
    }

    #[test]
    fn noise_is_forgotten() {
        let mut noise = Noise::default();
        for second in [1000, 1100, 1200, 1300] {
            noise.errors(second);
        }
        assert!(noise.is_noisy(1300));
        assert!(!noise.is_noisy(5000));
    }
}
