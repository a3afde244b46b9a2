//! Log lines kept in memory: one ring per container, bounded by lines and bytes.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::ids::{AnomalyId, ContainerId};
use sentinel_core::domain::log::{LogEntry, LogLine, Reading, Stream};

/// At most this many entries per container.
pub const RING_LINES: usize = 10_000;
/// At most this many bytes of text per container.
pub const RING_BYTES: usize = 4 * 1024 * 1024;
/// At most this many bytes over all containers: beyond it the largest ring gives way.
pub const TOTAL_BYTES: usize = 16 * 1024 * 1024;

/// What a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last `n` entries.
    Tail(usize),
    /// At most `limit` entries whose number is above `seq`.
    After {
        /// The last number that the reader has.
        seq: u64,
        /// How many at most.
        limit: usize,
    },
}

/// Some entries of one container.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// Entries, oldest first.
    pub entries: Vec<Arc<LogEntry>>,
    /// Number of the oldest entry that is still kept; 0 when there is none.
    pub first_kept: u64,
    /// Number of the newest entry; 0 when there is none.
    pub last: u64,
    /// Counts changes of entries already given out (marks set later); a reader that sees it
    /// change reads its window again.
    pub revision: u64,
}

/// The ring of one container.
#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Arc<LogEntry>>,
    bytes: usize,
    revision: u64,
}

/// All rings.
#[derive(Debug, Default)]
pub struct LogRings {
    rings: HashMap<ContainerId, Ring>,
    bytes: usize,
}

impl LogRings {
    /// Adds a line; the oldest give way.
    pub fn push(&mut self, line: LogLine) {
        self.insert(LogEntry { line, anomaly: None, mark: false });
    }

    /// Adds a mark (a gap, dropped lines) behind the last line of a container. It shares the
    /// number of the line before it.
    pub fn mark(&mut self, container: &ContainerId, at: Timestamp, text: &str) {
        let seq =
            self.rings.get(container).and_then(|r| r.entries.back()).map_or(0, |e| e.line.seq);
        self.insert(LogEntry {
            line: LogLine {
                container: container.clone(),
                seq,
                at,
                stream: Stream::Stderr,
                text: text.into(),
                reading: Reading::default(),
                styles: None,
                history: true,
            },
            anomaly: None,
            mark: true,
        });
    }

    /// Marks a line as evidence of an anomaly. Nothing happens if the ring has moved on.
    pub fn accuse(&mut self, container: &ContainerId, seq: u64, anomaly: &AnomalyId) {
        let Some(ring) = self.rings.get_mut(container) else { return };
        let from = ring.entries.partition_point(|e| e.line.seq < seq);
        for entry in ring.entries.iter_mut().skip(from).take_while(|e| e.line.seq == seq) {
            if !entry.mark && entry.anomaly.is_none() {
                Arc::make_mut(entry).anomaly = Some(anomaly.clone());
                ring.revision += 1;
            }
        }
    }

    /// Entries of a container.
    pub fn read(&self, container: &ContainerId, range: Range) -> LogPage {
        let Some(ring) = self.rings.get(container) else { return LogPage::default() };
        let entries = match range {
            Range::Tail(count) => ring
                .entries
                .iter()
                .skip(ring.entries.len().saturating_sub(count))
                .cloned()
                .collect(),
            Range::After { seq, limit } => {
                let from = ring.entries.partition_point(|e| e.line.seq <= seq);
                ring.entries.iter().skip(from).take(limit).cloned().collect()
            }
        };
        LogPage {
            entries,
            first_kept: ring.entries.front().map_or(0, |e| e.line.seq),
            last: ring.entries.back().map_or(0, |e| e.line.seq),
            revision: ring.revision,
        }
    }

    /// Takes a page of rings that are elsewhere: what is new of it, or all of it in place of what
    /// is there, which readers are told by the revision.
    pub fn take(&mut self, container: &ContainerId, page: LogPage, whole: bool) {
        let revision = self.rings.get(container).map_or(0, |ring| ring.revision);
        if whole {
            self.forget(container);
        }
        let kept = self.rings.get(container).map(|ring| &ring.entries);
        let last = kept.and_then(|entries| entries.back()).map_or(0, |e| e.line.seq);
        // Marks share the number of the line before them.
        let mut there = kept
            .map_or(0, |entries| entries.iter().rev().take_while(|e| e.line.seq == last).count());
        for entry in page.entries {
            match entry.line.seq.cmp(&last) {
                Ordering::Less => {}
                Ordering::Equal if there > 0 => there -= 1,
                Ordering::Equal | Ordering::Greater => self.insert(Arc::unwrap_or_clone(entry)),
            }
        }
        if whole {
            self.rings.entry(container.clone()).or_default().revision = revision + 1;
        }
    }

