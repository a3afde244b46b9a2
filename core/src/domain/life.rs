//! What happens to a container: the engine's events, decoded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ContainerId;

/// One event of the engine about one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeEvent {
    /// Which container.
    pub container: ContainerId,
    /// The engine's time of it.
    pub at: Timestamp,
    /// What happened.
    pub kind: LifeKind,
}

/// The kinds of event that matter. `exec_*` and other noise is dropped by the monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeKind {
    /// Created.
    Create,
    /// Its process began.
    Start,
    /// `docker restart` finished.
    Restart,
    /// A signal was sent through the engine: somebody's intent, if it is one that stops.
    Kill {
        /// Signal number.
        signal: i32,
    },
    /// Its process ended, for whatever reason.
    Die {
        /// Exit status; 128 + n for signal n.
        exit_code: i64,
    },
    /// `docker stop` finished.
    Stop,
    /// The kernel killed something in it at the memory limit.
    Oom,
    /// The health check's verdict changed.
    Healthy,
    /// The health check's verdict changed.
    Unhealthy,
    /// Frozen.
    Pause,
    /// Thawed.
    Unpause,
    /// Removed.
    Destroy,
    /// Renamed.
    Rename,
    /// Limits or restart policy changed.
    Update,
    /// Attached to a network.
    Connect {
        /// The network's name.
        network: String,
    },
    /// Detached from a network.
    Disconnect {
        /// The network's name.
        network: String,
    },
    /// A network that it is configured for was removed.
    NetworkGone {
        /// The network's name.
        network: String,
    },
    /// Its image lost a name, or was removed.
    ImageGone,
}

impl LifeKind {
    /// Whether only somebody who asks the engine for it brings it about.
    pub fn is_by_hand(&self) -> bool {
        matches!(
            self,
            Self::Stop | Self::Pause | Self::Unpause | Self::Update | Self::Restart | Self::Rename
        )
    }

    /// One short phrase for the timeline and the evidence list.
    pub fn words(&self) -> String {
        match self {
            Self::Create => "created".to_owned(),
            Self::Start => "started".to_owned(),
            Self::Restart => "restarted".to_owned(),
            Self::Kill { signal } => format!("was sent signal {signal} through the engine"),
            Self::Die { exit_code } => format!("died with exit status {exit_code}"),
            Self::Stop => "was stopped through the engine".to_owned(),
            Self::Oom => "hit its memory limit (oom event)".to_owned(),
            Self::Healthy => "became healthy".to_owned(),
            Self::Unhealthy => "became unhealthy".to_owned(),
            Self::Pause => "was paused".to_owned(),
            Self::Unpause => "was unpaused".to_owned(),
            Self::Destroy => "was removed".to_owned(),
            Self::Rename => "was renamed".to_owned(),
            Self::Update => "had its limits updated".to_owned(),
            Self::Connect { network } => format!("was connected to network {network}"),
            Self::Disconnect { network } => format!("was disconnected from network {network}"),
            Self::NetworkGone { network } => format!("lost network {network}, which was removed"),
            Self::ImageGone => "runs from an image that lost a name or was removed".to_owned(),
        }
    }
}
