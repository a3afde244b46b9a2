//! The different values of one place, as long as they are few.

use serde::{Deserialize, Serialize};

/// More different values are not a set, but something that varies.
pub const FEW: usize = 8;

/// A set of at most [`FEW`] values, known by their hashes, with how often each came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Values {
    known: [(u32, u32); FEW],
    count: u8,
}

impl Values {
    /// Counts a value: whether it is a new one. `None`: there are too many.
    #[inline]
    pub fn add(&mut self, hash: u32) -> Option<bool> {
        let count = usize::from(self.count);
        for (known, times) in self.known.iter_mut().take(count) {
            if *known == hash {
                *times = times.saturating_add(1);
                return Some(false);
            }
        }
        *self.known.get_mut(count)? = (hash, 1);
        self.count += 1;
        Some(true)
    }

    /// The hashes, and how often each came.
    pub fn known(&self) -> &[(u32, u32)] {
        self.known.get(..usize::from(self.count)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_values_are_few_and_nine_are_not() {
        let mut values = Values::default();
        for hash in 0..8 {
            assert_eq!(values.add(hash), Some(true));
            assert_eq!(values.add(hash), Some(false));
        }
        assert_eq!(values.known().len(), 8);
        assert!(values.known().iter().all(|(_, times)| *times == 2));
        assert_eq!(values.add(8), None);
    }
}
