//! The hands of the run loop: work that takes time, as tasks of their own. What comes back comes
//! as a signal.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::audit::AuditRecord;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::rehearsal::Rehearsal;
use sentinel_core::domain::signal::{Signal, UNRECORDED};
use sentinel_core::domain::tool::ToolResult;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use tokio::time::timeout;

use crate::ports::{Monitor, PortError, Remediator};
use crate::runtime::consulting::Consulting;
use crate::runtime::storing::Job;

/// How long looking at targets and tools for a dry run may take.
const REHEARSAL: Duration = Duration::from_secs(8);

/// What effects need that borrow nothing of the loop's state.
pub(super) struct Hands {
    pub(super) monitor: Arc<dyn Monitor>,
    pub(super) remediator: Arc<dyn Remediator>,
    pub(super) results: mpsc::Sender<Signal>,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) consulting: Consulting,
    pub(super) tasks: JoinSet<()>,
}

impl Hands {
    /// Gives the store a job, in order.
    pub(super) async fn queue(&self, job: Job) {
        if self.jobs.send(job).await.is_err() {
            tracing::error!("the store's queue is closed; a record was not written");
        }
    }

    /// Looks at a container.
    pub(super) fn inspect(&mut self, container: ContainerId) {
        let (monitor, results) = (Arc::clone(&self.monitor), self.results.clone());
        self.tasks.spawn(inspect(monitor, container, results));
    }

    /// Runs a plan once its records are on disk.
    pub(super) async fn apply(
        &mut self,
        plan: Approved<Plan>,
        incident: Arc<Incident>,
        records: Vec<AuditRecord>,
    ) {
        let durable = self.before(incident, records).await;
        let monitor = Arc::clone(&self.monitor);
        let remediator = Arc::clone(&self.remediator);
        self.tasks.spawn(apply(plan, durable, monitor, remediator, self.results.clone()));
    }

    /// Takes a plan back once the records of that are on disk.
    pub(super) async fn undo(
        &mut self,
        plan: Approved<Undo>,
        incident: Arc<Incident>,
        records: Vec<AuditRecord>,
    ) {
        let durable = self.before(incident, records).await;
        let remediator = Arc::clone(&self.remediator);
        self.tasks.spawn(undo(plan, durable, remediator, self.results.clone()));
    }

    /// Looks whether a plan could run, and says so to whoever asked.
    pub(super) fn rehearse(
        &mut self,
        plan: Plan,
        rehearsal: Rehearsal,
        reply: oneshot::Sender<Result<String, String>>,
    ) {
        let (monitor, remediator) = (Arc::clone(&self.monitor), Arc::clone(&self.remediator));
        self.tasks.spawn(async move {
            let looked = timeout(REHEARSAL, remediator.rehearse(&plan, monitor)).await;
            let problem = match looked {
                Ok(Ok(())) => None,
                Ok(Err(why)) => Some(why),
                Err(_) => Some(format!("no answer within {} s", REHEARSAL.as_secs())),
            };
            // Whoever asked may have given up waiting.
            drop(reply.send(Ok(rehearsal.text(problem.as_deref()))));
        });
    }

    async fn before(
        &self,
        incident: Arc<Incident>,
        records: Vec<AuditRecord>,
    ) -> oneshot::Receiver<Result<(), PortError>> {
        let (done, durable) = oneshot::channel();
        self.queue(Job::Before { incident, records, done }).await;
        durable
    }
}

async fn inspect(monitor: Arc<dyn Monitor>, container: ContainerId, results: mpsc::Sender<Signal>) {
    // What happens from here on is newer than the answer.
    let asked_at = Timestamp::now();
    match monitor.inspect(container.clone()).await {
        Ok(Some(found)) => {
            let container = Box::new(found);
            let asked_at = Some(asked_at);
            tell(&results, Signal::Inspected { container, unwitnessed: false, asked_at }).await;
        }
        Ok(None) => tell(&results, Signal::Gone { container }).await,
        // One container that cannot be read says nothing about the engine; who waits for the look
        // waits no longer than its own bound.
        Err(error) => tracing::warn!("{error}"),
    }
}

/// Why nothing may be called: the record of it is not on disk.
async fn refused(durable: oneshot::Receiver<Result<(), PortError>>) -> Option<String> {
    let problem = match durable.await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the store ended".to_owned(),
    };
    Some(format!("{UNRECORDED}, so nothing was called: {problem}"))
}

async fn apply(
    plan: Approved<Plan>,
    durable: oneshot::Receiver<Result<(), PortError>>,
    monitor: Arc<dyn Monitor>,
    remediator: Arc<dyn Remediator>,
    results: mpsc::Sender<Signal>,
) {
    match refused(durable).await {
        Some(why) => {
            let incident = plan.get().incident.clone();
            tell(&results, Signal::PlanStale { incident, why }).await;
        }
        None => remediator.apply(plan, monitor, results).await,
    }
}

async fn undo(
    plan: Approved<Undo>,
    durable: oneshot::Receiver<Result<(), PortError>>,
    remediator: Arc<dyn Remediator>,
    results: mpsc::Sender<Signal>,
) {
    match refused(durable).await {
        Some(message) => {
            let incident = plan.get().0.incident.clone();
            let result = ToolResult { ok: false, message, duration_ms: 0 };
            tell(&results, Signal::UndoDone { incident, result, replaced_by: None }).await;
        }
        None => remediator.undo(plan, results).await,
    }
}

async fn tell(results: &mpsc::Sender<Signal>, signal: Signal) {
    if results.send(signal).await.is_err() {
        tracing::warn!("the run loop ended before a result came back");
    }
}
