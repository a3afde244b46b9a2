//! Whose logs are shown: one container's, those that were marked, or all of a service; and up to
//! where each of them was taken.

use std::collections::BTreeMap;

use sentinel_core::domain::ids::ContainerId;

/// Whose logs are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The selected container's.
    One,
    /// Those of the containers that were marked.
    Marked,
    /// Those of all containers of a service.
    Service(String),
}

/// One of several containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// What of its name tells it from the others.
    pub short: String,
}

/// Up to where a log was taken.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Whether a page of it has come.
    pub loaded: bool,
    /// Number of its newest line that was taken.
    pub last: u64,
    /// How many entries with that number were taken: marks share the number of a line.
    pub with_last: usize,
    /// The ring's revision.
    pub revision: u64,
    /// Number of the oldest line that the ring still has.
    pub first_kept: u64,
}

/// Up to where each log was taken.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    by_id: BTreeMap<ContainerId, Source>,
}

impl Sources {
    /// That of a container.
    pub fn of(&mut self, id: &ContainerId) -> &mut Source {
        self.by_id.entry(id.clone()).or_default()
    }

    /// The same, if there is one.
    pub fn get(&self, id: &ContainerId) -> Option<&Source> {
        self.by_id.get(id)
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.by_id.clear();
    }
}
