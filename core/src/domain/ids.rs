//! Newtypes for identifiers, so that a fix id cannot be passed where an incident id is meant.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::hash::base32_of;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

string_id!(
    /// The engine's full 64-digit container id.
    ContainerId
);
string_id!(
    /// An incident: `INC-YYYYMMDD-HHMMSS-XXXX`, sortable by time and unique over hosts.
    IncidentId
);
string_id!(
    /// An anomaly, unique within one run of sentinel-tui on one host.
    AnomalyId
);
string_id!(
    /// A piece of evidence; resolves to a log line, event, sample or inspect field.
    EvidenceId
);
string_id!(
    /// One step of a staged plan: the incident's id, the plan's number and the step's.
    FixId
);

impl ContainerId {
    /// The first twelve digits, as `docker ps` prints them.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl IncidentId {
    /// Makes an id from the opening time and a suffix drawn from host, time and a counter, so
    /// that two hosts (or two incidents in one second) never share one.
    pub fn new(at: Timestamp, host: &str, counter: u64) -> Self {
        let stamp = at.strftime("%Y%m%d-%H%M%S");
        let suffix = base32_of(&format!("{host}|{}|{counter}", at.as_nanosecond()), 4);
        Self(format!("INC-{stamp}-{suffix}"))
    }
}
