//! What this instance may do, and when that changes.

use std::sync::Arc;

use sentinel_core::domain::snapshot::Mode;
use sentinel_core::engine::Settings;

use crate::ports::{Claim, Role};

/// The roles that this instance has.
pub(super) struct Roles {
    role: Arc<dyn Role>,
    has: Claim,
    wants_to_act: bool,
}

/// A role that became free.
pub(super) struct Change {
    /// What this instance has now.
    pub(super) to: Claim,
    /// Whether the record is among it.
    pub(super) record: bool,
}

impl Roles {
    pub(super) fn new(role: Arc<dyn Role>, settings: &Settings) -> Self {
        let has = Claim { acts: settings.elected, keeps: settings.keeps };
        Self { role, has, wants_to_act: settings.mode != Mode::ReadOnly }
    }

    /// Asks again for what this instance does not have.
    pub(super) fn changed(&self) -> Option<Change> {
        if self.has.keeps && (self.has.acts || !self.wants_to_act) {
            return None;
        }
        let to = self.role.claim();
        (to != self.has).then_some(Change { to, record: to.keeps && !self.has.keeps })
    }

    /// The engine knows of it.
    pub(super) fn taken(&mut self, to: Claim) {
        self.has = to;
    }
}
