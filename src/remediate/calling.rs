//! One call: sent once, waited for with a bound, never repeated.

use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, CallToolResponse};
use rmcp::service::{Peer, ServiceError};
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::remediate::answer;

/// What to do when nobody knows whether a call had an effect.
const UNKNOWN: &str = "outcome not known: look at the target before you try again";

/// A connection to a server, good until the server is gone.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Where calls go.
    pub(crate) peer: Peer<RoleClient>,
    /// Set once the connection has ended.
    pub(crate) gone: CancellationToken,
}

/// Calls a tool. Arguments must have been checked.
pub(crate) async fn call(link: &Link, call: &ToolCall, limit: Duration) -> (ToolResult, Value) {
    let began = Instant::now();
    let params =
        CallToolRequestParams::new(call.tool.clone()).with_arguments(call.arguments.clone());
    // When this is dropped early, the server is told that nobody waits any more.
    let sent = link.peer.call_tool_once(params);
    let (ok, message, value) = tokio::select! {
        // An answer that came just before the end counts.
        biased;
        answered = tokio::time::timeout(limit, sent) => match answered {
            Ok(answered) => outcome(answered),
            Err(_) => failed(format!("no answer within {} s; {UNKNOWN}", limit.as_secs_f64())),
        },
        () = link.gone.cancelled() => failed(format!("the server ended during the call; {UNKNOWN}")),
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    (ToolResult { ok, message, duration_ms }, value)
}

fn outcome(answered: Result<CallToolResponse, ServiceError>) -> (bool, String, Value) {
    match answered {
        Ok(CallToolResponse::Complete(result)) => {
            let read = answer::read(result);
            (read.ok, read.message, read.value)
        }
        Ok(CallToolResponse::InputRequired(_)) => failed(
            "the tool asks for more input, which an approved call must not need; nothing was \
             answered"
                .to_owned(),
        ),
        Ok(_) => failed(format!("the tool answers with a task instead of a result; {UNKNOWN}")),
        // The server answered, with a no.
        Err(ServiceError::McpError(error)) => {
            failed(answer::line(&format!("the server refused the call: {}", error.message)))
        }
        Err(error) => failed(answer::line(&format!("{error}; {UNKNOWN}"))),
    }
}

fn failed(message: String) -> (bool, String, Value) {
    let value = json!({ "success": false, "error": message });
    (false, message, value)
}
