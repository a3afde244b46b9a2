//! Memory that grows without end: how fast, and when it will reach the limit.
//!
//! Two looks at the same readings. The slow one fits a line through medians of a quarter of an
//! hour and of two hours (Theil–Sen, with Mann and Kendall's sign and the share of the variance
//! that the line explains) and wants ten minutes of growth. The fast one wants twenty seconds in
//! which memory only grew, but only close before the limit, where there is no time to lose.
//!
//! What grows and stops is no leak: a line that flattens is none, neither is the climb back, after
//! a restart, to where the service stood still before (a cache, a heap).

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::buckets::{Buckets, Trend, trend};
use crate::domain::severity::Severity;

/// The two series of medians: a quarter of an hour and two hours.
const SHORT: (SignedDuration, usize) = (SignedDuration::from_secs(15), 60);
/// See [`SHORT`].
const LONG: (SignedDuration, usize) = (SignedDuration::from_mins(2), 60);
/// Growth that counts as sustained (FAILURES.md row 6: a slope over ten minutes and more).
const SUSTAINED: f64 = 600.0;
/// After a start memory grows by itself: caches fill, code is compiled (FAILURES.md row 7).
const WARM_UP: SignedDuration = SignedDuration::from_mins(15);
/// A service that is known to leak is believed this soon after a restart.
const WARM_UP_KNOWN: SignedDuration = SignedDuration::from_mins(2);
/// See [`WARM_UP_KNOWN`]: growth of this many seconds at a like rate.
const SUSTAINED_KNOWN: f64 = 180.0;
/// A hit that is further away than this is no matter for today (FAILURES.md row 7).
const WITHIN: f64 = 3600.0;
/// A hit as near as this is urgent.
const URGENT: f64 = 600.0;
/// Share of the variance that the line explains at least.
const FIT: f64 = 0.8;
/// Mann and Kendall's score at least: one chance in seven hundred.
const SIGN: f64 = 3.0;
/// The last third has to grow at this share of the whole's rate, or it flattens.
const LASTING: f64 = 0.5;
/// A curve that comes to rest below this share of the limit does not reach it.
const REACHES: f64 = 0.95;
/// Growth over the series below this share of the limit is a ripple.
const RIPPLE: f64 = 0.03;
/// Below this share of the limit a projection is a guess about a cache that fills.
const LEVEL: f64 = 0.5;
/// The fast look: from this share of the limit on, …
const FAST_LEVEL: f64 = 0.7;
/// … when the limit is this near, …
const FAST_WITHIN: f64 = 180.0;
/// … after this much time in which memory only grew.
const FAST_SPAN: f64 = 20.0;
/// During the warm-up the fast look is sure only here, or this near before the hit: a data set
/// that is being loaded looks the same until it is complete.
const SURE_LEVEL: f64 = 0.85;
/// See [`SURE_LEVEL`].
const SURE_WITHIN: f64 = 30.0;
/// Readings that the fast look keeps, a second apart at least, and how long.
const RECENT: usize = 48;
/// See [`RECENT`].
const RECENT_FOR: f64 = 90.0;
/// A fall by more than this share of the value ends "only grew".
const DIP: f64 = 0.01;
/// Growth of less than this share of the level in ten minutes is standing still.
const STILL: f64 = 0.02;
/// Above where it stood still by this factor, it grows anew.
const ABOVE_PLATEAU: f64 = 1.05;

/// What is known of a service beyond one run of its process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Bytes per second that it leaked in an earlier run.
    pub leak: Option<f64>,
    /// Bytes at which it stood still before; 0: it never did.
    pub plateau: f64,
}

/// Memory that will reach its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growing {
    /// Bytes per second.
    pub per_second: f64,
    /// Seconds until the limit.
    pub seconds_to_limit: f64,
    /// Seconds of growth behind the claim.
    pub span: f64,
    /// Bytes at the beginning of it, about.
    pub from: f64,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 1.
    pub score: f64,
}

/// The memory of one container.
#[derive(Debug)]
pub struct Growth {
    recent: VecDeque<(Timestamp, f64)>,
    short: Buckets,
    long: Buckets,
    /// Its process has run for longer than the warm-up, and the series begin there.
    warm: bool,
    told: Option<Severity>,
    known: Known,
}

