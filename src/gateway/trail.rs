//! What is put on record of a call that may change something: before it, and what came of it.

use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::audit::{AuditAction, AuditRecord};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use sentinel_core::redact;
use serde_json::Value;

use crate::ports::Store;

/// Stands for the incident in the record of a call that belongs to none.
const OVER_GATEWAY: &str = "over-gateway";
/// Bytes of a client's name that are kept.
const NAME: usize = 64;
/// Bytes of a reason that are kept.
const REASON: usize = 1024;

/// A call on record.
pub(crate) struct Recorded {
    store: Arc<dyn Store>,
    record: AuditRecord,
}

impl Recorded {
    /// Puts a call on record; returns when that is on disk. `client` is what the client calls
    /// itself, which anybody may: it says which program asked, not who.
    pub(crate) async fn before(
        store: Arc<dyn Store>,
        call: ToolCall,
        client: &str,
    ) -> Result<Self, String> {
        let text = |key: &str| call.arguments.get(key).and_then(Value::as_str).unwrap_or_default();
        let given = redact::clean(text("reason").as_bytes(), REASON);
        let reason = if given.is_empty() { "asked for over the gateway".to_owned() } else { given };
        let client = redact::clean(client.as_bytes(), NAME);
        let record = AuditRecord {
            at: Timestamp::now(),
            actor: Actor::Person(format!("gateway client {client}")),
            action: AuditAction::Applying,
            incident: IncidentId(OVER_GATEWAY.to_owned()),
            fix: None,
            target: redact::clean(text("container_name").as_bytes(), 256),
            target_id: String::new(),
            reason,
            plan_sha256: None,
            result: None,
            call: Some(call),
        };
        store.audit(record.clone()).await.map_err(|e| e.to_string())?;
        Ok(Self { store, record })
    }

    /// Puts on record what came of it.
    pub(crate) async fn after(mut self, result: ToolResult) {
        self.record.at = Timestamp::now();
        self.record.action = if result.ok { AuditAction::Applied } else { AuditAction::Failed };
        self.record.result = Some(result);
        if let Err(error) = self.store.audit(self.record).await {
            tracing::error!("what came of a call could not be put on record: {error}");
        }
    }
}
