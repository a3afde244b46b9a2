//! What the pages of the lists share: rows that can be chosen, and why there are none.

use sentinel_core::domain::log::Level;

use crate::tui::listing::Listing;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;

impl Page {
    /// A row that can be chosen.
    pub(super) fn row(&mut self, line: Styled) {
        self.stops.push(self.lines.len());
        self.lines.push(line);
    }

    /// Why there are no rows.
    pub(super) fn none(&mut self, state: &State, listing: Listing, why: &str, columns: usize) {
        if state.listings.cursor(listing).terms.is_some() {
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
