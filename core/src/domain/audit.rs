//! One record of the audit trail: who did what, why, with which result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{FixId, IncidentId};
use crate::domain::plan::Actor;
use crate::domain::tool::{ToolCall, ToolResult};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// A plan was staged.
    Staged,
    /// A plan was approved.
    Approved,
    /// A plan was rejected.
    Rejected,
    /// The call is about to be made: written and synced before it.
    Applying,
    /// The call succeeded.
    Applied,
    /// The call failed, or was not made.
    Failed,
    /// The inverse is about to be called: written and synced before it.
    Undoing,
    /// The inverse was called.
    Undone,
    /// The verification passed.
    Verified,
    /// The verification failed.
    NotVerified,
    /// The kill switch was thrown.
    Halted,
    /// The kill switch was released.
    Resumed,
    /// A person changed what a plan calls.
    Edited,
    /// A person put a plan off.
    Snoozed,
    /// A person allowed calls beforehand.
    Granted,
    /// The policy approved a plan because of a grant.
    GrantUsed,
    /// A grant was taken back, or it ended.
    GrantEnded,
    /// Found on start: a call was under way when sentinel-tui ended.
    Interrupted,
}

impl AuditAction {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Verified => "verified",
            Self::NotVerified => "not_verified",
            Self::Halted => "halted",
            Self::Resumed => "resumed",
            Self::Edited => "edited",
            Self::Snoozed => "snoozed",
            Self::Granted => "granted",
            Self::GrantUsed => "grant_used",
            Self::GrantEnded => "grant_ended",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One record, before the store chains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// For which incident.
    pub incident: IncidentId,
    /// Which fix, if it is about one.
    pub fix: Option<FixId>,
    /// Name of the target.
    pub target: String,
    /// Full id of the target.
    pub target_id: String,
    /// The call, if it is about one. Secrets travel as references.
    pub call: Option<ToolCall>,
    /// Why, in one sentence.
    pub reason: String,
    /// Hash of the plan that was approved.
    pub plan_sha256: Option<String>,
    /// What came back.
    pub result: Option<ToolResult>,
}

impl AuditRecord {
    /// The text that a hash chain covers: JSON with sorted keys and without white space, the
    /// same for the same record on every machine and after every round trip through a store.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        // A `Value` keeps its keys sorted; a struct written directly would keep its own order.
        Ok(serde_json::to_value(self)?.to_string())
    }
}

/// A record with its place in the chain, for front ends.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its number, from 1.
    pub n: u64,
    /// Its hash.
    pub hash: String,
    /// The record; `None` if its text cannot be read.
    pub record: Option<AuditRecord>,
}

/// Some records of the trail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// There are older ones.
    pub more: bool,
    /// The file that holds them.
    pub path: String,
}

/// What a check of the whole trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// Records in it; 0 if it does not hold.
    pub count: u64,
    /// The last hash.
    pub head: String,
    /// Why it does not hold, if it does not.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_text_survives_a_round_trip_and_sorts_its_keys() {
        let record = AuditRecord {
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::Person("ann".to_owned()),
            action: AuditAction::Applied,
            incident: "INC-1".into(),
            fix: Some("INC-1-F1.1".into()),
            target: "api".to_owned(),
            target_id: "abc".to_owned(),
            call: Some(ToolCall::new("start_container", [("z", 1.into()), ("a", 2.into())])),
            reason: "it died".to_owned(),
            plan_sha256: None,
            result: None,
        };
        let text = record.canonical().unwrap();
        let back: AuditRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(back, record);
        assert_eq!(back.canonical().unwrap(), text);
        assert!(
            text.starts_with(r#"{"action":"applied","actor":{"person":"ann"},"at":"#),
            "{text}"
        );
        assert!(text.contains(r#""arguments":{"a":2,"z":1}"#), "{text}");
    }
}
