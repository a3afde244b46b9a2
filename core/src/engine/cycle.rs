//! Opening an incident, diagnosing it, staging its plan, deciding about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::{Case, diagnose};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::container::Container;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::event::{DiagnosisWire, Event, FixWire, FixWord, IncidentWire, NotActing};
use crate::domain::failure::FailureClass;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::{Actor, Fix, FixState, Plan, Preconditions, UndoTicket};
use crate::domain::snapshot::Mode;
use crate::engine::effect::Effect;
use crate::engine::verify::Verification;
use crate::engine::{Engine, Turn};
use crate::policy::brakes::Brakes;
use crate::policy::{Decision, Reason, Request, decide, risk};

/// A diagnosis waits at most this long for the last lines and the inspect after a death.
const EVIDENCE_WAIT: SignedDuration = SignedDuration::from_millis(300);
/// A new incident this soon after the end of one on the same container continues it.
const REOPEN_WINDOW: SignedDuration = SignedDuration::from_secs(120);
/// A decision that was held up by something that passes is made again after this long.
const RETRY: SignedDuration = SignedDuration::from_secs(1);
/// So many plans are made for one incident; then a person takes over.
pub(crate) const MAX_PLANS: u32 = 3;

/// The engine's own notes on an incident, not kept over a restart.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// When to diagnose at the latest.
    pub(crate) diagnose_by: Option<Timestamp>,
    /// The log stream of the dead process has not ended yet.
    pub(crate) need_log_end: bool,
    /// The inspect after the event has not come yet.
    pub(crate) need_inspect: bool,
    /// New evidence: think again.
    pub(crate) rethink: bool,
    /// Reasons against acting that were told already.
    pub(crate) told: BTreeSet<&'static str>,
    /// When to decide again.
    pub(crate) retry_at: Option<Timestamp>,
    /// The oracles at work.
    pub(crate) verification: Option<Verification>,
    /// The right to take the applied plan back.
    pub(crate) undo: Option<UndoTicket>,
    /// A fault that the engine observed after the fix.
    pub(crate) worse: Option<String>,
    /// When the last anomaly was observed.
    pub(crate) last_sign: Option<Timestamp>,
}

impl Work {
    /// The log's end and an inspect are on their way; wait for them, but not for long.
    pub(crate) fn await_death_evidence(&mut self, now: Timestamp) {
        self.need_log_end = true;
        self.need_inspect = true;
        self.diagnose_by = Some(now + EVIDENCE_WAIT);
    }

    /// Nothing more is to be done.
    pub(crate) fn settle(&mut self) {
        *self = Self { last_sign: self.last_sign, ..Self::default() };
    }

    /// When something is due.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let verification = self.verification.as_ref().map(|v| v.next_look);
        [self.diagnose_by, self.retry_at, verification].into_iter().flatten().min()
    }
}

/// Tells the brakes what an earlier run did.
pub(crate) fn recall(brakes: &mut Brakes, incident: &Incident) {
    let Some(plan) = &incident.plan else { return };
    let acted = plan.steps.iter().any(|s| {
        matches!(
            s.state,
            FixState::Applied | FixState::Failed | FixState::Applying | FixState::Undone
        )
    });
    if let (true, Some(first)) = (acted, plan.steps.first()) {
        brakes.acted(plan.staged_at, &first.target);
    }
}