impl Growth {
    /// `known`: of earlier runs of the service.
    pub fn new(known: Known) -> Self {
        Self {
            recent: VecDeque::new(),
            short: Buckets::new(SHORT.0, SHORT.1),
            long: Buckets::new(LONG.0, LONG.1),
            warm: false,
            told: None,
            known,
        }
    }

    /// What a later run of the service should know.
    pub fn known(&self) -> Known {
        self.known
    }

    /// Another process: memory begins anew, what is known of the service stays.
    pub fn process_started(&mut self) {
        *self = Self::new(self.known);
    }

    /// Takes a reading: `bytes` that cannot be dropped, the limit, and how long the process has
    /// run (`None`: long).
    pub fn sample(
        &mut self,
        at: Timestamp,
        bytes: f64,
        limit: f64,
        age: Option<SignedDuration>,
    ) -> Option<Growing> {
        if limit <= 0.0 {
            return None;
        }
        let warm_up = if self.known.leak.is_some() { WARM_UP_KNOWN } else { WARM_UP };
        let warm = age.is_none_or(|age| age >= warm_up);
        if warm && !std::mem::replace(&mut self.warm, warm) {
            self.short.clear();
            self.long.clear();
        }
        let closed = self.short.push(at, bytes);
        self.long.push(at, bytes);
        self.keep_recent(at, bytes);
        if closed {
            self.learn(limit);
        }
        let expected = self.known.leak.is_none() && bytes <= self.known.plateau * ABOVE_PLATEAU;
        let fast = self.fast(bytes, limit, warm).filter(|_| !expected);
        let slow = (closed && warm && !expected).then(|| self.slow(bytes, limit)).flatten();
        let found = match (fast, slow) {
            (Some(fast), Some(slow)) if slow.severity > fast.severity => Some(slow),
            (fast, slow) => fast.or(slow),
        }?;
        if self.told.is_some_and(|told| told >= found.severity) {
            return None;
        }
        self.told = Some(found.severity);
        if found.span >= SUSTAINED_KNOWN {
            self.known = Known { leak: Some(found.per_second), plateau: 0.0 };
        }
        Some(found)
    }

    fn keep_recent(&mut self, at: Timestamp, bytes: f64) {
        if let Some((last, _)) = self.recent.back() {
            let gap = at.duration_since(*last).as_secs_f64();
            if !(0.0..=RECENT_FOR).contains(&gap) {
                self.recent.clear();
            } else if gap < 1.0 {
                return;
            }
        }
        while self.recent.len() == RECENT
            || self
                .recent
                .front()
                .is_some_and(|(t, _)| at.duration_since(*t).as_secs_f64() > RECENT_FOR)
        {
            self.recent.pop_front();
        }
        self.recent.push_back((at, bytes));
    }

    /// Once a span: does it stand still, and is a growth that was told over?
    fn learn(&mut self, limit: f64) {
        let Some(trend) = self.short.trend() else { return };
        let flat = trend.per_second * SUSTAINED < trend.level * STILL;
        if flat && trend.span >= SUSTAINED {
            self.known.plateau = self.known.plateau.max(trend.level);
        }
        let ripple = trend.per_second * trend.span < limit * RIPPLE;
        if ripple && self.told.is_some() {
            self.told = None;
        }
        if flat && ripple && trend.span >= SUSTAINED && self.short.len() == SHORT.1 {
            // A whole quarter of an hour without growth: it leaks no more.
            self.known.leak = None;
        }
    }

    fn slow(&self, bytes: f64, limit: f64) -> Option<Growing> {
        let needed = match self.known.leak {
            Some(_) => SUSTAINED_KNOWN,
            None => SUSTAINED,
        };
        let one = |series: &Buckets, needed: f64| {
            let trend = series.rise().filter(|t| t.span >= needed)?;
            let like = self.known.leak.is_none_or(|leak| {
                trend.span >= SUSTAINED || (0.5..2.0).contains(&(trend.per_second / leak))
            });
            like.then(|| projected(&trend, bytes, limit)).flatten()
        };
        // The long series is for growth that is slow against its noise.
        one(&self.short, needed).or_else(|| one(&self.long, SUSTAINED * 3.0))
    }

