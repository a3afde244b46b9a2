//! Is it mended? Every oracle must hold for a while; what got worse is taken back.

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::container::{Health, RunState};
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::{Check, Incident, IncidentState};
use crate::domain::plan::{Actor, FixState};
use crate::domain::tool::ToolResult;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// How often the oracles are asked.
const LOOK: SignedDuration = SignedDuration::from_millis(500);
/// No verification takes longer.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// Something must hold by then at the latest, health check or not.
const SHORTEST: SignedDuration = SignedDuration::from_secs(30);
/// Detectors repeat themselves within this time while a signal lasts.
const QUIET: SignedDuration = SignedDuration::from_secs(10);

/// The oracles at work on one incident.
#[derive(Debug)]
pub(crate) struct Verification {
    /// Whether our own plan is being verified (or a recovery that we only watch).
    pub(crate) ours: bool,
    /// Whose recovery.
    target: ContainerId,
    /// When the fix ended, or the watch began.
    began: Timestamp,
    /// When every oracle must hold at the latest.
    deadline: Timestamp,
    /// Since when every oracle holds.
    holds_since: Option<Timestamp>,
    /// `StartedAt` when they began to hold.
    started_at: Option<String>,
    /// When to look next.
    pub(crate) next_look: Timestamp,
}

impl Engine {
    /// Our plan ran: verify.
    pub(crate) fn begin_verification(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let target = self
            .incidents
            .get(id)
            .and_then(|o| o.incident.plan.as_ref()?.steps.last().map(|s| s.target.id.clone()));
        let Some(target) = target else { return };
        let verification = self.verification(&target, now, true);
        if let Some((incident, work)) = self.edit(id, turn) {
            work.verification = Some(verification);
            work.worse = None;
            let moved = incident.transition(
                IncidentState::Verifying,
                now,
                Actor::System,
                "mitigated, monitoring: every check must hold",
            );
            debug_assert!(moved, "fixing leads to verifying");
        }
        turn.effects.push(Effect::Inspect(target));
    }

    /// Somebody or something else may have mended it: watch.
    pub(crate) fn watch_recovery(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(target) = self.incidents.get(id).map(|o| o.incident.container.id.clone()) else {
            return;
        };
        let verification = self.verification(&target, now, false);
        if let Some((incident, work)) = self.edit(id, turn) {
            work.verification = Some(verification);
            work.worse = None;
            if incident.state == IncidentState::Diagnosing {
                let moved = incident.transition(
                    IncidentState::Verifying,
                    now,
                    Actor::System,
                    "watching whether it comes back and stays up",
                );
                debug_assert!(moved, "diagnosing leads to verifying");
            }
        }
    }

    fn verification(&self, target: &ContainerId, now: Timestamp, ours: bool) -> Verification {
        let health = self
            .world
            .containers
            .get(target)
            .and_then(|f| f.container.health_check.as_ref())
            .and_then(|h| SignedDuration::try_from(h.longest_verdict()).ok())
            .unwrap_or(SHORTEST);
        Verification {
            ours,
            target: target.clone(),
            began: now,
            deadline: now + health.clamp(SHORTEST, LONGEST),
            holds_since: None,
            started_at: None,
            next_look: now,
        }
    }