impl Engine {
    pub(crate) fn open(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        let now = turn.now;
        self.counter += 1;
        let id = IncidentId::new(now, &self.settings.host, self.counter);
        let reopens = self
            .incidents
            .values()
            .filter(|o| o.incident.container.name == anomaly.container.name)
            .filter(|o| {
                o.incident.closed_at.is_some_and(|c| now.duration_since(c) <= REOPEN_WINDOW)
            })
            .map(|o| o.incident.id.clone())
            .next_back();
        let mut incident = Incident {
            id: id.clone(),
            container: anomaly.container.clone(),
            root: anomaly.container.name.clone(),
            state: IncidentState::Detected,
            severity: anomaly.severity,
            class: first_guess(anomaly.kind),
            title: anomaly.summary.clone(),
            affected: Vec::new(),
            observed_at: anomaly.observed_at,
            opened_at: now,
            closed_at: None,
            anomalies: Vec::new(),
            anomalies_dropped: 0,
            diagnosis: None,
            plan: None,
            plans: 0,
            checks: Vec::new(),
            not_acting: Vec::new(),
            timeline: Vec::new(),
            reopens: reopens.clone(),
            explanation: None,
        };
        incident.note(now, Actor::System, format!("opened: {}", anomaly.summary));
        let mut work = Work {
            diagnose_by: Some(now),
            last_sign: Some(anomaly.observed_at),
            ..Work::default()
        };
        match anomaly.kind {
            AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill => {
                work.await_death_evidence(now);
            }
            AnomalyKind::Unhealthy => {
                work.need_inspect = true;
                work.diagnose_by = Some(now + EVIDENCE_WAIT);
            }
            AnomalyKind::ConnectionRefused
            | AnomalyKind::FatalSignature
            | AnomalyKind::ErrorBurst
            | AnomalyKind::FoundDown
            | AnomalyKind::StartFailure => {}
        }
        for earlier in self.context_of(&anomaly) {
            incident.attach(earlier);
        }
        incident.attach(anomaly);
        let wire = IncidentWire::from(&incident);
        turn.emit(Event::IncidentOpened { incident: wire.clone() });
        if reopens.is_some() {
            turn.emit(Event::IncidentReopened { incident: wire });
        }
        let moved = incident.transition(
            IncidentState::Diagnosing,
            now,
            Actor::System,
            "collecting evidence",
        );
        debug_assert!(moved, "detected leads to diagnosing");
        self.incidents.insert(id.clone(), super::Open { incident: Arc::new(incident), work });
        turn.dirty.insert(id.clone());
        self.swallow_symptoms(&id, turn);
    }

    /// Everything that is due now.
    pub(crate) fn advance(&mut self, turn: &mut Turn) {
        self.settle_waiting(turn);
        for id in self.open_ids() {
            self.expire(&id, turn);
            if self.diagnosis_due(&id, turn.now) {
                self.diagnose(&id, turn);
            }
            if self
                .incidents
                .get(&id)
                .is_some_and(|o| o.work.retry_at.is_some_and(|t| t <= turn.now))
            {
                self.consider(&id, turn);
            }
            self.verify(&id, turn);
        }
    }

    pub(crate) fn log_ended(&mut self, container: &ContainerId) {
        for open in self.incidents.values_mut() {
            if &open.incident.container.id == container {
                open.work.need_log_end = false;
            }
        }
    }

    pub(crate) fn seen_by_inspect(&mut self, container: &ContainerId) {
        for open in self.incidents.values_mut() {
            if &open.incident.container.id == container {
                open.work.need_inspect = false;
            }
        }
    }

    fn diagnosis_due(&self, id: &IncidentId, now: Timestamp) -> bool {
        let Some(open) = self.incidents.get(id) else { return false };
        let work = &open.work;
        let wants = work.diagnose_by.is_some() || work.rethink;
        let ready = !work.need_log_end && !work.need_inspect;
        let late = work.diagnose_by.is_none_or(|by| by <= now);
        let may = matches!(
            open.incident.state,
            IncidentState::Diagnosing | IncidentState::AwaitingApproval | IncidentState::Escalated
        );
        wants && may && (ready || late) && self.attached
    }

    /// Diagnoses, and stages what the diagnosis proposes. A second diagnosis that says the same
    /// as the first changes nothing.
    fn diagnose(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.diagnose_by = None;
        open.work.rethink = false;
        let incident = Arc::clone(&open.incident);
        let diagnosis = diagnose(&Case {
            subject: &incident.container,
            anomalies: &incident.anomalies,
            world: &self.world,
            now,
        });
        let same = incident.diagnosis.as_ref().is_some_and(|old| {
            old.class == diagnosis.class && old.root == diagnosis.root && old.plan == diagnosis.plan
        });
        if same && incident.state != IncidentState::Diagnosing {
            if let Some((incident, _)) = self.edit(id, turn) {
                incident.diagnosis = Some(diagnosis);
            }
            return;
        }
        self.withdraw_plan(id, "the diagnosis changed", turn);
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if incident.state != IncidentState::Diagnosing {
            let moved = incident.transition(
                IncidentState::Diagnosing,
                now,
                Actor::System,
                "new evidence: thinking again",
            );
            debug_assert!(moved, "awaiting and escalated lead back to diagnosing");
        }
        if incident.diagnosis.is_some() && incident.root != diagnosis.root {
            incident.note(
                now,
                Actor::System,
                format!("the root moved from {} to {}", incident.root, diagnosis.root),
            );
        }
        incident.class = diagnosis.class;
        incident.root.clone_from(&diagnosis.root);
        incident.title.clone_from(&diagnosis.cause);
        for name in &diagnosis.affected {
            if !incident.affected.contains(name) {
                incident.affected.push(name.clone());
            }
        }
        incident.affected.retain(|name| name != &diagnosis.root);
        incident.note(
            now,
            Actor::System,
            format!(
                "diagnosed as {} ({:.0} %): {}",
                diagnosis.class,
                diagnosis.confidence * 100.0,
                diagnosis.cause
            ),
        );
        incident.diagnosis = Some(diagnosis.clone());
        work.told.clear();
        let wire = DiagnosisWire::from(&diagnosis);
        let updated = IncidentWire::from(&*incident);
        turn.emit(Event::DiagnosisReady { incident_id: id.clone(), diagnosis: wire });
        turn.emit(Event::IncidentUpdated { incident: updated });
        self.follow_up(id, &diagnosis, turn);
    }

