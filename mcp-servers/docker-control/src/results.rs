//! What the tools answer. Field names are stable; additions only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::arguments::Probe;

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

/// One container in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its full id.
    pub id: String,
    /// Its service: label, compose service, or its name.
    pub service: String,
    /// Its image.
    pub image: String,
    /// The engine's word for its state.
    pub state: String,
    /// The engine's words for how long, and how healthy.
    pub status: String,
}

/// Answer of `list_containers`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Listed {
    /// Whether they could be listed.
    pub success: bool,
    /// The containers that may be looked at, by name.
    pub containers: Vec<Row>,
    /// How many there are.
    pub total: usize,
    /// Whether some were left out because they are too many.
    pub truncated: bool,
}

/// A mount of a container.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MountPoint {
    /// bind, volume or tmpfs.
    pub kind: String,
    /// Path on the host, or the volume's name.
    pub source: String,
    /// Path in the container.
    pub target: String,
    /// Whether it may be written to.
    pub writable: bool,
}

/// A network of a container.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Attachment {
    /// Its address there; empty while it is stopped.
    pub address: String,
    /// Its names there.
    pub aliases: Vec<String>,
}

/// Answer of `inspect_container`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Inspected {
    /// Whether the container could be looked at.
    pub success: bool,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Its image as it was asked for.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// The engine's word for its state.
    pub state: String,
    /// healthy, unhealthy, starting, or none without a health check.
    pub health: String,
    /// Exit status of the last run.
    pub exit_code: i64,
    /// Why the last start failed, if it did.
    pub error: String,
    /// Whether the engine says that the last run ran out of memory.
    pub oom_killed: bool,
    /// When it was created.
    pub created: String,
    /// When it was last started, as the engine writes it.
    pub started_at: String,
    /// When its last run ended.
    pub finished_at: String,
    /// How often its restart policy restarted it.
    pub restarts: i64,
    /// Its restart policy: no, always, unless-stopped, on-failure:5.
    pub restart_policy: String,
    /// Its command line, secrets masked.
    pub command: String,
    /// The user that it runs as; empty for the image's.
    pub user: String,
    /// Its environment, secrets masked.
    pub env: BTreeMap<String, String>,
    /// Its limits.
    pub limits: Limits,
    /// Bound of its processes, if there is one.
    pub pids_limit: Option<i64>,
    /// Whether its root file system may not be written to.
    pub read_only_root: bool,
    /// Its mounts.
    pub mounts: Vec<MountPoint>,
    /// Its networks, by name.
    pub networks: BTreeMap<String, Attachment>,
    /// How its network is made: a network's name, host, none, container:ID.
    pub network_mode: String,
    /// Its ports, and where on the host they are published.
    pub ports: BTreeMap<String, Vec<String>>,
    /// Its labels, secrets masked.
    pub labels: BTreeMap<String, String>,
    /// Its health check's command, if it has one.
    pub health_check: Option<String>,
}

/// One process of a container.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Process {
    /// Its number, as the host counts.
    pub pid: String,
    /// Its user, as the host knows it.
    pub user: String,
    /// Processor time so far.
    pub time: String,
    /// Its command line, secrets masked.
    pub command: String,
}

/// Answer of `top`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Processes {
    /// Whether they could be listed.
    pub success: bool,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Its processes.
    pub processes: Vec<Process>,
    /// How many there are.
    pub total: usize,
    /// Whether some were left out because they are too many.
    pub truncated: bool,
}

/// Answer of `stats_snapshot`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Used {
    /// Whether it could be read.
    pub success: bool,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// When this was answered (RFC 3339, UTC).
    pub timestamp: String,
    /// Processor time over the last second, in percent of one processor.
    pub cpu_pct: f64,
    /// Memory without the page cache that can be dropped, in bytes.
    pub memory: u64,
    /// Its limit; the host's memory if it has none.
    pub memory_limit: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Bytes received since it was started.
    pub net_rx: u64,
    /// Bytes sent since it was started.
    pub net_tx: u64,
    /// Bytes read from disks since it was started.
    pub disk_read: u64,
    /// Bytes written to disks since it was started.
    pub disk_written: u64,
}

/// Answer of `set_restart_policy`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicySet {
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
    /// The policy before.
    pub previous: String,
    /// The policy now, as the engine says.
    pub new: String,
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

/// Answer of `run_probe`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Probed {
    /// Whether the command ended by itself with exit code 0: for a neighbour, whether it was
    /// reached.
    pub success: bool,
    /// Which look.
    pub probe: Probe,
    /// The neighbour, if it was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What was seen, redacted.
    pub output: String,
    /// The exit code; absent if it was cut off.
    pub exit_code: Option<i64>,
    /// The command as one text.
    pub command: String,
    /// The container's name.
    pub container: String,
    /// Its full id.
    pub container_id: String,
    /// Whether it ran out of time, and was ended.
    pub timed_out: bool,
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
