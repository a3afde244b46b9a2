//! A staged plan: frozen calls that run exactly as shown, once, after approval.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::diagnosis::Source;
use crate::domain::hash::sha256_hex;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::tool::{ToolCall, ToolResult};

/// How much a call can hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Risk {
    /// Reads only.
    R0,
    /// Reversible, no downtime.
    R1,
    /// Brief downtime, state kept.
    R2,
    /// Replaces, lowers or stops; runs something free.
    R3,
    /// Loses data: never offered.
    R4,
}

impl Risk {
    /// What it means, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::R0 => "reads only",
            Self::R1 => "reversible, no downtime",
            Self::R2 => "brief downtime, state kept",
            Self::R3 => "replaces, lowers or stops",
            Self::R4 => "loses data",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Where a fix is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixState {
    /// Waits for a decision.
    Staged,
    /// Approved, not yet begun.
    Approved,
    /// Being applied: a durable record of this precedes the call.
    Applying,
    /// The call succeeded.
    Applied,
    /// The call failed.
    Failed,
    /// A person said no.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The world changed between staging and approval.
    Stale,
    /// Being taken back: a durable record of this precedes the inverse call.
    Undoing,
    /// Taken back.
    Undone,
    /// A step before it failed.
    Skipped,
}

impl FixState {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Approved => "approved",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Stale => "stale",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Skipped => "skipped",
        }
    }

    /// Whether its call was made, whatever came of it.
    pub fn was_called(self) -> bool {
        matches!(self, Self::Applying | Self::Applied | Self::Failed | Self::Undoing | Self::Undone)
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Staged | Self::Approved | Self::Applying | Self::Undoing)
    }
}

/// What must still be true when the plan runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preconditions {
    /// Image digest.
    pub image_id: String,
    /// `State.StartedAt`, exactly as the engine wrote it. Empty: any run will do, and so will none;
    /// what is to be changed is the configuration of a container that starts and dies all the time.
    pub started_at: String,
    /// [`crate::domain::container::Container::config_hash`].
    pub config_hash: String,
    /// Whether it was up: who stops or starts it between staging and the call has other plans.
    #[serde(default)]
    pub running: bool,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// Its id.
    pub id: FixId,
    /// Its place in the plan, from 1.
    pub step: u32,
    /// The call, exactly as it will be sent.
    pub call: ToolCall,
    /// Its target.
    pub target: ContainerRef,
    /// How much it can hurt.
    pub risk: Risk,
    /// Why it helps.
    pub reason: String,
    /// What changes.
    pub diff: String,
    /// The same as a `docker` command line.
    pub docker_line: String,
    /// Expected downtime in words.
    pub downtime: String,
    /// The call that takes it back.
    pub inverse: Option<ToolCall>,
    /// What to change in a compose file so that the next `compose up` keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compose_patch: Option<String>,
    /// Where it is.
    pub state: FixState,
    /// What came back.
    pub result: Option<ToolResult>,
    /// How far the call has come, while it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The container that stands in the target's place since the call, if it was made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<ContainerId>,
}

impl Fix {
    /// Whether it was applied and there is a call that takes it back.
    pub fn can_undo(&self) -> bool {
        self.state == FixState::Applied && self.inverse.is_some()
    }

    /// The id under which its target is to be found now.
    pub fn target_now(&self) -> &ContainerId {
        self.replaced_by.as_ref().unwrap_or(&self.target.id)
    }
}

/// A frozen plan. Approving any of its steps approves all of them, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The incident that it mends.
    pub incident: IncidentId,
    /// Who proposed it. What a model proposed or a person changed never runs without a person.
    #[serde(default)]
    pub source: Source,
    /// Steps in order.
    pub steps: Vec<Fix>,
    /// What must still be true of the target.
    pub preconditions: Preconditions,
    /// When it was staged.
    pub staged_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// Hash over everything above that an approval covers.
    pub sha256: String,
}

impl Plan {
    /// Freezes a plan: computes its hash. The hash covers all that an approver is shown: incident,
    /// targets, calls, reasons, previews, risks, inverses, preconditions and times. An approval
    /// of one text cannot run another.
    #[must_use]
    pub fn freeze(mut self) -> Self {
        self.sha256 = self.digest();
        self
    }