    /// What a diagnosis leads to: a staged plan, a recovery to watch, or a person.
    fn follow_up(&mut self, id: &IncidentId, diagnosis: &Diagnosis, turn: &mut Turn) {
        if diagnosis.plan.is_empty() {
            if self.comes_back_by_itself(id, diagnosis) {
                self.not_acting(
                    id,
                    NotActing::RestartPolicy,
                    "the engine's restart policy brings it back; watching",
                    turn,
                );
                self.watch_recovery(id, turn);
                return;
            }
            let advice =
                diagnosis.advice.clone().unwrap_or_else(|| "A person has to look.".to_owned());
            self.not_acting(
                id,
                NotActing::NoSafeFix,
                &format!("there is no safe fix. {advice}"),
                turn,
            );
            self.escalate(id, &format!("no safe fix: {advice}"), turn);
            return;
        }
        let missing: Vec<String> = diagnosis
            .plan
            .iter()
            .filter(|a| !self.world.has_tool(&a.call.tool))
            .map(|a| a.call.tool.clone())
            .collect();
        if !missing.is_empty() {
            // Tools may still be on their way; `tools_changed` comes back here.
            self.not_acting(
                id,
                NotActing::ToolMissing,
                &format!("no MCP server offers {}", missing.join(", ")),
                turn,
            );
            return;
        }
        let staged = self.incidents.get(id).map_or(0, |o| o.incident.plans);
        if staged >= MAX_PLANS {
            self.escalate(id, &format!("{staged} plans did not mend it"), turn);
            return;
        }
        self.stage(id, diagnosis, turn);
        self.consider(id, turn);
    }

    fn comes_back_by_itself(&self, id: &IncidentId, diagnosis: &Diagnosis) -> bool {
        let single = matches!(
            diagnosis.class,
            FailureClass::TransientCrash | FailureClass::NativeCrash | FailureClass::OomKill
        );
        let subject = self.incidents.get(id).map(|o| &o.incident.container.id);
        let back = subject.and_then(|s| self.world.containers.get(s)).is_some_and(|f| {
            f.container
                .restart_policy
                .restarts_after(f.container.exit_code, f.container.restart_count)
                || f.container.is_up()
        });
        single && back && diagnosis.advice.is_none()
    }

    fn stage(&mut self, id: &IncidentId, diagnosis: &Diagnosis, turn: &mut Turn) {
        let now = turn.now;
        let Some(target) = diagnosis
            .plan
            .first()
            .and_then(|a| self.world.containers.get(&a.target.id))
            .map(|f| Arc::clone(&f.container))
        else {
            self.escalate(id, "the target of the plan is gone", turn);
            return;
        };
        let number = self.incidents.get(id).map_or(1, |o| o.incident.plans + 1);
        let plan = self.freeze(id, number, diagnosis, &target, now);
        for fix in &plan.steps {
            let wire = FixWire::of(&plan, fix);
            turn.emit(Event::FixStaged { incident_id: id.clone(), fix: wire });
            turn.effects.push(Effect::Audit(Box::new(record(
                AuditAction::Staged,
                Actor::System,
                id,
                &plan,
                fix,
                now,
            ))));
        }
        let steps: Vec<String> = plan.steps.iter().map(|s| s.docker_line.clone()).collect();
        if let Some((incident, _)) = self.edit(id, turn) {
            incident.plans = number;
            incident.plan = Some(plan);
            let moved = incident.transition(
                IncidentState::AwaitingApproval,
                now,
                Actor::System,
                format!("staged: {}", steps.join("; then ")),
            );
            debug_assert!(moved, "diagnosing leads to awaiting approval");
        }
    }