    /// Asks the oracles, if it is time, and draws the conclusion.
    pub(crate) fn verify(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        self.notice_recovery(id, turn);
        let Some(open) = self.incidents.get(id) else { return };
        let Some(verification) = &open.work.verification else { return };
        let worse = open.work.worse.clone();
        if worse.is_none() && verification.next_look > now {
            return;
        }
        let checks = self.checks(&open.incident, verification, now);
        let all = checks.iter().all(|c| c.passed);
        let hold = self.settings.verify_hold;
        let started = self
            .world
            .containers
            .get(&verification.target)
            .map(|f| f.container.started_at_raw.clone());
        let Some((incident, work)) = self.edit_quietly(id) else { return };
        let Some(verification) = &mut work.verification else { return };
        verification.next_look = now + LOOK;
        if !all {
            verification.holds_since = None;
            verification.started_at = None;
        } else if verification.holds_since.is_none() {
            verification.holds_since = Some(now);
            verification.started_at = started;
        }
        let ours = verification.ours;
        let passed = verification.holds_since.is_some_and(|s| now.duration_since(s) >= hold);
        let late = verification.holds_since.is_none() && now >= verification.deadline;
        if incident.checks != checks {
            incident.checks.clone_from(&checks);
            turn.dirty.insert(id.clone());
        }
        if let Some(worse) = worse {
            work.worse = None;
            self.got_worse(id, ours, &worse, checks, turn);
        } else if passed {
            self.mended(id, ours, checks, turn);
        } else if late {
            self.not_mended(id, ours, checks, turn);
        }
    }

    fn edit_quietly(
        &mut self,
        id: &IncidentId,
    ) -> Option<(&mut Incident, &mut super::cycle::Work)> {
        let open = self.incidents.get_mut(id)?;
        Some((std::sync::Arc::make_mut(&mut open.incident), &mut open.work))
    }

    fn mended(&mut self, id: &IncidentId, ours: bool, checks: Vec<Check>, turn: &mut Turn) {
        self.tell_verification(id, ours, true, checks, turn);
        let (state, why) = if ours {
            (IncidentState::Resolved, "verified: every check held".to_owned())
        } else {
            (IncidentState::ResolvedExternally, "it recovered and stayed up".to_owned())
        };
        self.close(id, state, Actor::System, why, turn);
    }

    fn not_mended(&mut self, id: &IncidentId, ours: bool, checks: Vec<Check>, turn: &mut Turn) {
        let failed: Vec<&str> =
            checks.iter().filter(|c| !c.passed).map(|c| c.detail.as_str()).collect();
        let why = format!("not verified in time: {}", failed.join("; "));
        self.tell_verification(id, ours, false, checks, turn);
        if ours {
            self.brakes.end();
        }
        let escalated = self.incidents.get(id).map(|o| o.incident.state);
        if let Some((_, work)) = self.edit_quietly(id) {
            work.verification = None;
        }
        if escalated == Some(IncidentState::Verifying) {
            self.escalate(id, &why, turn);
        }
    }

    /// It failed again after the fix, or during a recovery that we only watched.
    fn got_worse(
        &mut self,
        id: &IncidentId,
        ours: bool,
        why: &str,
        checks: Vec<Check>,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        if !ours {
            let Some((incident, work)) = self.edit(id, turn) else { return };
            work.verification = None;
            if incident.state == IncidentState::Verifying {
                let moved = incident.transition(
                    IncidentState::Diagnosing,
                    now,
                    Actor::System,
                    format!("it failed again: {why}"),
                );
                debug_assert!(moved, "verifying leads to diagnosing");
                incident.diagnosis = None;
                if work.diagnose_by.is_none() {
                    work.await_death_evidence(now);
                }
            }
            return;
        }
        self.tell_verification(id, ours, false, checks, turn);
        self.brakes.end();
        let mut undo = None;
        if let Some((incident, work)) = self.edit(id, turn) {
            let reversible = incident.plan.as_ref().is_some_and(|p| {
                p.steps.iter().any(|s| s.state == FixState::Applied && s.inverse.is_some())
            });
            if let (true, Some(plan)) = (reversible, &incident.plan) {
                undo = work.undo.take().and_then(|ticket| ticket.redeem(plan));
            }
        }
        let words =
            if undo.is_some() { "taking the fix back" } else { "the fix cannot be taken back" };
        self.escalate(id, &format!("worse after the fix ({why}); {words}"), turn);
        if let Some(plan) = undo {
            turn.effects.push(Effect::Undo { plan });
        }
    }

