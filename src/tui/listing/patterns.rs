//! Kinds of log line: of which containers, in which order.

use std::cmp::Reverse;

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log_pattern::{LogPattern, LogPatterns};

use crate::tui::listing::wanted;
use crate::tui::state::{Selection, State};
use crate::tui::terms::Terms;

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
    pub selection: Selection<u64>,
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

/// The rows.
pub(super) fn rows(state: &State, terms: Option<&Terms>) -> Vec<u64> {
    let list = &state.listings.patterns;
    let mut rows: Vec<(u64, &LogPattern)> = Vec::new();
    for (at, of) in list.shown() {
        for pattern in &of.patterns {
            let value = |field: &str| match field {
                "container" => vec![of.of.name.clone(), of.of.service.clone()],
                "level" => pattern.level.map(|l| l.as_str().to_owned()).into_iter().collect(),
                _ => traits(pattern),
            };
            if wanted(terms, value, &pattern.text) {
                rows.push(((at as u64) << 32 | u64::from(pattern.id), pattern));
            }
        }
    }
    match list.order {
        Order::Count => rows.sort_by_key(|(key, p)| (Reverse(p.count), *key)),
        Order::Burst => {
            rows.sort_by_key(|(key, p)| (!p.bursting, Reverse(p.now), Reverse(p.count), *key))
        }
        Order::New => rows.sort_by_key(|(key, p)| (Reverse(p.first_seen), *key)),
    }
    rows.into_iter().map(|(key, _)| key).collect()
}

/// What `is:` may ask for.
fn traits(pattern: &LogPattern) -> Vec<String> {
    let mut list = Vec::new();
    if pattern.bursting {
        list.push("burst".to_owned());
    }
    if pattern.is_new {
        list.push("new".to_owned());
    }
    list
}