    fn fast(&self, bytes: f64, limit: f64, warm: bool) -> Option<Growing> {
        if bytes < limit * FAST_LEVEL || self.told == Some(Severity::High) {
            return None;
        }
        let (end, _) = *self.recent.back()?;
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(self.recent.len());
        let mut above = f64::INFINITY;
        for (at, value) in self.recent.iter().rev() {
            if *value > above * (1.0 + DIP) {
                break;
            }
            above = *value;
            points.push((-end.duration_since(*at).as_secs_f64(), *value));
        }
        // Most often it stands still up there: two points tell, without all pairs.
        let (since, first) = *points.last()?;
        if since > -FAST_SPAN || (limit - bytes) * -since >= FAST_WITHIN * 2.0 * (bytes - first) {
            return None;
        }
        points.reverse();
        let trend = trend(&points).filter(|t| t.span >= FAST_SPAN && t.per_second > 0.0)?;
        let seconds = (limit - bytes).max(0.0) / trend.per_second;
        let grown = trend.per_second * trend.span;
        let goes_on = trend.lasting >= LASTING
            && grown >= limit * RIPPLE
            && trend.rests_at >= limit * REACHES;
        if !goes_on || seconds >= FAST_WITHIN {
            return None;
        }
        let sure = warm || bytes >= limit * SURE_LEVEL || seconds < SURE_WITHIN;
        Some(Growing {
            per_second: trend.per_second,
            seconds_to_limit: seconds,
            span: trend.span,
            from: bytes - grown,
            severity: if sure { Severity::High } else { Severity::Medium },
            score: if sure { 0.9 } else { 0.6 },
        })
    }
}