    fn freeze(
        &self,
        id: &IncidentId,
        number: u32,
        diagnosis: &Diagnosis,
        target: &Container,
        now: Timestamp,
    ) -> Plan {
        let steps = (1..)
            .zip(&diagnosis.plan)
            .map(|(step, action)| {
                let facts =
                    self.world.containers.get(&action.target.id).map(|f| f.container.as_ref());
                let tool = self.world.tools.iter().find(|t| t.name == action.call.tool);
                Fix {
                    id: FixId(format!("{}-F{number}.{step}", id.as_str())),
                    step,
                    call: action.call.clone(),
                    target: action.target.clone(),
                    risk: risk::of(&action.call, facts, tool),
                    reason: action.reason.clone(),
                    diff: action.diff.clone(),
                    docker_line: action.docker_line.clone(),
                    downtime: action.downtime.clone(),
                    inverse: action.inverse.clone(),
                    state: FixState::Staged,
                    result: None,
                }
            })
            .collect();
        Plan {
            incident: id.clone(),
            steps,
            preconditions: Preconditions {
                image_id: target.image_id.clone(),
                started_at: target.started_at_raw.clone(),
                config_hash: target.config_hash.clone(),
            },
            staged_at: now,
            expires_at: now + self.settings.plan_expiry,
            sha256: String::new(),
        }
        .freeze()
    }

    /// Decides whether a staged plan runs by itself.
    pub(crate) fn consider(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.retry_at = None;
        let incident = Arc::clone(&open.incident);
        let Some(plan) = incident.plan.as_ref().filter(|p| p.is_staged()) else { return };
        let Some(first) = plan.steps.first() else { return };
        let Some(facts) = self.world.containers.get(&first.target.id) else { return };
        // The incidents of the target count too: a dependency's own death is what was observed.
        let on_target: Vec<Anomaly> = self
            .incidents
            .values()
            .filter(|o| !o.incident.state.is_closed())
            .flat_map(|o| o.incident.anomalies.iter().cloned())
            .collect();
        let unknown_intent = on_target
            .iter()
            .any(|a| a.kind == AnomalyKind::FoundDown && a.container.id == first.target.id);
        let decision = decide(&Request {
            mode: self.settings.mode,
            elected: self.settings.elected,
            watch_all: self.settings.watch_all,
            plan,
            class: incident.class,
            confidence: incident.diagnosis.as_ref().map_or(0.0, |d| d.confidence),
            target: &facts.container,
            operator_intent: unknown_intent || facts.stopped_by_operator.is_some(),
            anomalies: &on_target,
            brakes: &self.brakes,
            now,
        });
        match decision {
            Decision::Allow => {
                let fix = first.id.clone();
                let sha = plan.sha256.clone();
                if let Err(error) = self.approve(id, &fix, &sha, &Actor::Policy, turn) {
                    self.note(id, Actor::Policy, format!("not approved: {error}"), turn);
                }
            }
            Decision::NeedsApproval(reasons) | Decision::Refuse(reasons) => {
                self.hold(id, &reasons, turn);
            }
        }
    }

    fn hold(&mut self, id: &IncidentId, reasons: &[Reason], turn: &mut Turn) {
        for reason in reasons {
            self.not_acting(id, reason.code, &reason.words, turn);
        }
        let passes = self.settings.mode == Mode::AutoHeal && reasons.iter().all(|r| r.passes);
        if let (true, Some(open)) = (passes, self.incidents.get_mut(id)) {
            open.work.retry_at = Some(turn.now + RETRY);
        }
    }

    /// Says why nothing is done, once per reason and diagnosis.
    pub(crate) fn not_acting(
        &mut self,
        id: &IncidentId,
        code: NotActing,
        why: &str,
        turn: &mut Turn,
    ) {
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if !work.told.insert(code.as_str()) {
            return;
        }
        let line = format!("{}: {why}", code.as_str());
        if !incident.not_acting.contains(&line) && incident.not_acting.len() < 50 {
            incident.not_acting.push(line);
        }
        turn.emit(Event::NotActing { incident_id: id.clone(), code, reason: why.to_owned() });
    }

