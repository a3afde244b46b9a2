//! Long texts made of meanings: an incident, a container, an approval, a conversation, what was
//! left alone. Pure functions of the state and a width, so that update can measure what view will draw.

pub mod approval;
mod audit;
pub mod container;
mod doctor;
mod events;
pub mod incident;
mod list_parts;
pub mod listing;
pub mod opinion;
pub mod page;
mod patterns;
pub mod plan;
pub mod quiet;
mod reach;
mod runbook;
pub mod talk;
mod tools;
pub mod usage;

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::{State, Subject};
use crate::tui::styled::Styled;

/// What the inspector shows, for a pane of `columns`.
pub fn inspected(state: &State, columns: usize) -> Page {
    let glyphs = Glyphs::of(state.ascii);
    // The cursor on the left, and air on the right.
    let columns = columns.saturating_sub(2);
    match state.inspector.as_ref().map(|i| &i.subject) {
        Some(Subject::Incident(id)) => match state.incident(id) {
            Some(incident) => incident::page(state, incident, glyphs, columns),
            None => gone(&format!("{id} is not kept any more.")),
        },
        Some(Subject::Container(id)) => match state.container(id) {
            Some(view) => container::page(state, view, glyphs, columns),
            None => gone("This container is gone."),
        },
        Some(Subject::Doctor) => doctor::page(state, glyphs, columns),
        Some(Subject::Quiet) => quiet::page(state, glyphs, columns),
        Some(Subject::Listing(of)) => listing::page(state, *of, glyphs, columns),
        Some(Subject::Row(of, key)) => listing::row(state, (*of, *key), glyphs, columns),
        None => gone("Nothing is being inspected. Select an incident or a container and press i."),
    }
}

fn gone(text: &str) -> Page {
    Page { lines: vec![Styled::of(Role::Dim, text)], stops: Vec::new() }
}
