//! Medians of a measure over equal spans of time, and the straight line through them. Bounded:
//! a fixed number of spans, a fixed number of readings in the newest.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Readings kept of the span that is being filled; every other one goes when there are more.
const MOST_OPEN: usize = 32;

/// The newest medians of one measure, oldest first.
#[derive(Debug)]
pub struct Buckets {
    width: f64,
    most: usize,
    closed: VecDeque<(f64, f64)>,
    /// Times are seconds since this.
    origin: Option<Timestamp>,
    /// When the span that is being filled began.
    began: f64,
    open: Vec<f64>,
}

/// The straight line through medians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Units per second: the median of the slopes between all pairs of medians (Theil–Sen),
    /// which a third of wild values does not move.
    pub per_second: f64,
    /// Seconds from the first median to the last.
    pub span: f64,
    /// Median of the last three.
    pub level: f64,
    /// Share of the variance that the line explains, 0 to 1.
    pub fit: f64,
    /// Normal score of Mann and Kendall's count of pairs that rise against those that fall:
    /// above 3, chance is out.
    pub sign: f64,
    /// Slope of the last third divided by that of the whole: near 0 on a plateau.
    pub lasting: f64,
    /// Where the measure comes to rest if its slope goes on to fall as it did from the first third
    /// to the last (an exponential approach, as a cache fills); infinite if it does not fall.
    pub rests_at: f64,
}

impl Buckets {
    /// At most `most` spans of `width`.
    pub fn new(width: SignedDuration, most: usize) -> Self {
        Self {
            width: width.as_secs_f64(),
            most,
            closed: VecDeque::new(),
            origin: None,
            began: 0.0,
            open: Vec::new(),
        }
    }

    /// Takes one value. True when it closed a span: the time to look at the whole.
    pub fn push(&mut self, at: Timestamp, value: f64) -> bool {
        let origin = *self.origin.get_or_insert(at);
        let now = at.duration_since(origin).as_secs_f64();
        if now < self.began {
            // The clock went back: what was learned has no order any more.
            self.clear();
            return self.push(at, value);
        }
        let over = !self.open.is_empty() && now >= self.began + self.width;
        if over {
            if self.closed.len() == self.most {
                self.closed.pop_front();
            }
            let median = median(&mut self.open);
            self.closed.push_back((self.began, median));
            self.open.clear();
        }
        if self.open.is_empty() {
            self.began = now;
        }
        if self.open.len() == MOST_OPEN {
            let mut odd = false;
            self.open.retain(|_| {
                odd = !odd;
                odd
            });
        }
        self.open.push(value);
        over
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.closed.clear();
        self.open.clear();
        self.origin = None;
        self.began = 0.0;
    }

    /// How many medians there are.
    pub fn len(&self) -> usize {
        self.closed.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty()
    }

    /// Median and median absolute deviation of all but the newest `without` medians.
    pub fn usual(&self, without: usize) -> Option<(f64, f64)> {
        let count = self.closed.len().checked_sub(without).filter(|n| *n > 0)?;
        let mut values: Vec<f64> = self.closed.iter().take(count).map(|(_, v)| *v).collect();
        let middle = median(&mut values);
        for value in &mut values {
            *value = (*value - middle).abs();
        }
        Some((middle, median(&mut values)))
    }

    /// The lowest and the highest median.
    pub fn range(&self) -> Option<(f64, f64)> {
        let values = || self.closed.iter().map(|(_, v)| *v);
        Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
    }

    /// The median of the newest `count` medians; `None` while there are fewer.
    pub fn newest(&self, count: usize) -> Option<f64> {
        let mut values: Vec<f64> = self.closed.iter().rev().take(count).map(|(_, v)| *v).collect();
        (values.len() == count && count > 0).then(|| median(&mut values))
    }

    /// The line through all medians; `None` for less than four of them.
    pub fn trend(&self) -> Option<Trend> {
        let points: Vec<(f64, f64)> = self.closed.iter().copied().collect();
        trend(&points)
    }

    /// The line through the medians since the measure last stood where it is the lowest, give or
    /// take a twentieth of its range: what was flat before a rise began is no part of the rise.
    pub fn rise(&self) -> Option<Trend> {
        let (lowest, highest) = self.range()?;
        let low = lowest + (highest - lowest) * 0.05;
        let began = self.closed.iter().rposition(|(_, v)| *v <= low)?;
        let points: Vec<(f64, f64)> = self.closed.iter().skip(began).copied().collect();
        trend(&points)
    }
}

