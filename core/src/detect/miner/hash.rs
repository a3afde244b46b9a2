//! Hashes of words and lines.
//!
//! The hash of a line is a *sum* over its words, each mixed with its position. A sum can be
//! corrected for one word in constant time, which makes "this line with its fifth word unknown"
//! one addition (see [`crate::detect::miner::index`]). The mixing is the folded multiplication of
//! wyhash (public domain): two multiplications for a word of up to 16 bytes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const A: u64 = 0xa076_1d64_78bd_642f;
const B: u64 = 0xe703_7ed1_a0b4_28db;
const C: u64 = 0x8ebc_6af0_9c88_c6e3;

/// The two halves of the 128-bit product, folded.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product are wanted")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[inline]
fn eight(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn four(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<4>().map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

#[inline]
fn last<const N: usize>(bytes: &[u8]) -> &[u8] {
    bytes.last_chunk::<N>().map_or(&[], |chunk| chunk)
}

/// The hash of a word.
#[inline]
pub fn of_word(word: &[u8]) -> u64 {
    let length = word.len();
    let (a, b) = if length >= 8 {
        let mut rest = word;
        let mut seed = A;
        while rest.len() > 16 {
            seed = fold(eight(rest) ^ B, eight(&rest[8..]) ^ seed);
            rest = &rest[16..];
        }
        if rest.len() >= 8 {
            (eight(rest) ^ seed, eight(last::<8>(rest)))
        } else {
            // The word is longer than 16 bytes: its last 16 overlap with what was read.
            let tail = last::<16>(word);
            (eight(tail) ^ seed, eight(last::<8>(word)))
        }
    } else if length >= 4 {
        (four(word) ^ A, four(last::<4>(word)))
    } else {
        let (first, middle, end) = match word {
            [] => (0, 0, 0),
            [first, ..] => (*first, word[length / 2], word.last().copied().unwrap_or_default()),
        };
        ((u64::from(first) << 16 | u64::from(middle) << 8 | u64::from(end)) ^ A, 0)
    };
    fold(a ^ B, b ^ C ^ (length as u64))
}

/// What the word `word` at `position` adds to the hash of its line.
#[inline]
pub fn of_place(word: u32, position: usize) -> u64 {
    fold(u64::from(word) ^ (position as u64).wrapping_mul(B), A)
}

/// Keys that are hashes already are taken as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(8) ^ of_word(bytes);
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = u64::from(value).wrapping_mul(A);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// A map whose keys are hashes, or small numbers. Nothing may depend on its order.
pub type ReadyMap<K, V> = HashMap<K, V, BuildHasherDefault<Ready>>;

/// Bytes that a [`ReadyMap`] takes: one of control for each bucket, at most 7 of 8 are used.
pub fn map_bytes<K, V, S>(map: &HashMap<K, V, S>) -> usize {
    let capacity = map.capacity();
    if capacity == 0 {
        return 0;
    }
    let buckets = (capacity * 8).div_ceil(7).next_power_of_two();
    buckets * (size_of::<(K, V)>() + 1) + 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn words_of_all_lengths_differ_by_any_byte() {
        let base: Vec<u8> = (0..70).map(|i| b'a' + i % 26).collect();
        let mut seen = HashSet::new();
        for length in 0..base.len() {
            let word = &base[..length];
            assert!(seen.insert(of_word(word)), "{length}");
            for at in 0..length {
                let mut other = word.to_vec();
                other[at] ^= 0x20;
                assert!(seen.insert(of_word(&other)), "{length} {at}");
            }
        }
    }

    #[test]
    fn a_word_counts_by_its_place() {
        assert_ne!(of_place(7, 1), of_place(7, 2));
        assert_ne!(
            of_place(7, 1).wrapping_add(of_place(8, 2)),
            of_place(8, 1).wrapping_add(of_place(7, 2))
        );
    }
}
