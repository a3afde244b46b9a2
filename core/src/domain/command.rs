//! What a front end may ask of the engine.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::ids::{FixId, IncidentId};

/// A request. Every one is answered, with a sentence when it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Run the plan of this fix. The hash is that of the plan the approver saw.
    Approve {
        /// Any step of the plan.
        fix: FixId,
        /// [`crate::domain::plan::Plan::sha256`].
        sha256: String,
    },
    /// Do not run the plan of this fix.
    Reject {
        /// Any step of the plan.
        fix: FixId,
        /// Why, for the timeline.
        reason: String,
    },
    /// Change the arguments of one step of a staged plan. That makes a new plan, with a hash of its
    /// own, which a person has to approve.
    Edit {
        /// The step.
        fix: FixId,
        /// [`crate::domain::plan::Plan::sha256`] of the plan that the person changed.
        sha256: String,
        /// All arguments of the call.
        arguments: Map<String, Value>,
    },
    /// Say what the plan of this fix would do now. Changes nothing.
    DryRun {
        /// Any step of the plan.
        fix: FixId,
    },
    /// Put the plan of this fix off for a while.
    Snooze {
        /// Any step of the plan.
        fix: FixId,
        /// For how long, in seconds: one of [`crate::domain::snooze::CHOICES`]; 0 ends it.
        seconds: u64,
    },
    /// Let the policy run plans like that of this fix (its tools, its service) without asking.
    Grant {
        /// Any step of the plan.
        fix: FixId,
        /// [`crate::domain::plan::Plan::sha256`] of the plan that the person saw.
        sha256: String,
        /// For how long.
        seconds: u64,
        /// For how many plans.
        uses: u32,
    },
    /// Take a grant back.
    Revoke {
        /// [`crate::domain::grant::Grant::id`].
        grant: u64,
        /// Why, for the record.
        reason: String,
    },
    /// Take back what was applied of the plan of this fix. The hash is that of the plan that the
    /// person saw.
    Undo {
        /// Any step of the plan.
        fix: FixId,
        /// [`crate::domain::plan::Plan::sha256`].
        sha256: String,
    },
    /// Throw the kill switch: nothing is done without a person until it is released.
    Halt {
        /// Why, for the record.
        reason: String,
    },
    /// Release the kill switch.
    Resume {
        /// Why, for the record.
        reason: String,
    },
    /// Leave a service alone for a while: what happens to it is seen and counted, and opens no
    /// incident.
    Silence {
        /// The service, or a container's name.
        service: String,
        /// For how long, in seconds; 0 ends a silence.
        seconds: u64,
        /// Why, for the record.
        reason: String,
    },
    /// Say that an incident is nothing.
    Dismiss {
        /// Which.
        incident: IncidentId,
        /// Why, for the timeline.
        reason: String,
    },
}
