//! The share of warnings and errors among the lines of a container: it does not rise when all
//! lines become more.

use serde::{Deserialize, Serialize};

use crate::detect::score::horizon::{Horizon, Memory};
use crate::detect::score::poisson;

/// Minutes that must have been watched.
const LEARNED: u32 = 30;
/// The statistic against both horizons.
const Z: f32 = 5.0;
/// Fewer warnings and errors in a minute are no rise.
const FLOOR: f32 = 10.0;
/// A rise is this many times what would be expected.
const TIMES: f32 = 2.0;
/// And this many times the highest share so far.
const OVER_PEAK: f32 = 1.3;
/// Minutes before the same is told again.
const PAUSE: u32 = 10;

/// A share that rose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// The share of the last minute, 0 to 1.
    pub share: f64,
    /// The usual share.
    pub usual: f64,
    /// Errors are at least half of it.
    pub errors: bool,
}

/// Counts lines by minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    minute: u32,
    lines: u32,
    warnings: u32,
    errors: u32,
    seen: u32,
    /// Per thousand lines.
    short: Horizon,
    long: Horizon,
    /// Dispersion of the count around what is expected.
    phi: f32,
    peak: f32,
    told: u32,
}

impl Share {
    /// Counts a line; a rise in the minute that just ended.
    #[inline]
    pub fn line(&mut self, minute: u32, warning: bool, error: bool) -> Option<Rise> {
        let rise = if minute > self.minute { self.roll(minute) } else { None };
        self.lines += 1;
        self.warnings += u32::from(warning);
        self.errors += u32::from(error);
        rise
    }

    /// Nothing could be heard for so many minutes.
    pub fn skip(&mut self, minutes: u32) {
        if self.minute != 0 {
            self.minute = self.minute.saturating_add(minutes);
        }
        self.told = 0;
    }

    fn roll(&mut self, minute: u32) -> Option<Rise> {
        let rise = if self.minute == 0 { None } else { self.close() };
        self.minute = minute;
        (self.lines, self.warnings, self.errors) = (0, 0, 0);
        rise
    }

    fn close(&mut self) -> Option<Rise> {
        let (lines, warnings) = (self.lines as f32, self.warnings as f32);
        let share = warnings / lines.max(1.0);
        let usual = self.short.mean().max(self.long.mean()) / 1000.0;
        let expected = lines * usual;
        let few = 1.0 + 10.0 / self.seen.max(1) as f32;
        let high = self.seen >= LEARNED
            && warnings >= FLOOR
            && warnings >= TIMES * expected
            && share >= self.peak * OVER_PEAK * few
            && poisson::z(warnings, expected, self.phi.max(1.0)) >= Z;
        let told = high && (self.told == 0 || self.minute >= self.told + PAUSE);
        if told {
            self.told = self.minute;
        }
        // What is high teaches a little only.
        let learned = if high { (usual * TIMES).max(self.peak).min(share) } else { share };
        // A minute weighs as much as six windows do.
        for _ in 0..6 {
            self.short.add(learned * 1000.0, self.seen * 6, Memory::Short);
            self.long.add(learned * 1000.0, self.seen * 6, Memory::Long);
        }
        if expected > 1.0 && !high {
            let off = (warnings - expected) * (warnings - expected) / expected;
            let weight = (1.0 / (self.seen as f32 + 1.0)).max(0.02);
            self.phi += weight * (off - self.phi);
        }
        self.peak = (self.peak * (1.0 - 6.0 * Memory::Long.weight())).max(learned);
        self.seen = self.seen.saturating_add(1);
        told.then(|| Rise {
            share: f64::from(share),
            usual: f64::from(usual),
            errors: self.errors * 2 >= self.warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(share: &mut Share, at: u32, lines: u32, errors: u32) -> Option<Rise> {
        let mut told = None;
        for i in 0..lines {
            told = told.or(share.line(at, i < errors, i < errors));
        }
        told
    }

    #[test]
    fn a_share_that_rises_is_told_once_and_more_of_everything_is_not() {
        let mut share = Share::default();
        for at in 1..200 {
            let more = if at % 7 == 0 { 5 } else { 1 };
            assert_eq!(minute(&mut share, at, 200 * more, 4 * more), None, "{at}");
        }
        let told: Vec<_> = (200..206).filter_map(|at| minute(&mut share, at, 200, 60)).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].errors && told[0].share > 0.29 && told[0].usual < 0.03, "{told:?}");
    }

    #[test]
    fn what_is_always_so_is_no_rise() {
        let mut share = Share::default();
        for at in 1..500 {
            let wild = if at % 20 < 3 { 80 } else { 2 };
            let told = minute(&mut share, at, 100, wild);
            assert_eq!(told, None, "{at}");
        }
    }
}
