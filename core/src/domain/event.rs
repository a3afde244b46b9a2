//! Facts that sentinel-tui announces: the JSONL contract. Field names are stable; additions only.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::anomaly_wire::AnomalyWire;
use crate::domain::brakes::Halt;
use crate::domain::container::Container;
use crate::domain::diagnosis::Source;
use crate::domain::diagnosis_wire::DiagnosisWire;
use crate::domain::failure::FailureClass;
use crate::domain::grant::Grant;
use crate::domain::ids::{AnomalyId, FixId, IncidentId};
use crate::domain::incident::{Check, Incident, IncidentState};
use crate::domain::judgement::Judgement;
use crate::domain::log::{Level, Stream};
use crate::domain::not_acting::NotActing;
use crate::domain::opinion::Opinion;
use crate::domain::plan::{Fix, Plan, Risk};
use crate::domain::quiet::{Silence, Suppressed};
use crate::domain::severity::Severity;
use crate::domain::snapshot::EngineInfo;
use crate::domain::tool::{ToolCall, ToolResult};

/// An event with its place in the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the contract.
    pub v: u32,
    /// Counts the events of this run, from 1.
    pub seq: u64,
    /// When its turn began, RFC 3339 with milliseconds; of a line, when it was written.
    pub ts: String,
    /// Name of the engine's host.
    pub host: String,
    /// The fact.
    #[serde(flatten)]
    pub event: Event,
}

/// A container on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContainerWire {
    /// Full id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Service.
    pub service: String,
    /// Engine state.
    pub state: String,
    /// Health verdict.
    pub health: String,
}

impl From<&Container> for ContainerWire {
    fn from(c: &Container) -> Self {
        Self {
            id: c.of.id.0.clone(),
            name: c.of.name.clone(),
            service: c.of.service.clone(),
            state: c.state.as_str().to_owned(),
            health: c.health.as_str().to_owned(),
        }
    }
}

/// An incident on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IncidentWire {
    /// Its id.
    pub id: IncidentId,
    /// Service name.
    pub service: String,
    /// Name of the container that it was opened on.
    pub container: String,
    /// Where it is.
    pub state: IncidentState,
    /// How bad.
    pub severity: Severity,
    /// Its class.
    pub class: FailureClass,
    /// Name of the container at fault.
    pub root: String,
    /// Names of those that suffer.
    pub affected: Vec<String>,
    /// One line that says what is broken.
    pub title: String,
    /// When the fault could be observed.
    pub observed_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The incident that it continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopens: Option<IncidentId>,
    /// Once closed: what broke, why, what was done, what remains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The model that wrote it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation_by: Option<String>,
}

impl From<&Incident> for IncidentWire {
    fn from(i: &Incident) -> Self {
        Self {
            id: i.id.clone(),
            service: i.container.service.clone(),
            container: i.container.name.clone(),
            state: i.state,
            severity: i.severity,
            class: i.class,
            root: i.root.clone(),
            affected: i.affected.clone(),
            title: i.title.clone(),
            observed_at: i.observed_at,
            opened_at: i.opened_at,
            closed_at: i.closed_at,
            reopens: i.reopens.clone(),
            explanation: i.explanation.clone(),
            explanation_by: i.explanation_by.clone(),
        }
    }
}

/// A staged fix on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FixWire {
    /// Its id.
    pub id: FixId,
    /// Tool name.
    pub tool: String,
    /// Arguments.
    pub arguments: Map<String, Value>,
    /// Name of the target.
    pub target: String,
    /// Place in the plan, from 1.
    pub step: u32,
    /// How much it can hurt.
    pub risk: Risk,
    /// Why.
    pub reason: String,
    /// What changes, and the same as a `docker` line.
    pub preview: String,
    /// The call that takes it back.
    pub inverse: Option<ToolCall>,
    /// What to change in a compose file so that the next `compose up` keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compose_patch: Option<String>,
    /// Who proposed it.
    pub source: Source,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// Hash of the whole plan: what an approval names.
    pub sha256: String,
}

impl FixWire {
    /// A step of a plan, as announced.
    pub fn of(plan: &Plan, fix: &Fix) -> Self {
        Self {
            id: fix.id.clone(),
            tool: fix.call.tool.clone(),
            arguments: fix.call.arguments.clone(),
            target: fix.target.name.clone(),
            step: fix.step,
            risk: fix.risk,
            reason: fix.reason.clone(),
            preview: format!("{} · {}", fix.diff, fix.docker_line),
            inverse: fix.inverse.clone(),
            compose_patch: fix.compose_patch.clone(),
            source: plan.source,
            expires_at: plan.expires_at,
            sha256: plan.sha256.clone(),
        }
    }
}

