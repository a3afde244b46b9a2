//! How much auto-heal may do.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The bounds; settable in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// A target is left alone this long after an action on it.
    pub cooldown: SignedDuration,
    /// So many plans on one target within [`Limits::strike_window`] lock it.
    pub strikes: usize,
    /// See [`Limits::strikes`].
    pub strike_window: SignedDuration,
    /// How long a lock holds.
    pub lock: SignedDuration,
    /// Plans within an hour.
    pub per_hour: usize,
    /// So many plans that helped, and after which the same fault of the service came back within
    /// an hour, are enough: the next one would help as little.
    pub chain: usize,
    /// So many failed calls of one MCP server in a row open its circuit.
    pub circuit_failures: u32,
    /// How long a server is left alone then.
    pub circuit: SignedDuration,
}

impl Default for Limits {
    /// FAILURES.md section 4: 5 min after the last action on a target, 3 strikes then a lock of
    /// an hour, 6 actions an hour, a chain ends when the fault is back for the second time.
    fn default() -> Self {
        Self {
            cooldown: SignedDuration::from_mins(5),
            strikes: 3,
            strike_window: SignedDuration::from_hours(1),
            lock: SignedDuration::from_hours(1),
            per_hour: 6,
            chain: 2,
            circuit_failures: 3,
            circuit: SignedDuration::from_mins(5),
        }
    }
}
