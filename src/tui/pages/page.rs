//! A long text: lines, and the ones among them that can be chosen.

use crate::tui::role::Role;
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
    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|l| !l.pieces.is_empty()) {
            self.lines.push(Styled::new());
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.lines.push(Styled::of(Role::Heading, text));
    }

    pub(super) fn say(&mut self, indent: usize, role: Role, text: &str, columns: usize) {
        self.lines.extend(paragraph(&Styled::new(), indent, role, text, columns));
    }

    /// `label      value`, wrapped below the value.
    pub(super) fn fact(&mut self, label: &str, role: Role, value: &str, columns: usize) {
        self.lines.extend(paragraph(
            &Styled::of(Role::Dim, format!("  {label} ")),
            LABEL + 2,
            role,
            value,
            columns,
        ));
    }
}
