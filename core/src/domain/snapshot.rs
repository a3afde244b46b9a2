//! The state of everything at one moment, for front ends. Cheap to clone and share.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::anomaly::Anomaly;
use crate::domain::brakes::BrakesView;
use crate::domain::container::Container;
use crate::domain::incident::Incident;
use crate::domain::opinion::ModelView;
use crate::domain::past::Past;
use crate::domain::quiet::{Silence, Suppressed};
use crate::domain::tool::Tool;
use crate::domain::topology::Edge;
use crate::domain::usage::Usage;

/// The part that is degraded while the container engine cannot be seen.
pub const ENGINE_PART: &str = "docker";

/// The part that is degraded while a front end has no connection to the instance that it shows.
pub const CONNECTION_PART: &str = "connection";

/// How many readings a sparkline can show.
pub const USAGE_HISTORY: usize = 60;

/// What sentinel-tui may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing but look.
    ReadOnly,
    /// What a person approves.
    Approve,
    /// What the policy allows, the rest with approval.
    AutoHeal,
}

impl Mode {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Approve => "approve",
            Self::AutoHeal => "auto_heal",
        }
    }
}

/// The engine that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// The host's name as the engine gives it.
    pub name: String,
    /// The engine's version.
    pub version: String,
    /// The API version in use.
    pub api: String,
    /// Processors of the host.
    pub cpus: u64,
    /// Memory of the host in bytes.
    pub memory: u64,
    /// How it was reached, and why that way (`unix:///var/run/docker.sock (DOCKER_HOST)`).
    pub endpoint: String,
    /// It is a simulation: nothing that is shown is real.
    #[serde(default)]
    pub simulated: bool,
}

/// A part that does not work as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// "docker", "model", "mcp", "redis", "store" or "recording".
    pub part: String,
    /// What is wrong and what it means.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

/// One container with its readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerView {
    /// As last inspected.
    pub container: Arc<Container>,
    /// The last reading, while it runs.
    pub usage: Option<Usage>,
    /// CPU percent, oldest first, at most [`USAGE_HISTORY`].
    pub cpu_history: VecDeque<f32>,
    /// Memory percent of the limit, oldest first, at most [`USAGE_HISTORY`].
    pub mem_history: VecDeque<f32>,
    /// Deaths that nobody asked for since sentinel-tui began to watch.
    pub deaths: u32,
    /// Log lines read.
    pub lines: u64,
    /// Log lines dropped because sentinel-tui could not keep up.
    pub lines_dropped: u64,
    /// Log lines at level error or above.
    pub errors: u64,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was made.
    pub at: Timestamp,
    /// Counts snapshots, so that a front end sees that something changed.
    pub version: u64,
    /// The engine; `None` until it was reached.
    pub engine: Option<EngineInfo>,
    /// What may be done.
    pub mode: Mode,
    /// Containers, by name.
    pub containers: Vec<ContainerView>,
    /// Incidents, newest first: all open ones and the last closed ones.
    pub incidents: Vec<Arc<Incident>>,
    /// Anomalies that belong to no incident, newest last, bounded.
    pub anomalies: Vec<Arc<Anomaly>>,
    /// Parts that do not work as they should.
    pub degraded: Vec<Degraded>,
    /// Tools that were discovered.
    pub tools: Arc<Vec<Tool>>,
    /// Why this instance does not act, when another one does.
    #[serde(default)]
    pub watching: Option<String>,
    /// Who needs whom.
    #[serde(default)]
    pub edges: Arc<Vec<Edge>>,
    /// What was left alone on purpose, newest first, bounded.
    #[serde(default)]
    pub suppressed: Vec<Suppressed>,
    /// Services that are silenced now.
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// What holds auto-heal back.
    #[serde(default)]
    pub brakes: BrakesView,
    /// How the language models fare, if there are any.
    #[serde(default)]
    pub models: Vec<ModelView>,
    /// Incidents that have ended, in short, oldest first, bounded.
    #[serde(default)]
    pub past: Arc<Vec<Past>>,
}

impl Snapshot {
    /// What keeps the containers from being seen as they are now: no way to the engine, or to the
    /// instance that watches it.
    pub fn blind(&self) -> Option<&Degraded> {
        self.degraded.iter().find(|d| d.part == CONNECTION_PART || d.part == ENGINE_PART)
    }
}
