//! Which incident an anomaly belongs to: one incident per cause.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::event::{AnomalyWire, Event, IncidentWire};
use crate::domain::ids::IncidentId;
use crate::domain::incident::IncidentState;
use crate::domain::plan::Actor;
use crate::domain::severity::Severity;
use crate::engine::{Engine, Turn};

/// A log anomaly waits this long for a deeper cause among its neighbours.
const NEIGHBOUR_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// An anomaly on a neighbour joins an incident at most this long after its last sign.
const NEIGHBOUR_WINDOW: SignedDuration = SignedDuration::from_mins(2);
/// What was seen on a container this long before its incident opens belongs to it.
const CONTEXT: SignedDuration = SignedDuration::from_secs(30);

/// An anomaly that waits for a deeper cause.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) anomaly: Anomaly,
    pub(crate) until: Timestamp,
}

impl Engine {
    pub(crate) fn anomaly(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        turn.emit(Event::Anomaly { anomaly: AnomalyWire::from(&anomaly) });
        self.board.anomaly(&anomaly);
        if let Some(id) = self.incident_of(&anomaly) {
            self.attach(&id, anomaly, turn);
            return;
        }
        if anomaly.severity < Severity::High {
            self.anomalies.push_back(Arc::new(anomaly));
            return;
        }
        let at_once = anomaly.kind.is_engine_observed();
        if at_once {
            self.open(anomaly, turn);
        } else {
            let until = turn.now + NEIGHBOUR_WAIT;
            self.waiting.push(Waiting { anomaly, until });
        }
    }

    /// Anomalies that waited long enough find their incident or open one.
    pub(crate) fn settle_waiting(&mut self, turn: &mut Turn) {
        let now = turn.now;
        let (due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|w| w.until <= now);
        self.waiting = rest;
        for Waiting { anomaly, .. } in due {
            match self.incident_of(&anomaly) {
                Some(id) => self.attach(&id, anomaly, turn),
                None => self.open(anomaly, turn),
            }
        }
    }

    /// The open incident that an anomaly belongs to: one on the same container, or one on a
    /// sibling that this container needs.
    fn incident_of(&self, anomaly: &Anomaly) -> Option<IncidentId> {
        let open = || self.incidents.values().filter(|o| !o.incident.state.is_closed());
        let same = open().find(|o| {
            o.incident.container.id == anomaly.container.id
                || o.incident.root == anomaly.container.name
        });
        if let Some(open) = same {
            return Some(open.incident.id.clone());
        }
        if anomaly.kind.is_engine_observed() {
            return None;
        }
        let facts = self.world.containers.get(&anomaly.container.id)?;
        open()
            .find(|o| {
                let last =
                    o.incident.anomalies.last().map_or(o.incident.opened_at, |a| a.observed_at);
                let fresh = anomaly.observed_at.duration_since(last).abs() <= NEIGHBOUR_WINDOW
                    || !o.incident.state.is_closed();
                let root = self.world.by_name(&o.incident.root);
                fresh
                    && root.is_some_and(|root| {
                        topology::needs(&self.world, facts, root, Some(anomaly)).is_some()
                    })
            })
            .map(|o| o.incident.id.clone())
    }

    fn attach(&mut self, id: &IncidentId, anomaly: Anomaly, turn: &mut Turn) {
        let now = turn.now;
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
        if on_subject && anomaly.kind.is_engine_observed() {
            work.worse = Some(anomaly.summary.clone());
        }
        // What a new death left behind is still on its way.
        if on_subject
            && matches!(
                anomaly.kind,
                AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill
            )
        {
            work.await_death_evidence(now);
        }
        work.last_sign = Some(anomaly.observed_at);
        incident.attach(anomaly);
        let unsettled = matches!(
            incident.state,
            IncidentState::Detected
                | IncidentState::Diagnosing
                | IncidentState::AwaitingApproval
                | IncidentState::Escalated
        );
        if new_kind && unsettled {
            work.rethink = true;
        }
        if new_kind || raised {
            let wire = IncidentWire::from(&*incident);
            turn.emit(Event::IncidentUpdated { incident: wire });
        }
    }

    /// Anomalies below the threshold that were seen on a container a moment ago.
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
        context
    }

    /// Incidents that turn out to be symptoms of the one just opened are merged into it.
    pub(crate) fn swallow_symptoms(&mut self, into: &IncidentId, turn: &mut Turn) {
        let Some(root) = self
            .incidents
            .get(into)
            .and_then(|o| self.world.containers.get(&o.incident.container.id))
        else {
            return;
        };
        let symptoms: Vec<IncidentId> = self
            .incidents
            .values()
            .filter(|o| {
                let i = &o.incident;
                let quiet_states = matches!(
                    i.state,
                    IncidentState::Detected
                        | IncidentState::Diagnosing
                        | IncidentState::AwaitingApproval
                        | IncidentState::Escalated
                );
                &i.id != into
                    && quiet_states
                    && !i.anomalies.iter().any(|a| a.kind.is_engine_observed())
                    && self.world.containers.get(&i.container.id).is_some_and(|f| {
                        i.anomalies
                            .iter()
                            .any(|a| topology::needs(&self.world, f, root, Some(a)).is_some())
                    })
            })
            .map(|o| o.incident.id.clone())
            .collect();
        for id in symptoms {
            let Some(old) = self.incidents.get(&id).map(|o| Arc::clone(&o.incident)) else {
                continue;
            };
            self.withdraw_plan(&id, "merged into another incident", turn);
            let now = turn.now;
            if let Some((incident, work)) = self.edit(&id, turn) {
                let moved = incident.transition(
                    IncidentState::Dismissed,
                    now,
                    Actor::System,
                    format!("merged: it is a symptom of {into}"),
                );
                debug_assert!(moved, "states above may be dismissed");
                incident.explanation = Some(format!("A symptom of {into}; see there."));
                work.settle();
            }
            turn.emit(Event::IncidentMerged { id: id.clone(), into: into.clone() });
            if let Some((incident, _)) = self.edit(into, turn) {
                incident.note(now, Actor::System, format!("{id} merged into this one"));
                for anomaly in &old.anomalies {
                    incident.attach(anomaly.clone());
                }
                for name in old.affected.iter().chain([&old.container.name]) {
                    if name != &incident.root && !incident.affected.contains(name) {
                        incident.affected.push(name.clone());
                    }
                }
            }
        }
    }
}
