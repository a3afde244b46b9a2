//! The hands of the run loop: work that takes time, as tasks of their own. What comes back comes
//! as a signal.

use std::sync::Arc;

use sentinel_core::domain::audit::AuditRecord;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::ports::{Monitor, PortError, Remediator};
use crate::runtime::storing::Job;

/// What effects need that borrow nothing of the loop's state.
pub(super) struct Hands {
    pub(super) monitor: Arc<dyn Monitor>,
    pub(super) remediator: Arc<dyn Remediator>,
    pub(super) results: mpsc::Sender<Signal>,
    pub(super) jobs: mpsc::Sender<Job>,
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
        let (done, durable) = oneshot::channel();
        self.queue(Job::Before { incident, records, done }).await;
        let monitor = Arc::clone(&self.monitor);
        let remediator = Arc::clone(&self.remediator);
        self.tasks.spawn(apply(plan, durable, monitor, remediator, self.results.clone()));
    }

    /// Takes a plan back.
    pub(super) fn undo(&mut self, plan: Approved<Undo>) {
        let (remediator, results) = (Arc::clone(&self.remediator), self.results.clone());
        self.tasks.spawn(async move { remediator.undo(plan, results).await });
    }
}

async fn inspect(monitor: Arc<dyn Monitor>, container: ContainerId, results: mpsc::Sender<Signal>) {
    match monitor.inspect(container.clone()).await {
        Ok(Some(found)) => {
            let container = Box::new(found);
            tell(&results, Signal::Inspected { container, unwitnessed: false }).await;
        }
        Ok(None) => tell(&results, Signal::Gone { container }).await,
        // One container that cannot be read says nothing about the engine; who waits for the look
        // waits no longer than its own bound.
        Err(error) => tracing::warn!("{error}"),
    }
}

/// Nothing is called before the record of it is on disk.
async fn apply(
    plan: Approved<Plan>,
    durable: oneshot::Receiver<Result<(), PortError>>,
    monitor: Arc<dyn Monitor>,
    remediator: Arc<dyn Remediator>,
    results: mpsc::Sender<Signal>,
) {
    let incident = plan.get().incident.clone();
    let problem = match durable.await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the store ended".to_owned()),
    };
    if let Some(problem) = problem {
        let why = format!(
            "the record of the call could not be written, so nothing was called: {problem}"
        );
        tell(&results, Signal::PlanStale { incident, why }).await;
        return;
    }
    remediator.apply(plan, monitor, results).await;
}

async fn tell(results: &mpsc::Sender<Signal>, signal: Signal) {
    if results.send(signal).await.is_err() {
        tracing::warn!("the run loop ended before a result came back");
    }
}
