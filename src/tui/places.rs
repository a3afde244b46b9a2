//! A bounded set of lines, by container and number: numbers of lines stay, whatever else moves.

use std::collections::{BTreeMap, BTreeSet};

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::LogLine;

/// At most so many lines; beyond that an oldest one gives way.
pub const MOST_PLACES: usize = 200;

/// Lines that an operator chose: bookmarks, records that are unfolded.
#[derive(Clone, Debug, Default)]
pub struct Places {
    lines: BTreeMap<ContainerId, BTreeSet<u64>>,
}

impl Places {
    /// Whether a line is among them.
    pub fn contains(&self, line: &LogLine) -> bool {
        self.lines.get(&line.container).is_some_and(|of| of.contains(&line.seq))
    }

    /// Puts a line in, or takes it out. Returns whether it is in now.
    pub fn toggle(&mut self, line: &LogLine) -> bool {
        let count: usize = self.lines.values().map(BTreeSet::len).sum();
        let of = self.lines.entry(line.container.clone()).or_default();
        if of.remove(&line.seq) {
            return false;
        }
        of.insert(line.seq);
        if count >= MOST_PLACES
            && let Some(first) = self.lines.values_mut().find(|of| !of.is_empty())
        {
            first.pop_first();
        }
        true
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.values().all(BTreeSet::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64) -> LogLine {
        LogLine {
            container: "c".into(),
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            stream: sentinel_core::domain::log::Stream::Stdout,
            text: "".into(),
            reading: sentinel_core::domain::log::Reading::default(),
            styles: None,
            history: false,
        }
    }

    #[test]
    fn they_are_bounded_and_the_oldest_gives_way() {
        let mut places = Places::default();
        for seq in 1..=MOST_PLACES as u64 + 1 {
            assert!(places.toggle(&line(seq)));
        }
        assert!(!places.contains(&line(1)) && places.contains(&line(2)));
        assert!(!places.toggle(&line(2)) && !places.contains(&line(2)));
    }
}
