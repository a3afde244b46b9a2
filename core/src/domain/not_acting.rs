//! Why sentinel-tui left something alone: every reason has a code that a program can compare with.

use serde::{Deserialize, Serialize};

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotActing {
    /// Auto-heal is not switched on.
    AutoHealOff,
    /// `--read-only`.
    ReadOnly,
    /// Another sentinel-tui acts on this engine.
    NotElected,
    /// The container did not opt in, or opted out.
    NotOptedIn,
    /// The class is not one that may be healed without a person.
    ClassNotAllowed,
    /// The risk is above what may run without a person.
    RiskTooHigh,
    /// The engine itself saw no fault: text alone authorises nothing.
    NoObservedFault,
    /// An operator meant it to be so, or nobody knows.
    OperatorIntent,
    /// Another plan is being applied or verified.
    InFlight,
    /// The target was acted upon a moment ago.
    Cooldown,
    /// The target had its strikes.
    Locked,
    /// The target goes up and down without settling: whatever is done joins in.
    Flapping,
    /// The hourly budget is used up.
    Budget,
    /// There is no safe fix.
    NoSafeFix,
    /// The engine's restart policy already mends it.
    RestartPolicy,
    /// A tool that the plan needs was not discovered.
    ToolMissing,
    /// The diagnosis is not sure enough.
    LowConfidence,
    /// What must be on disk before a call could not be written.
    NotRecorded,
    /// A person silenced the service: it is being worked on.
    Maintenance,
    /// Something was changed next to it a moment ago: what that does is not seen yet.
    Neighbourhood,
    /// It was mended again and again and is back: another fix of that kind would not last.
    Ineffective,
    /// The calls of the MCP server that it needs fail one after the other.
    CircuitOpen,
    /// The kill switch is on.
    Halted,
    /// A language model proposed it.
    ModelProposed,
    /// A person changed what it calls.
    EditedByPerson,
    /// A person put it off.
    Snoozed,
}

impl NotActing {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutoHealOff => "auto_heal_off",
            Self::ReadOnly => "read_only",
            Self::NotElected => "not_elected",
            Self::NotOptedIn => "not_opted_in",
            Self::ClassNotAllowed => "class_not_allowed",
            Self::RiskTooHigh => "risk_too_high",
            Self::NoObservedFault => "no_observed_fault",
            Self::OperatorIntent => "operator_intent",
            Self::InFlight => "in_flight",
            Self::Cooldown => "cooldown",
            Self::Locked => "locked",
            Self::Flapping => "flapping",
            Self::Budget => "budget",
            Self::NoSafeFix => "no_safe_fix",
            Self::RestartPolicy => "restart_policy",
            Self::ToolMissing => "tool_missing",
            Self::LowConfidence => "low_confidence",
            Self::NotRecorded => "not_recorded",
            Self::Maintenance => "maintenance",
            Self::Neighbourhood => "neighbourhood",
            Self::Ineffective => "ineffective",
            Self::CircuitOpen => "circuit_open",
            Self::Halted => "halted",
            Self::ModelProposed => "model_proposed",
            Self::EditedByPerson => "edited_by_person",
            Self::Snoozed => "snoozed",
        }
    }
}