    /// The hash of what the plan says now.
    pub fn digest(&self) -> String {
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|s| {
                let Fix {
                    id,
                    step,
                    call,
                    target,
                    risk,
                    reason,
                    diff,
                    docker_line,
                    downtime,
                    inverse,
                    compose_patch,
                    // These change while the plan runs; the approved text does not.
                    state: _,
                    result: _,
                    progress: _,
                    replaced_by: _,
                } = s;
                let mut covered = serde_json::json!({
                    "id": id, "step": step, "call": call, "target": target, "risk": risk,
                    "reason": reason, "diff": diff, "docker_line": docker_line,
                    "downtime": downtime, "inverse": inverse,
                });
                // Plans of earlier versions have none, and keep their hash.
                if let Some(patch) = compose_patch {
                    covered["compose_patch"] = patch.as_str().into();
                }
                covered
            })
            .collect();
        let mut covered = serde_json::json!({
            "incident": self.incident,
            "steps": steps,
            "preconditions": self.preconditions,
            "staged_at": self.staged_at,
            "expires_at": self.expires_at,
        });
        // Plans of earlier versions are all of the rules, and keep their hash.
        if self.source != Source::Rules {
            covered["source"] = serde_json::json!(self.source);
        }
        sha256_hex(covered.to_string().as_bytes())
    }

    /// Whether `fix` is one of its steps.
    pub fn has(&self, fix: &FixId) -> bool {
        self.steps.iter().any(|s| &s.id == fix)
    }

    /// Whether a language model proposed it.
    pub fn is_from_model(&self) -> bool {
        self.source == Source::Model
    }

    /// Whether a person changed what it calls.
    pub fn is_edited(&self) -> bool {
        self.source == Source::Person
    }

    /// Whether it still waits for a decision.
    pub fn is_staged(&self) -> bool {
        self.steps.iter().all(|s| s.state == FixState::Staged) && !self.steps.is_empty()
    }

    /// Whether something of it was applied that can be taken back, and is not being taken back.
    pub fn can_undo(&self) -> bool {
        let undoing = self.steps.iter().any(|s| s.state == FixState::Undoing);
        !undoing && self.steps.iter().any(Fix::can_undo)
    }

    /// Whether any of its calls was made, whatever came of it.
    pub fn was_begun(&self) -> bool {
        self.steps.iter().any(|s| s.state.was_called())
    }

    /// The highest risk of its steps.
    pub fn risk(&self) -> Risk {
        self.steps.iter().map(|s| s.risk).max().unwrap_or(Risk::R0)
    }
}

/// Who decided something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person, by the name they gave or their login.
    Person(String),
    /// The auto-heal policy.
    Policy,
    /// sentinel-tui itself, reporting what it saw.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Policy => f.write_str("policy"),
            Self::System => f.write_str("sentinel-tui"),
        }
    }
}

/// Proof that somebody entitled to it approved the value inside.
///
/// Made only by `Incident::approve`, in this module's parent. It is neither `Clone` nor
/// `Deserialize`, and has no public constructor: an unapproved call cannot compile, and an
/// approval is spent by moving it.
///
/// There is no way to make one from outside:
/// ```compile_fail,E0624
/// use sentinel_core::domain::plan::{Actor, Approved};
/// let forged = Approved::new("restart", Actor::Policy);
/// ```
/// ```compile_fail,E0451
/// use sentinel_core::domain::plan::{Actor, Approved};
/// let forged = Approved { value: "restart", by: Actor::Policy };
/// ```
/// Nor to make two out of one, or to read one from a file:
/// ```compile_fail,E0277
/// use sentinel_core::domain::plan::{Approved, Plan};
/// fn twice<T: Clone>() {}
/// twice::<Approved<Plan>>();
/// ```
/// ```compile_fail,E0277
/// use sentinel_core::domain::plan::{Approved, Plan};
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Approved<Plan>>();
/// ```
/// And a plan does not become an approved one by itself:
/// ```compile_fail,E0624
/// use sentinel_core::domain::plan::{Actor, Plan};
/// fn forge(plan: Plan) {
///     let forged = plan.approved(Actor::Policy);
/// }
/// ```
#[derive(Debug)]
pub struct Approved<T> {
    value: T,
    by: Actor,
}

impl<T> Approved<T> {
    fn new(value: T, by: Actor) -> Self {
        Self { value, by }
    }

    /// What was approved.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Who approved it.
    pub fn by(&self) -> &Actor {
        &self.by
    }
}

impl Plan {
    /// Turns a plan into an approved one. Reached through `Incident::approve` only.
    pub(in crate::domain) fn approved(&self, by: Actor) -> (Approved<Self>, UndoTicket) {
        let ticket = UndoTicket { sha256: self.sha256.clone(), by: by.clone() };
        (Approved::new(self.clone(), by), ticket)
    }

    /// Turns what was applied of a plan into an approved undo. Reached through
    /// `Incident::approve_undo` only.
    pub(in crate::domain) fn approved_undo(&self, by: Actor) -> Approved<Undo> {
        Approved::new(Undo(self.clone()), by)
    }
}

