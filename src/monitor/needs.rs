//! What a container needs beside itself.

use sentinel_core::domain::container::Container;

use crate::monitor::event::Thing;

/// The image and the networks that a container was made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    image: String,
    networks: Vec<String>,
}

impl Needs {
    /// What the last inspect says.
    pub(super) fn of(container: &Container) -> Self {
        Self {
            image: container.image_id.clone(),
            networks: container.networks.iter().map(|n| n.network.clone()).collect(),
        }
    }

    /// Whether it needs this.
    pub(super) fn has(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Network(name) => self.networks.contains(name),
            Thing::Image(id) => self.image == *id,
        }
    }
}
