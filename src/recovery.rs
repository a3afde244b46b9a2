//! What an earlier run left half done: put right at the start, and told.
//!
//! A container that is made anew passes through states in which nothing of its name runs. Whoever
//! did that and was killed left a journal behind; [`Recovering`] ends what it says, one way or the
//! other, beside the start of the MCP servers and before they could do it unheard.

use std::sync::Arc;
use std::time::Duration;

use config_patcher::server::ConfigPatcher;
use futures_util::future::BoxFuture;
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ports::{Monitor, PortError, Remediator};

/// The part's name in signals.
const PART: &str = "recreate";
/// How often it is tried: the engine may be busy or come back.
const TRIES: u32 = 8;
/// The wait after the first attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long it may go on once a stop was asked for.
const LAST_STEPS: Duration = Duration::from_secs(8);

/// A remediator that first puts right what was interrupted.
pub struct Recovering<R> {
    inner: R,
    patcher: ConfigPatcher,
}

impl<R: Remediator> Recovering<R> {
    /// `settings` are those of a server that changes containers here. A read-only one puts nothing
    /// right.
    pub fn new(inner: R, settings: mcp_kit::Settings) -> Self {
        Self { inner, patcher: ConfigPatcher::new(settings) }
    }

    async fn put_right(&self, out: &mpsc::Sender<Signal>, stop: &CancellationToken) {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=TRIES {
            let problem = match self.patcher.put_right().await {
                Ok(ended) => {
                    for detail in ended.done {
                        told(out, Signal::Recovered { part: PART.to_owned(), detail }).await;
                    }
                    if ended.left.is_empty() {
                        return;
                    }
                    let names = ended.left.join(", ");
                    format!("a change of {names} was interrupted and cannot be put right yet")
                }
                Err(failure) => format!("interrupted changes cannot be looked for: {failure}"),
            };
            let last = attempt == TRIES;
            let then =
                if last { "it is tried again at the next start" } else { "it is tried again" };
            let detail = format!("{problem}; {then}");
            told(out, Signal::Degraded { part: PART.to_owned(), detail }).await;
            if last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => wait *= 2,
            }
        }
    }
}

async fn told(out: &mpsc::Sender<Signal>, signal: Signal) {
    if out.send(signal).await.is_err() {
        tracing::warn!("the run loop ended before an interrupted change was told of");
    }
}

impl<R: Remediator> Remediator for Recovering<R> {
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let aside = out.clone();
            let putting_right = async {
                // A way back that has begun goes to its end, within bounds: what a stop leaves, the
                // next start finds.
                let enough = async {
                    stop.cancelled().await;
                    tokio::time::sleep(LAST_STEPS).await;
                };
                tokio::select! {
                    () = enough => {}
                    () = self.put_right(&aside, &stop) => {}
                }
            };
            // First in the list: it has the journal before any server is started.
            tokio::join!(biased; putting_right, self.inner.run(out, stop.clone()));
        })
    }

    fn apply(
        &self,
        plan: Approved<Plan>,
        monitor: Arc<dyn Monitor>,
        out: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()> {
        self.inner.apply(plan, monitor, out)
    }

    fn rehearse<'a>(
        &'a self,
        plan: &'a Plan,
        monitor: Arc<dyn Monitor>,
    ) -> BoxFuture<'a, Result<(), String>> {
        self.inner.rehearse(plan, monitor)
    }

    fn undo(&self, plan: Approved<Undo>, out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        self.inner.undo(plan, out)
    }

    fn call(&self, call: ToolCall) -> BoxFuture<'_, Result<(ToolResult, Value), PortError>> {
        self.inner.call(call)
    }

    fn tools(&self) -> Vec<Tool> {
        self.inner.tools()
    }
}
