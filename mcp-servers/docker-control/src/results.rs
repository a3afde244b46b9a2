//! What the tools answer. Field names are stable; additions only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// Answer of `restart_container`, `start_container`, `stop_container`, `pause_container` and
/// `unpause_container`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Changed {
    /// Whether it worked.
    pub success: bool,
    /// What was done, in one sentence.
    pub message: String,
    /// The reason that was given.
    pub reason: String,
    /// When this was answered (RFC 3339, UTC).
    pub timestamp: String,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Whether anything was changed; false if it was so already.
    pub changed: bool,
    /// The engine's word for its state now.
    pub status: String,
    /// When it was last started, as the engine writes it.
    pub started_at: String,
}

/// Answer of `connect_network` and `disconnect_network`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Attached {
    /// Whether it worked.
    pub success: bool,
    /// What was done, in one sentence.
    pub message: String,
    /// The reason that was given.
    pub reason: String,
    /// When this was answered (RFC 3339, UTC).
    pub timestamp: String,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Whether anything was changed; false if it was so already.
    pub changed: bool,
    /// The network that was asked for.
    pub network: String,
    /// The container's names on it now; none if it is not on it.
    pub aliases: Vec<String>,
    /// All networks that it is on now.
    pub networks: Vec<String>,
}

/// Answer of `health_check`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Whether the container could be looked at; says nothing about its health.
    pub success: bool,
    /// `running` or `stopped`.
    pub status: String,
    /// `healthy`, `unhealthy`, `starting`, or `none` without a health check.
    pub health: String,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// How often its restart policy restarted it.
    pub restarts: i64,
    /// When it was last started, as the engine writes it.
    pub started_at: String,
    /// The engine's word for its state: running, exited, restarting, paused, created, dead.
    pub state: String,
    /// Exit code of the last run, if it is not running.
    pub exit_code: Option<i64>,
    /// Whether the engine says that the last run ran out of memory.
    pub oom_killed: bool,
    /// How many probes failed in a row.
    pub failing_streak: i64,
    /// Output of the last probe, redacted.
    pub last_probe: Option<String>,
}

/// Limits of a container.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Limits {
    /// Memory limit in bytes; 0 means none.
    pub memory: i64,
    /// Memory and swap together, in bytes; -1 means no limit, 0 means that none was set.
    pub memory_swap: i64,
    /// CPUs; 0 means no limit.
    pub cpu: f64,
}

/// Answer of `update_resources`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Updated {
    /// Whether it worked.
    pub success: bool,
    /// What was done, or what is wrong, in one sentence.
    pub message: String,
    /// The limits as they were asked for.
    pub updates: BTreeMap<String, String>,
    /// The limits before.
    pub previous: Limits,
    /// The limits now, as the engine says.
    pub new: Limits,
    /// What is wrong with the arguments, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// All of `errors` in one text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A stable word for programs, on failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the engine said beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether anything was changed; false if it was so already.
    pub changed: bool,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// The reason that was given.
    pub reason: String,
    /// When this was answered (RFC 3339, UTC).
    pub timestamp: String,
}

/// Answer of `get_logs`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Logs {
    /// Whether the log could be read.
    pub success: bool,
    /// The lines, oldest first, redacted.
    pub logs: String,
    /// How many lines were asked for.
    pub lines: u32,
    /// How many lines there are in `logs`.
    pub returned: usize,
    /// Whether older lines were cut because they did not fit.
    pub truncated: bool,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
}

/// Answer of `exec_command`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Exec {
    /// Whether the command ended by itself with exit code 0.
    pub success: bool,
    /// Its standard output and error in the order of arrival, redacted.
    pub output: String,
    /// Its exit code; absent if it was cut off.
    pub exit_code: Option<i64>,
    /// The command as one text, redacted.
    pub command: String,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Whether it ran out of time.
    pub timed_out: bool,
    /// Whether it was killed then; absent if it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub killed: Option<bool>,
    /// Whether the beginning of the output was cut because it did not fit.
    pub truncated: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What is wrong, on failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A stable word for programs, on failure: `exit_code` or `timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}