/// What happened to a fix.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FixWord {
    /// Of which incident.
    pub incident_id: IncidentId,
    /// Which fix.
    pub fix_id: FixId,
    /// Tool name.
    pub tool: String,
    /// Name of the target.
    pub target: String,
    /// Place in the plan.
    pub step: u32,
    /// Who.
    pub by: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
}

/// A fact, past tense.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the contract's fields are named in docs/jsonl.md, once")]
pub enum Event {
    MonitorStarted {
        engine: EngineWire,
        mode: String,
        watched: Vec<String>,
    },
    MonitorStopped {
        counts: Map<String, Value>,
        reason: String,
    },
    ContainerSeen {
        container: ContainerWire,
    },
    ContainerChanged {
        container: ContainerWire,
    },
    ContainerGone {
        container: ContainerWire,
    },
    Anomaly {
        anomaly: AnomalyWire,
    },
    IncidentOpened {
        incident: IncidentWire,
    },
    IncidentUpdated {
        incident: IncidentWire,
    },
    IncidentMerged {
        id: IncidentId,
        into: IncidentId,
    },
    IncidentReopened {
        incident: IncidentWire,
    },
    IncidentResolved {
        incident: IncidentWire,
    },
    IncidentEscalated {
        incident: IncidentWire,
    },
    IncidentDismissed {
        incident: IncidentWire,
    },
    DiagnosisReady {
        incident_id: IncidentId,
        diagnosis: DiagnosisWire,
    },
    OpinionReady {
        incident_id: IncidentId,
        opinion: Box<Opinion>,
    },
    AnomalyJudged {
        anomaly_id: AnomalyId,
        container: String,
        judgement: Judgement,
    },
    FixStaged {
        incident_id: IncidentId,
        fix: FixWire,
    },
    FixApproved(FixWord),
    FixRejected(FixWord),
    FixExpired(FixWord),
    FixStale(FixWord),
    FixApplying(FixWord),
    FixProgress(FixWord),
    FixApplied(FixWord),
    FixFailed(FixWord),
    FixUndone(FixWord),
    FixEdited(FixWord),
    FixSnoozed {
        incident_id: IncidentId,
        fix_id: FixId,
        until: Timestamp,
        by: String,
        times: u32,
    },
    SnoozeEnded {
        incident_id: IncidentId,
        by: String,
        reason: String,
    },
    Granted {
        grant: Grant,
    },
    GrantUsed {
        grant: Grant,
        incident_id: IncidentId,
    },
    GrantEnded {
        grant: Grant,
        by: String,
        reason: String,
    },
    NotActing {
        incident_id: IncidentId,
        code: NotActing,
        reason: String,
    },
    Verification {
        incident_id: IncidentId,
        fix_id: FixId,
        passed: bool,
        checks: Vec<Check>,
    },
    Usage {
        container: String,
        cpu_pct: f64,
        mem_used: u64,
        mem_limit: u64,
        net_rx_bps: f64,
        net_tx_bps: f64,
        disk_read_bps: f64,
        disk_write_bps: f64,
        restarts: u32,
    },
    Log {
        container: String,
        service: String,
        stream: Stream,
        level: Option<Level>,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        anomaly_id: Option<AnomalyId>,
    },
    Snapshot {
        containers: Vec<ContainerWire>,
        incidents: Vec<IncidentWire>,
        missed: u64,
    },
    Suppressed {
        suppressed: Suppressed,
    },
    Silenced {
        silence: Silence,
    },
    SilenceEnded {
        service: String,
        by: String,
    },
    HealingHalted {
        halt: Halt,
    },
    HealingResumed {
        by: String,
        reason: String,
    },
    CircuitOpened {
        server: String,
        failures: u32,
        until: Timestamp,
    },
    CircuitClosed {
        server: String,
    },
    LogDropped {
        container: String,
        count: u64,
        reason: String,
    },
    Degraded {
        part: String,
        detail: String,
    },
    Recovered {
        part: String,
        detail: String,
    },
}

/// The engine on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EngineWire {
    /// Host name.
    pub name: String,
    /// Engine version.
    pub version: String,
    /// API version.
    pub api: String,
    /// It is a simulation; left out where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

impl EngineWire {
    /// What of an engine goes into the stream.
    pub fn of(engine: &EngineInfo) -> Self {
        Self {
            name: engine.name.clone(),
            version: engine.version.clone(),
            api: engine.api.clone(),
            simulated: engine.simulated,
        }
    }
}

impl Event {
    /// The wire name of its type.
    pub fn type_name(&self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.get("type").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or_default()
    }
}
