//! Parts of how a container is set up: settings, mounts, ports.

use serde::{Deserialize, Serialize};

/// One variable of the environment. Secret values never get this far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// What stands for a value that is not kept.
pub const HIDDEN: &str = "(hidden)";

impl Variable {
    /// The value, or that it is hidden.
    pub fn shown(&self) -> String {
        self.value.clone().unwrap_or_else(|| HIDDEN.to_owned())
    }
}
