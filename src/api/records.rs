//! What the API needs of the record on disk, passed in by whoever has it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sentinel_core::domain::incident::Incident;
use serde_json::Value;

/// Records of the audit trail behind a number.
pub type Audit = dyn Fn(u64) -> BoxFuture<'static, Result<Vec<Value>, String>> + Send + Sync;
/// An incident by its id.
pub type Find = dyn Fn(String) -> BoxFuture<'static, Option<Incident>> + Send + Sync;

/// The record.
#[derive(Clone)]
pub struct Records {
    /// A bounded page of the audit trail behind a number, oldest first; each record has its number
    /// in `n`.
    pub audit: Arc<Audit>,
    /// An incident that is not shown any more.
    pub incident: Arc<Find>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
