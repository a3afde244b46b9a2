//! What scoring keeps with each template.

use serde::{Deserialize, Serialize};

use crate::detect::miner::template::Payload;
use crate::detect::score::drift::Drift;
use crate::detect::score::rate::Rate;
use crate::detect::score::silence::Gaps;

/// The baselines of one template: 64 bytes, and 200 more for one with numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// How often it comes.
    pub rate: Rate,
    /// Its pauses.
    pub gaps: Gaps,
    /// Its numbers, once enough of them are known. Not kept: the miner knows what is usual.
    #[serde(skip)]
    pub drift: Option<Box<Drift>>,
}

impl Score {
    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.drift.as_ref().map_or(0, |_| size_of::<Drift>())
    }

    /// Nothing could be heard for so many windows and seconds.
    pub fn skip(&mut self, windows: u32, seconds: u32) {
        self.rate.skip(windows);
        self.gaps.skip(seconds);
    }
}

impl Payload for Score {
    fn absorb(&mut self, other: Self) {
        self.rate.absorb(other.rate);
        self.gaps.absorb(other.gaps);
        // Places may mean something else now: they are learned anew.
        self.drift = None;
    }
}
