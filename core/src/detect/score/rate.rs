//! How often one thing happens, against its own past: bursts.
//!
//! A burst lies far above both horizons and above the highest window that it ever had (of which
//! half is forgotten in six hours): whoever goes on and off is known by its height, not by its
//! mean. Measured on the stream of [`crate::detect::score::poisson`] with four gamma shapes: 5 to
//! 20 of the weaker bursts a day in 400 templates, 0.5 to 1 of the strong ones, and 63 to 77 % of
//! tenfold bursts found within 30 seconds. A CUSUM of the same statistic on top found none that
//! these did not.

use serde::{Deserialize, Serialize};

use crate::detect::score::horizon::{Horizon, Memory};
use crate::detect::score::poisson;

/// Windows that must have been watched before anything is judged.
const LEARNED: u32 = 30;
/// The statistic of a burst, over each horizon.
const Z: f32 = 4.0;
/// That of a strong one.
const Z_STRONG: f32 = 5.0;
/// Fewer lines in a window are no burst.
const FLOOR: f32 = 5.0;
/// Fewer are no strong one.
const FLOOR_STRONG: f32 = 10.0;
/// A burst has this many times the mean of each horizon.
const TIMES: f32 = 2.0;
/// And this many times the highest window so far.
const OVER_PEAK: f32 = 1.25;
/// A strong one.
const OVER_PEAK_STRONG: f32 = 1.3;
/// The highest of few windows says little: after n windows the factor is 1 + 60 / n times as
/// large.
const FEW: f32 = 60.0;

/// A burst in the running window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Lines in the window so far.
    pub count: u32,
    /// Lines in a usual one: the higher mean of the two horizons.
    pub usual: f32,
    /// The lower statistic of the two horizons.
    pub z: f32,
    /// Beyond doubt.
    pub strong: bool,
    /// Windows since the last one that was called a burst; `None`: it is the first.
    pub since: Option<u32>,
}

/// Counts one thing. 48 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Rate {
    /// The running window; 0: nothing was counted yet.
    window: u32,
    count: u32,
    /// At this count the running window is looked at closely.
    look_at: u32,
    /// Whole windows that it has learned from, empty ones among them.
    seen: u32,
    short: Horizon,
    long: Horizon,
    peak: f32,
    /// The last window that was called a burst.
    burst_at: u32,
    /// The running window is as high as it may be from now on.
    accepted: bool,
}

/// As it is kept, short because there are many: window, count, windows seen, the horizons, the
/// peak, the last burst.
#[derive(Serialize, Deserialize)]
struct Kept(u32, u32, u32, Horizon, Horizon, f32, u32);

impl From<Rate> for Kept {
    fn from(rate: Rate) -> Self {
        let Rate { window, count, look_at: _, seen, short, long, peak, burst_at, accepted: _ } =
            rate;
        Self(window, count, seen, short, long, peak, burst_at)
    }
}

impl From<Kept> for Rate {
    fn from(Kept(window, count, seen, short, long, peak, burst_at): Kept) -> Self {
        let mut rate =
            Self { window, count, look_at: 0, seen, short, long, peak, burst_at, accepted: false };
        rate.look_at = rate.least(Z, FLOOR, OVER_PEAK);
        rate
    }
}

impl Rate {
    /// Counts one in `window`; whether it is time to ask for [`Self::burst`]. `watched` windows
    /// went by before the first one: they were empty.
    #[inline]
    pub fn add(&mut self, window: u32, watched: u32) -> bool {
        if window > self.window {
            self.roll(window, watched);
        }
        self.count += 1;
        self.count >= self.look_at
    }

    /// Closes windows that have passed.
    fn roll(&mut self, window: u32, watched: u32) {
        if self.window == 0 {
            self.seen = watched;
        } else {
            self.close();
            let empty = window - self.window - 1;
            if empty > 0 {
                self.short.add_empty(empty, self.seen, Memory::Short);
                self.long.add_empty(empty, self.seen, Memory::Long);
                self.peak *=
                    (1.0 - Memory::Long.weight()).powi(i32::try_from(empty).unwrap_or(i32::MAX));
                self.seen = self.seen.saturating_add(empty);
            }
        }
        self.window = window;
        self.count = 0;
        self.accepted = false;
        self.look_at = self.least(Z, FLOOR, OVER_PEAK);
    }

