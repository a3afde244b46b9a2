//! What people wrote down for a kind of failure, as part of an incident's page.

use sentinel_core::domain::incident::Incident;
use sentinel_core::runbook::text::{self, Line};

use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};

/// Adds the runbooks that fit.
pub(super) fn sections(page: &mut Page, state: &State, incident: &Incident, columns: usize) {
    for book in state.runbooks.for_incident(incident, &state.snapshot) {
        page.heading(&format!("Runbook: {}", book.name));
        for line in text::read(&book.lines) {
            match line {
                Line::Heading(words) => {
                    page.blank();
                    page.say(2, Role::Strong, words, columns);
                }
                Line::Item(depth, mark, words) => {
                    let pad = 2 + 2 * depth.min(4);
                    let head = Styled::of(Role::Dim, format!("{}{mark} ", " ".repeat(pad)));
                    let indent = head.width();
                    page.lines.extend(paragraph(&head, indent, Role::Text, words, columns));
                }
                Line::Code(words) => page.say(4, Role::Info, words, columns),
                Line::Text(words) => page.say(2, Role::Text, words, columns),
                Line::Blank => page.blank(),
            }
        }
    }
}
