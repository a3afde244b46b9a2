//! What happened lately, for front ends: a bounded list beside the stream, so that who looks later
//! sees what was told before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sentinel_core::domain::event::Event;
use sentinel_core::domain::happened::Happened;

/// What is kept at most; the oldest gives way.
pub const EVENTS_KEPT: usize = 2_000;

/// Something that happened, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Counts from 1, without holes.
    pub number: u64,
    /// What happened.
    pub happened: Happened,
}

/// What happened lately.
#[derive(Debug, Default)]
pub struct EventLog {
    kept: VecDeque<Arc<Numbered>>,
    last: u64,
}

impl EventLog {
    /// Adds something.
    pub fn push(&mut self, happened: Happened) {
        self.last += 1;
        if self.kept.len() == EVENTS_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Arc::new(Numbered { number: self.last, happened }));
    }

    /// What came behind a number (0: all that is kept), oldest first.
    pub fn after(&self, number: u64) -> Vec<Arc<Numbered>> {
        let from = self.kept.partition_point(|n| n.number <= number);
        self.kept.iter().skip(from).cloned().collect()
    }
}

/// The list as it is shared with front ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedEvents(Arc<Mutex<EventLog>>);

impl SharedEvents {
    /// The list. A panic while it was held leaves whole entries behind: going on is right.
    pub(crate) fn lock(&self) -> MutexGuard<'_, EventLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that sentinel-tui told.
    pub(super) fn told(&self, event: &Event, at: Timestamp) {
        if let Some(happened) = Happened::told(event, at) {
            self.lock().push(happened);
        }
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::life::LifeKind;

    use super::*;

    #[test]
    fn the_newest_are_kept_and_given_out_from_a_number_on() {
        let mut log = EventLog::default();
        for exit_code in (0..EVENTS_KEPT + 2).filter_map(|n| i64::try_from(n).ok()) {
            let kind = LifeKind::Die { exit_code };
            log.push(Happened::life("api", &kind, Timestamp::UNIX_EPOCH));
        }
        let all = log.after(0);
        assert_eq!((all.len(), all[0].number), (EVENTS_KEPT, 3));
        let last = EVENTS_KEPT as u64 + 2;
        assert_eq!(
            log.after(last - 2).iter().map(|n| n.number).collect::<Vec<_>>(),
            [last - 1, last]
        );
        assert!(log.after(last).is_empty());
    }
}
