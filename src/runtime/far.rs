//! The other end of a [`Handle`] whose run loop is elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::Snapshot;
use tokio::sync::{broadcast, mpsc, watch};

use crate::runtime::consulting::Asked;
use crate::runtime::events::SharedEvents;
use crate::runtime::handle::{Handle, Request, Wanted};
use crate::runtime::looks::Looks;
use crate::runtime::rings::{LogPage, LogRings};
use crate::runtime::sources::Sources;

/// Requests that may wait; beyond it a front end is told that nothing answers.
const REQUESTS: usize = 64;
/// Events that a slow reader may be behind.
const EVENTS: usize = 1024;

/// What the loop itself would hold.
#[derive(Debug)]
pub struct Far {
    requests: mpsc::Receiver<Wanted>,
    /// Where facts go; [`Far::tell`] keeps them for the list of what happened, too.
    pub events: broadcast::Sender<Arc<Envelope>>,
    recent: SharedEvents,
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
    let recent = SharedEvents::default();
    let sources = Sources { recent: recent.clone(), near: None };
    let (told, read) = (events.clone(), Arc::clone(&rings));
    let handle = Handle::new(requests_in, told, snapshots_out, read, Asked::default(), sources);
    let far = Far { requests, events, recent, snapshots, rings, looks: Arc::clone(&looks) };
    (handle.noting(looks), far)
}

impl Far {
    /// What a front end asks to be done; `None` once all have gone.
    pub async fn asked(&mut self) -> Option<Request> {
        loop {
            match self.requests.recv().await? {
                Wanted::Command(request) => return Some(request),
                // Lines are sorted where they are read; whoever asked is told that nobody does.
                Wanted::Patterns { reply, .. } => drop(reply),
            }
        }
    }

    /// Hands a fact on.
    pub fn tell(&self, envelope: Arc<Envelope>) {
        if let Ok(at) = envelope.ts.parse() {
            self.recent.told(&envelope.event, at);
        }
        // Nobody may be listening; that is fine.
        drop(self.events.send(envelope));
    }

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
