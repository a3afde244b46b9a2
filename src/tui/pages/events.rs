//! What happened lately, newest first.

use sentinel_core::domain::happened::{Happened, Tone};

use crate::tui::glyphs::Glyphs;
use crate::tui::listing::Listing;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::{text, words};

/// Columns of a container's name.
const NAME: usize = 20;
/// From so many columns on, the matter is told by its word, too.
const ROOMY: usize = 70;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The list.
pub(super) fn list(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let rows = state.listing_rows(Listing::Events);
    if rows.is_empty() {
        let why = "Nothing has happened since sentinel-tui began to watch: no start, no end, no \
                   change of health, no incident.";
        page.none(state, Listing::Events, why, columns);
        return page;
    }
    for number in rows {
        if let Some(numbered) = state.listings.events.at(number) {
            page.row(row(state, &numbered.happened, glyphs, columns));
        }
    }
    page
}

fn row(state: &State, happened: &Happened, glyphs: &Glyphs, columns: usize) -> Styled {
    let role = match happened.tone {
        Tone::Good => Role::Ok,
        Tone::Plain => Role::Text,
        Tone::Doubtful => Role::Warn,
        Tone::Bad => Role::Error,
    };
    let old = state.now.duration_since(happened.at).as_secs() >= DAY;
    let at = if old {
        words::date(happened.at, &state.zone)
    } else {
        words::clock(happened.at, &state.zone)
    };
    let mut line = Styled::of(Role::Dim, format!("{at} "));
    if columns >= ROOMY {
        line.push(role, text::left(happened.matter.as_str(), 9, ""));
    }
    let name = happened.container.as_deref().unwrap_or_default();
    if columns >= ROOMY {
        line.push(Role::LogName, format!("{} ", text::left(name, NAME, glyphs.ellipsis)));
    } else if !name.is_empty() {
        line.push(Role::LogName, format!("{} ", text::cut(name, NAME, glyphs.ellipsis)));
    }
    line.and(role, happened.words.clone())
}
