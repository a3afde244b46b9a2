//! The other end of a [`Handle`] whose run loop is elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::Snapshot;
use tokio::sync::{broadcast, mpsc, watch};

use crate::runtime::consulting::Asked;
use crate::runtime::handle::{Handle, Request};
use crate::runtime::looks::Looks;
use crate::runtime::rings::{LogPage, LogRings};

/// Requests that may wait; beyond it a front end is told that nothing answers.
const REQUESTS: usize = 64;
/// Events that a slow reader may be behind.
const EVENTS: usize = 1024;

/// What the loop itself would hold.
#[derive(Debug)]
pub struct Far {
    /// What front ends ask.
    pub requests: mpsc::Receiver<Request>,
    /// Where facts go.
    pub events: broadcast::Sender<Arc<Envelope>>,
    /// Where the state of everything goes.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    rings: Arc<Mutex<LogRings>>,
    looks: Arc<Looks>,
}

/// A handle to a run loop that is elsewhere, and its other end: whoever holds that brings what the
/// loop says, and takes to it what is asked.
pub fn handle(first: Arc<Snapshot>) -> (Handle, Far) {
    let (requests_in, requests) = mpsc::channel(REQUESTS);
    let (events, _) = broadcast::channel(EVENTS);
    let (snapshots, snapshots_out) = watch::channel(first);
    let rings = Arc::new(Mutex::new(LogRings::default()));
    let looks = Arc::new(Looks::default());
    let (told, read) = (events.clone(), Arc::clone(&rings));
    let handle = Handle::new(requests_in, told, snapshots_out, read, Asked::default());
    let far = Far { requests, events, snapshots, rings, looks: Arc::clone(&looks) };
    (handle.noting(looks), far)
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
        async move { looks.new_one().await }
    }
}
