//! What the detectors learned, kept over the life of a container and of the program.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::detect::Detector;
use crate::detect::score::learned::{Learned, ServiceKey};
use crate::domain::ids::ContainerId;

/// What one service learned is given out this often at most.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// Services whose container is awaited; the oldest gives way.
const AWAITED: usize = 256;
/// Templates of all of these.
const AWAITED_TEMPLATES: usize = 20_000;

/// What was learned of services whose container is not there.
#[derive(Debug, Default)]
pub(in crate::detect) struct Awaited {
    known: VecDeque<(ServiceKey, Learned)>,
    templates: usize,
}

impl Awaited {
    /// Keeps it until a container of that service is seen.
    pub(in crate::detect) fn keep(&mut self, key: ServiceKey, learned: Learned) {
        drop(self.take(&key));
        self.templates += learned.templates();
        self.known.push_back((key, learned));
        while self.known.len() > AWAITED || self.templates > AWAITED_TEMPLATES {
            let Some((_, oldest)) = self.known.pop_front() else { return };
            self.templates -= oldest.templates();
        }
    }

    /// A container of that service is there.
    pub(in crate::detect) fn take(&mut self, key: &ServiceKey) -> Option<Learned> {
        let at = self.known.iter().position(|(known, _)| known == key)?;
        let (_, learned) = self.known.remove(at)?;
        self.templates -= learned.templates();
        Some(learned)
    }
}

impl Detector {
    /// What was learned of a container's lines; `None`: it is not watched, or wrote nothing yet.
    pub fn learned(&self, container: &ContainerId) -> Option<Learned> {
        self.watches.get(container)?.logs.learned()
    }

    /// Begins with what was learned earlier of a service. It is kept until a container of that
    /// service is first seen; at most 256 services and 20,000 templates wait so.
    pub fn warm(&mut self, key: ServiceKey, learned: Learned) {
        self.awaited.keep(key, learned);
    }

    /// What is worth keeping at `now`: at most one service a call, each at most every five
    /// minutes, and only if lines came since. Those that wait longest come first.
    pub fn due_learned(&mut self, now: Timestamp) -> Option<(ServiceKey, Learned)> {
        let (_, id) = self
            .watches
            .iter()
            .filter(|(_, w)| w.logs.fresh_lines > 0 && now.duration_since(w.kept_at) >= EVERY)
            .map(|(id, w)| (w.kept_at, id))
            .min()?;
        let watch = self.watches.get_mut(&id.clone())?;
        watch.kept_at = now;
        watch.logs.fresh_lines = 0;
        Some((ServiceKey::of(&watch.of), watch.logs.learned()?))
    }
}
