//! Four further lists, shown where the inspector is: kinds of log line, what happened, the audit
//! trail, tools. Data that no snapshot holds is asked for by [`look::Look`], and comes back as
//! [`look::Seen`]; what comes under an older generation is late and counts no more.

pub mod audit;
pub mod cursor;
pub mod events;
pub mod look;
pub mod past;
pub mod patterns;
pub mod tools;

use std::time::Duration;

use crate::tui::form::Form;
use crate::tui::listing::audit::Audit;
use crate::tui::listing::cursor::Cursor;
use crate::tui::listing::events::Events;
use crate::tui::listing::past::PastIncidents;
use crate::tui::listing::patterns::Patterns;
use crate::tui::listing::tools::Tools;
use crate::tui::terms::Terms;

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
    /// The filter of the list of incidents.
    pub incident_terms: Option<Terms>,
    /// The form that is being filled.
    pub form: Option<Form>,
}

impl Listings {
    /// The cursor of a list.
    pub fn cursor(&self, of: Listing) -> &Cursor {
        match of {
            Listing::Patterns => &self.patterns.cursor,
            Listing::Events => &self.events.cursor,
            Listing::Audit => &self.audit.cursor,
            Listing::Tools => &self.tools.cursor,
        }
    }

    /// The cursor of a list.
    pub fn cursor_mut(&mut self, of: Listing) -> &mut Cursor {
        match of {
            Listing::Patterns => &mut self.patterns.cursor,
            Listing::Events => &mut self.events.cursor,
            Listing::Audit => &mut self.audit.cursor,
            Listing::Tools => &mut self.tools.cursor,
        }
    }

    /// A number for what is asked for now.
    pub fn number(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }
}
