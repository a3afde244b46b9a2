//! Numbers in one kind of line that leave their usual range: latencies, sizes, counts.
//!
//! What is usual is the histogram that the miner keeps for each place. A window (ten numbers and
//! ten seconds at least) is off when more than half of it lies beyond four robust standard
//! deviations of the median; three of them in a row are a drift. Comparing with two bounds costs
//! no logarithm a line.

use crate::detect::miner::number::Unit;
use crate::detect::miner::slots::{Place, Slots};

/// Places that are followed in a template, as many as the miner follows numbers.
const PLACES: usize = 4;
/// Numbers that must be known of a place before it is judged.
const KNOWN: u64 = 100;
/// Numbers of a window.
const NUMBERS: u16 = 10;
/// Seconds of a window.
const SECONDS: u32 = 10;
/// Robust standard deviations of the logarithm.
const DEVIATIONS: f64 = 4.0;
/// At least this factor off the median, whatever the deviation.
const FACTOR: f64 = 2.0;
/// Windows in a row.
const WINDOWS: u8 = 3;
/// So many rises in a row make a counter, which leaves every range.
const COUNTER: i8 = 12;

/// A number that left its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drifted {
    /// Which token of the template.
    pub position: u8,
    /// The median before.
    pub usual: f64,
    /// The mean of those beyond the bound in the last window.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

/// One place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Track {
    position: u8,
    /// Numbers that rose in a row; negative: fell.
    run: i8,
    /// Windows in a row that were off, in the direction of `up`.
    off: u8,
    up: bool,
    numbers: u16,
    above: u16,
    below: u16,
    /// The second in which the window began.
    opened: u32,
    low: f32,
    high: f32,
    usual: f32,
    last: f32,
    above_sum: f32,
    below_sum: f32,
}

/// The numbers of one template. 196 bytes, for those that have numbers only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    tracks: [Track; PLACES],
    used: u8,
}

impl Drift {
    /// Looks at a number of a line; `known` is what the miner knows of the template.
    pub fn number(
        &mut self,
        position: u8,
        value: f64,
        second: u32,
        known: &Slots,
    ) -> Option<Drifted> {
        let used = usize::from(self.used);
        let at = self.tracks.iter().take(used).position(|t| t.position == position);
        let at = at.or_else(|| {
            (used < PLACES).then(|| {
                self.used += 1;
                used
            })
        })?;
        let track = self.tracks.get_mut(at)?;
        track.position = position;
        track.number(value, second, known)
    }

    /// A new process: its numbers begin a window of their own.
    pub fn restarts(&mut self) {
        for track in &mut self.tracks {
            (track.off, track.numbers) = (0, 0);
        }
    }
}

impl Track {
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a range")]
    fn number(&mut self, value: f64, second: u32, known: &Slots) -> Option<Drifted> {
        let value = value as f32;
        self.run = match value.total_cmp(&self.last) {
            std::cmp::Ordering::Greater => self.run.max(0).saturating_add(1),
            std::cmp::Ordering::Less => self.run.min(0).saturating_sub(1),
            std::cmp::Ordering::Equal => self.run,
        };
        self.last = value;
        if self.numbers >= NUMBERS && second >= self.opened.saturating_add(SECONDS) {
            let drifted = self.close(known);
            self.open(second, known);
            self.count(value);
            return drifted;
        }
        if self.numbers == 0 {
            self.open(second, known);
        }
        self.count(value);
        None
    }

    fn count(&mut self, value: f32) {
        self.numbers = self.numbers.saturating_add(1);
        if value > self.high {
            self.above = self.above.saturating_add(1);
            self.above_sum += value;
        } else if value < self.low {
            self.below = self.below.saturating_add(1);
            self.below_sum += value;
        }
    }

    fn close(&mut self, known: &Slots) -> Option<Drifted> {
        let half = self.numbers / 2;
        let up = self.above > half;
        let down = self.below > half;
        if !(up || down) || self.run.unsigned_abs() >= COUNTER.unsigned_abs() {
            self.off = 0;
            return None;
        }
        self.off = if self.off > 0 && self.up == up { self.off + 1 } else { 1 };
        self.up = up;
        if self.off < WINDOWS {
            return None;
        }
        self.off = 0;
        let unit = known.at(self.position)?.numbers.as_ref()?.unit;
        if down && unit == Unit::Seconds {
            // Faster than usual is no trouble.
            return None;
        }
        let (sum, count) =
            if up { (self.above_sum, self.above) } else { (self.below_sum, self.below) };
        Some(Drifted {
            position: self.position,
            usual: f64::from(self.usual),
            value: f64::from(sum / f32::from(count)),
            unit,
        })
    }