/// The inverses of a plan's applied steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo(pub Plan);

/// The right to take an approved plan back, once: covered by the same approval.
///
/// It is spent by redeeming it:
/// ```compile_fail,E0382
/// use sentinel_core::domain::plan::{Plan, UndoTicket};
/// fn twice(ticket: UndoTicket, plan: &Plan) {
///     let first = ticket.redeem(plan);
///     let second = ticket.redeem(plan);
/// }
/// ```
/// ```compile_fail,E0277
/// use sentinel_core::domain::plan::UndoTicket;
/// fn twice<T: Clone>() {}
/// twice::<UndoTicket>();
/// ```
#[derive(Debug)]
pub struct UndoTicket {
    sha256: String,
    by: Actor,
}

impl UndoTicket {
    /// Spends the ticket on the plan it was made for, as it stands now (with the state of its
    /// steps). `None` for any other plan.
    pub fn redeem(self, plan: &Plan) -> Option<Approved<Undo>> {
        (plan.sha256 == self.sha256 && plan.digest() == self.sha256)
            .then(|| Approved::new(Undo(plan.clone()), self.by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::tests_support::container;

    fn plan() -> Plan {
        let step = |n: u32| Fix {
            id: FixId(format!("F1.{n}")),
            step: n,
            call: ToolCall::new("start_container", [("container_name", "abc".into())]),
            target: container("api").of,
            risk: Risk::R1,
            reason: "r".to_owned(),
            diff: "d".to_owned(),
            docker_line: "docker start api".to_owned(),
            downtime: "none".to_owned(),
            inverse: Some(ToolCall::new("stop_container", [])),
            compose_patch: None,
            state: FixState::Staged,
            result: None,
            progress: None,
            replaced_by: None,
        };
        Plan {
            source: Source::Rules,
            incident: "INC-1".into(),
            steps: vec![step(1), step(2)],
            preconditions: Preconditions {
                image_id: "i".to_owned(),
                started_at: "s".to_owned(),
                config_hash: "c".to_owned(),
                running: true,
            },
            staged_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            sha256: String::new(),
        }
        .freeze()
    }

    /// One change to a plan.
    type Change = fn(&mut Plan);

    #[test]
    fn the_hash_covers_everything_that_an_approver_is_shown() {
        let changes: &[Change] = &[
            |p| p.incident = "INC-2".into(),
            |p| p.expires_at = Timestamp::MAX,
            |p| p.staged_at = Timestamp::MAX,
            |p| p.preconditions.image_id.push('x'),
            |p| p.preconditions.started_at.push('x'),
            |p| p.preconditions.config_hash.push('x'),
            |p| p.preconditions.running = false,
            |p| p.steps[0].id = "F9.9".into(),
            |p| p.steps[0].call.tool.push('x'),
            |p| drop(p.steps[0].call.arguments.insert("x".to_owned(), 1.into())),
            |p| p.steps[0].target.id = "other".into(),
            |p| p.steps[0].target.name.push('x'),
            |p| p.steps[0].risk = Risk::R0,
            |p| p.steps[0].reason.push('x'),
            |p| p.steps[0].diff.push('x'),
            |p| p.steps[0].docker_line.push('x'),
            |p| p.steps[0].downtime.push('x'),
            |p| p.steps[0].inverse = None,
            |p| p.steps[0].compose_patch = Some("x".to_owned()),
            |p| p.steps.swap(0, 1),
            |p| drop(p.steps.pop()),
        ];
        let plan = plan();
        for (number, change) in changes.iter().enumerate() {
            let mut changed = plan.clone();
            change(&mut changed);
            assert_ne!(changed.digest(), plan.sha256, "change {number} is not covered");
        }
        let mut runs = plan.clone();
        runs.steps[0].state = FixState::Applied;
        runs.steps[0].result =
            Some(ToolResult { ok: true, message: String::new(), duration_ms: 1 });
        assert_eq!(runs.digest(), plan.sha256, "running it changes nothing that was approved");
        let text = serde_json::to_string(&plan).unwrap();
        let back: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(back.digest(), plan.sha256, "nor does a round trip through a store");
    }

    #[test]
    fn a_ticket_takes_back_only_the_plan_that_it_was_made_for() {
        let plan = plan();
        let (_, ticket) = plan.approved(Actor::Policy);
        let mut other = plan.clone();
        other.steps[0].inverse = None;
        assert!(ticket.redeem(&other).is_none());
        let (_, ticket) = plan.approved(Actor::Policy);
        let undo = ticket.redeem(&plan).unwrap();
        assert_eq!(undo.by(), &Actor::Policy);
    }
}
