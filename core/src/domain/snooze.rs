//! A plan that a person puts off for a while.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// For how long a plan may be put off, in seconds.
pub const CHOICES: [u64; 3] = [5 * 60, 15 * 60, 60 * 60];
/// The plans of one incident may be put off so many times; then somebody decides.
pub const MOST: u32 = 3;

/// How often the plans of an incident were put off, and until when they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// So many times so far.
    pub times: u32,
    /// Until when; `None`: not now.
    pub until: Option<Timestamp>,
    /// Who put them off last.
    pub by: String,
}
