//! [`McpRemediator`]: the port, put together.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sentinel_core::domain::plan::{Actor, Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use sentinel_core::redact;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::gateway::GatewaySettings;
use crate::ports::{Leases, Monitor, PortError, Remediator};
use crate::remediate::backends::Backends;
use crate::remediate::carry::Carry;
use crate::remediate::catalog::{self, CatalogError};
use crate::remediate::leave::Asking;
use crate::remediate::reaching::Means;
use crate::remediate::running::{Caller, tell};
use crate::remediate::spec::{ServerSpec, Way};
use crate::remediate::timeouts::Timeouts;
use crate::remediate::trust::Trust;

/// Plans whose changes are remembered for an undo.
const REMEMBERED: usize = 64;
/// How long calls under way may take to end once a stop was asked for.
const LAST_CALLS: Duration = Duration::from_secs(10);
/// Bytes of a word about what is wrong.
const WORD: usize = 1024;
/// The part's name in signals.
const PART: &str = "mcp";
/// The gateway's name among the servers.
const GATEWAY: &str = "gateway";

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

/// Calls tools of the catalogue's servers, or of a gateway's, over MCP.
pub struct McpRemediator {
    backends: Backends,
    /// What earlier plans changed, by the plan's hash, newest last, at most [`REMEMBERED`].
    carried: Mutex<VecDeque<(String, Carry)>>,
    /// Plans, inverses and calls under way.
    busy: watch::Sender<usize>,
    /// Who gives leave to act beside other instances.
    leases: Option<Arc<dyn Leases>>,
}

/// Names only: the settings hold values that may be secrets.
impl std::fmt::Debug for McpRemediator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpRemediator")
            .field("servers", &self.backends.specs())
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
        Ok(Self {
            backends: backends(settings)?,
            carried: Mutex::default(),
            busy: watch::Sender::new(0),
            leases: None,
        })
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.backends.timeouts = timeouts;
        self
    }

    /// The same with plans that need a lease on their targets.
    #[must_use]
    pub fn with_leases(mut self, leases: Option<Arc<dyn Leases>>) -> Self {
        self.leases = leases;
        self
    }

    /// The same with the confirmations of a state folder: containers of the catalogue are started
    /// once their command was confirmed. Without it none is.
    #[must_use]
    pub fn with_trust(mut self, state_dir: &Path) -> Self {
        let trust = Trust::new(state_dir);
        self.backends.set_means(|means| means.trust = Some(trust));
        self
    }

    /// The same with a gateway in place of the catalogue's own servers. Only the tools that the
    /// catalogue documents are taken from it.
    #[must_use]
    pub fn through(self, gateway: &GatewaySettings) -> Self {
        let mut tools: Vec<String> =
            self.backends.specs().into_iter().flat_map(|spec| spec.tools).collect();
        tools.sort();
        tools.dedup();
        let spec = ServerSpec {
            name: GATEWAY.to_owned(),
            way: Way::Gateway { url: gateway.url.clone(), token: gateway.token.clone() },
            tools,
            own: false,
        };
        let means = self.backends.means().clone();
        let mut through = Backends::new(vec![spec], means);
        through.timeouts = self.backends.timeouts;
        Self { backends: through, ..self }
    }

    /// Waits until every server was connected or failed once, within the bounds of a first
    /// start. Returns what is wrong, one sentence each. [`Remediator::run`] must be under way.
    pub async fn settled(&self) -> Vec<String> {
        self.backends.settled().await
    }

    fn caller(&self, by: &Actor) -> Caller<'_> {
        Caller {
            directory: &self.backends.directory,
            timeouts: self.backends.timeouts,
            asking: Asking {
                leases: self.leases.as_ref(),
                by_person: matches!(by, Actor::Person(_)),
            },
        }
    }

    fn work(&self) -> Busy<'_> {
        self.busy.send_modify(|count| *count += 1);
        Busy(&self.busy)
    }

    fn carried(&self) -> MutexGuard<'_, VecDeque<(String, Carry)>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut version = self.backends.directory.listen();
        let mut told: Option<Vec<Tool>> = None;
        let mut problems = Vec::new();
        loop {
            version.borrow_and_update();
            let tools = self.backends.directory.tools();
            // An empty list is news only once it is final.
            let news = match &told {
                Some(told) => *told != tools,
                None => !tools.is_empty() || self.backends.directory.settled(),
            };
            if news {
                told = Some(tools.clone());
                tell(out, Signal::Tools { tools }).await;
            }
            let now = self.backends.directory.problems();
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
            self.backends.start();
            self.report(&out, &stop).await;
            // A call that is being made shall come back, not be cut off.
            let mut busy = self.busy.subscribe();
            if timeout(LAST_CALLS, busy.wait_for(|count| *count == 0)).await.is_err() {
                tracing::warn!("calls under way did not come back before the end");
            }
            self.backends.end().await;
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
            let carry = self.caller(plan.by()).plan(plan.get(), monitor.as_ref(), &out).await;
            let mut carried = self.carried();
            carried.push_back((plan.get().sha256.clone(), carry));
            while carried.len() > REMEMBERED {
                carried.pop_front();
            }
        })
    }

    fn rehearse<'a>(
        &'a self,
        plan: &'a Plan,
        monitor: Arc<dyn Monitor>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.caller(&Actor::System).rehearse(plan, monitor.as_ref()).await })
    }

    fn undo(&self, plan: Approved<Undo>, out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _busy = self.work();
            let caller = self.caller(plan.by());
            let Undo(plan) = plan.get();
            let carry = {
                let carried = self.carried();
                let found = carried.iter().rev().find(|(sha256, _)| *sha256 == plan.sha256);
                // An earlier run may have made the change: then the incident remembers.
                found.map_or_else(|| Carry::of(plan), |(_, carry)| carry.clone())
            };
            let (result, replaced_by) = caller.undo(plan, &carry).await;
            let incident = plan.incident.clone();
            tell(&out, Signal::UndoDone { incident, result, replaced_by }).await;
        })
    }

    fn call(&self, call: ToolCall) -> BoxFuture<'_, Result<(ToolResult, Value), PortError>> {
        Box::pin(async move {
            let _busy = self.work();
            self.caller(&Actor::System)
                .call(&call, None)
                .await
                .map_err(|why| PortError(why.into_message()))
        })
    }

    fn tools(&self) -> Vec<Tool> {
        self.backends.directory.tools()
    }
}

/// The servers of the catalogue that the settings name.
pub(crate) fn backends(settings: McpSettings) -> Result<Backends, CatalogError> {
    let specs = catalog::read(settings.catalog.as_deref(), &settings.executable)?;
    let means = Means { environment: settings.environment, pass: settings.pass, trust: None };
    Ok(Backends::new(specs, means))
}
