//! New lines of one log or several: taken once each, put where their time says, within bounds.

use std::sync::Arc;

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogEntry, LogLine, Reading, Stream};

use crate::runtime::rings::LogPage;
use crate::tui::fate::Fate;
use crate::tui::log_past::PAGED;
use crate::tui::log_view::LogView;

/// At most so many entries are mirrored, whatever is read back.
pub const HELD_LINES: usize = 50_000;
/// At most so many bytes of them.
pub const HELD_BYTES: usize = 16 << 20;

/// What an entry takes besides its text.
const ENTRY: usize = 288;

impl LogView {
    /// Takes a page of a container's ring. `whole` says that it is all that the ring has;
    /// otherwise it begins with the lines that share the number of our newest one. Returns
    /// whether anything changed. A page of a log that is not shown is dropped.
    pub fn take(&mut self, id: &ContainerId, page: &LogPage, whole: bool) -> bool {
        if !self.is_of(id) {
            return false;
        }
        self.loaded = true;
        let first_time = !std::mem::replace(&mut self.sources.of(id).loaded, true);
        if self.past.detached {
            return self.count_only(id, page) || first_time;
        }
        let replaces = whole && self.merged.is_empty() && !self.past.paged;
        let renewed = whole && !replaces && !first_time && self.renew(id, page);
        let added = if replaces { self.replace(id, page) } else { self.add(id, page) };
        let source = self.sources.of(id);
        (source.revision, source.first_kept) = (page.revision, page.first_kept);
        let trimmed = self.trim();
        if self.follow {
            self.stick();
        }
        first_time || renewed || added || trimmed
    }

    /// Newest number of a container's log that was taken, 0 for none, and the ring's revision.
    pub fn taken(&self, id: &ContainerId) -> (u64, u64) {
        self.sources.get(id).filter(|s| s.loaded).map_or((0, 0), |s| (s.last, s.revision))
    }

    /// The reader is in the past: what comes is only counted.
    fn count_only(&mut self, id: &ContainerId, page: &LogPage) -> bool {
        let source = self.sources.of(id);
        let is_new = |e: &&Arc<LogEntry>| !e.mark && e.line.seq > source.last;
        let count = page.entries.iter().filter(is_new).count();
        source.last = source.last.max(page.last);
        source.with_last = page.entries.iter().filter(|e| e.line.seq == source.last).count();
        source.revision = page.revision;
        self.missed += count;
        self.past.cut += count as u64;
        count > 0
    }

    /// One log anew, as its ring has it now.
    fn replace(&mut self, id: &ContainerId, page: &LogPage) -> bool {
        let first = page.entries.first().map(|e| e.line.seq);
        let known = self.entries.iter().position(|e| Some(e.line.seq) == first);
        let old_end = self.base + self.entries.len() as u64;
        self.base = known.map_or(old_end, |at| self.base + at as u64);
        self.entries = page.entries.iter().cloned().collect();
        self.bytes = self.entries.iter().map(|e| cost(e)).sum();
        let source = self.sources.of(id);
        source.last = page.entries.last().map_or(0, |e| e.line.seq);
        source.with_last = self.entries.iter().filter(|e| e.line.seq == source.last).count();
        self.reshow();
        if !self.follow {
            self.missed += self.shown.iter().rev().take_while(|at| **at >= old_end).count();
        }
        true
    }

    /// Entries that changed since they were taken (marked as evidence) take their places.
    fn renew(&mut self, id: &ContainerId, page: &LogPage) -> bool {
        let mut changed = false;
        for held in self.entries.iter_mut().filter(|e| &e.line.container == id && !e.mark) {
            let at = page.entries.partition_point(|e| e.line.seq < held.line.seq);
            let same = |e: &&Arc<LogEntry>| !e.mark && e.line.seq == held.line.seq;
            let Some(now) = page.entries.iter().skip(at).take(2).find(same) else { continue };
            if !Arc::ptr_eq(held, now) {
                *held = Arc::clone(now);
                changed = true;
            }
        }
        if changed {
            self.reshow();
        }
        changed
    }

    /// Adds what is new of a page.
    fn add(&mut self, id: &ContainerId, page: &LogPage) -> bool {
        let source = self.sources.of(id);
        let (last, have) = (source.last, source.with_last);
        let mut seen = 0;
        let mut new: Vec<Arc<LogEntry>> = Vec::new();
        for (at, entry) in page.entries.iter().enumerate() {
            let seq = entry.line.seq;
            if seq < last || (seq == last && seen < have) {
                seen += usize::from(seq == last);
                continue;
            }
            // Numbers have holes where lines were dropped, which a mark says already; a page that
            // begins behind the next number begins where the ring does.
            if at == 0 && last > 0 && seq > last + 1 {
                new.push(Arc::new(hole(id, entry, seq - last - 1)));
            }
            new.push(Arc::clone(entry));
        }
        let Some(newest) = new.last().map(|e| e.line.seq) else { return false };
        let count = new.iter().filter(|e| e.line.seq == newest).count();
        let source = self.sources.of(id);
        source.with_last = if newest == last { have + count } else { count };
        source.last = newest;
        let judged: Vec<(Arc<LogEntry>, Fate)> = new
            .into_iter()
            .map(|entry| {
                let fate = self.judge(&entry);
                (entry, fate)
            })
            .collect();
        if !self.follow {
            self.missed += judged.iter().filter(|(_, fate)| *fate == Fate::Shown).count();
        }
        self.weave(judged);
        true
    }

