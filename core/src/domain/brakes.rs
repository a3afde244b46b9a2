//! What holds auto-heal back, for front ends and for the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::grant::Grant;
use crate::domain::not_acting::NotActing;

/// The kill switch is on: nothing is done without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Since when.
    pub since: Timestamp,
    /// Who threw it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An MCP server whose calls fail one after the other: it is left alone for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// The server's name.
    pub server: String,
    /// Calls that failed since the last one that did not.
    pub failures: u32,
    /// When the last of them failed.
    pub last: Timestamp,
}

/// What must survive a restart and stands in no incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBrakes {
    /// The kill switch, while it is on.
    #[serde(default)]
    pub halt: Option<Halt>,
    /// Servers whose last call failed.
    #[serde(default)]
    pub circuits: Vec<Circuit>,
    /// What people allowed beforehand and is not used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// A target, service or server that is left alone for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Why.
    pub code: NotActing,
    /// Until when.
    pub until: Timestamp,
}

/// All brakes at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakesView {
    /// The kill switch, while it is on.
    pub halt: Option<Halt>,
    /// Plans that began within the last hour.
    pub used: usize,
    /// So many plans may begin within an hour.
    pub per_hour: usize,
    /// What is left alone, by name.
    pub held: Vec<Held>,
    /// What people allowed beforehand and still holds, the oldest first.
    #[serde(default)]
    pub grants: Vec<Grant>,
}
