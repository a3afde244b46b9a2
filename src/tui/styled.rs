//! A line of text whose pieces carry meanings, not colours, so that pages can be made without a
//! theme and measured without a terminal.

use std::borrow::Cow;

use crate::tui::role::Role;
use crate::tui::text;

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    /// Its pieces in order.
    pub pieces: Vec<(Role, String)>,
}

impl Styled {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    pub fn of<'t>(role: Role, text: impl Into<Cow<'t, str>>) -> Self {
        Self::new().and(role, text)
    }

    /// The line with one more piece.
    #[must_use]
    pub fn and<'t>(mut self, role: Role, text: impl Into<Cow<'t, str>>) -> Self {
        self.push(role, text);
        self
    }

    /// Adds a piece.
    pub fn push<'t>(&mut self, role: Role, text: impl Into<Cow<'t, str>>) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            // One meaning is one piece, however it was put together.
            Some((last, before)) if *last == role => before.push_str(&text),
            _ => self.pieces.push((role, text.into_owned())),
        }
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, t)| text::width(t)).sum()
    }

    /// The line cut to `columns`; the last column shows `ellipsis` if something is missing.
    #[must_use]
    pub fn cut(self, columns: usize, ellipsis: &str) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(text::width(ellipsis));
        let mut line = Self::new();
        for (role, piece) in self.pieces {
            let part = text::take(&piece, left);
            left -= text::width(part);
            let whole = part.len() == piece.len();
            line.push(role, part);
            if !whole {
                if columns > 0 {
                    line.push(role, ellipsis);
                }
                break;
            }
        }
        line
    }

    /// The text without meanings.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|(_, t)| t.as_str()).collect()
    }
}

/// Wraps a text into lines of one role: the first behind `first`, the others indented by
/// `indent` columns.
pub fn paragraph(
    first: &Styled,
    indent: usize,
    role: Role,
    words: &str,
    columns: usize,
) -> Vec<Styled> {
    let pad = indent.saturating_sub(first.width());
    let room = columns.saturating_sub(indent).max(8);
    let beside = columns.saturating_sub(first.width() + pad).max(8);
    let mut lines = Vec::new();
    for (number, line) in text::wrap_after(words, beside, room).into_iter().enumerate() {
        if number == 0 {
            lines.push(first.clone().and(Role::Text, " ".repeat(pad)).and(role, line));
        } else {
            lines.push(Styled::of(Role::Text, " ".repeat(indent)).and(role, line));
        }
    }
    lines
}

/// Buttons side by side.
pub fn buttons(list: &[(&str, bool)]) -> Styled {
    let mut line = Styled::new();
    for (text, focused) in list {
        let role = if *focused { Role::ButtonFocused } else { Role::Button };
        // Brackets show the focus where there is no colour.
        let text = if *focused { format!("[ {text} ]") } else { format!("  {text}  ") };
        line.push(role, text);
        line.push(Role::Text, "  ");
    }
    line
}
