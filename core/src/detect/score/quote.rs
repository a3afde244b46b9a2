//! Log lines as evidence.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::container::ContainerRef;
use crate::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use crate::domain::ids::EvidenceId;
use crate::domain::log::LogLine;

/// Characters of a line that evidence shows.
const EXCERPT: usize = 400;

/// A log line as evidence.
pub fn line(line: &LogLine, of: &ContainerRef) -> Evidence {
    Quote::of(line).evidence(of)
}

/// A line that may become evidence.
#[derive(Clone, Debug)]
pub struct Quote {
    at: Timestamp,
    seq: u64,
    text: Arc<str>,
}

impl Quote {
    /// A line, not copied.
    pub fn of(line: &LogLine) -> Self {
        Self { at: line.at, seq: line.seq, text: Arc::clone(&line.text) }
    }

    /// When it was written.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// As evidence.
    pub fn evidence(&self, of: &ContainerRef) -> Evidence {
        Evidence {
            id: EvidenceId(format!("log-{}-{}", of.id.short(), self.seq)),
            kind: EvidenceKind::Log,
            container: of.name.clone(),
            ts: self.at,
            excerpt: self.text.chars().take(EXCERPT).collect(),
            line: Some(LineAddress { container: of.id.clone(), seq: self.seq }),
        }
    }
}

/// Adds to a queue of at most `bound`; the oldest gives way.
pub fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, bound: usize) {
    if queue.len() >= bound {
        queue.pop_front();
    }
    queue.push_back(item);
}
