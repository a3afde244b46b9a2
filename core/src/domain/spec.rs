//! How a container was configured, so that a change can be told, weighed and taken back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ContainerId;

/// One variable of the environment. Secret values never get this far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// A short hash of the value: says whether it changed, not what it is.
    pub hash: String,
    /// The value, where name and content say that it is no secret (a host, a port, a number, a
    /// path, a plain word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Hosts, with their ports where given, that the value names: `db:5432`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// Path on the host or name of the volume.
    pub source: String,
    /// Path in the container.
    pub target: String,
    /// Whether it may be written to.
    pub writable: bool,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// `5432/tcp`.
    pub port: String,
    /// Address on the host; empty for all.
    pub host_address: String,
    /// Port on the host, as configured.
    pub host_port: String,
}

/// Everything about a service's container that a deploy may change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Image reference.
    pub image: String,
    /// Digest of the image.
    pub image_id: String,
    /// Command line, redacted.
    pub command: String,
    /// Environment by name.
    pub env: BTreeMap<String, Variable>,
    /// Mounts by target.
    pub mounts: Vec<Mount>,
    /// Networks by name, with aliases.
    pub networks: BTreeMap<String, Vec<String>>,
    /// Memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// CPU limit in 1e-9 cores.
    pub nano_cpus: Option<u64>,
    /// Published ports.
    pub ports: Vec<Published>,
    /// User that the process runs as, as configured.
    pub user: String,
}

/// What part of a spec changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecField {
    /// The image.
    Image,
    /// The command line.
    Command,
    /// A variable of the environment; `name` is its name.
    Env,
    /// A mount; `name` is its path in the container.
    Mount,
    /// A network; `name` is the network's.
    Network,
    /// The memory limit.
    Memory,
    /// The CPU limit.
    Cpu,
    /// Published ports.
    Ports,
    /// The user.
    User,
}

/// One change of a service's spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecChange {
    /// When it took effect: the creation of the new container, or the event.
    pub at: Timestamp,
    /// The container that has it.
    pub container: ContainerId,
    /// What changed.
    pub field: SpecField,
    /// Which one of several, e.g. the variable's name.
    pub name: String,
    /// As it was; `None` for something that was not there. For a variable whose value is not
    /// known the word `(hidden)`.
    pub old: Option<String>,
    /// As it is.
    pub new: Option<String>,
}

/// What is remembered of one service: how it was when it last worked, and what changed since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The spec as last seen.
    pub current: Spec,
    /// The last spec with which it ran well for a while, if that is another one or the same.
    pub good: Option<Spec>,
    /// When that was last seen to run well.
    pub good_at: Option<Timestamp>,
    /// What changed, oldest first; bounded.
    pub changes: Vec<SpecChange>,
}
