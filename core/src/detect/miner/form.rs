//! What makes a template that template: its words, and which of them may become variables.

use serde::{Deserialize, Serialize};

use crate::detect::miner::hash;
use crate::detect::miner::room;
use crate::detect::miner::token::{WILD, WILD_WORD};

/// Stands between the tokens in the text of a form. No token contains it: control characters
/// separate words.
pub const SEPARATOR: char = '\u{1}';

/// Keeps the hashes of skeletons apart from those of lines.
const SKELETON: u64 = 0x51ed_270b_7a3f_c1d5;

/// Keeps the hashes of files for single words apart from them.
const FILE: u32 = 0x9e37_79b9;

/// The words of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// As it is shown, but with a [`SEPARATOR`] between the tokens.
    pub text: Box<str>,
    /// The hashes of its words.
    pub words: Box<[u32]>,
    /// For each word how many different ones make it a variable; 0: it never becomes one.
    pub rooms: Box<[u8]>,
    /// The words that became variables, one bit each.
    pub merged: u128,
}

impl Form {
    /// The hash of the lines that it stands for.
    pub fn key(&self) -> u64 {
        key_of(&self.words)
    }

    /// The hash of these lines without one word.
    pub fn without(&self, key: u64, position: usize) -> u64 {
        self.words.get(position).map_or(key, |word| wild_at(key, *word, position))
    }

    /// Where the index files it for one of its words: under its hash without the word, and by
    /// the position, as another line may have a value at this place and a word at that.
    pub fn filed(&self, key: u64, position: usize) -> u64 {
        self.without(key, position).wrapping_add(hash::of_place(FILE, position))
    }

    /// The positions of its values.
    pub fn values(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().filter(|(_, word)| **word == WILD_WORD).map(|(at, _)| at)
    }

    /// The words that may become variables: position and room.
    pub fn open(&self) -> impl Iterator<Item = (usize, u8)> {
        self.rooms.iter().copied().enumerate().filter(|(_, room)| *room > 0)
    }

    /// The hash of its lines without any of their names and values, if there are two or more:
    /// values that come together (user, database, address) do not differ one at a time.
    pub fn skeleton(&self, key: u64) -> Option<u64> {
        let values = self.open().filter(|(_, room)| *room <= room::VALUE);
        let (count, key) =
            values.fold((0, key), |(count, key), (at, _)| (count + 1, self.without(key, at)));
        (count + self.merged.count_ones() >= 2).then(|| key.wrapping_add(SKELETON))
    }

    /// Whether every line of `other` is one of this form too.
    pub fn covers(&self, other: &Self) -> bool {
        self.words.len() == other.words.len()
            && self.words.iter().zip(&other.words).enumerate().all(|(at, (mine, word))| {
                mine == word || (self.merged >> at & 1 == 1 && other.rooms[at] > 0)
            })
    }

    /// The positions in which two forms of one length differ.
    pub fn differing(&self, other: &Self) -> u128 {
        let pairs = self.words.iter().zip(&other.words).enumerate();
        pairs.filter(|(_, (a, b))| a != b).fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Words in which the two differ; a different length counts for each missing word.
    pub fn distance(&self, other: &Self) -> usize {
        self.differing(other).count_ones() as usize + self.words.len().abs_diff(other.words.len())
    }

    /// Constant words that would be left without those at `positions`. Without any a template
    /// would say nothing, and swallow all lines of its length.
    pub fn left(&self, positions: u128) -> usize {
        let constant = |piece: &str| {
            let piece = piece.trim_start();
            piece != WILD && piece.contains(|c: char| c.is_alphabetic())
        };
        let pieces = self.text.split(SEPARATOR).enumerate();
        pieces.filter(|(at, piece)| positions >> at & 1 == 0 && constant(piece)).count()
    }

    /// The form with the words at `positions` as variables.
    #[must_use]
    pub fn loosened(&self, positions: u128) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut words = self.words.clone();
        let mut rooms = self.rooms.clone();
        for (at, piece) in self.text.split(SEPARATOR).enumerate() {
            if at > 0 {
                text.push(SEPARATOR);
            }
            if positions >> at & 1 == 0 {
                text.push_str(piece);
                continue;
            }
            text.extend(piece.starts_with(' ').then_some(' '));
            text.push_str(WILD);
            words[at] = WILD_WORD;
            rooms[at] = 0;
        }
        Self { text: text.into(), words, rooms, merged: self.merged | positions }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.text.len() + self.words.len() * size_of::<u32>() + self.rooms.len()
    }
}

/// The hash of a line of these words.
pub fn key_of(words: &[u32]) -> u64 {
    words.iter().enumerate().fold(words.len() as u64, |key, (position, word)| {
        key.wrapping_add(hash::of_place(*word, position))
    })
}

/// The hash of a line with one word unknown.
pub fn wild_at(key: u64, word: u32, position: usize) -> u64 {
    key.wrapping_sub(hash::of_place(word, position))
        .wrapping_add(hash::of_place(WILD_WORD, position))
}

/// The positions of the bits that are set.
pub fn positions(mask: u128) -> impl Iterator<Item = usize> {
    let next = |mask: u128| (mask != 0).then_some(mask);
    std::iter::successors(next(mask), move |mask| next(mask & (mask - 1)))
        .map(|mask| mask.trailing_zeros() as usize)
}
