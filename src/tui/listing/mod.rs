//! Four further lists, shown where the inspector is: kinds of log line, what happened, the audit
//! trail, tools. Data that no snapshot holds is asked for by [`look::Look`], and comes back as
//! [`look::Seen`]; what comes under an older generation is late and counts no more.

pub mod audit;
pub mod events;
pub mod look;
pub mod past;
pub mod patterns;
pub mod tools;

use std::time::Duration;

use crate::tui::listing::audit::Audit;
use crate::tui::listing::events::Events;
use crate::tui::listing::past::PastIncidents;
use crate::tui::listing::patterns::Patterns;
use crate::tui::listing::tools::Tools;
use crate::tui::pane::Pane;
use crate::tui::state::{Inspector, Selection, State, Subject};
use crate::tui::terms::Terms;

/// What was inspected before is remembered so deep.
const BEHIND: usize = 8;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listing {
    /// Kinds of log line.
    Patterns,
    /// What happened lately.
    Events,
    /// The audit trail.
    Audit,
    /// Tools of the MCP servers.
    Tools,
}

impl Listing {
    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Patterns => "patterns",
            Self::Events => "events",
            Self::Audit => "audit trail",
            Self::Tools => "tools",
        }
    }

    /// Fields that its filter knows.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Patterns => &["container", "level", "is"],
            Self::Events => &["container", "kind", "incident"],
            Self::Audit => &["who", "what", "on", "incident"],
            Self::Tools => &["server", "risk", "is"],
        }
    }
}

/// What the inspector showed before something else took its place.
#[derive(Clone, Debug)]
struct Behind {
    /// It, with where it was scrolled to; `None`: nothing was inspected.
    inspector: Option<Inspector>,
    focus: Pane,
    /// What stands before it.
    front: Subject,
}

/// All that belongs to the lists.
#[derive(Clone, Debug, Default)]
pub struct Listings {
    /// Kinds of log line.
    pub patterns: Patterns,
    /// What happened.
    pub events: Events,
    /// The audit trail.
    pub audit: Audit,
    /// Tools.
    pub tools: Tools,
    /// Incidents that ended before those of the snapshot.
    pub past: PastIncidents,
    /// Counts what was asked for.
    pub generation: u64,
    /// When the list in view was last asked for, by the runner's clock.
    pub asked_at: Duration,
    behind: Vec<Behind>,
}

impl Listings {
    /// The selection of a list.
    pub fn selection(&self, of: Listing) -> &Selection<u64> {
        match of {
            Listing::Patterns => &self.patterns.selection,
            Listing::Events => &self.events.selection,
            Listing::Audit => &self.audit.selection,
            Listing::Tools => &self.tools.selection,
        }
    }

    /// The selection of a list.
    pub fn selection_mut(&mut self, of: Listing) -> &mut Selection<u64> {
        match of {
            Listing::Patterns => &mut self.patterns.selection,
            Listing::Events => &mut self.events.selection,
            Listing::Audit => &mut self.audit.selection,
            Listing::Tools => &mut self.tools.selection,
        }
    }

    /// A number for what is asked for now.
    pub fn next(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }
}

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

    /// Shows something in the inspector; what stood there comes back with [`State::uncover`].
    pub fn cover(&mut self, subject: Subject) {
        let stands = self.listings.behind.last().map(|b| &b.front);
        let shown = self.inspector.as_ref().map(|i| &i.subject);
        if stands.is_some() && stands != shown {
            // Something else took its place meanwhile, not by way of the lists.
            self.listings.behind.clear();
        }
        if self.listings.behind.len() == BEHIND {
            self.listings.behind.remove(0);
        }
        let from = match &self.inspector {
            Some(inspector) if self.focus == Pane::Inspector => inspector.from,
            _ => self.focus,
        };
        self.listings.behind.push(Behind {
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
        match self.listings.behind.pop() {
            Some(behind) if Some(&behind.front) == shown => {
                self.inspector = behind.inspector;
                self.focus = behind.focus;
                true
            }
            _ => {
                self.listings.behind.clear();
                false
            }
        }
    }

    /// Keys of the rows of a list, in its order, without those that its filter hides.
    pub fn listing_rows(&self, listing: Listing) -> Vec<u64> {
        let terms = self.listings.selection(listing).terms.as_ref();
        match listing {
            Listing::Patterns => patterns::rows(self, terms),
            Listing::Events => events::rows(self, terms),
            Listing::Audit => audit::rows(self, terms),
            Listing::Tools => tools::rows(self, terms),
        }
    }
}

/// Whether a row is wanted.
fn wanted(terms: Option<&Terms>, value: impl Fn(&str) -> Vec<String>, words: &str) -> bool {
    terms.is_none_or(|t| t.accepts(value, words))
}
