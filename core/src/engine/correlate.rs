//! Which incident an anomaly belongs to: one incident per cause.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::diagnose::world::Facts;
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::anomaly_wire::AnomalyWire;
use crate::domain::container::RunState;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::ids::IncidentId;
use crate::domain::incident::IncidentState;
use crate::domain::plan::{Actor, FixState};
use crate::domain::quiet::QuietReason;
use crate::domain::severity::Severity;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// A log anomaly waits this long for a deeper cause among its neighbours.
const NEIGHBOUR_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// Containers that were found down this close together were lost in the same gap.
const NEIGHBOUR_WINDOW: SignedDuration = SignedDuration::from_mins(2);
/// A peer that an operator stopped may be on its way back: a deploy, a restart.
const OPERATOR_PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// So many anomalies wait at a time; the oldest settles early when there is no room.
const MAX_WAITING: usize = 500;
/// Anomalies kept that belong to no incident; the oldest gives way.
const ANOMALIES_KEPT: usize = 200;
/// What was seen on a container this long before its incident opens belongs to it.
const CONTEXT: SignedDuration = SignedDuration::from_secs(30);

/// What became of a peer that was stopped by an operator.
enum Peer {
    StoppedAt(Timestamp),
    /// The operator has brought it back meanwhile.
    Back,
}

/// An anomaly that waits for a deeper cause.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) anomaly: Anomaly,
    pub(crate) until: Timestamp,
    /// Its peer was stopped by an operator, so it waits a second time, and no longer.
    postponed: bool,
}

impl Engine {
    pub(crate) fn anomaly(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        let mut anomaly = self.weighed(anomaly);
        self.triaged(&mut anomaly, turn);
        turn.emit(Event::Anomaly { anomaly: AnomalyWire::from(&anomaly) });
        self.board.anomaly(&anomaly);
        self.route(anomaly, turn);
    }

    /// What somebody complains about while something that it needs is frozen is no small matter:
    /// nothing can answer, and a client that waits writes little.
    fn weighed(&self, mut anomaly: Anomaly) -> Anomaly {
        if anomaly.severity < Severity::High
            && anomaly.kind.is_said()
            && let Some(frozen) = self.frozen_need(&anomaly)
        {
            anomaly.severity = Severity::High;
            let name = &frozen.container.of.name;
            anomaly.summary = format!("{}; {name}, which it needs, is paused", anomaly.summary);
        }
        anomaly
    }

    fn frozen_need(&self, anomaly: &Anomaly) -> Option<&Facts> {
        let facts = self.world.containers.get(&anomaly.container.id)?;
        let needs = topology::upstream(&self.world, facts);
        needs.into_iter().map(|(_, f)| f).find(|f| f.container.state == RunState::Paused)
    }

    /// An anomaly that was told before and whose incident is closed now, while its container is
    /// still down.
    pub(crate) fn route_again(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        self.route(anomaly, turn);
    }

    fn route(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        if let Some(id) = self.incident_of(&anomaly) {
            self.attach(&id, anomaly, turn);
            return;
        }
        if anomaly.severity < Severity::High {
            self.keep_visible(anomaly);
            return;
        }
        if let Some(reason) = self.quiet_reason(&anomaly, turn.now) {
            self.suppress(&anomaly.container, reason, &anomaly.summary, turn);
            self.keep_visible(anomaly);
            return;
        }
        if anomaly.kind.is_engine_observed() {
            self.open(anomaly, turn);
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            let oldest = self.waiting.remove(0);
            self.settle(oldest, turn);
        }
        self.waiting.push(Waiting { anomaly, until: turn.now + NEIGHBOUR_WAIT, postponed: false });
    }

    /// Anomalies that waited long enough find their incident or open one.
    pub(crate) fn settle_waiting(&mut self, turn: &mut Turn) {
        let now = turn.now;
        while let Some(at) = self.waiting.iter().position(|w| w.until <= now) {
            let due = self.waiting.remove(at);
            self.settle(due, turn);
        }
    }

