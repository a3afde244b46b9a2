//! A container that goes up and down, or healthy and unhealthy, without settling.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Changes within [`WINDOW`] that make it flap (FAILURES: "at least 4 up/down in 15 min").
const CHANGES: usize = 4;
/// See [`CHANGES`].
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Changes remembered; more say nothing new.
const REMEMBERED: usize = 64;

/// Counts changes that nobody asked for.
#[derive(Debug, Default)]
pub(super) struct Flapping {
    changes: VecDeque<Timestamp>,
    /// It was told, and it has not settled since.
    told: bool,
}

impl Flapping {
    /// It came back.
    pub(super) fn up(&mut self, at: Timestamp) {
        // Without a fall before it, this is a start and no return.
        if !self.changes.is_empty() {
            self.changed(at);
        }
    }

    /// It fell. Says how many changes there were if it flaps now, once per episode.
    pub(super) fn down(&mut self, at: Timestamp) -> Option<usize> {
        self.changed(at);
        let flaps = self.changes.len() >= CHANGES && !self.told;
        self.told |= flaps;
        flaps.then_some(self.changes.len())
    }

    /// Somebody took it in hand: what it did before does not count any more.
    pub(super) fn taken_in_hand(&mut self) {
        *self = Self::default();
    }

    fn changed(&mut self, at: Timestamp) {
        while self.changes.front().is_some_and(|c| at.duration_since(*c) > WINDOW) {
            self.changes.pop_front();
        }
        self.told &= !self.changes.is_empty();
        if self.changes.len() == REMEMBERED {
            self.changes.pop_front();
        }
        self.changes.push_back(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn the_fourth_change_within_a_quarter_of_an_hour_is_told_once() {
        let mut flapping = Flapping::default();
        flapping.up(at(0));
        assert_eq!(flapping.down(at(1)), None);
        flapping.up(at(2));
        assert_eq!(flapping.down(at(6)), None);
        flapping.up(at(7));
        assert_eq!(flapping.down(at(11)), Some(5));
        flapping.up(at(12));
        assert_eq!(flapping.down(at(13)), None, "it was told");
        // It settles, and begins anew.
        assert_eq!(flapping.down(at(100)), None);
        flapping.up(at(101));
        assert_eq!(flapping.down(at(102)), None);
        flapping.up(at(103));
        assert_eq!(flapping.down(at(104)), Some(5));
    }

    #[test]
    fn slow_changes_and_those_of_a_person_are_none() {
        let mut flapping = Flapping::default();
        for n in 0..10 {
            assert_eq!(flapping.down(at(n * 10)), None);
            flapping.up(at(n * 10 + 1));
        }
        let mut flapping = Flapping::default();
        for n in 0..10 {
            assert_eq!(flapping.down(at(n)), None);
            flapping.up(at(n));
            flapping.taken_in_hand();
        }
    }
}