    /// Hands an incident to a person.
    pub(crate) fn escalate(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        let now = turn.now;
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if !incident.transition(
            IncidentState::Escalated,
            now,
            Actor::System,
            format!("escalated: {why}"),
        ) {
            return;
        }
        work.verification = None;
        work.worse = None;
        let wire = IncidentWire::from(&*incident);
        turn.emit(Event::IncidentEscalated { incident: wire });
    }

    /// Takes a staged plan off the table.
    pub(crate) fn withdraw_plan(&mut self, id: &IncidentId, why: &str, turn: &mut Turn) {
        self.drop_plan(id, FixState::Stale, why, &Actor::System, turn);
    }

    /// Ends a staged plan without running it, and says so.
    pub(crate) fn drop_plan(
        &mut self,
        id: &IncidentId,
        state: FixState,
        why: &str,
        by: &Actor,
        turn: &mut Turn,
    ) {
        let Some(plan) = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref()) else {
            return;
        };
        if !plan.is_staged() {
            return;
        }
        let mut words = Vec::new();
        if let Some((incident, work)) = self.edit(id, turn) {
            work.retry_at = None;
            if let Some(plan) = &mut incident.plan {
                for fix in &mut plan.steps {
                    fix.state = state;
                    words.push(word(id, fix, by, Some(why.to_owned())));
                }
            }
        }
        for word in words {
            turn.emit(match state {
                FixState::Rejected => Event::FixRejected(word),
                FixState::Expired => Event::FixExpired(word),
                _ => Event::FixStale(word),
            });
        }
    }

    /// A plan that nobody decided about in time lapses; the incident goes to a person.
    fn expire(&mut self, id: &IncidentId, turn: &mut Turn) {
        let due = self
            .incidents
            .get(id)
            .and_then(|o| o.incident.plan.as_ref())
            .is_some_and(|p| p.is_staged() && p.expires_at <= turn.now);
        if due {
            self.drop_plan(id, FixState::Expired, "nobody decided in time", &Actor::System, turn);
            self.escalate(id, "the plan expired without a decision", turn);
        }
    }

    /// Tools were discovered: diagnoses that waited for them go on.
    pub(crate) fn tools_changed(&mut self, turn: &mut Turn) {
        for id in self.open_ids() {
            let waits = self.incidents.get(&id).and_then(|o| {
                (o.incident.state == IncidentState::Diagnosing && o.work.diagnose_by.is_none())
                    .then(|| o.incident.diagnosis.clone())
                    .flatten()
            });
            if let Some(diagnosis) = waits.filter(|d| !d.plan.is_empty()) {
                self.follow_up(&id, &diagnosis, turn);
            }
        }
    }
}

/// What a detector's kind means before diagnosis.
fn first_guess(kind: AnomalyKind) -> FailureClass {
    match kind {
        AnomalyKind::Death | AnomalyKind::FoundDown => FailureClass::TransientCrash,
        AnomalyKind::CrashLoop => FailureClass::CrashLoop,
        AnomalyKind::OomKill => FailureClass::OomKill,
        AnomalyKind::Unhealthy => FailureClass::Hang,
        AnomalyKind::ConnectionRefused => FailureClass::DependencyDown,
        AnomalyKind::FatalSignature => FailureClass::NewError,
        AnomalyKind::ErrorBurst => FailureClass::ErrorBurst,
        AnomalyKind::StartFailure => FailureClass::StartFailure,
    }
}

/// A fix's wire word.
pub(crate) fn word(id: &IncidentId, fix: &Fix, by: &Actor, reason: Option<String>) -> FixWord {
    FixWord {
        incident_id: id.clone(),
        fix_id: fix.id.clone(),
        tool: fix.call.tool.clone(),
        target: fix.target.name.clone(),
        step: fix.step,
        by: by.to_string(),
        reason,
        result: fix.result.clone(),
    }
}

/// An audit record about one step of a plan.
pub(crate) fn record(
    action: AuditAction,
    actor: Actor,
    id: &IncidentId,
    plan: &Plan,
    fix: &Fix,
    now: Timestamp,
) -> AuditRecord {
    AuditRecord {
        at: now,
        actor,
        action,
        incident: id.clone(),
        fix: Some(fix.id.clone()),
        target: fix.target.name.clone(),
        target_id: fix.target.id.0.clone(),
        call: Some(fix.call.clone()),
        reason: fix.reason.clone(),
        plan_sha256: Some(plan.sha256.clone()),
        result: fix.result.clone(),
    }
}
