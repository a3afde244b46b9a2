//! What happened, newest first.

use std::sync::Arc;

use crate::runtime::events::Numbered;
use crate::tui::rows::wanted::wanted;
use crate::tui::state::State;
use crate::tui::terms::Terms;

/// The rows, newest first.
pub(super) fn rows(state: &State, terms: Option<&Terms>) -> Vec<u64> {
    let fits = |numbered: &&Arc<Numbered>| {
        let happened = &numbered.happened;
        let container = happened.container.as_deref().unwrap_or_default();
        let incident = happened.incident.as_ref().map(|id| id.0.clone()).unwrap_or_default();
        let words = format!("{container} {incident} {} {}", happened.matter, happened.words);
        let value = |field: &str| match field {
            "container" => vec![container.to_owned()],
            "kind" => vec![happened.matter.as_str().to_owned()],
            _ => vec![incident.clone()],
        };
        wanted(terms, value, &words)
    };
    state.listings.events.kept.iter().rev().filter(fits).map(|n| n.number).collect()
}
