//! Dialogs about how the screen looks, and the tour. Nothing in them changes anything else.

use crate::tui::columns::Column;
use crate::tui::look::Look;
use crate::tui::theme::BUILT_IN;

/// Cards of the tour.
pub const CARDS: usize = 4;

/// A dialog about how the screen looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Themes: the one under the cursor is in force while it is open.
    Themes {
        /// The chosen one of [`themes`].
        cursor: usize,
    },
    /// Columns of the list of containers.
    Columns {
        /// The chosen one of [`Column::ALL`].
        cursor: usize,
    },
    /// What the screen is for, in a few cards.
    Tour {
        /// The card in view.
        card: usize,
    },
}

impl Looks {
    /// Themes, with the cursor on the one in force.
    pub fn themes(look: &Look) -> Self {
        let cursor = themes(look).iter().position(|(name, _)| *name == look.theme).unwrap_or(0);
        Self::Themes { cursor }
    }

    /// How many rows it has to choose from.
    pub fn rows(self, look: &Look) -> usize {
        match self {
            Self::Themes { .. } => themes(look).len(),
            Self::Columns { .. } => Column::ALL.len(),
            Self::Tour { .. } => CARDS,
        }
    }

    /// The cursor or card.
    pub fn place(&mut self) -> &mut usize {
        match self {
            Self::Themes { cursor } | Self::Columns { cursor } => cursor,
            Self::Tour { card } => card,
        }
    }
}

/// Themes to choose from, each with what it is for.
pub fn themes(look: &Look) -> Vec<(String, &'static str)> {
    let mut list: Vec<(String, &'static str)> =
        BUILT_IN.iter().map(|(name, _)| ((*name).to_owned(), purpose(name))).collect();
    if let Some(file) = &look.theme_file {
        list.insert(0, (file.clone(), "your own file; read again when it changes"));
    }
    list
}

fn purpose(name: &str) -> &'static str {
    match name {
        "dark" => "for dark backgrounds",
        "light" => "for light backgrounds",
        "mono" => "no colour at all: bold and reverse only",
        "colour-blind" => "blue, yellow, orange: never red against green",
        "high-contrast" => "black, white and few strong colours",
        _ => "",
    }
}
