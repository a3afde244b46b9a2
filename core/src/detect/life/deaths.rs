//! How often it died of itself: once, or in a loop.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Deaths within [`LOOP_SHORT`] that make a loop.
const LOOP_COUNT_SHORT: usize = 3;
/// See [`LOOP_COUNT_SHORT`].
const LOOP_SHORT: SignedDuration = SignedDuration::from_mins(10);
/// Deaths within [`LOOP_LONG`] that make a slow loop.
const LOOP_COUNT_LONG: usize = 5;
/// See [`LOOP_COUNT_LONG`].
const LOOP_LONG: SignedDuration = SignedDuration::from_mins(30);
/// Deaths remembered; more say nothing new.
const REMEMBERED: usize = 64;

/// Deaths that nobody asked for.
#[derive(Debug, Default)]
pub(super) struct Deaths {
    at: VecDeque<Timestamp>,
}

impl Deaths {
    /// One more. How often it died, in words, if that makes a loop.
    pub(super) fn one_more(&mut self, at: Timestamp) -> Option<String> {
        while self.at.front().is_some_and(|d| at.duration_since(*d) > LOOP_LONG) {
            self.at.pop_front();
        }
        if self.at.len() == REMEMBERED {
            self.at.pop_front();
        }
        self.at.push_back(at);
        let short = self.at.iter().filter(|d| at.duration_since(**d) <= LOOP_SHORT).count();
        if short >= LOOP_COUNT_SHORT {
            Some(format!("{short} times within ten minutes"))
        } else if self.at.len() >= LOOP_COUNT_LONG {
            Some(format!("{} times within half an hour", self.at.len()))
        } else {
            None
        }
    }
}