fn projected(trend: &Trend, bytes: f64, limit: f64) -> Option<Growing> {
    let grown = trend.per_second * trend.span;
    let steady = trend.fit >= FIT
        && trend.sign >= SIGN
        && trend.lasting >= LASTING
        && trend.rests_at >= limit * REACHES
        && grown >= limit * RIPPLE
        && trend.level >= limit * LEVEL;
    let seconds = (limit - bytes.max(trend.level)).max(0.0) / trend.per_second;
    (steady && seconds < WITHIN).then(|| Growing {
        per_second: trend.per_second,
        seconds_to_limit: seconds,
        span: trend.span,
        from: bytes - grown,
        severity: if seconds < URGENT { Severity::High } else { Severity::Medium },
        score: trend.fit.min(0.99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;
    const LIMIT: f64 = 256.0 * MIB;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
    }

    /// Noise of about ±1, the same in every run.
    fn noise(t: i64) -> f64 {
        f64::from(i32::try_from((t * 7919 + t * t * 31) % 201).unwrap()) / 100.0 - 1.0
    }

    /// Feeds `value(seconds since the process began)` every `step` seconds; what was found, when.
    fn run(
        growth: &mut Growth,
        (from, to): (i64, i64),
        step: usize,
        limit: f64,
        value: impl Fn(i64) -> f64,
    ) -> Vec<(i64, Growing)> {
        let mut found = Vec::new();
        for t in (from..to).step_by(step) {
            let age = Some(SignedDuration::from_secs(t));
            if let Some(growing) = growth.sample(at(t), value(t), limit, age) {
                found.push((t, growing));
            }
        }
        found
    }

    fn fresh() -> Growth {
        Growth::new(Known::default())
    }

    #[test]
    fn a_slow_leak_is_told_an_hour_before_its_end_and_again_when_it_is_near() {
        for step in [2, 5, 15] {
            // 2 MiB a minute, from 60 MiB: the limit after 98 min.
            let leak = |t: i64| (60.0 + t as f64 / 30.0 + noise(t)) * MIB;
            let found = run(&mut fresh(), (0, 5700), step, LIMIT, leak);
            let severities: Vec<_> = found.iter().map(|(_, g)| g.severity).collect();
            assert_eq!(severities, [Severity::Medium, Severity::High], "{step} {found:?}");
            let (when, first) = found[0];
            assert!((2000..3600).contains(&when), "{step} {found:?}");
            assert!((first.per_second * 60.0 / MIB - 2.0).abs() < 0.2, "{found:?}");
            let truth = 98.0 * 60.0 - when as f64;
            assert!((first.seconds_to_limit / truth - 1.0).abs() < 0.15, "{found:?} {truth}");
            assert!(found[1].1.seconds_to_limit < URGENT, "{found:?}");
        }
    }

    #[test]
    fn a_leak_of_a_mebibyte_a_second_is_found_before_the_kernel_kills() {
        for (limit, step) in [(32, 2), (64, 1), (64, 2), (64, 4), (128, 2), (256, 2)] {
            let leak = |t: i64| (2.0 + t as f64) * MIB;
            let end = i64::from(limit) - 2;
            let found = run(&mut fresh(), (0, end), step, f64::from(limit) * MIB, leak);
            let urgent = found.iter().find(|(_, g)| g.severity == Severity::High);
            let (when, growing) = urgent.unwrap_or_else(|| panic!("{limit} {step} {found:?}"));
            assert!(*when <= end - 5, "{limit} {step}: {when}");
            assert!((growing.per_second / MIB - 1.0).abs() < 0.1, "{growing:?}");
        }
    }

    #[test]
    fn what_grows_and_stops_is_no_leak() {
        // A cache that fills to 78 % in half an hour, ever more slowly.
        let cache = |t: i64| (200.0 * (1.0 - (-(t as f64) / 600.0).exp()) + noise(t)) * MIB;
        assert_eq!(run(&mut fresh(), (0, 20_000), 2, LIMIT, cache), []);
        // A heap that is filled within the warm-up.
        let heap = |t: i64| (214.0_f64.min(60.0 + t as f64 / 4.0) + noise(t)) * MIB;
        assert!(
            run(&mut fresh(), (0, 20_000), 2, LIMIT, heap)
                .iter()
                .all(|(_, g)| g.severity < Severity::High)
        );
        // A saw: what is collected comes back.
        let saw = |t: i64| (120.0 + (t % 300) as f64 / 4.0 + noise(t)) * MIB;
        assert_eq!(run(&mut fresh(), (0, 20_000), 2, LIMIT, saw), []);
        // Noise around a high level.
        let level = |t: i64| (225.0 + 4.0 * noise(t)) * MIB;
        assert_eq!(run(&mut fresh(), (0, 20_000), 2, LIMIT, level), []);
    }

    #[test]
    fn the_climb_back_to_a_known_plateau_is_expected_and_beyond_it_is_not() {
        let mut growth = fresh();
        let cache = |t: i64| (f64::from(i32::try_from(t).unwrap()) / 8.0).min(210.0) * MIB;
        run(&mut growth, (0, 6000), 2, LIMIT, cache);
        assert!(growth.known().plateau > 205.0 * MIB, "{growth:?}");
        growth.process_started();
        // The same data, loaded at once: 4 MiB/s.
        let load = |t: i64| (t as f64 * 4.0).min(210.0) * MIB;
        assert_eq!(run(&mut growth, (0, 3000), 2, LIMIT, load), []);
        // Now it leaks.
        let leak = |t: i64| (210.0 + (t - 3000) as f64 / 10.0) * MIB;
        let found = run(&mut growth, (3000, 3440), 2, LIMIT, leak);
        assert!(found.iter().any(|(_, g)| g.severity == Severity::High), "{found:?}");
    }

    #[test]
    fn a_known_leak_is_believed_soon_after_a_restart() {
        let mut growth = fresh();
        let leak = |t: i64| (80.0 + t as f64 / 20.0) * MIB;
        let found = run(&mut growth, (0, 3000), 2, LIMIT, leak);
        assert!(found[0].0 >= 1500, "warm-up and ten minutes: {found:?}");
        growth.process_started();
        // A lower limit, so that the level does not hold it back.
        let again = run(&mut growth, (0, 1200), 2, 160.0 * MIB, leak);
        assert!(again[0].0 < 400, "{again:?}");
    }

    #[test]
    fn it_is_told_again_after_it_was_over() {
        let mut growth = fresh();
        let leak = |from: i64| move |t: i64| (140.0 + (t - from) as f64 / 20.0) * MIB;
        let first = run(&mut growth, (1000, 2600), 2, LIMIT, leak(1000));
        assert!(!first.is_empty());
        assert_eq!(run(&mut growth, (2600, 5000), 2, LIMIT, |_| 100.0 * MIB), []);
        let second = run(&mut growth, (5000, 6900), 2, LIMIT, leak(5000));
        assert!(!second.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut growth = fresh();
        run(&mut growth, (0, 20_000), 1, LIMIT, |t| 50.0 * MIB + noise(t));
        assert!(growth.recent.len() <= RECENT);
        assert!(growth.short.len() <= SHORT.1 && growth.long.len() <= LONG.1);
        let mut many = fresh();
        for n in 0..10_000 {
            let now = at(0) + SignedDuration::from_millis(n);
            many.sample(now, 1.0, LIMIT, None);
        }
        assert!(many.recent.len() <= RECENT);
    }
}
