//! A new state of the engine: taken over without moving the operator.

use std::sync::Arc;

use sentinel_core::domain::snapshot::{ContainerView, Snapshot};

use crate::tui::message::Effect;
use crate::tui::state::{Sort, State};
use crate::tui::update::{decide, listing, logs, looks, movement, shows_logs};

pub(super) fn take(state: &mut State, new: Arc<Snapshot>) -> Vec<Effect> {
    let happened = !same_facts(&state.snapshot, &new);
    let told = state.inspector.is_some() && state.snapshot.suppressed != new.suppressed;
    let read = told || !same_readings(&state.snapshot.containers, &new.containers);
    state.dirty |= happened;
    state.readings |= read;
    state.now = state.now.max(new.at);
    state.notices.take(&new);
    state.trends.take(&new);
    state.snapshot = new;
    looks::give_way(state);
    let generation = state.logs.generation;
    let mut effects = Vec::new();
    // Rows change their places when something happened, or when they stand by a reading.
    if happened || (read && matches!(state.sort, Sort::Cpu | Sort::Memory)) {
        effects = movement::keep_selections(state);
        movement::settle(state);
    }
    decide::check(state);
    if state.logs.generation == generation && shows_logs(state) {
        effects.extend(logs::read(state));
    }
    effects.extend(listing::news(state));
    effects.extend(told_later(state));
    effects
}

/// A new incident that is to be told outside of the screen, once its time has come.
pub(super) fn told_later(state: &mut State) -> Vec<Effect> {
    state.notices.due(state.at).map(Effect::Notify).into_iter().collect()
}

/// Whether the same is known about the world: all but readings, counts, time and number.
fn same_facts(old: &Snapshot, new: &Snapshot) -> bool {
    old.engine == new.engine
        && old.mode == new.mode
        && old.watching == new.watching
        && old.degraded == new.degraded
        && old.silences == new.silences
        && old.incidents.len() == new.incidents.len()
        && old.incidents.iter().zip(&new.incidents).all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
        && old.containers.len() == new.containers.len()
        && old.containers.iter().zip(&new.containers).all(|(a, b)| {
            a.deaths == b.deaths
                && (Arc::ptr_eq(&a.container, &b.container) || a.container == b.container)
        })
}

/// Whether readings and counts are the same, as far as they are shown.
fn same_readings(old: &[ContainerView], new: &[ContainerView]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|(a, b)| {
            a.usage == b.usage
                && a.lines == b.lines
                && a.lines_dropped == b.lines_dropped
                && a.errors == b.errors
        })
}
