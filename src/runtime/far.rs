//! The other end of a [`Handle`](crate::runtime::handle::Handle) whose run loop is elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::Snapshot;
use tokio::sync::{Notify, broadcast, mpsc, watch};

use crate::runtime::handle::Request;
use crate::runtime::rings::{LogPage, LogRings};

/// Requests that may wait; beyond it a front end is told that nothing answers.
pub(super) const REQUESTS: usize = 64;
/// Events that a slow reader may be behind.
pub(super) const EVENTS: usize = 1024;
/// Logs that are kept up to date at a time; the one that was read longest ago gives way.
pub const LOOKS: usize = 64;
/// A log that nobody has read for this long is not kept up to date any more.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// What the loop itself would hold.
#[derive(Debug)]
pub struct Far {
    /// What front ends ask.
    pub requests: mpsc::Receiver<Request>,
    /// Where facts go.
    pub events: broadcast::Sender<Arc<Envelope>>,
    /// Where the state of everything goes.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) rings: Arc<Mutex<LogRings>>,
    pub(super) looks: Arc<Looks>,
}

impl Far {
    /// Adds a page of a log, or puts it in place of what is there.
    pub fn put(&self, container: &ContainerId, page: LogPage, whole: bool) {
        // A panic while the lock was held leaves whole entries behind: going on is right.
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).take(container, page, whole);
    }

    /// Forgets the log of a container.
    pub fn forget(&self, container: &ContainerId) {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).forget(container);
    }

    /// Whose logs are being read.
    pub fn looked_at(&self) -> Vec<ContainerId> {
        self.looks.recent(Instant::now())
    }

    /// Waits until a log is read that was not before.
    pub fn new_look(&self) -> impl Future<Output = ()> + use<> {
        let looks = Arc::clone(&self.looks);
        async move { looks.new.notified().await }
    }
}

/// Whose logs were read, and when.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last: Mutex<HashMap<ContainerId, Instant>>,
    new: Notify,
}

impl Looks {
    pub(super) fn note(&self, container: &ContainerId) {
        self.note_at(container, Instant::now());
    }

    fn note_at(&self, container: &ContainerId, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = last.get_mut(container) {
            *at = now;
            return;
        }
        if last.len() >= LOOKS
            && let Some(oldest) = last.iter().min_by_key(|(_, at)| **at).map(|(id, _)| id.clone())
        {
            last.remove(&oldest);
        }
        last.insert(container.clone(), now);
        self.new.notify_one();
    }

    fn recent(&self, now: Instant) -> Vec<ContainerId> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.saturating_duration_since(*at) <= LOOKED_AT);
        last.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_are_read_are_bounded_and_fade() {
        let (looks, begin) = (Looks::default(), Instant::now());
        for number in 0..LOOKS + 10 {
            let id = ContainerId(number.to_string());
            looks.note_at(&id, begin + Duration::from_millis(number as u64));
        }
        let recent = looks.recent(begin + Duration::from_secs(1));
        assert_eq!(recent.len(), LOOKS);
        assert!(!recent.contains(&"0".into()) && recent.contains(&"73".into()));
        looks.note_at(&"73".into(), begin + Duration::from_secs(20));
        assert_eq!(looks.recent(begin + Duration::from_secs(40)), ["73".into()]);
    }
}