/// The line through points in order of time; `None` for less than four of them.
pub fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    let count = points.len();
    if count < 4 {
        return None;
    }
    let (first, last) = (points.first()?, points.last()?);
    let (per_second, rises) = slope(points)?;
    let n = count as f64;
    let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0;
    let sign = (rises - rises.signum()) / variance.sqrt();
    let mut offsets: Vec<f64> = points.iter().map(|(t, v)| v - per_second * t).collect();
    let offset = median(&mut offsets);
    let mean = points.iter().map(|(_, v)| v).sum::<f64>() / n;
    let total: f64 = points.iter().map(|(_, v)| (v - mean).powi(2)).sum();
    let left: f64 = points.iter().map(|(t, v)| (v - offset - per_second * t).powi(2)).sum();
    let fit = if total > 0.0 { (1.0 - left / total).max(0.0) } else { 0.0 };
    let third = (count / 3).max(3);
    let (early, late) = (slope(points.get(..third)?)?.0, slope(points.get(count - third..)?)?.0);
    let lasting = if per_second == 0.0 { 0.0 } else { late / per_second };
    let span = last.0 - first.0;
    let mut newest: Vec<f64> = points.iter().rev().take(3).map(|(_, v)| *v).collect();
    let level = median(&mut newest);
    let rests_at = if late > 0.0 && early > late {
        let decay = (early / late).ln() / (span * 2.0 / 3.0);
        level + late / decay
    } else {
        f64::INFINITY
    };
    Some(Trend { per_second, span, level, fit, sign, lasting, rests_at })
}

/// The median slope between all pairs, and how many more pairs rise than fall.
fn slope(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut rises = 0.0;
    for (i, (t, v)) in points.iter().enumerate() {
        for (later, value) in points.iter().skip(i + 1) {
            let time = later - t;
            if time > 0.0 {
                slopes.push((value - v) / time);
            }
            if value > v {
                rises += 1.0;
            } else if value < v {
                rises -= 1.0;
            }
        }
    }
    (!slopes.is_empty()).then(|| (median(&mut slopes), rises))
}

/// The median; 0 of nothing. The order of the values is lost.
pub fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    fn filled(seconds: i64, value: impl Fn(i64) -> f64) -> Buckets {
        let mut buckets = Buckets::new(SignedDuration::from_secs(10), 60);
        for t in 0..seconds {
            buckets.push(at(t), value(t));
        }
        buckets
    }

    #[test]
    fn medians_are_those_of_school() {
        assert!(near(median(&mut []), 0.0));
        assert!(near(median(&mut [3.0, 1.0, 2.0]), 2.0));
        assert!(near(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5));
    }

    #[test]
    fn a_steady_rise_has_its_slope_even_with_wild_values() {
        let trend = filled(620, |t| t as f64 * 2.0 + if t % 50 < 10 { 5000.0 } else { 0.0 })
            .trend()
            .unwrap();
        assert!((trend.per_second - 2.0).abs() < 0.2, "{trend:?}");
        assert!(trend.sign > 2.0, "{trend:?}");
        let clean = filled(620, |t| t as f64 * 2.0).trend().unwrap();
        assert!(clean.fit > 0.999 && clean.lasting > 0.99 && clean.sign > 8.0, "{clean:?}");
        assert!(near(clean.span, 590.0), "{clean:?}");
    }

    #[test]
    fn a_plateau_does_not_last_and_noise_has_no_sign() {
        let plateau = filled(620, |t| (t as f64).min(300.0)).trend().unwrap();
        assert!(plateau.lasting < 0.1, "{plateau:?}");
        let fills = filled(620, |t| 500.0 * (1.0 - (-(t as f64) / 400.0).exp())).trend().unwrap();
        assert!((fills.rests_at / 500.0 - 1.0).abs() < 0.1, "{fills:?}");
        let noise = filled(620, |t| f64::from(u32::try_from(t * 7919 % 101).unwrap())).trend();
        assert!(noise.unwrap().sign.abs() < 2.5, "{noise:?}");
    }

    #[test]
    fn a_rise_begins_where_it_began() {
        let rise = filled(620, |t| 10.0 + (t - 200).max(0) as f64).rise().unwrap();
        assert!((rise.span - 400.0).abs() < 35.0 && rise.fit > 0.99, "{rise:?}");
        assert!((rise.per_second - 1.0).abs() < 0.02, "{rise:?}");
    }

    #[test]
    fn memory_is_bounded_and_a_clock_that_goes_back_begins_anew() {
        let mut buckets = filled(5000, |t| t as f64);
        assert_eq!(buckets.len(), 60);
        let mut fast = Buckets::new(SignedDuration::from_secs(10), 60);
        for _ in 0..100_000 {
            fast.push(at(0), 1.0);
        }
        assert!(fast.open.len() <= MOST_OPEN);
        buckets.push(at(-10), 1.0);
        assert!(buckets.is_empty());
    }

    #[test]
    fn the_usual_leaves_the_newest_out() {
        let buckets = filled(110, |t| if t < 60 { 10.0 } else { 1000.0 });
        let (middle, spread) = buckets.usual(4).unwrap();
        assert!(near(middle, 10.0) && near(spread, 0.0));
        assert_eq!(buckets.usual(50), None);
    }
}
