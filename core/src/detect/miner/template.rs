//! One template: the constant words of many lines, and what a user of the miner keeps with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::detect::miner::hash;
use crate::detect::miner::slots::Slots;

/// Stands between the tokens in the text of a form. No token contains it: control characters
/// separate words.
pub(in crate::detect::miner) const SEPARATOR: char = '\u{1}';

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

/// What makes a template that template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::detect::miner) struct Form {
    /// As it is shown, but with a [`SEPARATOR`] between the tokens.
    pub(in crate::detect::miner) text: Box<str>,
    /// The hashes of its words.
    pub(in crate::detect::miner) words: Box<[u32]>,
    /// For each word how many different ones make it a variable; 0: it never becomes one.
    pub(in crate::detect::miner) rooms: Box<[u8]>,
    /// The words that became variables, one bit each. Those that are values by their shape are
    /// not among them.
    pub(in crate::detect::miner) merged: u128,
}

impl Form {
    /// The hash of the lines that it stands for.
    pub(in crate::detect::miner) fn key(&self) -> u64 {
        self.words.iter().enumerate().fold(self.words.len() as u64, |key, (position, word)| {
            key.wrapping_add(hash::of_place(*word, position))
        })
    }

    /// Whether every line of `other` is one of this form too.
    pub(in crate::detect::miner) fn covers(&self, other: &Self) -> bool {
        self.words.len() == other.words.len()
            && self.words.iter().zip(&other.words).enumerate().all(|(at, (mine, word))| {
                mine == word || (self.merged >> at & 1 == 1 && other.rooms[at] > 0)
            })
    }

    /// Words in which the two differ; a different length counts for each missing word.
    pub(in crate::detect::miner) fn distance(&self, other: &Self) -> usize {
        let differ = self.words.iter().zip(&other.words).filter(|(a, b)| a != b).count();
        differ + self.words.len().abs_diff(other.words.len())
    }

    fn heap(&self) -> usize {
        self.text.len() + self.words.len() * size_of::<u32>() + self.rooms.len()
    }
}
