//! What the benches that measure processor time have in common.

pub(crate) mod cpu;

/// Lines of common services, when no file is named.
pub(crate) const BUILT_IN: &str = include_str!("../miner_lines.txt");

/// The same numbers in each run: xorshift.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