    fn settle(&mut self, due: Waiting, turn: &mut Turn) {
        let Waiting { anomaly, postponed, .. } = due;
        if let Some(id) = self.incident_of(&anomaly) {
            self.attach(&id, anomaly, turn);
            return;
        }
        if !self.world.containers.contains_key(&anomaly.container.id) {
            // It was removed or replaced meanwhile: there is nothing left to mend.
            self.keep_visible(anomaly);
            return;
        }
        match self.replaced_peer(&anomaly, postponed) {
            Some(Peer::StoppedAt(at)) if !postponed && turn.now < at + OPERATOR_PATIENCE => {
                // The engine's clock may be ahead of ours: no longer than that in any case.
                let until = at.min(turn.now) + OPERATOR_PATIENCE;
                self.waiting.push(Waiting { anomaly, until, postponed: true });
            }
            Some(Peer::Back) if postponed => {
                // It is back, or goes on.
                let (of, what) = (anomaly.container.clone(), anomaly.summary.clone());
                self.suppress(&of, QuietReason::Deploy, &what, turn);
                self.keep_visible(anomaly);
            }
            _ if anomaly.kind == AnomalyKind::FoundDown => self.open_found_down(anomaly, turn),
            _ => self.open(anomaly, turn),
        }
    }

    /// The peer that a refused connection names, if an operator stopped it, or what it needs, if
    /// somebody froze it: a deploy, a restart or a snapshot takes a moment.
    fn replaced_peer(&self, anomaly: &Anomaly, postponed: bool) -> Option<Peer> {
        if let Some(frozen) = self.frozen_need(anomaly) {
            return frozen.changed_at.map(Peer::StoppedAt);
        }
        if anomaly.kind != AnomalyKind::ConnectionRefused {
            return postponed.then_some(Peer::Back);
        }
        let facts = self.world.containers.get(&anomaly.container.id)?;
        let peers = topology::named(&self.world, facts, anomaly);
        let stopped = peers.iter().find_map(|p| p.stopped_by_operator);
        Some(match stopped {
            Some(at) => Peer::StoppedAt(at),
            None if !peers.is_empty() && peers.iter().all(|p| p.container.is_up()) => Peer::Back,
            None => return None,
        })
    }

    /// What was found down after a gap has one cause: the gap. One incident for all of it.
    fn open_found_down(&mut self, first: Anomaly, turn: &mut Turn) {
        let (also, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|w| w.anomaly.kind == AnomalyKind::FoundDown);
        self.waiting = rest;
        let since = self.incidents.keys().next_back().cloned();
        self.open(first, turn);
        let Some(id) = self.incidents.keys().next_back().filter(|id| Some(*id) != since.as_ref())
        else {
            return;
        };
        let id = id.clone();
        for Waiting { anomaly, .. } in also {
            self.attach(&id, anomaly, turn);
        }
    }

    fn keep_visible(&mut self, anomaly: Anomaly) {
        if self.anomalies.len() >= ANOMALIES_KEPT {
            self.anomalies.pop_front();
        }
        self.anomalies.push_back(Arc::new(anomaly));
    }

    /// The open incident that an anomaly belongs to: one on the same container, or one on a
    /// sibling that this container needs.
    fn incident_of(&self, anomaly: &Anomaly) -> Option<IncidentId> {
        let open = || self.incidents.values().filter(|o| !o.incident.state.is_closed());
        // A name alone means the same only while the incident's own container is there: its
        // successor of that name is another one, unless it is our plan that makes it anew.
        let same = open().find(|o| {
            o.incident.container.id == anomaly.container.id
                || (o.incident.root == anomaly.container.name
                    && (o.incident.state == IncidentState::Fixing
                        || self.world.containers.contains_key(&o.incident.container.id)))
        });
        if let Some(open) = same {
            return Some(open.incident.id.clone());
        }
        if anomaly.kind.is_engine_observed() {
            return self.storm_of(anomaly);
        }
        if anomaly.kind == AnomalyKind::FoundDown {
            let gap = open().find(|o| {
                let found = o.incident.anomalies.iter().rev();
                found.take_while(|a| a.kind == AnomalyKind::FoundDown).any(|a| {
                    a.observed_at.duration_since(anomaly.observed_at).abs() <= NEIGHBOUR_WINDOW
                })
            });
            return gap.map(|o| o.incident.id.clone());
        }
        // Whoever suffers from a cause complains about it in many ways.
        let suffers = open().find(|o| o.incident.affected.contains(&anomaly.container.name));
        if let Some(open) = suffers {
            return Some(open.incident.id.clone());
        }
        let facts = self.world.containers.get(&anomaly.container.id)?;
        open()
            .find(|o| {
                self.world.by_name(&o.incident.root).is_some_and(|root| {
                    topology::needs(&self.world, facts, root, Some(anomaly)).is_some()
                })
            })
            .map(|o| o.incident.id.clone())
    }

