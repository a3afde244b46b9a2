//! Kinds of log line: of which containers, in which order.

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log_pattern::{LogPattern, LogPatterns};

use crate::tui::listing::cursor::Cursor;

/// Containers that are asked for at once.
pub const MOST_CONTAINERS: usize = 200;

/// Orders of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Most lines first.
    #[default]
    Count,
    /// What bursts first, then by the present rate.
    Burst,
    /// The youngest first.
    New,
}

impl Order {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Count => Self::Burst,
            Self::Burst => Self::New,
            Self::New => Self::Count,
        }
    }

    /// Its words for the title.
    pub fn words(self) -> &'static str {
        match self {
            Self::Count => "by count",
            Self::Burst => "bursts first",
            Self::New => "newest first",
        }
    }
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// The chosen row.
    pub cursor: Cursor,
    /// Its order.
    pub order: Order,
    /// Of which container; `None`: of all.
    pub only: Option<ContainerId>,
    /// What came, a container each, in the order in which they came first.
    pub of: Vec<LogPatterns>,
    /// Asked for under this generation, and not all there yet.
    pub running: Option<u64>,
    /// Why some of it could not be had.
    pub trouble: Option<String>,
}

impl Patterns {
    /// Takes the answer of one container, in the place of its last one.
    pub fn take(&mut self, new: LogPatterns) {
        if let Some(old) = self.of.iter_mut().find(|p| p.of.id == new.of.id) {
            *old = new;
        } else if self.of.len() < MOST_CONTAINERS {
            self.of.push(new);
        }
    }

    /// The containers in view.
    pub fn shown(&self) -> impl Iterator<Item = (usize, &LogPatterns)> {
        let wanted = |p: &LogPatterns| self.only.as_ref().is_none_or(|id| *id == p.of.id);
        self.of.iter().enumerate().filter(move |(_, p)| wanted(p))
    }

    /// A row by its key.
    pub fn at(&self, key: u64) -> Option<(&LogPatterns, &LogPattern)> {
        let place = usize::try_from(key >> 32).ok()?;
        let of = self.of.get(place)?;
        of.patterns.iter().find(|p| u64::from(p.id) == key & 0xffff_ffff).map(|p| (of, p))
    }
}
