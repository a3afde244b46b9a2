//! An incident: one cause, from the first sign to the end, with everything that happened to it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::anomaly::Anomaly;
use crate::domain::container::ContainerRef;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::failure::FailureClass;
use crate::domain::ids::{FixId, IncidentId};
use crate::domain::opinion::Opinion;
use crate::domain::plan::{Actor, Approved, FixState, Plan, Undo, UndoTicket};
use crate::domain::severity::Severity;
use crate::domain::snooze::Snooze;

/// At most this many anomalies are kept with an incident; later ones are counted only.
pub const MAX_ANOMALIES: usize = 50;
/// At most this many timeline entries are kept; the last place says that it is full.
pub const MAX_TIMELINE: usize = 300;

/// How the timeline entry of a diagnosis begins.
pub const DIAGNOSED: &str = "diagnosed as ";
/// How the timeline says that an incident is part of another one, whose id follows.
pub const MERGED: &str = "merged: it is a symptom of ";
/// Plans that were carried out and gave way to another one are kept up to this number.
pub const MAX_EARLIER_PLANS: usize = 8;

/// How the timeline entry of a rejection begins.
pub const REJECTED: &str = "rejected: ";
/// How the timeline says that the record of a call could not be written.
const NOT_APPLIED: &str = "not applied: ";

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Opened; evidence still comes in.
    Detected,
    /// The cause is being worked out.
    Diagnosing,
    /// A plan is staged, or a person has to act.
    AwaitingApproval,
    /// The plan runs.
    Fixing,
    /// The plan ran, or the engine's restart policy did; the oracles watch.
    Verifying,
    /// Verified.
    Resolved,
    /// A person has to take over.
    Escalated,
    /// A person said that it is nothing.
    Dismissed,
    /// It got well without us.
    ResolvedExternally,
}

impl IncidentState {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Diagnosing => "diagnosing",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Fixing => "fixing",
            Self::Verifying => "verifying",
            Self::Resolved => "resolved",
            Self::Escalated => "escalated",
            Self::Dismissed => "dismissed",
            Self::ResolvedExternally => "resolved_externally",
        }
    }

    /// Whether work on it has ended (an escalated one is still open: a person owes it).
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Resolved | Self::Dismissed | Self::ResolvedExternally)
    }

    /// Which states may follow.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Detected => {
                next == Self::Diagnosing
                    || next == Self::Dismissed
                    || next == Self::ResolvedExternally
                    || next == Self::Escalated
            }
            Self::Diagnosing => matches!(
                next,
                Self::AwaitingApproval
                    | Self::Verifying
                    | Self::Escalated
                    | Self::Dismissed
                    | Self::ResolvedExternally
            ),
            Self::AwaitingApproval => matches!(
                next,
                Self::Diagnosing
                    | Self::Fixing
                    | Self::Escalated
                    | Self::Dismissed
                    | Self::ResolvedExternally
            ),
            Self::Fixing => {
                matches!(next, Self::Verifying | Self::AwaitingApproval | Self::Escalated)
            }
            Self::Verifying => {
                matches!(
                    next,
                    Self::Resolved
                        | Self::ResolvedExternally
                        | Self::Escalated
                        | Self::AwaitingApproval
                        | Self::Diagnosing
                        | Self::Dismissed
                )
            }
            Self::Escalated => matches!(
                next,
                Self::Diagnosing
                    | Self::AwaitingApproval
                    | Self::Dismissed
                    | Self::ResolvedExternally
                    | Self::Fixing
            ),
            Self::Resolved | Self::Dismissed | Self::ResolvedExternally => false,
        }
    }
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What, in one sentence.
    pub what: String,
    /// The state that it led to, if it was a transition.
    pub state: Option<IncidentState>,
}