    fn close(&mut self) {
        let judged = self.seen >= LEARNED;
        let count = if self.burst_at == self.window && !judged {
            (self.count as f32).min(self.usual())
        } else {
            self.count as f32
        };
        let cap = |horizon: &Horizon| if judged { horizon.cap() } else { f32::INFINITY };
        let (short, long) = (count.min(cap(&self.short)), count.min(cap(&self.long)));
        self.short.add(short, self.seen, Memory::Short);
        self.long.add(long, self.seen, Memory::Long);
        // A burst of errors is no measure for the next one: it raises the peak by a little.
        let counts = if self.burst_at == self.window && judged && !self.accepted {
            count.min((self.peak * OVER_PEAK).max(FLOOR))
        } else {
            count
        };
        self.peak = (self.peak * (1.0 - Memory::Long.weight())).max(counts);
        self.seen = self.seen.saturating_add(1);
    }

    /// The least count of a window that is a burst; `u32::MAX` while it is learned.
    fn least(&self, z: f32, floor: f32, over_peak: f32) -> u32 {
        if self.seen < LEARNED {
            return u32::MAX;
        }
        let of = |horizon: &Horizon| {
            poisson::count_at(z, horizon.mean(), horizon.phi()).max(TIMES * horizon.mean())
        };
        let few = 1.0 + FEW / self.seen as f32;
        let least = of(&self.short).max(of(&self.long)).max(floor).max(self.peak * over_peak * few);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is at least 5, and a cast stops at the ends"
        )]
        let least = least.ceil() as u32;
        least
    }

    /// Whether the running window is a burst. To be asked when [`Self::add`] says so; it says so
    /// again when a burst becomes a strong one, and not again in that window after that.
    pub fn burst(&mut self) -> Option<Burst> {
        if self.count < self.look_at {
            return None;
        }
        let strong_at = self.least(Z_STRONG, FLOOR_STRONG, OVER_PEAK_STRONG);
        let strong = self.count >= strong_at;
        self.look_at = if strong { u32::MAX } else { strong_at };
        let count = self.count as f32;
        let z = |h: &Horizon| poisson::z(count, h.mean(), h.phi());
        let since = (self.burst_at != 0).then(|| self.window - self.burst_at);
        self.burst_at = self.window;
        Some(Burst {
            count: self.count,
            usual: self.usual(),
            z: z(&self.short).min(z(&self.long)),
            strong,
            since,
        })
    }

    /// Once told, a burst as high as that of the running window is no news: a job that comes every
    /// night. (That costs 4 of 77 % of the tenfold bursts, if there are three a day in each
    /// template.)
    pub fn accept(&mut self) {
        self.accepted = true;
    }

    /// Somebody else's rule calls the running window a burst: it is not learned as usual.
    pub fn call_burst(&mut self) {
        self.burst_at = self.window;
    }

    /// Lines of a usual window: the higher of the two means.
    pub fn usual(&self) -> f32 {
        self.short.mean().max(self.long.mean())
    }

    /// Lines of a usual window by the lower of the two means.
    pub fn at_least(&self) -> f32 {
        self.short.mean().min(self.long.mean())
    }

    /// The higher dispersion of the two horizons.
    pub fn phi(&self) -> f32 {
        self.short.phi().max(self.long.phi())
    }

    /// Whether one of the last `windows` before and at `window` was called a burst.
    pub fn was_burst(&self, window: u32, windows: u64) -> bool {
        self.burst_at != 0 && u64::from(window.saturating_sub(self.burst_at)) < windows
    }

    /// Lines in the running window so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The running window.
    pub fn window(&self) -> u32 {
        self.window
    }

    /// Whole windows that it has learned from.
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// So many windows went by in which nothing was heard: they are no silence.
    pub fn skip(&mut self, windows: u32) {
        if self.window != 0 {
            self.window = self.window.saturating_add(windows);
            self.burst_at =
                if self.burst_at == 0 { 0 } else { self.burst_at.saturating_add(windows) };
        }
    }

    /// Takes in the lines of another one that turned out to be the same thing.
    pub fn absorb(&mut self, mut other: Self) {
        if other.window == 0 {
            return;
        }
        if self.window == 0 {
            *self = other;
            return;
        }
        let newest = self.window.max(other.window);
        for rate in [&mut *self, &mut other] {
            if rate.window < newest {
                rate.roll(newest, 0);
            }
        }
        self.count += other.count;
        self.seen = self.seen.max(other.seen);
        self.short.join(other.short);
        self.long.join(other.long);
        self.peak += other.peak;
        self.burst_at = self.burst_at.max(other.burst_at);
        self.look_at = self.least(Z, FLOOR, OVER_PEAK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts so many in a window; the first burst that is told.
    fn fill(rate: &mut Rate, window: u32, count: u32) -> Option<Burst> {
        let mut told = None;
        for _ in 0..count {
            if rate.add(window, 0) {
                told = told.or(rate.burst());
            }
        }
        told
    }

    #[test]
    fn forty_from_silence_are_a_burst_before_the_window_ends() {
        let mut rate = Rate::default();
        let mut told = None;
        for i in 0..41 {
            if rate.add(1000, 360) && told.is_none() {
                told = Some((i, rate.burst()));
            }
        }
        let (at, burst) = told.unwrap();
        assert!(at < 15, "{at}");
        assert!(burst.unwrap().usual < 0.001);
    }

    #[test]
    fn nothing_is_judged_while_little_was_watched() {
        let mut rate = Rate::default();
        assert_eq!(fill(&mut rate, 1000, 500), None);
        for i in 1..LEARNED {
            assert_eq!(fill(&mut rate, 1000 + i, 1), None);
        }
    }

    #[test]
    fn a_steady_stream_is_no_burst_and_ten_times_as_much_is_a_strong_one() {
        for usual in [5, 50, 500] {
            let mut rate = Rate::default();
            for i in 0..400 {
                assert_eq!(fill(&mut rate, 1000 + i, usual), None, "{usual}");
            }
            let mut strong = false;
            for _ in 0..usual * 10 {
                if rate.add(1400, 0) {
                    strong |= rate.burst().is_some_and(|b| b.strong);
                }
            }
            assert!(strong, "{usual}");
        }
    }

    #[test]
    fn who_goes_on_and_off_is_known_by_its_height() {
        let mut rate = Rate::default();
        for i in 0..2000_u32 {
            let on = i / 60 % 5 == 0;
            let told = fill(&mut rate, 1000 + i, if on { 40 } else { 0 });
            assert!(i < 30 || told.is_none(), "{i}: {told:?}");
        }
    }

    #[test]
    fn a_burst_comes_again_and_is_told_again() {
        let mut rate = Rate::default();
        for i in 0..1500_u32 {
            let told = fill(&mut rate, 1000 + i, if i == 500 || i == 1000 { 100 } else { 4 });
            assert_eq!(told.is_some(), i == 500 || i == 1000, "{i}");
        }
    }

    #[test]
    fn what_was_not_heard_is_no_silence() {
        let (mut slept, mut silent) = (Rate::default(), Rate::default());
        for i in 0..400 {
            fill(&mut slept, 1000 + i, 6);
            fill(&mut silent, 1000 + i, 6);
        }
        slept.skip(5000);
        fill(&mut slept, 6400, 6);
        fill(&mut silent, 6400, 6);
        assert!(slept.usual() > 5.9);
        assert!(silent.usual() < 2.0);
    }

    #[test]
    fn two_that_are_the_same_add_up() {
        let (mut one, mut two) = (Rate::default(), Rate::default());
        for i in 0..400 {
            fill(&mut one, 1000 + i, 6);
            fill(&mut two, 1000 + i, 3);
        }
        one.absorb(two);
        assert!((one.usual() - 9.0).abs() < 0.1, "{}", one.usual());
        assert_eq!(one.count(), 9);
        one.absorb(Rate::default());
        assert_eq!(one.count(), 9);
    }
}
