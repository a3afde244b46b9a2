//! When in the input a template came: counts over [`BUCKETS`] equal stretches of lines, without
//! knowing beforehand how many lines there will be.

use crate::tui::glyphs::Glyphs;

/// Stretches; between half of them and all are in use once there are as many lines.
pub const BUCKETS: usize = 32;

/// How many lines one stretch holds: doubles when they are full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    width: u64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { width: 1 }
    }
}

impl Scale {
    /// The stretch of a line, counted from 0; `None` if the scale must [`Self::double`] first.
    pub fn bucket(self, line: u64) -> Option<usize> {
        usize::try_from(line / self.width).ok().filter(|bucket| *bucket < BUCKETS)
    }

    /// Every stretch holds twice as many lines from now on: each [`Spark`] must [`Spark::halve`].
    pub fn double(&mut self) {
        self.width = self.width.saturating_mul(2);
    }

    /// Stretches that `lines` lines take.
    pub fn used(self, lines: u64) -> usize {
        usize::try_from(lines.div_ceil(self.width)).unwrap_or(BUCKETS).min(BUCKETS)
    }
}

/// One template's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spark([u32; BUCKETS]);

impl Spark {
    /// A line came in this stretch.
    pub fn count(&mut self, bucket: usize) {
        if let Some(count) = self.0.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    /// Pairs of stretches become one.
    pub fn halve(&mut self) {
        let old = std::mem::take(&mut self.0);
        for (pair, sum) in old.chunks_exact(2).zip(&mut self.0) {
            *sum = pair.iter().fold(0, |sum: u32, count| sum.saturating_add(*count));
        }
    }

    /// Takes the counts of a template that proved to be the same.
    pub fn absorb(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(count);
        }
    }

    /// The counts of the stretches in use.
    pub fn counts(&self, used: usize) -> &[u32] {
        self.0.get(..used).unwrap_or(&self.0)
    }
}

/// Counts as heights, against the highest of them; nothing where none came.
pub fn drawn(counts: &[u32], glyphs: &Glyphs) -> String {
    let most = u64::from(counts.iter().copied().max().unwrap_or_default());
    let top = glyphs.spark.len() as u64 - 1;
    let height = |count: u32| match u64::from(count) {
        0 => " ",
        // A single line beside many is still to be seen.
        count => {
            let height = usize::try_from(count * top / most).unwrap_or_default();
            glyphs.spark.get(height).copied().unwrap_or(" ")
        }
    };
    counts.iter().map(|count| height(*count)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::glyphs::UNICODE;

    #[test]
    fn heights_are_relative_to_the_highest_and_the_least_is_seen() {
        let mut spark = Spark::default();
        (0..1000).for_each(|_| spark.count(0));
        (0..500).for_each(|_| spark.count(1));
        spark.count(3);
        let drawn: Vec<char> = drawn(spark.counts(5), &UNICODE).chars().collect();
        assert_eq!(drawn.len(), 5);
        assert_eq!(drawn[0].to_string(), UNICODE.spark[7]);
        assert_eq!(drawn[1].to_string(), UNICODE.spark[3]);
        assert_eq!(drawn[2], ' ');
        assert_eq!(drawn[3].to_string(), UNICODE.spark[0]);
    }

    proptest! {
        #[test]
        fn no_count_is_lost_however_long_the_input_gets(lines in prop::collection::vec(0u64..5, 0..600)) {
            let (mut scale, mut spark, mut expected) = (Scale::default(), Spark::default(), 0u64);
            for (line, kind) in (0u64..).zip(&lines) {
                while scale.bucket(line).is_none() {
                    scale.double();
                    spark.halve();
                }
                if *kind == 0 {
                    spark.count(scale.bucket(line).unwrap());
                    expected += 1;
                }
            }
            let used = scale.used(lines.len() as u64);
            prop_assert!(used <= BUCKETS);
            prop_assert_eq!(spark.counts(used).iter().map(|c| u64::from(*c)).sum::<u64>(), expected);
            prop_assert!(lines.len() < BUCKETS || used > BUCKETS / 2);
        }
    }
}
