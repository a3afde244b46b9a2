//! What is asked of the runner beyond snapshots and logs, and what comes back.

use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::audit::{AuditCheck, AuditPage};
use sentinel_core::domain::finding::Finding;
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::log_pattern::LogPatterns;
use sentinel_core::domain::tool::{ReadCall, ToolResult};
use serde_json::Value;

use crate::runtime::events::Numbered;

/// Something to look up. All but events is done beside the UI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Kinds of line of these containers, one answer for each.
    Patterns(Vec<ContainerId>),
    /// What happened behind a number.
    Events(u64),
    /// Audit records before a number, or the newest.
    Audit(Option<u64>),
    /// Whether the audit trail is whole.
    CheckAudit,
    /// What a tool that only reads answers.
    Tool(ReadCall),
    /// Whether all is set up.
    Doctor,
    /// Closed incidents that were opened before this one, or the newest.
    Past(Option<(Timestamp, IncidentId)>),
}

/// What was looked up.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Kinds of line of one container; `None`: it is not watched.
    Patterns(Result<Option<Box<LogPatterns>>, String>),
    /// All containers that were asked for have answered.
    PatternsEnd,
    /// What happened, oldest first.
    Events(Vec<Arc<Numbered>>),
    /// Audit records.
    Audit(Result<AuditPage, String>),
    /// Whether the audit trail is whole.
    AuditChecked(Result<AuditCheck, String>),
    /// What a tool answered.
    Tool(Result<Box<(ToolResult, Value)>, String>),
    /// Whether all is set up; `None`: nobody can look.
    Doctor(Option<Vec<Finding>>),
    /// Past incidents.
    Past(Result<Vec<Incident>, String>),
}
