//! Something that containers need was taken away: each of them is told.

use std::collections::HashMap;

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};

use crate::monitor::event::{Seen, Taken, Thing};
use crate::monitor::supervise::{Supervisor, Unwanted};

impl Supervisor {
    /// Tells it as an event of each watched container that needs it.
    pub(super) async fn taken(&mut self, taken: &Taken) -> Result<(), Unwanted> {
        let mut users: Vec<ContainerId> = self
            .tracked
            .iter()
            .filter(|(_, tracked)| tracked.needs.has(&taken.what))
            .map(|(id, _)| id.clone())
            .collect();
        users.sort_unstable();
        for container in users {
            let kind = match &taken.what {
                Thing::Network(network) => LifeKind::NetworkGone { network: network.clone() },
                Thing::Image(_) => LifeKind::ImageGone,
            };
            let life = LifeEvent { container, at: taken.at, kind };
            self.event(Seen { life, attributes: HashMap::new() }).await?;
        }
        Ok(())
    }
}
