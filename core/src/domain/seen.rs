//! What is known of a fault from incidents before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::IncidentId;

/// What is known of one kind of fix for this fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How often every check held after it, and the fault stayed away for a while.
    pub worked: usize,
    /// How often the checks held, and the fault was back within minutes.
    pub came_back: usize,
    /// How often it did not mend it.
    pub failed: usize,
    /// When it last worked.
    pub last_worked: Option<Timestamp>,
    /// When it last failed.
    pub last_failed: Option<Timestamp>,
}

/// What is known of a fault from before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How often it was seen.
    pub times: usize,
    /// When it last ended.
    pub last: Option<Timestamp>,
    /// The last ones, newest first, at most five.
    pub which: Vec<IncidentId>,
    /// By tool, what came of it.
    pub fixes: BTreeMap<String, Record>,
}
