//! What became of each line of a log, and which record its stream is writing.

use sentinel_core::domain::log::LogLine;

/// What became of a mirrored entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is shown.
    Shown,
    /// The first line of its record stands for it.
    Folded,
    /// A filter or the level hides it.
    Hidden,
    /// It is older than what is asked for.
    Before,
}

/// The record that each stream is writing, by its first line; as many as there are streams.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    list: Vec<Head>,
}

/// A record by its first line.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Its first line.
    pub(super) line: LogLine,
    /// It is shown.
    pub(super) shown: bool,
    /// A term leaves it out, with all that goes on with it.
    pub(super) left_out: bool,
}

pub(super) fn same_stream(a: &LogLine, b: &LogLine) -> bool {
    a.stream == b.stream && a.container == b.container
}

impl Heads {
    pub(super) fn of(&mut self, line: &LogLine) -> Option<&mut Head> {
        self.list.iter_mut().find(|h| same_stream(&h.line, line))
    }

    pub(super) fn begin(&mut self, head: Head) {
        match self.of(&head.line) {
            Some(slot) => *slot = head,
            None => self.list.push(head),
        }
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.list.clear();
    }
}
