//! Grants: what people allow beforehand. They stand in for a person's yes, and for nothing else:
//! every doubt and every brake holds on.

use jiff::Timestamp;

use crate::domain::grant::Grant;
use crate::domain::plan::Plan;

/// Grants at a time.
pub(super) const MOST: usize = 16;

/// The grants that were given and have not ended, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    list: Vec<Grant>,
    /// The highest number that was given.
    last: u64,
}

impl Grants {
    /// Takes a grant, and gives it its number. `None`: there are too many.
    pub(super) fn give(&mut self, grant: Grant) -> Option<Grant> {
        if self.list.len() >= MOST {
            return None;
        }
        self.last += 1;
        let grant = Grant { id: self.last, ..grant };
        self.list.push(grant.clone());
        Some(grant)
    }

    /// Takes over those of an earlier run.
    pub(super) fn recall(&mut self, kept: Vec<Grant>) {
        for grant in kept.into_iter().take(MOST) {
            self.last = self.last.max(grant.id);
            let known = self.list.iter().any(|g| g.id == grant.id);
            if !known && self.list.len() < MOST {
                self.list.push(grant);
            }
        }
    }

    /// The one that allows a plan.
    pub(super) fn covering(&self, plan: &Plan, now: Timestamp) -> Option<&Grant> {
        self.list.iter().find(|g| g.covers(plan, now))
    }

    /// A plan runs because of one.
    pub(super) fn used(&mut self, id: u64) -> Option<Grant> {
        let grant = self.list.iter_mut().find(|g| g.id == id)?;
        grant.used = grant.used.saturating_add(1);
        Some(grant.clone())
    }

    /// Takes one away.
    pub(super) fn remove(&mut self, id: u64) -> Option<Grant> {
        let at = self.list.iter().position(|g| g.id == id)?;
        Some(self.list.remove(at))
    }

    /// Takes away those that allow nothing any more.
    pub(super) fn ended(&mut self, now: Timestamp) -> Vec<Grant> {
        let (last, over) = std::mem::take(&mut self.list).into_iter().partition(|g| g.lasts(now));
        self.list = last;
        over
    }

    pub(super) fn all(&self) -> &[Grant] {
        &self.list
    }
}
