//! Deciding about a staged plan: it runs, it waits for a person, or a person takes over.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::Container;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::IncidentState;
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Actor;
use crate::domain::snapshot::Mode;
use crate::engine::{Engine, Open, Turn};
use crate::policy::reason::Reason;
use crate::policy::{Decision, Request, decide, rests_on};

/// A decision that was held up by something that passes is made again after this long.
const RETRY: SignedDuration = SignedDuration::from_secs(1);

/// The event of a death and the end that an inspect shows are this close together.
const SAME_END: SignedDuration = SignedDuration::from_secs(5);

/// At most this many reasons against acting are kept with an incident.
const MAX_REASONS: usize = 50;

impl Engine {
    /// Decides whether a staged plan runs by itself.
    pub(crate) fn consider(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.retry_at = None;
        if self.standing_down {
            return;
        }
        let target = open.incident.plan.as_ref().and_then(|p| p.steps.first());
        let target = target.map(|s| s.target.id.clone());
        let neighbour = target.and_then(|target| self.neighbour_changed(&target, now));
        let Some(open) = self.incidents.get(id) else { return };
        let incident = Arc::clone(&open.incident);
        let Some(plan) = incident.plan.as_ref().filter(|p| p.is_staged()) else { return };
        let Some(first) = plan.steps.first() else { return };
        if !self.world.containers.contains_key(&first.target.id) {
            return;
        }
        if let Some(step) = plan.steps.iter().find(|s| !self.world.has_tool(&s.call.tool)) {
            if !self.knows_tools(now) {
                if let Some(open) = self.incidents.get_mut(id) {
                    open.work.retry_at = Some(now + RETRY);
                }
                return;
            }
            let why = format!("no MCP server offers {}", step.call.tool);
            let missing = Reason::passes(NotActing::ToolMissing, why);
            self.hold(id, &[missing], turn);
            return;
        }
        if incident.snoozed_until().is_some() {
            let by = incident.snooze.as_ref().map_or("", |s| &s.by);
            let why = format!("{by} put it off; it is checked again then");
            self.hold(id, &[Reason::stays(NotActing::Snoozed, why)], turn);
            return;
        }
        let unrecorded = self.incidents.get(id).and_then(|o| o.work.unrecorded.clone());
        let judged = self.judge(id, neighbour.as_deref(), now, |request| {
            (decide(request), rests_on(request).map(|grant| grant.id))
        });
        let Some((decision, grant)) = judged else { return };
        if let Some((_, code, why)) = &unrecorded {
            self.not_acting(id, *code, why, turn);
        }
        match decision {
            Decision::Allow if unrecorded.as_ref().is_some_and(|(until, ..)| *until > now) => {
                let reason = unrecorded.map(|(_, code, words)| Reason::passes(code, words));
                self.hold(id, reason.as_slice(), turn);
            }
            Decision::Allow => {
                let fix = first.id.clone();
                let sha = plan.sha256.clone();
                match self.approve(id, &fix, &sha, &Actor::Policy, turn) {
                    Ok(_) => self.spend(grant, id, &fix, turn),
                    Err(error) => {
                        self.note(id, Actor::Policy, format!("not approved: {error}"), turn);
                    }
                }
            }
            Decision::NeedsApproval(reasons) | Decision::Refuse(reasons) => {
                self.hold(id, &reasons, turn);
                let hopeless = [NotActing::Flapping, NotActing::Ineffective];
                let frozen = reasons.iter().find(|r| hopeless.contains(&r.code));
                if let Some(frozen) = frozen.filter(|_| self.settings.mode == Mode::AutoHeal) {
                    self.escalate(id, &frozen.words, turn);
                }
            }
        }
    }

