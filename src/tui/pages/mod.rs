//! Long texts made of meanings: an incident, a container, an approval. Pure functions of the
//! state and a width, so that update can measure what view will draw.

pub mod approval;
pub mod container;
pub mod incident;
pub mod plan;

use crate::tui::glyphs::Glyphs;
use crate::tui::role::Role;
use crate::tui::state::{State, Subject};
use crate::tui::styled::{Styled, paragraph};

/// Columns of the labels on the left.
const LABEL: usize = 11;

/// A long text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its lines.
    pub lines: Vec<Styled>,
    /// Lines that can be chosen: the pieces of evidence, in order.
    pub stops: Vec<usize>,
}

impl Page {
    fn blank(&mut self) {
        if self.lines.last().is_some_and(|l| !l.pieces.is_empty()) {
            self.lines.push(Styled::new());
        }
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.lines.push(Styled::of(Role::Heading, text));
    }

    fn say(&mut self, indent: usize, role: Role, text: &str, columns: usize) {
        self.lines.extend(paragraph(Styled::new(), indent, role, text, columns));
    }

    /// `label      value`, wrapped below the value.
    fn fact(&mut self, label: &str, role: Role, value: &str, columns: usize) {
        self.lines.extend(paragraph(
            Styled::of(Role::Dim, format!("  {label} ")),
            LABEL + 2,
            role,
            value,
            columns,
        ));
    }
}

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
        None => gone("Nothing is being inspected. Select an incident or a container and press i."),
    }
}

fn gone(text: &str) -> Page {
    Page { lines: vec![Styled::of(Role::Dim, text)], stops: Vec::new() }
}
