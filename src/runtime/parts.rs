//! What a run is made of, and how it ended.

use std::sync::Arc;

use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::incident::Incident;
use sentinel_core::engine::Settings;

use crate::ports::{Monitor, Remediator, Role, Store};

/// What the loop is made of.
pub struct Parts {
    /// Watches.
    pub monitor: Arc<dyn Monitor>,
    /// Acts.
    pub remediator: Arc<dyn Remediator>,
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
    /// Announce every log line as an event.
    pub log_events: bool,
    /// Announce every reading as an event.
    pub usage_events: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Incidents that still need somebody.
    pub open: usize,
    /// Why the engine could not be watched, if so.
    pub unreachable: Option<String>,
}
