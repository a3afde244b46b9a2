//! What reaches the engine from outside. Serializable, so that a session can be recorded and
//! replayed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::command::Command;
use crate::domain::container::Container;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::life::LifeEvent;
use crate::domain::log::LogLine;
use crate::domain::not_acting::NotActing;
use crate::domain::opinion::ModelWord;
use crate::domain::plan::Actor;
use crate::domain::snapshot::EngineInfo;
use crate::domain::tool::{Tool, ToolResult};
use crate::domain::usage::UsageSample;

/// How the reason of a [`Signal::PlanStale`] begins when nothing was called because it could not be
/// made durable before: no fault of the plan, and no act on its target.
pub const UNRECORDED: &str = "the record of the call could not be written";

/// How the reason of a [`Signal::PlanStale`] begins when nothing was called because another
/// instance may act on the target, or nobody knows whether one does: no fault of the plan either.
pub const NO_LEAVE: &str = "there is no lease to act";

/// Why nothing was called, if neither the plan nor its target had a part in it.
pub fn blameless(why: &str) -> Option<NotActing> {
    if why.starts_with(UNRECORDED) {
        Some(NotActing::NotRecorded)
    } else if why.starts_with(NO_LEAVE) {
        Some(NotActing::NotElected)
    } else {
        None
    }
}

/// One input of `step`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// Time passed.
    Tick,
    /// The monitor is attached: events and logs of all watched containers flow.
    Attached {
        /// The engine.
        engine: EngineInfo,
        /// What is watched.
        watched: Vec<Container>,
    },
    /// A container as just inspected: new, or changed.
    Inspected {
        /// As the engine describes it.
        container: Box<Container>,
        /// Found by comparing lists after a gap, not by an event: nobody saw what happened.
        unwitnessed: bool,
        /// `None`: it comes in order with the events, as the monitor sends it. Otherwise it
        /// answers an `Effect::Inspect`, and this is when the shell asked (later than the turn
        /// that wanted it). Such an answer may be overtaken by events; it counts only if nothing
        /// arrived about the container since it was asked for.
        #[serde(default)]
        asked_at: Option<Timestamp>,
    },
    /// A container is not there any more.
    Gone {
        /// Which.
        container: ContainerId,
    },
    /// An event of the engine.
    Life {
        /// The event.
        event: LifeEvent,
    },
    /// Lines of one container, in order.
    Logs {
        /// The lines.
        lines: Vec<LogLine>,
    },
    /// A container's log stream ended: whatever it wrote before its death has arrived.
    LogEnd {
        /// Whose stream.
        container: ContainerId,
    },
    /// Lines were lost.
    LogLost {
        /// Whose.
        container: ContainerId,
        /// How many, if known (0: a gap of unknown size).
        count: u64,
        /// Why.
        why: String,
    },
    /// A resource reading.
    Usage {
        /// The reading.
        sample: UsageSample,
    },
    /// A part stopped working.
    Degraded {
        /// "docker", "mcp", "store", …
        part: String,
        /// What is wrong.
        detail: String,
    },
    /// A part works again.
    Recovered {
        /// Which.
        part: String,
        /// How.
        detail: String,
    },
    /// The tools that the MCP servers offer.
    Tools {
        /// All of them.
        tools: Vec<Tool>,
    },
    /// A front end asks for something.
    Command {
        /// Pairs the reply with the request.
        request: u64,
        /// Who asks.
        actor: Actor,
        /// What.
        command: Command,
    },
    /// A step of a plan was called.
    StepDone {
        /// Whose plan.
        incident: IncidentId,
        /// Which step.
        fix: FixId,
        /// What came back.
        result: ToolResult,
        /// The container that the step put in the place of its target, if it made it anew.
        #[serde(default)]
        replaced_by: Option<ContainerId>,
        /// When the call began.
        began_at: Timestamp,
    },
    /// A step of a plan that is being called says how far it has come.
    StepProgress {
        /// Whose plan.
        incident: IncidentId,
        /// Which step.
        fix: FixId,
        /// In words, made safe.
        words: String,
    },
    /// The plan could not begin: its preconditions do not hold any more, or what must be on disk
    /// before the first call is not (then `why` begins with [`UNRECORDED`]), or another instance
    /// has the lease on it ([`NO_LEAVE`]).
    PlanStale {
        /// Whose plan.
        incident: IncidentId,
        /// What changed.
        why: String,
    },
    /// Every step ran, or one failed and the rest was left.
    PlanDone {
        /// Whose plan.
        incident: IncidentId,
        /// Whether all steps succeeded.
        ok: bool,
    },
    /// The inverse of a plan was called.
    UndoDone {
        /// Whose plan.
        incident: IncidentId,
        /// What came back.
        result: ToolResult,
        /// The container that stands in the place of the target since then, if it is another one.
        #[serde(default)]
        replaced_by: Option<ContainerId>,
    },
    /// A language model answered, or did not.
    Model {
        /// What came back.
        word: Box<ModelWord>,
    },
    /// The monitor ended for good.
    Detached {
        /// Why.
        why: String,
    },
}
