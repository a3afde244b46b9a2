//! The outside of a run that watches made-up containers and does nothing.

#![allow(unreachable_pub, reason = "benches that measure a whole run share it")]

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use sentinel_core::redact::clean;
use sentinel_tui::ports::{Claim, Monitor, PortError, Remediator, Role};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::synthetic::Service;

/// Bytes of a line that the monitor keeps.
const LINE_BYTES: usize = 16 * 1024;

/// A container in the monitor's hands.
pub struct Followed {
    pub id: ContainerId,
    pub service: Service,
    reader: Reader,
    seq: u64,
}

impl Followed {
    /// The container at a place, nothing read yet.
    pub fn new(id: ContainerId, place: usize) -> Self {
        Self { id, service: Service::new(place), reader: Reader::default(), seq: 0 }
    }

    /// What the real follower does with the bytes of a line.
    pub fn take(&mut self, raw: &[u8], at: Timestamp) -> LogLine {
        let text = clean(raw, LINE_BYTES);
        self.seq += 1;
        LogLine {
            container: self.id.clone(),
            seq: self.seq,
            at,
            stream: Stream::Stdout,
            reading: self.reader.read(Stream::Stdout, &text),
            text: text.into(),
            styles: None,
            history: false,
        }
    }
}

/// Nothing is ever done.
pub struct Idle;

impl Remediator for Idle {
    fn run(&self, _out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move { stop.cancelled().await })
    }

    fn apply(
        &self,
        _plan: Approved<Plan>,
        _monitor: Arc<dyn Monitor>,
        _out: mpsc::Sender<Signal>,
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

    fn undo(&self, _plan: Approved<Undo>, _out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn call(
        &self,
        _call: ToolCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>> {
        Box::pin(async { Err(PortError("nothing is done here".to_owned())) })
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