    /// Forgets a container that is gone.
    pub fn forget(&mut self, container: &ContainerId) {
        if let Some(ring) = self.rings.remove(container) {
            self.bytes -= ring.bytes;
        }
    }

    /// Bytes of text kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn insert(&mut self, entry: LogEntry) {
        let size = cost(&entry);
        let ring = self.rings.entry(entry.line.container.clone()).or_default();
        ring.entries.push_back(Arc::new(entry));
        ring.bytes += size;
        self.bytes += size;
        while ring.entries.len() > RING_LINES || ring.bytes > RING_BYTES {
            let Some(old) = ring.entries.pop_front() else { break };
            ring.bytes -= cost(&old);
            self.bytes -= cost(&old);
        }
        while self.bytes > TOTAL_BYTES {
            let Some(largest) = self.rings.values_mut().max_by_key(|r| r.bytes) else { break };
            let Some(old) = largest.entries.pop_front() else { break };
            largest.bytes -= cost(&old);
            self.bytes -= cost(&old);
        }
    }
}

/// Text plus what the entry itself takes (its fields, the container's id, the counts of two shared
/// pointers, what the allocator adds): many short lines cost more than their text.
fn cost(entry: &LogEntry) -> usize {
    let spans = entry.line.styles.as_ref().map_or(0, |s| 16 + size_of_val(s.as_ref()));
    entry.line.text.len() + spans + 288
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, text: &str) -> LogLine {
        LogLine {
            container: "c".into(),
            seq,
            at: Timestamp::UNIX_EPOCH,
            stream: Stream::Stdout,
            text: text.into(),
            reading: Reading::default(),
            styles: None,
            history: false,
        }
    }

    #[test]
    fn a_ring_keeps_the_newest_lines_within_its_bounds() {
        let mut rings = LogRings::default();
        for seq in 1..=(RING_LINES as u64 + 10) {
            rings.push(line(seq, "x"));
        }
        let page = rings.read(&"c".into(), Range::Tail(3));
        assert_eq!(page.first_kept, 11);
        assert_eq!(page.last, RING_LINES as u64 + 10);
        assert_eq!(page.entries.len(), 3);
    }

    #[test]
    fn a_ring_is_bounded_by_bytes_too() {
        let mut rings = LogRings::default();
        let big = "y".repeat(1024 * 1024);
        for seq in 1..=20 {
            rings.push(line(seq, &big));
        }
        assert!(rings.bytes() <= RING_BYTES);
        assert_eq!(rings.read(&"c".into(), Range::Tail(100)).last, 20);
    }

    #[test]
    fn reading_after_a_number_gives_what_came_since() {
        let mut rings = LogRings::default();
        for seq in 1..=5 {
            rings.push(line(seq, "x"));
        }
        let page = rings.read(&"c".into(), Range::After { seq: 3, limit: 10 });
        assert_eq!(page.entries.iter().map(|e| e.line.seq).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn a_page_from_elsewhere_goes_on_with_what_is_there_or_takes_its_place() {
        let mut elsewhere = LogRings::default();
        let mut here = LogRings::default();
        let id = "c".into();
        for seq in 1..=5 {
            elsewhere.push(line(seq, "x"));
        }
        here.take(&id, elsewhere.read(&id, Range::Tail(10)), true);
        elsewhere.push(line(6, "y"));
        elsewhere.mark(&id, Timestamp::UNIX_EPOCH, "a gap");
        let next = |rings: &LogRings| rings.read(&id, Range::After { seq: 4, limit: 10 });
        here.take(&id, next(&elsewhere), false);
        here.take(&id, next(&elsewhere), false);
        elsewhere.mark(&id, Timestamp::UNIX_EPOCH, "another gap");
        here.take(&id, next(&elsewhere), false);
        let page = here.read(&id, Range::Tail(100));
        assert_eq!(page.entries, elsewhere.read(&id, Range::Tail(100)).entries);
        elsewhere.accuse(&id, 3, &"A-1".into());
        here.take(&id, elsewhere.read(&id, Range::Tail(10)), true);
        let again = here.read(&id, Range::Tail(100));
        assert!(again.revision > page.revision);
        assert_eq!(again.entries, elsewhere.read(&id, Range::Tail(100)).entries);
        assert_eq!(here.bytes(), elsewhere.bytes());
    }

    #[test]
    fn accusing_a_line_marks_it_and_moves_the_revision() {
        let mut rings = LogRings::default();
        rings.push(line(1, "x"));
        let before = rings.read(&"c".into(), Range::Tail(1)).revision;
        rings.accuse(&"c".into(), 1, &"A-1".into());
        let page = rings.read(&"c".into(), Range::Tail(1));
        assert!(page.revision > before);
        assert_eq!(page.entries[0].anomaly, Some("A-1".into()));
    }
}
