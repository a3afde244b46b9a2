//! A store that is written to by one instance only; the others read what that one writes.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use sentinel_core::domain::audit::{AuditCheck, AuditPage, AuditRecord};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;

use crate::ports::{LearnedLog, LogCursor, PortError, Store};
use crate::store::sqlite::SqliteStore;

/// Whether this instance keeps the record, asked at each write.
pub type Keeps = Arc<dyn Fn() -> bool + Send + Sync>;

/// Writes as long as this instance keeps the record.
#[derive(Clone)]
pub struct KeptStore {
    store: SqliteStore,
    keeps: Keeps,
}

impl KeptStore {
    /// A store behind the question who keeps it.
    pub fn new(store: SqliteStore, keeps: Keeps) -> Self {
        Self { store, keeps }
    }
}

impl Store for KeptStore {
    fn save(&self, incident: Arc<Incident>) -> BoxFuture<'_, Result<(), PortError>> {
        if (self.keeps)() { self.store.save(incident) } else { ready(Ok(())).boxed() }
    }

    fn audit(&self, record: AuditRecord) -> BoxFuture<'_, Result<(), PortError>> {
        if (self.keeps)() {
            return self.store.audit(record);
        }
        let why = "another sentinel-tui keeps the record of this state folder";
        ready(Err(PortError(why.to_owned()))).boxed()
    }

    fn load(&self, closed: usize) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        self.store.load(closed)
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Incident>, PortError>> {
        self.store.incident(id)
    }

    fn save_cursors(&self, cursors: Vec<LogCursor>) -> BoxFuture<'_, Result<(), PortError>> {
        if (self.keeps)() { self.store.save_cursors(cursors) } else { ready(Ok(())).boxed() }
    }

    fn load_cursors(&self) -> BoxFuture<'_, Result<Vec<LogCursor>, PortError>> {
        self.store.load_cursors()
    }

    fn save_learned(&self, learned: LearnedLog) -> BoxFuture<'_, Result<(), PortError>> {
        if (self.keeps)() { self.store.save_learned(learned) } else { ready(Ok(())).boxed() }
    }

    fn load_learned(&self, prefix: String) -> BoxFuture<'_, Result<Vec<LearnedLog>, PortError>> {
        self.store.load_learned(prefix)
    }

    fn audit_page(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<AuditPage, PortError>> {
        self.store.audit_page(before, limit)
    }

    fn check_audit(&self) -> BoxFuture<'_, Result<AuditCheck, PortError>> {
        self.store.check_audit()
    }

    fn closed_before(
        &self,
        before: Option<(Timestamp, IncidentId)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        self.store.closed_before(before, limit)
    }
}
