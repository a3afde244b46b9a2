//! What the tools take. Unknown fields are refused everywhere.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// Arguments of `restart_container`, `start_container`, `pause_container` and `unpause_container`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time; a restart also if it does not run any more.
    pub expect_started_at: Option<String>,
}

/// Arguments of `stop_container`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// Seconds to wait for a clean end before the kill; the container's own grace if absent.
    #[schemars(range(min = 0, max = 300))]
    pub timeout: Option<u32>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// Arguments of `connect_network`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// The network's name; a user network, none of the engine's own.
    #[schemars(length(min = 1, max = 128))]
    pub network: String,
    /// Names under which the others on the network reach it.
    #[schemars(length(max = 16))]
    pub aliases: Option<Vec<String>>,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// Arguments of `disconnect_network`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// The network's name.
    #[schemars(length(min = 1, max = 128))]
    pub network: String,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// Arguments of `health_check`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
}

/// Arguments of `list_containers`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Stopped ones, too.
    #[serde(default = "default_all")]
    pub all: bool,
}

/// Arguments of `inspect_container`, `top` and `stats_snapshot`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
}

/// What the engine does when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Nothing.
    No,
    /// Start it again, always.
    Always,
    /// Start it again unless somebody stopped it.
    UnlessStopped,
    /// Start it again after a failure.
    OnFailure,
}

impl Policy {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Always => "always",
            Self::UnlessStopped => "unless-stopped",
            Self::OnFailure => "on-failure",
        }
    }
}

/// Arguments of `set_restart_policy`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// no, always, unless-stopped or on-failure.
    #[schemars(description = "no, always, unless-stopped or on-failure.")]
    pub policy: Policy,
    /// For on-failure: how often at most; 0 for no bound.
    #[schemars(range(min = 0, max = 1000))]
    pub max_retries: Option<u32>,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// Arguments of `update_resources`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// The new limits; at least one.
    #[schemars(extend("minProperties" = 1))]
    pub resources: Resources,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// New limits of a container.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Memory limit: bytes, or text with a unit of 1024 (512m, 1.5g, 64MiB). At least 6 MiB, at
    /// most what the host has. Swap is raised with it.
    #[schemars(schema_with = "memory_schema")]
    #[serde(default)]
    pub memory: Option<Amount>,
    /// CPUs, as a number or as text (0.5, "1.0"). More than 0, at most what the host has.
    #[schemars(schema_with = "cpu_schema")]
    #[serde(default)]
    pub cpu: Option<Amount>,
}

/// Arguments of `get_logs`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// How many of the newest lines.
    #[schemars(range(min = 1, max = 5000))]
    #[serde(default = "default_tail")]
    pub tail: u32,
    /// Only lines from then on: RFC 3339, seconds since 1970, or an age such as 10m or 2h.
    pub since: Option<String>,
}

/// Arguments of `exec_command`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// The program and its arguments, one element each. No shell in between.
    #[schemars(length(min = 1, max = 256))]
    pub command: Vec<String>,
    /// Seconds until it is killed; values outside 1 to 120 are moved to the nearer end.
    #[serde(default = "default_timeout")]
    #[schemars(extend("minimum" = 1, "maximum" = 120))]
    pub timeout: i64,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// A fixed look inside a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// Space on its file systems.
    Disk,
    /// Files that its file systems have room for.
    Inodes,
    /// The kernel's account of memory.
    Memory,
    /// What runs inside.
    Processes,
    /// Limits of its first process.
    Limits,
    /// What is mounted.
    Mounts,
    /// Its TCP sockets.
    Sockets,
    /// Whom it asks for names.
    Resolver,
    /// Names that it knows by itself.
    Hosts,
    /// Whether it finds a neighbour's address.
    Resolve,
    /// Whether a neighbour's port takes a connection.
    Connect,
    /// Whether a neighbour answers over HTTP.
    Http,
}

impl Probe {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Disk,
        Self::Inodes,
        Self::Memory,
        Self::Processes,
        Self::Limits,
        Self::Mounts,
        Self::Sockets,
        Self::Resolver,
        Self::Hosts,
        Self::Resolve,
        Self::Connect,
        Self::Http,
    ];

    /// Its name in a call.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Inodes => "inodes",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::Limits => "limits",
            Self::Mounts => "mounts",
            Self::Sockets => "sockets",
            Self::Resolver => "resolver",
            Self::Hosts => "hosts",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Http => "http",
        }
    }
}

/// Arguments of `run_probe`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// Which look: disk, inodes, memory, processes, limits, mounts, sockets, resolver or hosts of
    /// the container itself; resolve, connect or http from it to a neighbour.
    #[schemars(
        description = "Which look: disk, inodes, memory, processes, limits, mounts, sockets, resolver or hosts of the container itself; resolve, connect or http from it to a neighbour."
    )]
    pub probe: Probe,
    /// The neighbour, for resolve, connect and http: a watched container on a network of both. Its
    /// port is the lowest that it exposes.
    #[schemars(length(min = 1, max = 255))]
    pub target: Option<String>,
}

fn default_all() -> bool {
    true
}

fn default_tail() -> u32 {
    100
}

fn default_timeout() -> i64 {
    30
}

fn memory_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Memory limit: bytes, or text with a unit of 1024 (512m, 1.5g, 64MiB). At least 6 MiB, at most what the host has. Swap is raised with it.",
        "anyOf": [
            {"type": "integer", "minimum": 6_291_456},
            {"type": "string", "pattern": "^[0-9]+([.][0-9]+)? ?([bB]|[kKmMgGtT]([iI]?[bB]?)?)?$"},
            {"type": "null"}
        ]
    })
}

fn cpu_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "CPUs, as a number or as text (0.5, \"1.0\"). More than 0, at most what the host has.",
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?$"},
            {"type": "null"}
        ]
    })
}
