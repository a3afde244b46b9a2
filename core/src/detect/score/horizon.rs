//! Mean and variance of counts per window, with a memory of one length.

use serde::{Deserialize, Serialize};

/// How long a baseline remembers, as the weight of the newest window of ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Half of it is older than 30 minutes.
    Short,
    /// Half of it is older than 6 hours.
    Long,
}

impl Memory {
    /// Weight of one window: `1 - 2^(-10 s / half-life)`.
    pub fn weight(self) -> f32 {
        match self {
            Self::Short => 0.003_843,
            Self::Long => 0.000_320_9,
        }
    }

    /// Windows until it forgets: before, the mean of all is taken.
    fn full(self) -> u32 {
        match self {
            Self::Short => 260,
            Self::Long => 3116,
        }
    }
}

/// Exponentially weighted mean and mean square. While there were few windows it is the plain mean
/// of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f32, f32)", into = "(f32, f32)")]
pub struct Horizon {
    mean: f32,
    square: f32,
}

impl From<Horizon> for (f32, f32) {
    fn from(Horizon { mean, square }: Horizon) -> Self {
        (mean, square)
    }
}

impl From<(f32, f32)> for Horizon {
    fn from((mean, square): (f32, f32)) -> Self {
        Self { mean, square }
    }
}

impl Horizon {
    /// Takes in the count of a window, after `seen` others.
    pub fn add(&mut self, count: f32, seen: u32, memory: Memory) {
        let weight = memory.weight().max(1.0 / (seen as f32 + 1.0));
        self.mean += weight * (count - self.mean);
        self.square += weight * (count * count - self.square);
    }

    /// Takes in so many empty windows at once, after `seen` others.
    pub fn add_empty(&mut self, windows: u32, seen: u32, memory: Memory) {
        let plain = windows.min(memory.full().saturating_sub(seen));
        let mut factor = if plain == 0 { 1.0 } else { seen as f32 / (seen + plain) as f32 };
        let rest = i32::try_from(windows - plain).unwrap_or(i32::MAX);
        if rest > 0 {
            factor *= (1.0 - memory.weight()).powi(rest);
        }
        self.mean *= factor;
        self.square *= factor;
    }

    /// Lines per window.
    pub fn mean(&self) -> f32 {
        self.mean
    }

    /// Variance over mean, at least that of chance alone.
    pub fn phi(&self) -> f32 {
        if self.mean <= f32::EPSILON {
            return 1.0;
        }
        (self.variance() / self.mean).max(1.0)
    }

    /// More than this is not learned from one window, so that a burst does not teach itself.
    pub fn cap(&self) -> f32 {
        self.mean + 4.0 * self.variance().sqrt() + 3.0
    }

    fn variance(self) -> f32 {
        (self.square - self.mean * self.mean).max(0.0)
    }

    /// The sum of two independent streams.
    pub fn join(&mut self, other: Self) {
        let variance = self.variance() + other.variance();
        self.mean += other.mean;
        self.square = variance + self.mean * self.mean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_windows_at_once_are_as_many_one_by_one() {
        for memory in [Memory::Short, Memory::Long] {
            for before in [0_u32, 10, 5000] {
                for empty in [1_u32, 7, 4000] {
                    let mut at_once = Horizon { mean: 12.0, square: 200.0 };
                    let mut one_by_one = at_once;
                    at_once.add_empty(empty, before, memory);
                    for i in 0..empty {
                        one_by_one.add(0.0, before + i, memory);
                    }
                    let (a, b) = (at_once.mean(), one_by_one.mean());
                    assert!(
                        (a - b).abs() <= 0.02 * b + 1e-4,
                        "{memory:?} {before} {empty}: {a} {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_half_life_is_what_it_says() {
        let mut short = Horizon { mean: 8.0, square: 64.0 };
        short.add_empty(180, 10_000, Memory::Short);
        assert!((short.mean() - 4.0).abs() < 0.01);
        let mut long = Horizon { mean: 8.0, square: 64.0 };
        long.add_empty(2160, 10_000, Memory::Long);
        assert!((long.mean() - 4.0).abs() < 0.01);
    }

    #[test]
    fn steady_counts_have_no_dispersion_and_wild_ones_do() {
        let (mut steady, mut wild) = (Horizon::default(), Horizon::default());
        for i in 0..1000_u32 {
            steady.add(20.0, i, Memory::Short);
            wild.add(if i % 10 == 0 { 200.0 } else { 0.0 }, i, Memory::Short);
        }
        assert!(steady.phi() < 1.01);
        assert!(wild.phi() > 100.0);
        assert!((wild.mean() - 20.0).abs() < 5.0);
    }
}
