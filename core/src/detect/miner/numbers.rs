//! The numbers of one place, as a decayed histogram of their sizes.
//!
//! Buckets are half octaves (a factor of √2), so that a median is right to about 20 % whatever
//! the unit; 32 of them span a factor of 65,536 and move with what comes. 128 bytes.

use serde::{Deserialize, Serialize};

use crate::detect::miner::number::Unit;

const BUCKETS: i32 = 32;
/// At so many numbers all buckets are halved: what is remembered is about the last 4,000.
const FULL: u32 = 4096;
/// The averages of logarithms follow about the last 128 numbers.
const WEIGHT: f32 = 1.0 / 128.0;

/// What the numbers of one place were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    buckets: [u16; BUCKETS as usize],
    /// The half octave of the first bucket.
    low: i32,
    zeros: u16,
    total: u32,
    count: u64,
    log_mean: f32,
    log_variance: f32,
    /// What they count.
    pub unit: Unit,
}

/// log2 of a positive normal number, to 0.01: the exponent, and a parabola through the mantissa.
#[inline]
fn log2(value: f64) -> f32 {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1023;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000) - 1.0;
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
    let log = (f64::from(exponent) + mantissa * (1.3465 - 0.3465 * mantissa)) as f32;
    log
}

impl Numbers {
    /// Counts a number. Its sign does not count.
    #[inline]
    pub fn add(&mut self, value: f64, unit: Unit) {
        self.unit = unit;
        self.count += 1;
        if self.total >= FULL {
            self.halve();
        }
        self.total += 1;
        let size = value.abs();
        if size < f64::MIN_POSITIVE {
            self.zeros += 1;
            return;
        }
        let log = log2(size);
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
        let half = (log * 2.0).floor() as i32;
        let bucket = self.bucket(half);
        self.buckets[bucket] += 1;
        let seen = self.total - u32::from(self.zeros);
        let weight = (1.0 / seen as f32).max(WEIGHT);
        let step = log - self.log_mean;
        self.log_mean += weight * step;
        self.log_variance = (1.0 - weight) * (self.log_variance + weight * step * step);
    }

    /// The bucket of a half octave; the span moves if it is outside, and what falls off its
    /// end is counted in the last bucket there.
    fn bucket(&mut self, half: i32) -> usize {
        if self.total == u32::from(self.zeros) + 1 {
            self.low = half - BUCKETS / 2;
        }
        let mut at = half - self.low;
        if at < 0 {
            let by = usize::try_from(-at).unwrap_or(usize::MAX).min(self.buckets.len());
            self.low = half;
            at = 0;
            let kept = self.buckets.len() - by;
            let lost = self.buckets[kept..].iter().sum::<u16>();
            self.buckets.copy_within(..kept, by);
            self.buckets[..by].fill(0);
            self.buckets[BUCKETS as usize - 1] += lost;
        } else if at >= BUCKETS {
            let by =
                usize::try_from(at - BUCKETS + 1).unwrap_or(usize::MAX).min(self.buckets.len());
            self.low = half - BUCKETS + 1;
            at = BUCKETS - 1;
            let lost = self.buckets[..by].iter().sum::<u16>();
            self.buckets.copy_within(by.., 0);
            let kept = self.buckets.len() - by;
            self.buckets[kept..].fill(0);
            self.buckets[0] += lost;
        }
        usize::try_from(at).unwrap_or_default()
    }

    fn halve(&mut self) {
        self.zeros /= 2;
        for bucket in &mut self.buckets {
            *bucket /= 2;
        }
        self.total =
            u32::from(self.zeros) + self.buckets.iter().map(|b| u32::from(*b)).sum::<u32>();
    }

    /// How many numbers came, ever.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The size that a share of the numbers does not exceed, `share` from 0 to 1; to about 20 %.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = share.clamp(0.0, 1.0) * f64::from(self.total);
        let mut sum = f64::from(self.zeros);
        if sum >= wanted {
            return 0.0;
        }
        for (at, count) in (0..).zip(&self.buckets) {
            sum += f64::from(*count);
            if sum >= wanted && *count > 0 {
                // The middle of the half octave.
                return (f64::from(self.low + at) / 2.0 + 0.25).exp2();
            }
        }
        0.0
    }

    /// The median size.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The average of log2 of the sizes that are not zero, newer ones count more.
    pub fn log_mean(&self) -> f64 {
        f64::from(self.log_mean)
    }

    /// The standard deviation of these logarithms.
    pub fn log_deviation(&self) -> f64 {
        f64::from(self.log_variance.max(0.0)).sqrt()
    }

    /// A standard deviation of log2 of the sizes that a few wild values do not move: the width
    /// of the middle half over 1.349, which is what it is for a normal distribution; at least
    /// that of one bucket, the precision.
    pub fn log_spread(&self) -> f64 {
        let (low, high) = (self.quantile(0.25), self.quantile(0.75));
        if low <= 0.0 {
            return self.log_deviation().max(0.5 / 1.349);
        }
        ((high / low).log2() / 1.349).max(0.5 / 1.349)
    }
}