    /// An anomaly becomes part of an incident.
    pub(crate) fn attach(&mut self, id: &IncidentId, anomaly: Anomaly, turn: &mut Turn) {
        let now = turn.now;
        let started = self.own.has_started(&anomaly.container.id);
        let log_ended = self.log_is_complete(&anomaly.container.id, turn);
        let mut inspect = None;
        let Some((incident, work)) = self.edit(id, turn) else { return };
        let new_kind = !incident
            .anomalies
            .iter()
            .any(|a| a.kind == anomaly.kind && a.container.id == anomaly.container.id);
        let elsewhere = anomaly.container.name != incident.root;
        if elsewhere && !incident.affected.contains(&anomaly.container.name) {
            incident.affected.push(anomaly.container.name.clone());
        }
        let raised = anomaly.severity > incident.severity;
        if new_kind || raised {
            incident.note(now, Actor::System, format!("also: {}", anomaly.summary));
        }
        let on_subject = anomaly.container.id == incident.container.id;
        let on_target = incident
            .plan
            .iter()
            .flat_map(|p| &p.steps)
            .any(|s| s.target_now() == &anomaly.container.id);
        // While the plan runs, what was on its way before our call took effect is no verdict.
        let since_fix = match incident.state {
            IncidentState::Fixing => {
                started
                    || incident
                        .plan
                        .iter()
                        .flat_map(|p| &p.steps)
                        .any(|s| s.state == FixState::Applied)
            }
            _ => true,
        };
        if anomaly.kind.is_engine_observed() {
            work.unwitnessed = false;
            // A light sign (a store that loads its data again stands near its limit) is no verdict.
            let bad = anomaly.severity >= Severity::High;
            if bad && (on_subject || on_target) && since_fix {
                work.worse = Some(anomaly.summary.clone());
            }
        }
        // What a new death left behind is still on its way.
        if on_subject
            && matches!(
                anomaly.kind,
                AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill
            )
        {
            work.await_death_evidence(now, log_ended);
            inspect = Some(Effect::Inspect(anomaly.container.id.clone()));
        }
        work.last_sign = Some(now);
        let is_storm = anomaly.kind == AnomalyKind::RestartStorm;
        incident.attach(anomaly);
        work.rethink |= new_kind;
        if new_kind || raised {
            let wire = IncidentWire::from(&*incident);
            turn.emit(Event::IncidentUpdated { incident: wire });
        }
        turn.effects.extend(inspect);
        if is_storm {
            self.gather_storm(id, turn);
        }
    }

    /// What was seen on a container a moment ago: below the threshold, waiting, or counted as a
    /// symptom of another incident (where it stays).
    pub(crate) fn context_of(&mut self, anomaly: &Anomaly) -> Vec<Anomaly> {
        let mut context = Vec::new();
        self.anomalies.retain(|a| {
            let belongs = a.container.id == anomaly.container.id
                && anomaly.observed_at.duration_since(a.observed_at).abs() <= CONTEXT;
            if belongs {
                context.push((**a).clone());
            }
            !belongs
        });
        let (mine, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|w| w.anomaly.container.id == anomaly.container.id);
        self.waiting = rest;
        context.extend(mine.into_iter().map(|w| w.anomaly));
        let elsewhere = self
            .incidents
            .values()
            .filter(|o| !o.incident.state.is_closed())
            .flat_map(|o| &o.incident.anomalies)
            .filter(|a| {
                a.container.id == anomaly.container.id
                    && anomaly.observed_at.duration_since(a.observed_at).abs() <= CONTEXT
            });
        context.extend(elsewhere.cloned());
        context.sort_by_key(|a| a.observed_at);
        context
    }
}
