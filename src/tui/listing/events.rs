//! What happened lately: the engine's events and sentinel-tui's own.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::runtime::events::{EVENTS_KEPT, Numbered};
use crate::tui::listing::cursor::Cursor;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// The chosen row.
    pub cursor: Cursor,
    /// What happened, oldest first.
    pub kept: VecDeque<Arc<Numbered>>,
}

impl Events {
    /// The newest number that is here.
    pub fn last(&self) -> u64 {
        self.kept.back().map_or(0, |n| n.number)
    }

    /// Takes what came since. True if something did.
    pub fn take(&mut self, new: Vec<Arc<Numbered>>) -> bool {
        let last = self.last();
        let before = self.kept.len();
        self.kept.extend(new.into_iter().filter(|n| n.number > last));
        let came = self.kept.len() > before;
        while self.kept.len() > EVENTS_KEPT {
            self.kept.pop_front();
        }
        came
    }

    /// One by its number.
    pub fn at(&self, number: u64) -> Option<&Arc<Numbered>> {
        let place = self.kept.partition_point(|n| n.number < number);
        self.kept.get(place).filter(|n| n.number == number)
    }
}