    /// Begins a window. While it is off, what is usual stays what it was.
    fn open(&mut self, second: u32, known: &Slots) {
        self.opened = second;
        (self.numbers, self.above, self.below) = (0, 0, 0);
        (self.above_sum, self.below_sum) = (0.0, 0.0);
        if self.off > 0 {
            return;
        }
        (self.low, self.high) = (f32::NEG_INFINITY, f32::INFINITY);
        let Some((usual, factor)) = known.at(self.position).and_then(range) else { return };
        #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
        {
            self.usual = usual as f32;
            self.high = (usual * factor) as f32;
            self.low = (usual / factor) as f32;
        }
    }
}

/// The median of a place, and the factor to the ends of its usual range.
fn range(place: &Place) -> Option<(f64, f64)> {
    let numbers = place.numbers.as_ref()?;
    // A number without a unit that has few values is a code or an id.
    let code = numbers.unit == Unit::None && place.values.is_some();
    let usual = numbers.median();
    if numbers.count() < KNOWN || code || usual <= 0.0 {
        return None;
    }
    Some((usual, (DEVIATIONS * numbers.log_spread()).exp2().max(FACTOR)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::miner::slots::Slot;
    use crate::detect::miner::template::Payload;
    use crate::detect::miner::{Bounds, Miner};
    use jiff::Timestamp;

    #[derive(Default)]
    struct Kept(Drift);
    impl Payload for Kept {
        fn absorb(&mut self, _other: Self) {}
    }

    /// One line a second; the drifts that are told, with their seconds.
    fn told(lines: impl Iterator<Item = String>) -> Vec<(u32, Drifted)> {
        let mut miner: Miner<Kept> = Miner::new(Bounds::default());
        let mut found = Vec::new();
        for (second, line) in (1_000_000..).zip(lines) {
            let at = Timestamp::from_second(i64::from(second)).unwrap();
            let mined = miner.mine(&line, at).unwrap();
            let slots: Vec<Slot> = mined.slots.to_vec();
            for slot in slots {
                if let Slot::Number { position, value, .. } = slot {
                    let known = &mined.template.slots;
                    let drifted = mined.template.payload.0.number(position, value, second, known);
                    found.extend(drifted.map(|d| (second - 1_000_000, d)));
                }
            }
        }
        found
    }

    /// Scatters around 1 by up to a third.
    fn scatter(i: u32) -> f64 {
        1.0 + f64::from(i.wrapping_mul(2_654_435_761) % 1000) / 1500.0 - 0.33
    }

    #[test]
    fn a_query_that_becomes_slow_is_told_within_half_a_minute() {
        let told = told((0..700).map(|i| {
            let ms = scatter(i) * if i < 600 { 40.0 } else { 1900.0 };
            format!("slow query took {ms:.1} ms on orders")
        }));
        let (at, drifted) = told.first().copied().unwrap();
        assert!((600..=650).contains(&at), "{told:?}");
        assert_eq!(drifted.unit, Unit::Seconds);
        assert!((0.03..0.06).contains(&drifted.usual), "{drifted:?}");
        assert!((1.5..2.5).contains(&drifted.value), "{drifted:?}");
    }

    #[test]
    fn a_steady_number_a_counter_and_a_single_outlier_are_no_drift() {
        let steady = (0..3000).map(|i| format!("served request in {:.1} ms", scatter(i) * 40.0));
        assert_eq!(told(steady), []);
        let counter = (0..3000).map(|i| format!("checkpoint done, {} bytes so far", i * i + 1));
        assert_eq!(told(counter), []);
        let outlier = (0..3000).map(|i| {
            format!("served request in {:.1} ms", scatter(i) * if i % 50 == 0 { 9e4 } else { 40.0 })
        });
        assert_eq!(told(outlier), []);
    }
}
