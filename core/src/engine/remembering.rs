//! Change memory: how each service is configured, what changed, and with which configuration it
//! last ran well.

use jiff::{SignedDuration, Timestamp};

use crate::detect::score::learned::ServiceKey;
use crate::domain::container::{Container, Health, RunState};
use crate::domain::ids::ContainerId;
use crate::domain::spec::History;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// Services that are remembered; beyond it the longest unseen well gives way.
const SERVICES: usize = 1000;
/// A run this long, healthy and without an incident, proves its configuration.
const PROVED: SignedDuration = SignedDuration::from_mins(1);

impl Engine {
    /// What an earlier run remembered. What was seen meanwhile counts as the newer state.
    pub fn recall_histories(&mut self, histories: Vec<(ServiceKey, History)>) {
        for (service, history) in histories.into_iter().take(SERVICES) {
            self.world.histories.entry(service).or_insert(history);
        }
    }

    /// A container as just inspected: did its service change?
    pub(crate) fn remember_spec(&mut self, container: &Container, turn: &mut Turn) {
        let service = ServiceKey::of(&container.of);
        let changed = if let Some(history) = self.world.histories.get_mut(&service) {
            history.see(container, turn.now)
        } else {
            self.make_room_for_history();
            self.world.histories.insert(service.clone(), History::begin(container));
            true
        };
        if changed {
            self.keep_history(&service, turn);
        }
    }

    /// Configurations that have proved themselves by now.
    pub(crate) fn remember_well(&mut self, turn: &mut Turn) {
        let now = turn.now;
        let proved: Vec<ServiceKey> = self
            .world
            .containers
            .values()
            .filter(|f| runs_well(&f.container, now) && !self.has_incident(&f.container.of.id))
            .map(|f| ServiceKey::of(&f.container.of))
            .filter(|service| self.is_settled(service, now))
            .collect();
        for service in proved {
            let news = self.world.histories.get_mut(&service).is_some_and(|h| h.is_well(now));
            if news {
                self.keep_history(&service, turn);
            }
        }
    }

    /// Whether nothing changed for as long as a proof takes: a limit or a network of a running
    /// container may change at any moment, and the time before says nothing of it.
    fn is_settled(&self, service: &ServiceKey, now: Timestamp) -> bool {
        let changed = self.world.histories.get(service).and_then(History::changed_at);
        changed.is_none_or(|at| now.duration_since(at) >= PROVED)
    }

    fn has_incident(&self, container: &ContainerId) -> bool {
        let name = self.world.containers.get(container).map(|f| &f.container.of.name);
        self.incidents.values().any(|o| {
            let incident = &o.incident;
            !incident.state.is_closed()
                && (&incident.container.id == container || Some(&incident.root) == name)
        })
    }

    fn keep_history(&self, service: &ServiceKey, turn: &mut Turn) {
        if let Some(history) = self.world.histories.get(service) {
            let history = Box::new(history.clone());
            turn.effects.push(Effect::Remember { service: service.clone(), history });
        }
    }

    fn make_room_for_history(&mut self) {
        if self.world.histories.len() < SERVICES {
            return;
        }
        let oldest =
            self.world.histories.iter().min_by_key(|(_, h)| h.good_at).map(|(k, _)| k.clone());
        if let Some(oldest) = oldest {
            self.world.histories.remove(&oldest);
        }
    }
}

fn runs_well(container: &Container, now: Timestamp) -> bool {
    container.state == RunState::Running
        && matches!(container.health, Health::None | Health::Healthy)
        && container.started_at.is_some_and(|at| now.duration_since(at) >= PROVED)
}