    fn tell_verification(
        &mut self,
        id: &IncidentId,
        ours: bool,
        passed: bool,
        checks: Vec<Check>,
        turn: &mut Turn,
    ) {
        let now = turn.now;
        let Some((incident, _)) = self.edit(id, turn) else { return };
        incident.checks.clone_from(&checks);
        if !ours {
            return;
        }
        let Some(plan) = &incident.plan else { return };
        let Some(last) = plan.steps.last() else { return };
        let fix_id: FixId = last.id.clone();
        let failed: Vec<&str> =
            checks.iter().filter(|c| !c.passed).map(|c| c.detail.as_str()).collect();
        let message = if passed { "every check held".to_owned() } else { failed.join("; ") };
        let record = AuditRecord {
            at: now,
            actor: Actor::System,
            action: if passed { AuditAction::Verified } else { AuditAction::NotVerified },
            incident: id.clone(),
            fix: Some(fix_id.clone()),
            target: last.target.name.clone(),
            target_id: last.target.id.0.clone(),
            call: None,
            reason: "verification".to_owned(),
            plan_sha256: Some(plan.sha256.clone()),
            result: Some(ToolResult { ok: passed, message, duration_ms: 0 }),
        };
        turn.effects.push(Effect::Audit(Box::new(record)));
        turn.emit(Event::Verification { incident_id: id.clone(), fix_id, passed, checks });
    }

    /// An incident that waits for a person may mend itself: somebody started the container,
    /// the health check passes again, the errors stopped.
    fn notice_recovery(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get(id) else { return };
        let incident = &open.incident;
        let waits =
            matches!(incident.state, IncidentState::AwaitingApproval | IncidentState::Escalated);
        if !waits || open.work.verification.is_some() {
            return;
        }
        let Some(facts) = self.world.containers.get(&incident.container.id) else { return };
        let well = facts.container.state == RunState::Running
            && matches!(facts.container.health, Health::None | Health::Healthy);
        let root_well = self.world.by_name(&incident.root).is_none_or(|f| {
            f.container.state == RunState::Running && f.container.health != Health::Unhealthy
        });
        if well && root_well {
            self.watch_recovery(id, turn);
        }
    }

    fn checks(
        &self,
        incident: &Incident,
        verification: &Verification,
        now: Timestamp,
    ) -> Vec<Check> {
        let check =
            |name: &str, passed, detail: String| Check { name: name.to_owned(), passed, detail };
        let Some(facts) = self.world.containers.get(&verification.target) else {
            return vec![check("running", false, "the container is gone".to_owned())];
        };
        let container = &facts.container;
        let name = &container.of.name;
        let mut checks = vec![check(
            "running",
            container.state == RunState::Running,
            format!("{name} is {}", container.state),
        )];
        let same = verification.started_at.as_ref().is_none_or(|s| s == &container.started_at_raw);
        checks.push(check(
            "same_start",
            same,
            if same {
                format!("{name} runs since {}", container.started_at_raw)
            } else {
                format!("{name} was started again meanwhile")
            },
        ));
        let (healthy, words) = match container.health {
            Health::None => (true, "it has no health check".to_owned()),
            Health::Healthy => (true, "its health check passes".to_owned()),
            Health::Starting => (false, "its health check has no verdict yet".to_owned()),
            Health::Unhealthy => (false, "its health check fails".to_owned()),
        };
        checks.push(check("healthy", healthy, format!("{name}: {words}")));
        let began = verification.began;
        // One that needs it may complain a little longer; what counts is that it stops: every
        // complaint starts the wait anew.
        let quiet = QUIET.min(self.settings.verify_hold);
        let noise = incident
            .anomalies
            .iter()
            .rev()
            .find(|a| a.observed_at > began && now.duration_since(a.observed_at) < quiet);
        checks.push(check(
            "signals_quiet",
            noise.is_none(),
            noise.map_or_else(|| "its own signals are quiet".to_owned(), |a| a.summary.clone()),
        ));
        checks.push(self.dependents(facts, began));
        checks
    }