    /// What the policy makes of a staged plan now.
    pub(crate) fn judge<R>(
        &self,
        id: &IncidentId,
        neighbour: Option<&str>,
        now: Timestamp,
        ask: impl FnOnce(&Request<'_>) -> R,
    ) -> Option<R> {
        let open = self.incidents.get(id)?;
        let incident = &open.incident;
        let plan = incident.plan.as_ref()?;
        let target = &plan.steps.first()?.target.id;
        let facts = self.world.containers.get(target)?;
        // A dependency's own death is an anomaly of its own incident, or of none that is open.
        let seen = self.seen_on(id, target);
        let last = seen.iter().rfind(|a| &a.container.id == target);
        let unknown_intent = last.is_some_and(|a| a.kind == AnomalyKind::FoundDown)
            || (open.work.unwitnessed
                && !facts.container.is_up()
                && !seen.iter().any(|a| is_its_end(a, &facts.container)));
        Some(ask(&Request {
            mode: self.settings.mode,
            // Who keeps no record makes no call.
            elected: self.settings.elected && self.settings.keeps,
            watch_all: self.settings.watch_all,
            rules: &self.settings.rules,
            plan,
            tools: &self.world.tools,
            class: incident.class,
            confidence: incident.diagnosis.as_ref().map_or(0.0, |d| d.confidence),
            target: &facts.container,
            operator_intent: unknown_intent || facts.stopped_by_operator.is_some(),
            refused_by_person: incident.is_refused_by_person(),
            silenced: self.quiet.silenced(&facts.container.of),
            neighbour,
            anomalies: &seen,
            brakes: &self.brakes,
            now,
        }))
    }

    /// What was seen in this incident, and on the target in other open ones; oldest first.
    fn seen_on(&self, id: &IncidentId, target: &ContainerId) -> Vec<Anomaly> {
        let open = self.incidents.iter().filter(|(_, o)| !o.incident.state.is_closed());
        let mut seen: Vec<Anomaly> = open
            .flat_map(|(other, o)| o.incident.anomalies.iter().map(move |a| (other == id, a)))
            .filter(|(mine, a)| *mine || &a.container.id == target)
            .map(|(_, a)| a.clone())
            .collect();
        seen.sort_by_key(|a| a.observed_at);
        seen
    }

    fn hold(&mut self, id: &IncidentId, reasons: &[Reason], turn: &mut Turn) {
        for reason in reasons {
            self.not_acting(id, reason.code, &reason.words, turn);
        }
        let passes = self.may_act(id, turn.now) && reasons.iter().all(|r| r.passes);
        if let (true, Some(open)) = (passes, self.incidents.get_mut(id)) {
            open.work.retry_at = Some(turn.now + RETRY);
        }
    }

    /// Whether a plan may run without a person at all: the mode says so, or a grant does.
    fn may_act(&self, id: &IncidentId, now: Timestamp) -> bool {
        let plan = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref());
        let granted = plan.is_some_and(|p| self.brakes.granted(p, now).is_some());
        self.settings.mode == Mode::AutoHeal || (granted && self.settings.mode == Mode::Approve)
    }

    /// Says why nothing is done, once per reason and diagnosis.
    pub(crate) fn not_acting(
        &mut self,
        id: &IncidentId,
        code: NotActing,
        why: &str,
        turn: &mut Turn,
    ) {
        // Before anything is edited: what was told already is no change, and is not saved again.
        let told = |open: &mut Open| !open.work.told.insert(code.as_str());
        if self.incidents.get_mut(id).is_none_or(told) {
            return;
        }
        let Some((incident, _)) = self.edit(id, turn) else { return };
        let line = format!("{}: {why}", code.as_str());
        if !incident.not_acting.contains(&line) && incident.not_acting.len() < MAX_REASONS {
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
        work.retry_at = None;
        work.tools_by = None;
        let wire = IncidentWire::from(&*incident);
        turn.emit(Event::IncidentEscalated { incident: wire });
    }
}

/// Whether an anomaly is the witnessed death after which `container` is down still: then it does
/// not matter that nobody watched for a while since.
fn is_its_end(anomaly: &Anomaly, container: &Container) -> bool {
    let died =
        matches!(anomaly.kind, AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill)
            && anomaly.detail.exit_code.is_some();
    let at = anomaly.observed_at;
    died && anomaly.container.id == container.of.id
        && container.finished_at.is_some_and(|end| end.duration_since(at).abs() <= SAME_END)
        && container.started_at.is_none_or(|start| start <= at)
}
