//! Network and disk rates that leave their usual range: told only when every horizon agrees.
//!
//! A consensus over several memories is what keeps a detector without a model quiet (Netdata asks
//! eighteen models of six hours each and takes "anomalous" only from all of them; LOGS.md §4).
//! Here three memories of medians do: five minutes, half an hour, three hours.

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::buckets::Buckets;

/// Widths of the spans of the three memories; each has sixty.
const HORIZONS: [SignedDuration; 3] =
    [SignedDuration::from_secs(5), SignedDuration::from_secs(30), SignedDuration::from_mins(3)];
/// Spans in each of them.
const SPANS: usize = 60;
/// So many spans must be known in each: an hour of the longest.
const ENOUGH: usize = 20;
/// The present: medians of the shortest memory, half a minute. Odd, so that their median is one of
/// them, and not half of what was.
const PRESENT: usize = 7;
/// Robust z from which on a rate is unusual. On a logarithmic scale rates are near enough to
/// normal; six and more happens to none of 400 measures in a day.
const UNUSUAL: f64 = 6.0;
/// A spread below this (natural logarithm: 22 %) is taken for this: nothing is that regular.
const LEAST_SPREAD: f64 = 0.2;
/// Bytes per second below which a rise is idle chatter.
const FLOOR: f64 = 64.0 * 1024.0;
/// A usual rate from which on its end is told, too, in bytes per second.
const FLOOR_END: f64 = 16.0 * 1024.0;
/// A rise or a fall by less than this factor is none.
const FACTOR: f64 = 4.0;
/// Beyond all that the longest memory holds, by this factor: a job that runs every hour is usual,
/// though no median shows it.
const BEYOND: f64 = 2.0;
/// After it was told, silence for this long: a new level becomes usual meanwhile.
const SILENCE: SignedDuration = SignedDuration::from_mins(30);

/// A rate that left its usual range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shifted {
    /// Usual bytes per second, over half an hour.
    pub usual: f64,
    /// Bytes per second now, the median of half a minute.
    pub now: f64,
    /// The least of the three robust z.
    pub z: f64,
}

/// One rate of one container.
#[derive(Debug)]
pub struct Shift {
    horizons: [Buckets; 3],
    told_at: Option<Timestamp>,
}

impl Default for Shift {
    fn default() -> Self {
        Self { horizons: HORIZONS.map(|width| Buckets::new(width, SPANS)), told_at: None }
    }
}

impl Shift {
    /// Takes a rate in bytes per second.
    pub fn sample(&mut self, at: Timestamp, rate: f64) -> Option<Shifted> {
        let value = rate.max(0.0).ln_1p();
        let [near, rest @ ..] = &mut self.horizons;
        let closed = near.push(at, value);
        for horizon in rest {
            horizon.push(at, value);
        }
        let silent = self.told_at.is_some_and(|told| at.duration_since(told) < SILENCE);
        if !closed || silent {
            return None;
        }
        let found = self.judge()?;
        self.told_at = Some(at);
        Some(found)
    }

    fn judge(&self) -> Option<Shifted> {
        let now = self.horizons.first()?.newest(PRESENT)?;
        // Most often it is well within what the longest memory holds, which costs least to know.
        let (lowest, highest) = self.horizons.last()?.range()?;
        if (lowest..=highest).contains(&now) {
            return None;
        }
        let mut least = f64::INFINITY;
        let mut usual_at = [0.0; 3];
        for (horizon, usual_here) in self.horizons.iter().zip(&mut usual_at) {
            if horizon.len() < ENOUGH {
                return None;
            }
            // The shortest memory holds the present itself.
            let without = if std::ptr::eq(horizon, self.horizons.first()?) { PRESENT } else { 0 };
            let (middle, spread) = horizon.usual(without)?;
            *usual_here = middle;
            let z = (now - middle) / (spread * 1.4826).max(LEAST_SPREAD);
            // All in the same direction.
            if z.abs() < least.abs() {
                least = z;
            }
            if z.abs() < UNUSUAL || (least > 0.0) != (z > 0.0) {
                return None;
            }
        }
        let [_, usual, _] = usual_at.map(f64::exp_m1);
        let (lowest, highest, now) = (lowest.exp_m1(), highest.exp_m1(), now.exp_m1());
        let real = if least > 0.0 {
            now >= FLOOR && now >= usual * FACTOR && now >= highest * BEYOND
        } else {
            usual >= FLOOR_END && now * FACTOR <= usual && now * BEYOND <= lowest
        };
        real.then_some(Shifted { usual, now, z: least.abs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(t: i64) -> f64 {
        f64::from(i32::try_from((t * 7919 + t * t * 31) % 201).unwrap()) / 100.0 - 1.0
    }

    fn run(to: i64, rate: impl Fn(i64) -> f64) -> Vec<(i64, Shifted)> {
        let mut shift = Shift::default();
        let mut told = Vec::new();
        for t in (0..to).step_by(2) {
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + t);
            if let Some(found) = shift.sample(at, rate(t)) {
                told.push((t, found));
            }
        }
        told
    }

    #[test]
    fn a_jump_over_everything_known_is_told_once() {
        let told = run(12_000, |t| (1.0 + noise(t) / 4.0) * if t < 8000 { 1e5 } else { 5e6 });
        assert_eq!(told.len(), 1, "{told:?}");
        let (when, found) = told[0];
        assert!((8010..8060).contains(&when), "{told:?}");
        assert!(found.usual > 5e4 && found.now > 2e6 && found.z >= UNUSUAL, "{found:?}");
    }

    #[test]
    fn an_end_of_traffic_is_told() {
        let told = run(10_000, |t| if t < 8000 { 1e5 + noise(t) * 1e4 } else { 0.0 });
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1.now < 1.0);
    }

    #[test]
    fn what_came_before_within_three_hours_is_usual() {
        // A job every twenty minutes.
        let job = |t: i64| if t % 1200 < 400 { 5e6 } else { 1e4 + noise(t) * 1e3 };
        assert_eq!(run(30_000, job), []);
        // Bursts, noise, a slow rise of a day.
        assert_eq!(run(30_000, |t| 1e5 * (1.0 + noise(t) * 0.9)), []);
        assert_eq!(run(60_000, |t| 1e4 * (1.0 + t as f64 / 4000.0)), []);
    }

    #[test]
    fn idle_chatter_and_a_young_watch_say_nothing() {
        assert_eq!(run(12_000, |t| if t < 8000 { 10.0 } else { 4000.0 }), []);
        assert_eq!(run(3000, |t| if t < 1500 { 10.0 } else { 1e7 }), []);
    }
}
