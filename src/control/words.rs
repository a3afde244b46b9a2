//! What is said over the control socket.

use std::sync::Arc;

use sentinel_core::domain::command::Command;
use sentinel_core::domain::grant::Grant;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::quiet::{Silence, Suppressed};
use serde::{Deserialize, Serialize};

/// The longest line that is read, in bytes.
pub const LONGEST: usize = 1 << 20;

/// What is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// What is open, staged, can be taken back, and is left alone.
    State,
    /// Do something, in the name of a person.
    Do {
        /// Who asks.
        actor: String,
        /// What.
        command: Command,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done {
        /// In one sentence.
        message: String,
    },
    /// It was not.
    Refused {
        /// Why.
        error: String,
    },
    /// How things are.
    State {
        /// Open incidents, newest first, with their plans.
        incidents: Vec<Arc<Incident>>,
        /// Services that are silenced.
        silences: Vec<Silence>,
        /// What was left alone, newest first.
        suppressed: Vec<Suppressed>,
        /// What is allowed beforehand.
        #[serde(default)]
        grants: Vec<Grant>,
    },
}