/// One check of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The oracle's name.
    pub name: String,
    /// What it says.
    pub passed: bool,
    /// Why.
    pub detail: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// The container that it was opened on.
    pub container: ContainerRef,
    /// Name of the container at fault, as far as known.
    pub root: String,
    /// Where it is.
    pub state: IncidentState,
    /// How bad.
    pub severity: Severity,
    /// Its class, as far as known.
    pub class: FailureClass,
    /// One line that says what is broken.
    pub title: String,
    /// Names of containers that suffer.
    pub affected: Vec<String>,
    /// When the fault was observable, by the engine's clock.
    pub observed_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// What the detectors saw, oldest first, at most [`MAX_ANOMALIES`].
    pub anomalies: Vec<Anomaly>,
    /// Anomalies beyond that bound.
    pub anomalies_dropped: u64,
    /// The diagnosis, once made.
    pub diagnosis: Option<Diagnosis>,
    /// The current plan, with the state of each step.
    pub plan: Option<Plan>,
    /// How many plans were staged so far.
    pub plans: u32,
    /// The last verification.
    pub checks: Vec<Check>,
    /// Why nothing was done by itself, newest last.
    pub not_acting: Vec<String>,
    /// Everything that happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The earlier incident that this one continues.
    pub reopens: Option<IncidentId>,
    /// What broke, why, what was done, what remains, in two paragraphs; written when it closes.
    pub explanation: Option<String>,
    /// The model that wrote it; `None`: it was written from the facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation_by: Option<String>,
    /// What the analyst makes of it, checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Box<Opinion>>,
    /// Plans that were carried out and gave way to another one, oldest first, at most
    /// [`MAX_EARLIER_PLANS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_plans: Vec<Plan>,
    /// The person who decided against a plan for it. Kept apart from the timeline, whose remarks
    /// give way when it is full.
    #[serde(default)]
    pub refused_by: Option<Actor>,
    /// Whether and how often its plans were put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<Snooze>,
}