    /// Puts entries of one log, in their order, where their time says among those of others. The
    /// reader's place moves with its line.
    fn weave(&mut self, new: Vec<(Arc<LogEntry>, Fate)>) {
        let Some((first, _)) = new.first() else { return };
        let before = |e: &Arc<LogEntry>| {
            e.line.at <= first.line.at || e.line.container == first.line.container
        };
        let from = self.entries.iter().rposition(before).map_or(0, |at| at + 1);
        if from == self.entries.len() {
            for (entry, fate) in new {
                self.push(entry, fate);
            }
            return;
        }
        let tail = self.entries.split_off(from);
        let fates = self.fates.split_off(from);
        let cut = self.base + from as u64;
        self.shown.truncate(self.shown.partition_point(|n| *n < cut));
        for (entry, fate) in tail.iter().zip(&fates) {
            self.bytes = self.bytes.saturating_sub(cost(entry));
            self.hidden -= usize::from(*fate == Fate::Hidden);
        }
        let stood = (self.cursor, self.top, self.anchor);
        let mut new = new.into_iter().peekable();
        for ((entry, fate), number) in tail.into_iter().zip(fates).zip(cut..) {
            while let Some((entry, fate)) = new.next_if(|(n, _)| n.line.at < entry.line.at) {
                self.push(entry, fate);
            }
            let now = self.base + self.entries.len() as u64;
            self.push(entry, fate);
            if stood.0 == number {
                self.cursor = now;
            }
            if stood.1 == number {
                self.top = now;
            }
            if stood.2 == Some(number) {
                self.anchor = Some(now);
            }
        }
        for (entry, fate) in new {
            self.push(entry, fate);
        }
    }

    /// Adds an entry behind all others.
    pub(super) fn push(&mut self, entry: Arc<LogEntry>, fate: Fate) {
        if fate == Fate::Shown {
            self.shown.push_back(self.base + self.entries.len() as u64);
        }
        self.hidden += usize::from(fate == Fate::Hidden);
        self.bytes += cost(&entry);
        self.fates.push_back(fate);
        self.entries.push_back(entry);
    }

    /// Whether more is held than may be.
    pub(super) fn is_over(&self) -> bool {
        self.entries.len() > HELD_LINES || self.bytes > HELD_BYTES
    }

    /// Drops what the rings have dropped, and what is beyond the bounds. While the past is read
    /// the newest lines give way, otherwise the oldest.
    pub(super) fn trim(&mut self) -> bool {
        let mut trimmed = false;
        if self.past.paged && !self.follow {
            self.cut_newest();
        }
        while self.is_over() || self.entries.front().is_some_and(|e| self.has_gone(&e.line)) {
            self.drop_oldest();
            trimmed = true;
        }
        self.settle_front();
        trimmed
    }

    /// Whether a line at the front is not kept any more.
    fn has_gone(&self, line: &LogLine) -> bool {
        let ring = self.sources.get(&line.container);
        !self.past.paged && (line.seq >= PAGED || ring.is_some_and(|s| line.seq < s.first_kept))
    }

    pub(super) fn drop_oldest(&mut self) {
        if let Some(old) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(cost(&old));
            self.hidden -= usize::from(self.fates.pop_front() == Some(Fate::Hidden));
            self.base += 1;
        }
    }

    /// After the front moved: what stood on a line that went stands on the oldest one.
    pub(super) fn settle_front(&mut self) {
        while self.shown.front().is_some_and(|at| *at < self.base) {
            self.shown.pop_front();
        }
        self.show_orphans();
        self.cursor = self.cursor.max(self.base);
        self.anchor = self.anchor.map(|at| at.max(self.base));
        if self.top < self.base {
            if !self.follow {
                self.fell += self.base - self.top;
            }
            (self.top, self.skip) = (self.base, 0);
        }
    }

    /// Lets the newest lines give way to older ones: what comes then is only counted.
    pub(super) fn cut_newest(&mut self) {
        while self.is_over() {
            let Some(new) = self.entries.pop_back() else { break };
            self.bytes = self.bytes.saturating_sub(cost(&new));
            self.hidden -= usize::from(self.fates.pop_back() == Some(Fate::Hidden));
            self.past.cut += u64::from(!new.mark);
            self.past.detached = true;
        }
        let end = self.base + self.entries.len() as u64;
        while self.shown.back().is_some_and(|at| *at >= end) {
            self.shown.pop_back();
        }
    }
}

/// What an entry takes.
pub(super) fn cost(entry: &LogEntry) -> usize {
    let spans = entry.line.styles.as_ref().map_or(0, |s| 16 + size_of_val(s.as_ref()));
    entry.line.text.len() + spans + ENTRY
}

/// A mark for lines that fell out of memory before they were shown.
fn hole(id: &ContainerId, behind: &LogEntry, count: u64) -> LogEntry {
    LogEntry {
        line: LogLine {
            container: id.clone(),
            seq: behind.line.seq.saturating_sub(1),
            at: behind.line.at,
            stream: Stream::Stderr,
            text: format!("{count} lines were not kept in memory long enough to be shown").into(),
            reading: Reading::default(),
            styles: None,
            history: true,
        },
        anomaly: None,
        mark: true,
    }
}
