//! Incidents that ended before those of the snapshot: read at the end of the list.

use std::collections::HashSet;

use sentinel_core::domain::incident::Incident;

use crate::tui::listing::look::Look;
use crate::tui::lists;
use crate::tui::message::Effect;
use crate::tui::pane::Pane;
use crate::tui::rows::past;
use crate::tui::state::State;
use crate::tui::update::movement;

/// Beyond the last incident, those that ended earlier are read.
pub(super) fn earlier_incidents(state: &mut State) -> Vec<Effect> {
    let past = &state.listings.past;
    if state.focus != Pane::Incidents || past.running.is_some() || past.ended {
        return Vec::new();
    }
    let last = lists::incidents(state).last().map(|i| i.id.clone());
    if last != state.incidents.item {
        return Vec::new();
    }
    read(state)
}

fn read(state: &mut State) -> Vec<Effect> {
    let before = state.listings.past.before.clone();
    let generation = state.listings.number();
    state.listings.past.running = Some(generation);
    vec![Effect::Look { generation, look: Look::Past(before) }]
}

/// A page of them came.
pub(super) fn came(state: &mut State, page: Result<Vec<Incident>, String>) -> Vec<Effect> {
    match page {
        Ok(page) => {
            let known: HashSet<_> = state.snapshot.incidents.iter().map(|i| i.id.clone()).collect();
            if state.listings.past.take(page, &known) {
                return read(state);
            }
            if state.listings.past.ended && past::beyond(state).next().is_none() {
                state.toast(true, "There are no earlier incidents.");
            }
            movement::keep_selections(state)
        }
        Err(why) => {
            state.listings.past.ended = true;
            state.toast(false, format!("Earlier incidents cannot be read: {why}"));
            Vec::new()
        }
    }
}
