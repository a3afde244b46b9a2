//! What a front end looks at beyond the snapshot, on demand and in bounded pieces: kinds of line,
//! what happened lately, the audit trail, past incidents, and answers of tools that only read.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::audit::{AuditCheck, AuditPage};
use sentinel_core::domain::happened::{Happened, Matter, Tone};
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::log_pattern::LogPatterns;
use sentinel_core::domain::tool::{ReadCall, ToolResult};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::runtime::events::Numbered;
use crate::runtime::handle::{CommandError, Handle, Wanted};

/// Audit records of one page.
pub const AUDIT_PAGE: usize = 100;
/// Past incidents of one page.
pub const PAST_PAGE: usize = 50;
/// How long the kinds of line of one container may take.
const PATTERNS_PATIENCE: Duration = Duration::from_secs(5);
/// How long a tool that only reads may take, whatever its server allows itself.
const TOOL_PATIENCE: Duration = Duration::from_mins(1);

impl Handle {
    /// The kinds of line of a container. `None`: it is not watched.
    pub async fn patterns(
        &self,
        container: ContainerId,
    ) -> Result<Option<LogPatterns>, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.want(Wanted::Patterns { container, reply }).await?;
        match timeout(PATTERNS_PATIENCE, answer).await {
            Ok(Ok(patterns)) => Ok(patterns),
            Ok(Err(_)) => Err(CommandError::Closed),
            Err(_) => Err(CommandError::Busy),
        }
    }

    /// What happened behind a number (0: all that is kept), oldest first.
    pub fn recent_events(&self, after: u64) -> Vec<Arc<Numbered>> {
        self.sources.recent.lock().after(after)
    }

    /// Audit records before a number, or the newest.
    pub async fn audit_page(&self, before: Option<u64>) -> Result<AuditPage, String> {
        self.sources.near()?.store.audit_page(before, AUDIT_PAGE).await.map_err(|e| e.to_string())
    }

    /// Checks the whole audit trail.
    pub async fn check_audit(&self) -> Result<AuditCheck, String> {
        self.sources.near()?.store.check_audit().await.map_err(|e| e.to_string())
    }

    /// Closed incidents that were opened before this one, newest first, at most [`PAST_PAGE`].
    pub async fn past_incidents(
        &self,
        before: Option<(Timestamp, IncidentId)>,
    ) -> Result<Vec<Incident>, String> {
        self.sources.near()?.store.closed_before(before, PAST_PAGE).await.map_err(|e| e.to_string())
    }

    /// Calls a tool that only reads, in the name of `operator`. It changes nothing, so no audit
    /// record is written; that it was called stands among what happened.
    pub async fn read_tool(
        &self,
        operator: &str,
        call: ReadCall,
    ) -> Result<(ToolResult, Value), String> {
        let reads = &self.sources.near()?.reads;
        let tool = call.call().tool.clone();
        let answer = match timeout(TOOL_PATIENCE, reads.read(call)).await {
            Ok(answer) => answer.map_err(|e| e.to_string()),
            Err(_) => Err(format!("{tool} did not answer within {TOOL_PATIENCE:?}")),
        };
        let good = answer.as_ref().is_ok_and(|(result, _)| result.ok);
        let (tone, how) = if good { (Tone::Plain, "") } else { (Tone::Doubtful, ": it failed") };
        self.sources.recent.lock().push(Happened {
            at: Timestamp::now(),
            matter: Matter::Tool,
            tone,
            container: None,
            incident: None,
            words: format!("{operator} called {tool}, which only reads{how}"),
        });
        answer
    }
}
