//! What a run is made of, and how it ended.

use std::sync::Arc;

use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::incident::Incident;
use sentinel_core::engine::Settings;
use sentinel_core::runbook::Runbooks;
use sentinel_core::session::input::Announced;

use crate::ports::{Models, Monitor, Recorder, Remediator, Role, Store};

/// What the loop is made of.
pub struct Parts {
    /// Watches.
    pub monitor: Arc<dyn Monitor>,
    /// Acts.
    pub remediator: Arc<dyn Remediator>,
    /// What people wrote down for kinds of failure.
    pub runbooks: Arc<Runbooks>,
    /// Language models, if there are any to ask.
    pub models: Option<Arc<dyn Models>>,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// What this instance may do beside others.
    pub role: Arc<dyn Role>,
    /// The engine's settings.
    pub settings: Settings,
    /// Known failures in log lines.
    pub signatures: Arc<Signatures>,
    /// Incidents of earlier runs.
    pub earlier: Vec<Incident>,
    /// What the stream tells beyond the incidents.
    pub announced: Announced,
    /// Takes down what the core is given, if that is wanted.
    pub recorder: Option<Box<dyn Recorder>>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Incidents that still need somebody.
    pub open: usize,
    /// Why the engine could not be watched, if so.
    pub unreachable: Option<String>,
}