    fn dependents(&self, root: &crate::diagnose::world::Facts, began: Timestamp) -> Check {
        let bad = self.world.containers.values().find(|f| {
            let down_now = !f.container.is_up() || f.container.health == Health::Unhealthy;
            let newly = f.changed_at.is_some_and(|at| at > began);
            f.container.of.id != root.container.of.id
                && down_now
                && newly
                && f.stopped_by_operator.is_none()
                && topology::needs(&self.world, f, root, None).is_some()
        });
        Check {
            name: "dependents".to_owned(),
            passed: bad.is_none(),
            detail: bad.map_or_else(
                || "nothing that needs it got worse".to_owned(),
                |f| format!("{} needs it and got worse", f.container.of.name),
            ),
        }
    }

    /// On start: what an earlier run left open. A plan that was being applied is never repeated;
    /// the state of the world decides.
    pub(crate) fn resume_earlier(&mut self, turn: &mut Turn) {
        let now = turn.now;
        for id in self.open_ids() {
            let exists = self
                .incidents
                .get(&id)
                .is_some_and(|o| self.world.containers.contains_key(&o.incident.container.id));
            if !exists {
                let why = "the container was removed while nobody watched".to_owned();
                let fixing = self
                    .incidents
                    .get(&id)
                    .is_some_and(|o| o.incident.state == IncidentState::Fixing);
                if fixing {
                    self.interrupted(&id, turn);
                }
                self.close(&id, IncidentState::ResolvedExternally, Actor::System, why, turn);
                continue;
            }
            let state = self.incidents.get(&id).map(|o| o.incident.state);
            match state {
                Some(IncidentState::Fixing) => self.interrupted(&id, turn),
                Some(IncidentState::Detected | IncidentState::Diagnosing) => {
                    if let Some((_, work)) = self.edit(&id, turn) {
                        work.diagnose_by = Some(now);
                    }
                }
                Some(IncidentState::Verifying) => {
                    self.note(
                        &id,
                        Actor::System,
                        "verification goes on after a restart of sentinel-tui".to_owned(),
                        turn,
                    );
                    let ours = self
                        .incidents
                        .get(&id)
                        .and_then(|o| o.incident.plan.as_ref())
                        .is_some_and(|p| p.steps.iter().any(|s| s.state == FixState::Applied));
                    if ours {
                        let target = self.incidents.get(&id).and_then(|o| {
                            o.incident.plan.as_ref()?.steps.last().map(|s| s.target.id.clone())
                        });
                        if let Some(target) = target {
                            let verification = self.verification(&target, now, true);
                            self.brakes.begin();
                            if let Some((_, work)) = self.edit(&id, turn) {
                                work.verification = Some(verification);
                            }
                        }
                    } else {
                        self.watch_recovery(&id, turn);
                    }
                }
                _ => {}
            }
        }
    }

    fn interrupted(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let mut audits = Vec::new();
        if let Some((incident, _)) = self.edit(id, turn)
            && let Some(plan) = &mut incident.plan
        {
            let frozen = plan.clone();
            for step in plan.steps.iter_mut().filter(|s| !s.state.is_final()) {
                step.state = FixState::Failed;
                step.result = Some(ToolResult {
                    ok: false,
                    message: "sentinel-tui ended during the call; its outcome is not known and it is not repeated".to_owned(),
                    duration_ms: 0,
                });
                audits.push(super::cycle::record(
                    AuditAction::Interrupted,
                    Actor::System,
                    id,
                    &frozen,
                    step,
                    now,
                ));
            }
        }
        turn.effects.extend(audits.into_iter().map(|r| Effect::Audit(Box::new(r))));
        self.escalate(
            id,
            "sentinel-tui ended while a call was under way; look at the container",
            turn,
        );
    }
}
