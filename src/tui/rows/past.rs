//! Incidents that ended before those that the snapshot holds.

use std::collections::HashSet;
use std::sync::Arc;

use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;

use crate::tui::state::State;

/// Past incidents that the snapshot does not hold.
pub fn beyond(state: &State) -> impl Iterator<Item = &Arc<Incident>> {
    let kept = &state.listings.past.kept;
    let shown = state.snapshot.incidents.iter().filter(|_| !kept.is_empty());
    let known: HashSet<&IncidentId> = shown.map(|i| &i.id).collect();
    kept.iter().filter(move |i| !known.contains(&i.id))
}
