//! Opening an incident.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::event::{Event, IncidentWire};
use crate::domain::failure::FailureClass;
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::Actor;
use crate::engine::effect::Effect;
use crate::engine::work::{EVIDENCE_WAIT, Work};
use crate::engine::{Engine, Open, Turn};

/// A new incident this soon after the end of one on the same container continues it.
const REOPEN_WINDOW: SignedDuration = SignedDuration::from_secs(120);
/// The end of a log stream this long before a death is the end of that process's words.
const LOG_END_FITS: SignedDuration = SignedDuration::from_secs(2);

impl Engine {
    pub(crate) fn open(&mut self, anomaly: Anomaly, turn: &mut Turn) {
        let now = turn.now;
        let id = self.fresh_id(turn);
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
            explanation_by: None,
            opinion: None,
            earlier_plans: Vec::new(),
            refused_by: None,
            snooze: None,
        };
        incident.note(now, Actor::System, format!("opened: {}", anomaly.summary));
        let mut work = Work { diagnose_by: Some(now), last_sign: Some(now), ..Work::default() };
        match anomaly.kind {
            AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill => {
                work.await_death_evidence(now, self.log_is_complete(&anomaly.container.id, turn));
                turn.effects.push(Effect::Inspect(anomaly.container.id.clone()));
            }
            AnomalyKind::Unhealthy => {
                work.need_inspect = true;
                work.diagnose_by = Some(now + EVIDENCE_WAIT);
                turn.effects.push(Effect::Inspect(anomaly.container.id.clone()));
            }
            _ => {}
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
        self.incidents.insert(id.clone(), Open { incident: Arc::new(incident), work });
        turn.dirty.insert(id.clone());
        self.swallow_symptoms(&id, turn);
    }

    /// An id that no incident in memory has: four characters alone could meet again.
    fn fresh_id(&mut self, turn: &Turn) -> IncidentId {
        loop {
            self.counter += 1;
            let id = IncidentId::new(turn.now, &self.settings.host, self.counter);
            if !self.incidents.contains_key(&id) {
                return id;
            }
        }
    }

    /// Whether the dying process's last lines are here already: its stream ended a moment ago.
    pub(crate) fn log_is_complete(&self, container: &ContainerId, turn: &Turn) -> bool {
        self.world
            .containers
            .get(container)
            .and_then(|f| f.log_ended_at)
            .is_some_and(|at| turn.now.duration_since(at) <= LOG_END_FITS)
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
        AnomalyKind::Paused => FailureClass::Paused,
        AnomalyKind::Flapping => FailureClass::Flapping,
        AnomalyKind::RestartStorm => FailureClass::RestartStorm,
        _ => kind.measures().unwrap_or(FailureClass::Unknown),
    }
}
