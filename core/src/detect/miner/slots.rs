//! The typed values of a line, and what those of a template were so far.

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing that is said.
    None,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Hundredths.
    Percent,
}

/// A typed value of one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// A number, in the base unit of its kind.
    Number {
        /// Which word of the template.
        position: u8,
        /// In bytes, seconds or as it stands.
        value: f64,
        /// Which of these.
        unit: Unit,
    },
    /// A word.
    Word {
        /// Which word of the template.
        position: u8,
        /// Its hash.
        hash: u32,
        /// Where it begins in the message, in bytes.
        start: u16,
        /// Where it ends.
        end: u16,
    },
}

/// What the values of a template were.
#[derive(Debug, Default)]
pub struct Slots {}

impl Slots {
    pub(in crate::detect::miner) fn heap(&self) -> usize {
        size_of_val(self)
    }
}