/// Why an approval was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApproveError {
    /// There is no such fix.
    #[error("no staged fix {0} in this incident")]
    NoSuchFix(FixId),
    /// It was decided before.
    #[error("fix {0} is not staged any more: it is {1}")]
    NotStaged(FixId, &'static str),
    /// The incident is not in a state in which a plan may run.
    #[error("fix {0} cannot run now: its incident is {1}")]
    NotNow(FixId, &'static str),
    /// The approver saw another text than what would run.
    #[error("the fix changed since it was shown; look at it again")]
    HashMismatch,
    /// Too late.
    #[error("fix {0} expired; it will be planned again if it is still needed")]
    Expired(FixId),
    /// The system itself is no approver.
    #[error("only a person or the policy can approve")]
    NotEntitled,
    /// Nothing new is begun while sentinel-tui ends.
    #[error("sentinel-tui is shutting down")]
    ShuttingDown,
    /// Nothing was applied, or what was has no inverse.
    #[error("nothing of fix {0} is applied that could be taken back")]
    NothingToUndo(FixId),
}

impl Incident {
    /// Service name of the container that it was opened on.
    pub fn service(&self) -> &str {
        &self.container.service
    }

    /// Adds an entry to the timeline.
    pub fn note(&mut self, at: Timestamp, actor: Actor, what: impl Into<String>) {
        self.push_timeline(TimelineEntry { at, actor, what: what.into(), state: None });
    }

    /// Moves to `next` and says why. Returns false, and changes nothing, when the move is not
    /// legal.
    #[must_use]
    pub fn transition(
        &mut self,
        next: IncidentState,
        at: Timestamp,
        actor: Actor,
        why: impl Into<String>,
    ) -> bool {
        if !self.state.may_become(next) {
            return false;
        }
        self.state = next;
        if next.is_closed() {
            self.closed_at = Some(at);
        }
        self.push_timeline(TimelineEntry { at, actor, what: why.into(), state: Some(next) });
        true
    }

    /// Keeps an anomaly with the incident; raises the severity, never lowers it. When it is
    /// full, the first half stays (how it began) and the rest gives way to what is newer: text
    /// before what the engine itself observed.
    pub fn attach(&mut self, anomaly: Anomaly) {
        const BEGINNING: usize = MAX_ANOMALIES / 2;
        self.severity = self.severity.max(anomaly.severity);
        if self.anomalies.len() >= MAX_ANOMALIES {
            let text =
                self.anomalies.iter().skip(BEGINNING).position(|a| !a.kind.is_engine_observed());
            self.anomalies.remove(BEGINNING + text.unwrap_or(0));
            self.anomalies_dropped += 1;
        }
        self.anomalies.push(anomaly);
    }

    /// How many plans were carried out so far, and when each began. One of which nothing was
    /// called because its record could not be written is none.
    pub fn attempts(&self) -> impl Iterator<Item = Timestamp> {
        let moves = || self.timeline.iter().filter(|e| e.state.is_some());
        let next = moves().skip(1).map(Some).chain([None]);
        moves()
            .zip(next)
            .filter(|(e, next)| {
                e.state == Some(IncidentState::Fixing)
                    && !next.is_some_and(|next| next.what.starts_with(NOT_APPLIED))
            })
            .map(|(e, _)| e.at)
    }

    /// From fixing back to waiting: nothing was called, for `why`, and it counts as no attempt.
    #[must_use]
    pub fn not_applied(&mut self, at: Timestamp, why: &str) -> bool {
        let what = format!("{NOT_APPLIED}{why}");
        self.transition(IncidentState::AwaitingApproval, at, Actor::System, what)
    }

    /// Another plan takes the place of the current one, which is kept if it was carried out.
    pub fn replace_plan(&mut self, plan: Plan) {
        let Some(old) = self.plan.replace(plan).filter(Plan::was_begun) else { return };
        if self.earlier_plans.len() >= MAX_EARLIER_PLANS {
            self.earlier_plans.remove(0);
        }
        self.earlier_plans.push(old);
    }

    /// The incident that this one proved to be a symptom of.
    pub fn merged_into(&self) -> Option<&str> {
        let end = self.timeline.iter().rfind(|e| e.state == Some(IncidentState::Dismissed))?;
        end.what.strip_prefix(MERGED).filter(|_| end.actor == Actor::System)
    }

    /// Every plan that was carried out, wholly or in part, oldest first.
    pub fn carried_out(&self) -> impl Iterator<Item = &Plan> {
        self.earlier_plans.iter().chain(self.plan.iter().filter(|p| p.was_begun()))
    }

    /// Whether a person decided against a plan: from then on it is theirs.
    pub fn is_refused_by_person(&self) -> bool {
        // Incidents of earlier versions have it in the timeline only.
        self.refused_by.is_some()
            || self.timeline.iter().any(|e| {
                matches!(e.actor, Actor::Person(_))
                    && e.state.is_none()
                    && e.what.starts_with(REJECTED)
            })
    }

    /// Until when its plan is put off, if it is.
    pub fn snoozed_until(&self) -> Option<Timestamp> {
        self.snooze.as_ref().and_then(|s| s.until)
    }

    /// Remembers for good that `by` decided against a plan for it, and says so in the timeline.
    pub fn refuse(&mut self, at: Timestamp, by: Actor, why: &str) {
        self.refused_by = Some(by.clone());
        self.note(at, by, format!("{REJECTED}{why}"));
    }

    /// Approves the staged plan that `fix` belongs to. This is the only place where an
    /// [`Approved`] plan is made. The approver names the hash of what they saw.
    pub fn approve(
        &mut self,
        fix: &FixId,
        sha256: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<(Approved<Plan>, UndoTicket), ApproveError> {
        if by == Actor::System {
            return Err(ApproveError::NotEntitled);
        }
        let Some(plan) = self.plan.as_mut().filter(|p| p.has(fix)) else {
            return Err(ApproveError::NoSuchFix(fix.clone()));
        };
        if let Some(step) = plan.steps.iter().find(|s| s.state != FixState::Staged) {
            return Err(ApproveError::NotStaged(fix.clone(), step.state.as_str()));
        }
        if !self.state.may_become(IncidentState::Fixing) {
            return Err(ApproveError::NotNow(fix.clone(), self.state.as_str()));
        }
        if plan.sha256 != sha256 || plan.digest() != plan.sha256 {
            return Err(ApproveError::HashMismatch);
        }
        if now >= plan.expires_at {
            return Err(ApproveError::Expired(fix.clone()));
        }
        for step in &mut plan.steps {
            step.state = FixState::Approved;
        }
        Ok(plan.approved(by))
    }

    /// Approves taking back what was applied of the plan that `fix` belongs to, also long after it
    /// was. Only a person does that; who approved the plan has an [`UndoTicket`] for it.
    pub fn approve_undo(
        &self,
        fix: &FixId,
        sha256: &str,
        by: Actor,
    ) -> Result<Approved<Undo>, ApproveError> {
        if !matches!(by, Actor::Person(_)) {
            return Err(ApproveError::NotEntitled);
        }
        let Some(plan) = self.plan.as_ref().filter(|p| p.has(fix)) else {
            return Err(ApproveError::NoSuchFix(fix.clone()));
        };
        if self.state == IncidentState::Fixing {
            return Err(ApproveError::NotNow(fix.clone(), self.state.as_str()));
        }
        if !plan.can_undo() {
            return Err(ApproveError::NothingToUndo(fix.clone()));
        }
        if plan.sha256 != sha256 || plan.digest() != plan.sha256 {
            return Err(ApproveError::HashMismatch);
        }
        Ok(plan.approved_undo(by))
    }

    fn push_timeline(&mut self, entry: TimelineEntry) {
        if self.timeline.len() < MAX_TIMELINE {
            self.timeline.push(entry);
            return;
        }
        if entry.state.is_none() {
            return;
        }
        // A transition is worth more than a remark, and one to `fixing` counts as an attempt.
        let remark = self.timeline.iter().rposition(|e| e.state.is_none());
        let victim = remark
            .or_else(|| self.timeline.iter().rposition(|e| e.state != Some(IncidentState::Fixing)));
        self.timeline.remove(victim.unwrap_or(0));
        self.timeline.push(TimelineEntry {
            what: format!(
                "{} (the timeline is full: entries before this one were dropped)",
                entry.what
            ),
            ..entry
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
    use crate::domain::container::tests_support::container;
    use crate::domain::ids::AnomalyId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn incident() -> Incident {
        let of = container("api").of;
        Incident {
            id: "INC-1".into(),
            root: of.name.clone(),
            container: of,
            state: IncidentState::Detected,
            severity: Severity::Low,
            class: FailureClass::Unknown,
            title: "t".to_owned(),
            affected: Vec::new(),
            observed_at: at(0),
            opened_at: at(0),
            closed_at: None,
            anomalies: Vec::new(),
            anomalies_dropped: 0,
            diagnosis: None,
            plan: None,
            plans: 0,
            checks: Vec::new(),
            not_acting: Vec::new(),
            timeline: Vec::new(),
            reopens: None,
            explanation: None,
            explanation_by: None,
            opinion: None,
            earlier_plans: Vec::new(),
            refused_by: None,
            snooze: None,
        }
    }

    fn anomaly(number: i64, kind: AnomalyKind) -> Anomaly {
        Anomaly {
            id: AnomalyId(number.to_string()),
            container: container("api").of,
            kind,
            severity: Severity::High,
            score: 1.0,
            summary: "s".to_owned(),
            observed_at: at(number),
            evidence: Vec::new(),
            detail: AnomalyDetail::default(),
        }
    }

    #[test]
    fn a_full_incident_keeps_how_it_began_what_the_engine_saw_and_what_is_new() {
        let mut incident = incident();
        for number in 0..200 {
            let engine = number == 40;
            let kind = if engine { AnomalyKind::Death } else { AnomalyKind::ErrorBurst };
            incident.attach(anomaly(number, kind));
        }
        assert_eq!(incident.anomalies.len(), MAX_ANOMALIES);
        assert_eq!(incident.anomalies_dropped, 150);
        let kept: Vec<&str> = incident.anomalies.iter().map(|a| a.id.as_str()).collect();
        for number in ["0", "24", "40", "199"] {
            assert!(kept.contains(&number), "{number} is not among {kept:?}");
        }
        assert!(!kept.contains(&"100"));
    }

    #[test]
    fn a_full_timeline_keeps_transitions_and_counts_every_attempt() {
        let mut incident = incident();
        assert!(incident.transition(IncidentState::Diagnosing, at(1), Actor::System, "d"));
        for step in 0..1000 {
            incident.note(at(step), Actor::System, "n");
        }
        for step in 0..3 {
            let next = [
                IncidentState::AwaitingApproval,
                IncidentState::Fixing,
                IncidentState::AwaitingApproval,
                IncidentState::Diagnosing,
            ];
            for state in next {
                assert!(incident.transition(state, at(2000 + step), Actor::Policy, "t"));
            }
        }
        assert_eq!(incident.timeline.len(), MAX_TIMELINE);
        assert_eq!(incident.attempts().count(), 3);
        assert!(incident.timeline.last().unwrap().what.contains("dropped"));
    }

    #[test]
    fn a_refusal_outlives_a_full_timeline() {
        let mut incident = incident();
        for step in 0..1000 {
            incident.note(at(step), Actor::System, "n");
        }
        incident.refuse(at(1001), Actor::Person("ann".to_owned()), "no");
        assert!(incident.is_refused_by_person());
        let text = serde_json::to_string(&incident).unwrap();
        let back: Incident = serde_json::from_str(&text).unwrap();
        assert!(back.is_refused_by_person());
    }

    #[test]
    fn an_illegal_move_changes_nothing() {
        let mut incident = incident();
        assert!(!incident.transition(IncidentState::Fixing, at(1), Actor::Policy, "x"));
        assert_eq!(incident.state, IncidentState::Detected);
        assert!(incident.timeline.is_empty());
        assert!(incident.transition(IncidentState::Dismissed, at(2), Actor::System, "x"));
        for next in [
            IncidentState::Detected,
            IncidentState::Diagnosing,
            IncidentState::AwaitingApproval,
            IncidentState::Fixing,
            IncidentState::Verifying,
            IncidentState::Escalated,
        ] {
            assert!(!incident.transition(next, at(3), Actor::System, "x"));
        }
    }
}
