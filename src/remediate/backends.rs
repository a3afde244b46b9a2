//! All servers of a catalogue, each kept running by a task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::remediate::directory::{Directory, Place};
use crate::remediate::reaching::Means;
use crate::remediate::serving::Serving;
use crate::remediate::spec::ServerSpec;
use crate::remediate::timeouts::Timeouts;

/// The servers, and what they offer.
pub(crate) struct Backends {
    /// What they offer, and how they are.
    pub(crate) directory: Arc<Directory>,
    /// Bounds.
    pub(crate) timeouts: Timeouts,
    means: Arc<Means>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In the order of the catalogue.
    servers: Vec<Kept>,
    next: Place,
    /// Set between the start and the end.
    runs: bool,
}

struct Kept {
    place: Place,
    spec: ServerSpec,
    task: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Backends {
    /// Knows the servers; none is started yet.
    pub(crate) fn new(specs: Vec<ServerSpec>, means: Means) -> Self {
        let backends = Self {
            directory: Arc::new(Directory::new()),
            timeouts: Timeouts::default(),
            means: Arc::new(means),
            state: Mutex::default(),
        };
        drop(backends.take(specs));
        backends
    }

    /// The servers as the catalogue has them.
    pub(crate) fn specs(&self) -> Vec<ServerSpec> {
        self.lock().servers.iter().map(|kept| kept.spec.clone()).collect()
    }

    /// What they are started with.
    pub(crate) fn means(&self) -> &Means {
        &self.means
    }

    /// Other means; only before the start.
    pub(crate) fn set_means(&mut self, how: impl FnOnce(&mut Means)) {
        how(Arc::make_mut(&mut self.means));
    }

    /// Starts every server.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        state.runs = true;
        self.launch(&mut state);
    }

    /// Takes another catalogue: what is in it as it was goes on running, the rest is ended or
    /// started.
    pub(crate) async fn replace(&self, specs: Vec<ServerSpec>) {
        ended(self.take(specs)).await;
    }

    /// Ends every server, in order.
    pub(crate) async fn end(&self) {
        let tasks = {
            let mut state = self.lock();
            state.runs = false;
            state.servers.iter_mut().filter_map(|kept| kept.task.take()).collect()
        };
        ended(tasks).await;
    }

    /// Waits until every server was connected or failed once, within the bounds of a first start.
    /// Returns what is wrong, one sentence each.
    pub(crate) async fn settled(&self) -> Vec<String> {
        let mut version = self.directory.listen();
        let deadline = Instant::now() + self.timeouts.connect + self.timeouts.list;
        while !self.directory.settled() {
            if !matches!(timeout_at(deadline, version.changed()).await, Ok(Ok(()))) {
                break;
            }
        }
        self.directory.problems()
    }

    /// Puts the list in place and starts what is new; returns the tasks that have to end.
    fn take(&self, specs: Vec<ServerSpec>) -> Vec<(CancellationToken, JoinHandle<()>)> {
        let mut state = self.lock();
        let mut before = std::mem::take(&mut state.servers);
        for spec in specs {
            let known = before.iter().position(|kept| kept.spec == spec);
            let kept = if let Some(at) = known {
                before.swap_remove(at)
            } else {
                let place = state.next;
                state.next += 1;
                Kept { place, spec, task: None }
            };
            state.servers.push(kept);
        }
        self.directory.set(state.servers.iter().map(|kept| (kept.place, kept.spec.name.clone())));
        if state.runs {
            self.launch(&mut state);
        }
        before.into_iter().filter_map(|kept| kept.task).collect()
    }

    fn launch(&self, state: &mut State) {
        for kept in state.servers.iter_mut().filter(|kept| kept.task.is_none()) {
            let serving = Serving {
                place: kept.place,
                spec: kept.spec.clone(),
                means: Arc::clone(&self.means),
                directory: Arc::clone(&self.directory),
                timeouts: self.timeouts,
            };
            let stop = CancellationToken::new();
            kept.task = Some((stop.clone(), tokio::spawn(serving.run(stop))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the tasks to end, and waits: each has bounds of its own.
async fn ended(tasks: Vec<(CancellationToken, JoinHandle<()>)>) {
    for (stop, _) in &tasks {
        stop.cancel();
    }
    for (_, task) in tasks {
        if let Err(error) = task.await {
            tracing::warn!("an MCP server's task did not end cleanly: {error}");
        }
    }
}
