//! [`McpRemediator`]: the port, put together.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use sentinel_core::redact;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::ports::{Monitor, PortError, Remediator};
use crate::remediate::carry::Carry;
use crate::remediate::catalog::{self, CatalogError, ServerSpec};
use crate::remediate::directory::Directory;
use crate::remediate::running::{Caller, tell};
use crate::remediate::serving::Serving;
use crate::remediate::spawn;
use crate::remediate::timeouts::Timeouts;

/// Plans whose changes are remembered for an undo.
const REMEMBERED: usize = 64;
/// How long calls under way may take to end once a stop was asked for.
const LAST_CALLS: Duration = Duration::from_secs(10);
/// Bytes of a word about what is wrong.
const WORD: usize = 1024;
/// The part's name in signals.
const PART: &str = "mcp";

/// What it takes to start the servers.
#[derive(Clone, Default)]
pub struct McpSettings {
    /// A catalogue instead of the built-in one.
    pub catalog: Option<PathBuf>,
    /// What `$SELF` in the catalogue stands for.
    pub executable: PathBuf,
    /// Variables that the catalogue may choose from.
    pub environment: BTreeMap<String, String>,
    /// Variables that every server gets.
    pub pass: BTreeMap<String, String>,
}

/// Values may be secrets: only names are shown.
impl std::fmt::Debug for McpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpSettings")
            .field("catalog", &self.catalog)
            .field("executable", &self.executable)
            .field("environment", &self.environment.keys())
            .field("pass", &self.pass.keys())
            .finish()
    }
}

/// Calls tools of the catalogue's servers over MCP.
pub struct McpRemediator {
    servers: Vec<ServerSpec>,
    settings: McpSettings,
    timeouts: Timeouts,
    directory: Arc<Directory>,
    /// What earlier plans changed, by the plan's hash, newest last, at most [`REMEMBERED`].
    carried: Mutex<VecDeque<(String, Carry)>>,
    /// Plans, inverses and calls under way.
    busy: watch::Sender<usize>,
}

/// Names only: the settings hold values that may be secrets.
impl std::fmt::Debug for McpRemediator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpRemediator")
            .field("servers", &self.servers)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Counts work under way for as long as it lives.
struct Busy<'a>(&'a watch::Sender<usize>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl McpRemediator {
    /// Reads the catalogue. Nothing is started before [`Remediator::run`].
    pub fn new(settings: McpSettings) -> Result<Self, CatalogError> {
        let servers = catalog::read(settings.catalog.as_deref(), &settings.executable)?;
        let directory = Arc::new(Directory::new(servers.iter().map(|s| s.name.clone())));
        Ok(Self {
            servers,
            settings,
            timeouts: Timeouts::default(),
            directory,
            carried: Mutex::default(),
            busy: watch::Sender::new(0),
        })
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Waits until every server was connected or failed once, within the bounds of a first
    /// start. Returns what is wrong, one sentence each. [`Remediator::run`] must be under way.
    pub async fn settled(&self) -> Vec<String> {
        let mut version = self.directory.listen();
        let deadline = Instant::now() + self.timeouts.connect + self.timeouts.list;
        while !self.directory.settled() {
            if !matches!(timeout_at(deadline, version.changed()).await, Ok(Ok(()))) {
                break;
            }
        }
        self.directory.problems()
    }

    fn caller(&self) -> Caller<'_> {
        Caller { directory: &self.directory, timeouts: self.timeouts }
    }

    fn work(&self) -> Busy<'_> {
        self.busy.send_modify(|count| *count += 1);
        Busy(&self.busy)
    }

    fn carried(&self) -> MutexGuard<'_, VecDeque<(String, Carry)>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every server; each is kept running by a task of its own.
    fn start(&self, stop: &CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for (place, spec) in self.servers.iter().enumerate() {
            let serving = Serving {
                place,
                spec: spec.clone(),
                variables: spawn::variables(spec, &self.settings.environment, &self.settings.pass),
                path: self.settings.environment.get("PATH").cloned(),
                directory: Arc::clone(&self.directory),
                timeouts: self.timeouts,
            };
            tasks.spawn(serving.run(stop.clone()));
        }
        tasks
    }

    /// Reports what changed until `stop`. Only the latest state counts: a server that is back
    /// before anyone heard that it was gone needs no word.
    async fn report(&self, out: &mpsc::Sender<Signal>, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.report_on(out) => {}
        }
    }

    async fn report_on(&self, out: &mpsc::Sender<Signal>) {
        let mut version = self.directory.listen();
        let mut told: Option<Vec<Tool>> = None;
        let mut problems = Vec::new();
        loop {
            version.borrow_and_update();
            let tools = self.directory.tools();
            // An empty list is news only once it is final.
            let news = match &told {
                Some(told) => *told != tools,
                None => !tools.is_empty() || self.directory.settled(),
            };
            if news {
                told = Some(tools.clone());
                tell(out, Signal::Tools { tools }).await;
            }
            let now = self.directory.problems();
            if now != problems {
                let part = PART.to_owned();
                let signal = if now.is_empty() {
                    Signal::Recovered { part, detail: "every MCP server answers".to_owned() }
                } else {
                    let detail = redact::clean(now.join("; ").as_bytes(), WORD);
                    Signal::Degraded { part, detail }
                };
                tell(out, signal).await;
                problems = now;
            }
            if version.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Remediator for McpRemediator {
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let end = CancellationToken::new();
            let mut tasks = self.start(&end);
            self.report(&out, &stop).await;
            // A call that is being made shall come back, not be cut off.
            let mut busy = self.busy.subscribe();
            if timeout(LAST_CALLS, busy.wait_for(|count| *count == 0)).await.is_err() {
                tracing::warn!("calls under way did not come back before the end");
            }
            end.cancel();
            while let Some(ended) = tasks.join_next().await {
                if let Err(error) = ended {
                    tracing::warn!("an MCP server's task did not end cleanly: {error}");
                }
            }
        })
    }

    fn apply(
        &self,
        plan: Approved<Plan>,
        monitor: Arc<dyn Monitor>,
        out: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _busy = self.work();
            let carry = self.caller().plan(plan.get(), monitor.as_ref(), &out).await;
            let mut carried = self.carried();
            carried.push_back((plan.get().sha256.clone(), carry));
            while carried.len() > REMEMBERED {
                carried.pop_front();
            }
        })
    }

    fn undo(&self, plan: Approved<Undo>, out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _busy = self.work();
            let Undo(plan) = plan.get();
            let carry = {
                let carried = self.carried();
                let found = carried.iter().rev().find(|(sha256, _)| *sha256 == plan.sha256);
                // An earlier run may have made the change: then the incident remembers.
                found.map_or_else(|| Carry::of(plan), |(_, carry)| carry.clone())
            };
            let (result, replaced_by) = self.caller().undo(plan, &carry).await;
            let incident = plan.incident.clone();
            tell(&out, Signal::UndoDone { incident, result, replaced_by }).await;
        })
    }

    fn call(&self, call: ToolCall) -> BoxFuture<'_, Result<(ToolResult, Value), PortError>> {
        Box::pin(async move {
            let _busy = self.work();
            self.caller().call(&call).await.map_err(|why| PortError(why.into_message()))
        })
    }

    fn tools(&self) -> Vec<Tool> {
        self.directory.tools()
    }
}
