//! One turn of the engine.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::event::Event;
use crate::domain::ids::IncidentId;
use crate::engine::effect::Effect;

/// One turn: what time it is and what came of it.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) now: Timestamp,
    pub(super) effects: Vec<Effect>,
    pub(super) dirty: BTreeSet<IncidentId>,
}

impl Turn {
    pub(super) fn emit(&mut self, event: Event) {
        self.effects.push(Effect::Emit(Box::new(event)));
    }
}
