//! What the lines of one container usually are, and what is out of the ordinary in them.
//!
//! Start at [`payload::Score`], which is kept with each template, and at [`episode::Episode`],
//! through which everything is told. Windows have ten seconds, baselines two horizons (half an
//! hour and six hours) that must agree, and every threshold names the measurement behind it. What
//! is kept is bounded, and a line costs the same however long the watch lasts.

pub mod chatter;
pub mod crowd;
pub mod drift;
pub mod episode;
pub mod errors;
pub mod horizon;
pub mod judge;
pub mod learned;
pub mod noise;
pub mod novelty;
pub mod payload;
pub mod poisson;
pub mod quote;
pub mod rate;
pub mod share;
pub mod signs;
pub mod silence;
pub mod values;
pub mod words;

/// Seconds of a window in which lines are counted.
pub const WINDOW: i64 = 10;

/// The window that holds a second since the epoch. 0 is none: nothing was logged in 1970.
#[inline]
pub fn window_of(second: i64) -> u32 {
    u32::try_from(second / WINDOW).unwrap_or_default().max(1)
}

/// A second since the epoch, in four bytes until 2106.
#[inline]
pub fn second_of(second: i64) -> u32 {
    u32::try_from(second).unwrap_or_default()
}
