//! The rows of the four lists as the state has them: the one place that view and update ask.

mod audit;
mod events;
pub mod past;
mod patterns;
pub mod tools;
mod wanted;

use crate::tui::listing::Listing;
use crate::tui::pane::Pane;
use crate::tui::state::{Behind, Inspector, State, Subject};

/// What was inspected before is remembered so deep.
const BEHIND: usize = 8;

impl State {
    /// The list that the inspector shows.
    pub fn listing(&self) -> Option<Listing> {
        match self.inspector.as_ref()?.subject {
            Subject::Listing(listing) => Some(listing),
            _ => None,
        }
    }

    /// The list whose row the inspector shows in full, and that row.
    pub fn listing_row(&self) -> Option<(Listing, u64)> {
        match self.inspector.as_ref()?.subject {
            Subject::Row(listing, key) => Some((listing, key)),
            _ => None,
        }
    }

    /// Keys of the rows of a list, in its order, without those that its filter hides.
    pub fn listing_rows(&self, listing: Listing) -> Vec<u64> {
        let terms = self.listings.cursor(listing).terms.as_ref();
        match listing {
            Listing::Patterns => patterns::rows(self, terms),
            Listing::Events => events::rows(self, terms),
            Listing::Audit => audit::rows(self, terms),
            Listing::Tools => tools::rows(self, terms),
        }
    }

    /// Shows something in the inspector; what stood there comes back with [`State::uncover`].
    pub fn cover(&mut self, subject: Subject) {
        let stands = self.behind.last().map(|b| &b.front);
        let shown = self.inspector.as_ref().map(|i| &i.subject);
        if stands.is_some() && stands != shown {
            // Something else took its place meanwhile, not by way of the lists.
            self.behind.clear();
        }
        if self.behind.len() == BEHIND {
            self.behind.remove(0);
        }
        let from = match &self.inspector {
            Some(inspector) if self.focus == Pane::Inspector => inspector.from,
            _ => self.focus,
        };
        self.behind.push(Behind {
            inspector: self.inspector.take(),
            focus: self.focus,
            front: subject.clone(),
        });
        self.inspector = Some(Inspector { subject, scroll: 0, chosen: None, from });
        self.focus = Pane::Inspector;
    }

    /// Takes away what covers. False if nothing does.
    pub fn uncover(&mut self) -> bool {
        let shown = self.inspector.as_ref().map(|i| &i.subject);
        match self.behind.pop() {
            Some(behind) if Some(&behind.front) == shown => {
                self.inspector = behind.inspector;
                self.focus = behind.focus;
                true
            }
            _ => {
                self.behind.clear();
                false
            }
        }
    }
}
