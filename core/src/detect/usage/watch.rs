//! The detectors of all containers, what is known of each container, and what is known of a
//! service beyond one container: a deploy replaces the container, not the leak.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::detect::Finding;
use crate::detect::usage::growth::Known;
use crate::detect::usage::{UsageDetector, UsageFacts};
use crate::domain::container::{Container, ContainerRef, Health};
use crate::domain::ids::ContainerId;
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::usage::UsageSample;

/// Services of which something is remembered; another one has no place.
const MOST_SERVICES: usize = 1024;

#[derive(Debug)]
struct Watched {
    of: ContainerRef,
    facts: UsageFacts,
    detector: UsageDetector,
}

/// All of them.
#[derive(Debug, Default)]
pub struct UsageWatch {
    cores: f64,
    watched: HashMap<ContainerId, Watched>,
    known: HashMap<(Option<String>, String), Known>,
}

impl UsageWatch {
    /// How many processors the engine's machine has.
    pub fn machine(&mut self, cores: u64) {
        self.cores = cores as f64;
    }

    /// Takes over what an inspect says.
    pub fn inspected(&mut self, container: &Container) {
        let known = self.known.get(&service(&container.of)).copied().unwrap_or_default();
        let watched = self.watched.entry(container.of.id.clone()).or_insert_with(|| Watched {
            of: container.of.clone(),
            facts: UsageFacts { started_at: container.started_at, ..UsageFacts::default() },
            detector: UsageDetector::new(known),
        });
        watched.of = container.of.clone();
        watched.facts.limited = container.memory_limit.is_some();
        watched.facts.unhealthy = container.health == Health::Unhealthy;
        watched.facts.job = container.is_one_off();
        if container.is_up() && container.started_at > watched.facts.started_at {
            // It was started again, and the news of it was lost or is still on its way.
            watched.begins(container.started_at);
        }
    }

    /// Takes over what an event says.
    pub fn life(&mut self, event: &LifeEvent) {
        let Some(watched) = self.watched.get_mut(&event.container) else { return };
        match event.kind {
            LifeKind::Start => watched.begins(Some(event.at)),
            LifeKind::Unhealthy => watched.facts.unhealthy = true,
            LifeKind::Healthy => watched.facts.unhealthy = false,
            _ => {}
        }
    }

    /// A container is not there any more; what it taught of its service stays.
    pub fn gone(&mut self, id: &ContainerId) {
        let Some(watched) = self.watched.remove(id) else { return };
        let known = watched.detector.known();
        let key = service(&watched.of);
        let has_room = self.known.len() < MOST_SERVICES || self.known.contains_key(&key);
        if known != Known::default() && has_room {
            self.known.insert(key, known);
        }
    }

    /// Looks at one reading.
    pub fn sample(&mut self, sample: &UsageSample) -> Vec<Finding> {
        let Some(watched) = self.watched.get_mut(&sample.container) else { return Vec::new() };
        let facts = UsageFacts { cores: self.cores, ..watched.facts };
        watched.detector.sample(sample, &watched.of, facts)
    }
}

impl Watched {
    /// Its process begins at `at`. The engine's event and its `StartedAt` differ by milliseconds:
    /// both mean the same start, and beginning twice does no harm.
    fn begins(&mut self, at: Option<Timestamp>) {
        self.facts.started_at = at;
        self.facts.unhealthy = false;
        self.detector.process_started();
    }
}

fn service(of: &ContainerRef) -> (Option<String>, String) {
    (of.project.clone(), of.service.clone())
}
