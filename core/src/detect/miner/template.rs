//! One template: the constant words of many lines, and what a user of the miner keeps with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::detect::miner::form::{Form, SEPARATOR};
use crate::detect::miner::slots::Slots;

/// Stable id of a template within one miner. It survives late merges (the older id stays) and
/// persistence, and is never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateId(pub u32);

/// What a user of the miner keeps with each template (scores, say).
pub trait Payload: Default {
    /// Takes in that of a younger template that turned out to be the same.
    fn absorb(&mut self, other: Self);
}

impl Payload for () {
    fn absorb(&mut self, _other: Self) {}
}

/// One template.
#[derive(Debug)]
pub struct Template<P> {
    /// Its id.
    pub id: TemplateId,
    /// Lines that it had.
    pub count: u64,
    /// When its first line came.
    pub first_seen: Timestamp,
    /// When its newest line came.
    pub last_seen: Timestamp,
    /// What the user keeps.
    pub payload: P,
    /// What its values were.
    pub slots: Slots,
    pub(in crate::detect::miner) form: Form,
    /// The bytes of it that the book has counted.
    pub(in crate::detect::miner) counted: usize,
}

impl<P: Payload> Template<P> {
    /// Takes in a younger one that turned out to be the same.
    pub(in crate::detect::miner) fn absorb(&mut self, younger: Self) {
        self.count += younger.count;
        self.first_seen = self.first_seen.min(younger.first_seen);
        self.last_seen = self.last_seen.max(younger.last_seen);
        self.payload.absorb(younger.payload);
    }
}

impl<P> Template<P> {
    /// Its constant words, and `<*>` for what varies.
    pub fn text(&self) -> String {
        self.form.text.replace(SEPARATOR, "")
    }

    /// How many words and marks it has.
    pub fn length(&self) -> usize {
        self.form.words.len()
    }

    /// Bytes on the heap, more than at the last count. Negative ones wrap around.
    pub(in crate::detect::miner) fn recount(&mut self) -> usize {
        let heap = self.heap();
        let before = std::mem::replace(&mut self.counted, heap);
        self.counted.wrapping_sub(before)
    }

    pub(in crate::detect::miner) fn heap(&self) -> usize {
        self.form.heap() + self.slots.heap()
    }
}
