//! What every request may look at.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::follow::History;
use crate::api::pace::Pace;
use crate::api::records::Records;
use crate::config::gateway::Secret;
use crate::runtime::handle::Handle;

/// WebSockets at the same time.
pub(super) const SOCKETS: usize = 32;

/// One instance and its bounds.
pub(super) struct House {
    pub(super) handle: Handle,
    pub(super) history: History,
    pub(super) records: Records,
    pub(super) token: Secret,
    pub(super) hosts: Vec<String>,
    /// Looking needs no token: only this machine can ask.
    pub(super) reads_are_open: bool,
    /// Names this run.
    pub(super) run: String,
    pub(super) known: Pace,
    pub(super) anybody: Pace,
    pub(super) wrong: Pace,
    pub(super) refused: AtomicU64,
    pub(super) sockets: Arc<Semaphore>,
    pub(super) views: Mutex<Views>,
    pub(super) stop: CancellationToken,
}

/// The last view as text, written once for all clients.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) version: u64,
    pub(super) text: Option<Arc<str>>,
    /// How long it took to write.
    pub(super) cost: Duration,
}
