//! The outside of a run that nothing comes from.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use sentinel_tui::ports::{Claim, Monitor, PortError, Remediator, Role};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// No tool is there, and nobody else either.
pub struct Idle;

impl Remediator for Idle {
    fn run(&self, _: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move { stop.cancelled().await })
    }
    fn apply(
        &self,
        _: Approved<Plan>,
        _: Arc<dyn Monitor>,
        _: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn rehearse<'a>(
        &'a self,
        _: &'a Plan,
        _: Arc<dyn Monitor>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
    fn undo(&self, _: Approved<Undo>, _: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn call(
        &self,
        call: ToolCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>> {
        Box::pin(async move { Err(PortError(format!("no tool {}", call.tool))) })
    }
    fn tools(&self) -> Vec<Tool> {
        Vec::new()
    }
}

impl Role for Idle {
    fn claim(&self) -> Claim {
        Claim { acts: true, keeps: true }
    }
}
