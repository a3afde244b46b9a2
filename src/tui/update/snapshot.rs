//! A new state of the engine: taken over without moving the operator.

use std::sync::Arc;

use sentinel_core::domain::snapshot::Snapshot;

use crate::tui::message::Effect;
use crate::tui::state::State;
use crate::tui::update::{decide, logs, movement};

pub(super) fn take(state: &mut State, new: Arc<Snapshot>) -> Vec<Effect> {
    if !same(&state.snapshot, &new) {
        state.dirty = true;
    }
    state.now = state.now.max(new.at);
    state.snapshot = new;
    let generation = state.logs.generation;
    let mut effects = movement::keep_selections(state);
    movement::settle(state);
    decide::check(state);
    if state.logs.generation == generation {
        effects.extend(logs::read(state));
    }
    effects
}

/// Whether two snapshots look the same: all but their time and number.
fn same(old: &Snapshot, new: &Snapshot) -> bool {
    old.engine == new.engine
        && old.mode == new.mode
        && old.degraded == new.degraded
        && old.incidents == new.incidents
        && old.containers == new.containers
        && old.anomalies.len() == new.anomalies.len()
}
