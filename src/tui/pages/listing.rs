//! What the pages of the lists share: a heading of columns, rows that can be chosen, and why there
//! are none.

use sentinel_core::domain::log::Level;

use crate::tui::glyphs::Glyphs;
use crate::tui::listing::Listing;
use crate::tui::pages::page::Page;
use crate::tui::pages::{audit, events, patterns, tools};
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;

/// A list, for a pane of `columns`. Its stops are the rows of [`State::listing_rows`].
pub fn page(state: &State, listing: Listing, glyphs: &Glyphs, columns: usize) -> Page {
    match listing {
        Listing::Patterns => patterns::list(state, glyphs, columns),
        Listing::Events => events::list(state, glyphs, columns),
        Listing::Audit => audit::list(state, glyphs, columns),
        Listing::Tools => tools::list(state, glyphs, columns),
    }
}

/// A row in full.
pub fn row(state: &State, (listing, key): (Listing, u64), glyphs: &Glyphs, columns: usize) -> Page {
    match listing {
        Listing::Patterns => patterns::one(state, key, glyphs, columns),
        Listing::Audit => audit::one(state, key, columns),
        Listing::Tools => tools::one(state, key, columns),
        // Enter on an event leads to what it is about.
        Listing::Events => Page::default(),
    }
}

/// What stands in the title beside the pane's name.
pub fn title(state: &State) -> Styled {
    let listing = state.listing().or_else(|| state.listing_row().map(|(listing, _)| listing));
    let Some(listing) = listing else { return Styled::new() };
    let mut line = Styled::of(Role::Dim, listing.title());
    if state.listing_row().is_some() {
        return line;
    }
    if listing == Listing::Patterns {
        let list = &state.listings.patterns;
        let of = list.only.as_ref().and_then(|id| state.container(id));
        let of = of.map_or("all", |v| v.container.of.name.as_str());
        line.push(Role::Dim, format!(" of {of}, {}", list.order.words()));
    }
    if let Some(terms) = &state.listings.selection(listing).terms {
        line.push(Role::Text, " ");
        line.push(Role::Match, format!(" /{} ", terms.text()));
    }
    line
}

impl Page {
    /// A row that can be chosen.
    pub(super) fn row(&mut self, line: Styled) {
        self.stops.push(self.lines.len());
        self.lines.push(line);
    }

    /// Why there are no rows.
    pub(super) fn none(&mut self, state: &State, listing: Listing, why: &str, columns: usize) {
        if state.listings.selection(listing).terms.is_some() {
            self.say(0, Role::Dim, "Nothing matches the filter. Esc clears it.", columns);
        } else {
            self.say(0, Role::Dim, why, columns);
        }
    }
}

/// How a level looks.
pub(super) fn of_level(level: Option<Level>) -> (Role, &'static str) {
    match level {
        Some(Level::Fatal) => (Role::LevelError, "FATAL"),
        Some(Level::Error) => (Role::LevelError, "ERROR"),
        Some(Level::Warn) => (Role::LevelWarn, "WARN"),
        Some(Level::Info) => (Role::LevelInfo, "INFO"),
        Some(Level::Debug) => (Role::LevelDebug, "DEBUG"),
        Some(Level::Trace) => (Role::LevelDebug, "TRACE"),
        None => (Role::Dim, ""),
    }
}

/// A count in at most five columns.
pub(super) fn short(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..10_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}
