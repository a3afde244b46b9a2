//! The audit trail, newest first, read page by page.

use std::collections::VecDeque;

use sentinel_core::domain::audit::{AuditCheck, AuditEntry, AuditPage};

use crate::tui::listing::cursor::Cursor;

/// Records that are kept here at most: whoever pages back further leaves the newest behind.
pub const RECORDS_KEPT: usize = 1_000;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The chosen row.
    pub cursor: Cursor,
    /// Records, newest first.
    pub kept: VecDeque<AuditEntry>,
    /// There are older ones.
    pub more: bool,
    /// Newer ones were left behind.
    pub cut: bool,
    /// Where the file is.
    pub path: String,
    /// Asked for under this generation, and not there yet.
    pub running: Option<u64>,
    /// The check under way.
    pub checking: Option<u64>,
    /// What the last check found, or why there was none.
    pub checked: Option<Result<AuditCheck, String>>,
    /// Why it cannot be read.
    pub trouble: Option<String>,
    /// A page was read.
    pub read: bool,
}

impl Audit {
    /// The number before which the next page begins.
    pub fn oldest(&self) -> Option<u64> {
        self.kept.back().map(|e| e.n)
    }

    /// Whether records came since the chain was found whole.
    pub fn outgrew_its_check(&self) -> bool {
        let newest = self.kept.front().map_or(0, |e| e.n);
        let whole = |check: &AuditCheck| check.problem.is_none() && check.count < newest;
        self.checking.is_none() && matches!(&self.checked, Some(Ok(check)) if whole(check))
    }

    /// Takes a page: an older one behind what is here, the newest in its place or before it.
    pub fn take(&mut self, page: AuditPage) {
        (self.path, self.read, self.trouble) = (page.path, true, None);
        let newest = self.kept.front().map(|e| e.n);
        let older = page.entries.first().map(|e| e.n) < self.oldest();
        if older && newest.is_some() {
            self.more = page.more;
            self.kept.extend(page.entries);
            while self.kept.len() > RECORDS_KEPT {
                self.kept.pop_front();
                self.cut = true;
            }
        } else {
            let joins = page.entries.last().map(|e| e.n) <= newest.map(|n| n + 1);
            if !joins || newest.is_none() {
                self.kept.clear();
                self.more = page.more;
            }
            self.cut = false;
            let news =
                page.entries.into_iter().filter(|e| newest.is_none_or(|n| !joins || e.n > n));
            for (at, entry) in news.enumerate() {
                self.kept.insert(at, entry);
            }
            if self.kept.len() > RECORDS_KEPT {
                self.kept.truncate(RECORDS_KEPT);
                self.more = true;
            }
        }
    }

    /// One by its number.
    pub fn at(&self, n: u64) -> Option<&AuditEntry> {
        self.kept.iter().find(|e| e.n == n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(numbers: std::ops::RangeInclusive<u64>) -> AuditPage {
        let more = *numbers.start() > 1;
        let entry = |n| AuditEntry { n, hash: String::new(), record: None };
        AuditPage { entries: numbers.rev().map(entry).collect(), more, path: "a".to_owned() }
    }

    fn numbers(audit: &Audit) -> (Option<u64>, Option<u64>, usize) {
        (audit.kept.front().map(|e| e.n), audit.oldest(), audit.kept.len())
    }

    #[test]
    fn pages_join_without_a_hole_and_without_a_copy() {
        let mut audit = Audit::default();
        audit.take(page(101..=200));
        assert_eq!((numbers(&audit), audit.more), ((Some(200), Some(101), 100), true));
        audit.take(page(1..=100));
        assert_eq!((numbers(&audit), audit.more), ((Some(200), Some(1), 200), false));
        // Two more were written, and the newest page was read again.
        audit.take(page(103..=202));
        assert_eq!(numbers(&audit), (Some(202), Some(1), 202));
        // So many were written that the newest page does not reach what is here.
        audit.take(page(401..=500));
        assert_eq!((numbers(&audit), audit.more), ((Some(500), Some(401), 100), true));
    }

    #[test]
    fn paging_back_is_bounded() {
        let mut audit = Audit::default();
        for start in (1..=1401).rev().step_by(100) {
            audit.take(page(start..=start + 99));
        }
        assert_eq!(numbers(&audit), (Some(1000), Some(1), RECORDS_KEPT));
        assert!(audit.cut);
    }
}
