//! The page of each list, of each row, and the title of both.

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
    if let Some(terms) = &state.listings.cursor(listing).terms {
        line.push(Role::Text, " ");
        line.push(Role::Match, format!(" /{} ", terms.text()));
    }
    line
}
