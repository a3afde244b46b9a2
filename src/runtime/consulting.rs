//! Language models at work beside the run loop: each question is a task of its own that ends by
//! itself, is called off with its incident, and never holds anything up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sentinel_core::consult::brief::{Brief, with_runbooks};
use sentinel_core::consult::triage::Batch;
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::opinion::ModelWord;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{ReadCall, ToolResult};
use sentinel_core::runbook::Runbooks;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ports::{Models, PortError, ReadTools, Remediator};

/// Closed incidents that may be explained at a time; the words of the facts are enough for more.
const EXPLAINED_AT_ONCE: usize = 8;

/// The remediator, reduced to what only reads.
struct Reads(Arc<dyn Remediator>);

/// The tools of a remediator that only read.
pub(super) fn read_tools(remediator: &Arc<dyn Remediator>) -> Arc<dyn ReadTools> {
    Arc::new(Reads(Arc::clone(remediator)))
}

impl ReadTools for Reads {
    fn read(
        &self,
        call: ReadCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>> {
        self.0.call(call.into_call())
    }
}

/// What questions are answered with: models, if there are any, what they may look at, and what
/// people wrote down.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(super) models: Option<(Arc<dyn Models>, Arc<dyn ReadTools>)>,
    pub(super) runbooks: Arc<Runbooks>,
}

impl Asked {
    pub(super) fn new(
        models: Option<Arc<dyn Models>>,
        remediator: &Arc<dyn Remediator>,
        runbooks: Arc<Runbooks>,
    ) -> Self {
        let reads = read_tools(remediator);
        Self { models: models.map(|models| (models, reads)), runbooks }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("models", &self.models.is_some()).finish_non_exhaustive()
    }
}

/// What is asked of models now.
pub(super) struct Consulting {
    asked: Asked,
    results: mpsc::Sender<Signal>,
    stop: CancellationToken,
    tasks: TaskTracker,
    analyses: HashMap<IncidentId, CancellationToken>,
    explaining: Arc<Semaphore>,
}

impl Consulting {
    pub(super) fn new(asked: Asked, results: &mpsc::Sender<Signal>) -> Self {
        Self {
            asked,
            results: results.clone(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            analyses: HashMap::new(),
            explaining: Arc::new(Semaphore::new(EXPLAINED_AT_ONCE)),
        }
    }

    /// Reports how the models fare until [`Consulting::stop`]; the task ends then.
    pub(super) fn watch(&self) -> JoinHandle<()> {
        let models = self.asked.models.clone();
        let (out, stop) = (self.results.clone(), self.stop.clone());
        tokio::spawn(async move {
            if let Some((models, _)) = models {
                models.run(out, stop).await;
            }
        })
    }

    pub(super) fn triage(&self, batch: Batch) {
        let Some((models, _)) = self.asked.models.clone() else { return };
        let (out, stop) = (self.results.clone(), self.stop.clone());
        self.tasks.spawn(async move { tell(&out, models.triage(batch, stop).await).await });
    }

    pub(super) fn analyze(&mut self, incident: IncidentId, brief: &Brief) {
        let Some((models, reads)) = self.asked.models.clone() else { return };
        let stop = self.stop.child_token();
        // One analysis of an incident at a time: a newer one knows more.
        if let Some(older) = self.analyses.insert(incident.clone(), stop.clone()) {
            older.cancel();
        }
        self.analyses.retain(|_, stop| !stop.is_cancelled());
        let brief = Arc::new(with_runbooks(brief.clone(), &self.asked.runbooks));
        let out = self.results.clone();
        self.tasks.spawn(async move {
            let word = models.analyze(incident, brief, reads, stop.clone()).await;
            if !stop.is_cancelled() {
                tell(&out, word).await;
            }
            stop.cancel();
        });
    }

    pub(super) fn call_off(&mut self, incident: &IncidentId) {
        if let Some(stop) = self.analyses.remove(incident) {
            stop.cancel();
        }
    }

    pub(super) fn explain(&self, incident: Arc<Incident>) {
        let Some((models, _)) = self.asked.models.clone() else { return };
        let Ok(turn) = Arc::clone(&self.explaining).try_acquire_owned() else {
            tracing::info!("{}: too many incidents closed at once to ask a model", incident.id);
            return;
        };
        let (out, stop) = (self.results.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            if let Some(word) = models.explain(incident, stop).await {
                tell(&out, word).await;
            }
            drop(turn);
        });
    }

    /// Calls everything off.
    pub(super) fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
    }
}

async fn tell(out: &mpsc::Sender<Signal>, word: ModelWord) {
    if out.send(Signal::Model { word: Box::new(word) }).await.is_err() {
        tracing::debug!("the run loop ended before a model's answer came");
    }
}
