//! How much a container writes in all.

use serde::{Deserialize, Serialize};

use crate::detect::score::rate::Rate;
use crate::detect::score::silence::{Gaps, Silence};

/// All lines of one container, whatever they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chatter {
    rate: Rate,
    gaps: Gaps,
}

impl Chatter {
    /// A line came.
    #[inline]
    pub fn line(&mut self, window: u32, second: u32, watched: u32) {
        self.rate.add(window, watched);
        self.gaps.heard(second);
    }

    /// Whether it has been silent for too long; see [`Gaps::silence`].
    pub fn silence(&mut self, second: u32, since: u32) -> Option<Silence> {
        self.gaps.silence(second, since, &self.rate, false)
    }

    /// Nothing could be heard for so many windows and seconds.
    pub fn skip(&mut self, windows: u32, seconds: u32) {
        self.rate.skip(windows);
        self.gaps.skip(seconds);
    }
}
