//! A store that only reads: for an instance that watches beside the one that keeps the record.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use sentinel_core::domain::audit::AuditRecord;
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;

use crate::ports::{LogCursor, PortError, Store};
use crate::store::sqlite::SqliteStore;

/// Reads what the other instance writes, and writes nothing itself.
#[derive(Clone, Debug)]
pub struct Unkept(pub SqliteStore);

impl Store for Unkept {
    fn save(&self, _: Arc<Incident>) -> BoxFuture<'_, Result<(), PortError>> {
        ready(Ok(())).boxed()
    }

    fn audit(&self, _: AuditRecord) -> BoxFuture<'_, Result<(), PortError>> {
        let why = "another sentinel-tui keeps the record of this state folder";
        ready(Err(PortError(why.to_owned()))).boxed()
    }

    fn load(&self, closed: usize) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        self.0.load(closed)
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Incident>, PortError>> {
        self.0.incident(id)
    }

    fn save_cursors(&self, _: Vec<LogCursor>) -> BoxFuture<'_, Result<(), PortError>> {
        ready(Ok(())).boxed()
    }

    fn load_cursors(&self) -> BoxFuture<'_, Result<Vec<LogCursor>, PortError>> {
        self.0.load_cursors()
    }
}
