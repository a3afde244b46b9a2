//! What the tool answers. Field names are stable; additions only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// Answer of `update_env_vars`. Values are never shown: `***` stands for one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Patched {
    /// Whether it worked.
    pub success: bool,
    /// What was done, in one sentence.
    pub message: String,
    /// The variables that were changed: `***` for a new value, null for a removed one.
    pub updates: BTreeMap<String, Option<String>>,
    /// Every variable that the container has now (at most 1000), values masked.
    pub new_env: BTreeMap<String, String>,
    /// Whether anything was changed; false if it was so already.
    pub changed: bool,
    /// Full id of the container that is in place now.
    pub new_container_id: String,
    /// Full id of the container that was in place before.
    pub previous_container_id: String,
    /// The name under which the old container is kept, stopped; null if nothing was changed.
    pub parked_container: Option<String>,
    /// The container's name.
    pub container: String,
    /// When the new one was started, as the engine writes it.
    pub started_at: String,
    /// What is different beside the variables: ephemeral ports, addresses, lost tmpfs contents.
    pub notes: Vec<String>,
    /// The reason that was given.
    pub reason: String,
    /// When this was answered (RFC 3339, UTC).
    pub timestamp: String,
}
