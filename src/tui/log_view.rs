//! The log pane's state: a mirror of the rings of one container or several, what of it is shown,
//! and where the reader stands.
//!
//! Entries are counted; that number never changes while the front of the window falls away or
//! older lines come before it, so a reader who scrolled up stays where they are.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{Level, LogEntry};

use crate::tui::fate::{Fate, Heads};
use crate::tui::filter::Filter;
use crate::tui::log_past::{Past, Range};
use crate::tui::log_sources::{Named, Sources, Whose};
use crate::tui::pattern::Pattern;
use crate::tui::places::Places;
use crate::tui::record;
use crate::tui::times::Times;

/// Number of the first entry: from there it is counted both ways.
pub(super) const BASE: u64 = 1 << 32;

/// The state of the log pane.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of the operator that are independent of each other"
)]
pub struct LogView {
    /// The selected container, whose log it is unless several are shown.
    pub container: Option<ContainerId>,
    /// Whose logs are shown.
    pub whose: Whose,
    /// The containers whose logs are shown together; none for the selected one's alone.
    pub merged: Vec<Named>,
    /// Counts changes of the container, so that a late page of another one is dropped.
    pub generation: u64,
    /// Whether a first page has come.
    pub loaded: bool,
    /// Up to where each log was taken.
    pub(super) sources: Sources,
    /// What is shown from beyond the rings.
    pub past: Past,
    /// Since when lines are shown.
    pub range: Range,
    /// Where a selection of lines began.
    pub anchor: Option<u64>,
    pub(super) entries: VecDeque<Arc<LogEntry>>,
    /// What became of each of them.
    pub(super) fates: VecDeque<Fate>,
    /// The records that the last lines belong to.
    pub(super) heads: Heads,
    /// Number of the first mirrored entry.
    pub(super) base: u64,
    /// What the entries take.
    pub(super) bytes: usize,
    /// How many entries a filter or the level hides.
    pub(super) hidden: usize,
    pub(super) shown: VecDeque<u64>,
    /// The newest line is in view and stays so.
    pub follow: bool,
    /// The current entry.
    pub cursor: u64,
    /// The first entry in view, while not following.
    pub top: u64,
    /// Rows of that entry that are above the view: a wrapped line can be taller than the pane.
    pub skip: usize,
    /// Lines at or behind the top of the view that fell away since the reader stopped following.
    pub fell: u64,
    /// Lines that came since the reader stopped following.
    pub missed: usize,
    /// First column in view.
    pub left: usize,
    /// Long lines go on below instead of to the right.
    pub wrap: bool,
    /// How times are shown.
    pub times: Times,
    /// Least level shown.
    pub least: Option<Level>,
    /// Only lines that it accepts are shown.
    pub filter: Option<Filter>,
    /// JSON lines as they were written, not as a message and pairs.
    pub raw: bool,
    /// Records whose further lines are shown.
    pub unfolded: Places,
    /// Lines to come back to.
    pub bookmarks: Places,
    /// What is highlighted and jumped to.
    pub search: Option<Pattern>,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            container: None,
            whose: Whose::One,
            merged: Vec::new(),
            generation: 0,
            loaded: false,
            sources: Sources::default(),
            past: Past::default(),
            range: Range::Tail,
            anchor: None,
            entries: VecDeque::new(),
            fates: VecDeque::new(),
            heads: Heads::default(),
            base: BASE,
            bytes: 0,
            hidden: 0,
            shown: VecDeque::new(),
            follow: true,
            cursor: BASE,
            top: BASE,
            skip: 0,
            fell: 0,
            missed: 0,
            left: 0,
            wrap: false,
            times: Times::Local,
            least: None,
            filter: None,
            raw: false,
            unfolded: Places::default(),
            bookmarks: Places::default(),
            search: None,
        }
    }
}

impl LogView {
    /// Turns to another container; filter, search and form stay, because an operator compares.
    pub fn turn_to(&mut self, container: Option<ContainerId>) {
        self.container = container;
        (self.whose, self.merged) = (Whose::One, Vec::new());
        self.left = 0;
        self.empty();
    }

    /// Forgets all lines, to read them anew.
    pub fn empty(&mut self) {
        self.generation += 1;
        self.loaded = false;
        self.sources.clear();
        self.entries.clear();
        self.fates.clear();
        self.heads.clear();
        self.shown.clear();
        (self.base, self.bytes, self.hidden) = (BASE, 0, 0);
        self.past = Past::default();
        if self.range == Range::Head {
            self.range = Range::Tail;
        }
        self.anchor = None;
        self.stick();
    }

    /// Decides anew what is shown, after a filter changed.
    pub fn reshow(&mut self) {
        self.judge_all();
        if self.follow {
            self.stick();
        } else {
            self.go(self.place());
            self.top = self.cursor.min(self.top);
        }
    }

    /// Follows the newest line: of what is in memory, so a reader of the past comes back to it.
    pub fn stick(&mut self) {
        self.follow = true;
        (self.missed, self.fell, self.skip) = (0, 0, 0);
        if self.past.detached {
            self.empty();
            return;
        }
        if self.past.paged && self.range == Range::Tail {
            self.past = Past::default();
            self.trim();
        }
        self.cursor = self.shown.back().copied().unwrap_or(self.base);
    }

    pub(super) fn accepts(&self, entry: &LogEntry) -> bool {
        if entry.mark {
            return self.filter.is_none();
        }
        let level = match self.least {
            None => true,
            Some(least) => {
                entry.anomaly.is_some() || entry.line.reading.level.is_some_and(|l| l >= least)
            }
        };
        let line = &entry.line;
        let shown = || (!self.raw).then(|| record::one_line(line)).flatten().map(Cow::Owned);
        level && self.filter.as_ref().is_none_or(|f| f.accepts(line.at, &line.text, shown))
    }

    /// Whether a pattern is in a line, as it was written or as it is shown.
    pub fn matches(&self, entry: &LogEntry, pattern: &Pattern) -> bool {
        if entry.mark {
            return false;
        }
        let shown =
            || !self.raw && record::one_line(&entry.line).is_some_and(|s| pattern.finds(&s));
        (pattern.finds(&entry.line.text) || shown()) != pattern.is_inverse()
    }

    /// When the newest line was written.
    pub fn newest_at(&self) -> Option<Timestamp> {
        self.entries.iter().rev().find(|e| !e.mark).map(|e| e.line.at)
    }

    /// An entry by its number.
    pub fn entry(&self, number: u64) -> Option<&Arc<LogEntry>> {
        let at = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.entries.get(at)
    }

    /// The current entry.
    pub fn current(&self) -> Option<&Arc<LogEntry>> {
        self.shown.get(self.place()).and_then(|n| self.entry(*n))
    }

    /// Numbers of the shown entries.
    pub fn shown(&self) -> &VecDeque<u64> {
        &self.shown
    }

    /// Entries mirrored, shown or not.
    pub fn total(&self) -> usize {
        self.entries.len()
    }

    /// The current entry's place among those shown.
    pub fn place(&self) -> usize {
        let at = self.shown.partition_point(|n| *n < self.cursor);
        at.min(self.shown.len().saturating_sub(1))
    }

    /// Makes the entry at a place among those shown the current one.
    pub fn go(&mut self, place: usize) {
        let place = place.min(self.shown.len().saturating_sub(1));
        self.cursor = self.shown.get(place).copied().unwrap_or(self.base);
    }

    /// The nearest shown entry that `wanted` accepts, before or behind the current one, around
    /// the end if need be.
    pub fn find(&self, forward: bool, wanted: impl Fn(&LogEntry) -> bool) -> Option<usize> {
        self.find_numbered(forward, |_, entry| wanted(entry))
    }

    /// The same for what is found by number.
    pub fn find_numbered(
        &self,
        forward: bool,
        mut wanted: impl FnMut(u64, &LogEntry) -> bool,
    ) -> Option<usize> {
        let count = self.shown.len();
        let from = self.place();
        (1..=count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count })
            .find(|place| {
                let number = self.shown.get(*place).copied();
                number.is_some_and(|n| self.entry(n).is_some_and(|e| wanted(n, e)))
            })
    }

    /// The place of the line with a number, or of the nearest one to a moment with that text.
    pub fn locate(&self, seq: Option<u64>, at: Timestamp, excerpt: &str) -> Option<usize> {
        let by = |wanted: &dyn Fn(&LogEntry) -> bool| {
            self.shown.iter().position(|n| self.entry(*n).is_some_and(|e| !e.mark && wanted(e)))
        };
        // A number counts from the start of this run: an older incident's may mean another line.
        let same = |e: &LogEntry| e.line.at == at || e.line.text.contains(excerpt.trim());
        seq.and_then(|seq| by(&|e| e.line.seq == seq && same(e)))
            .or_else(|| by(&|e| e.line.at == at && e.line.text.contains(excerpt.trim())))
            .or_else(|| by(&|e| e.line.at == at))
    }

    /// Whether everything is shown.
    pub fn is_narrowed(&self) -> bool {
        self.filter.is_some() || self.least.is_some() || self.range != Range::Tail
    }
}

/// Whether a line is at level error or above, or evidence of an anomaly.
pub fn is_trouble(entry: &LogEntry) -> bool {
    !entry.mark
        && (entry.anomaly.is_some() || entry.line.reading.level.is_some_and(|l| l >= Level::Error))
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::log::{LogLine, Reading, Stream};

    use super::*;
    use crate::runtime::rings::LogPage;
    use crate::tui::log_scroll::Start;

    fn entry(seq: u64, text: &str, level: Option<Level>, mark: bool) -> Arc<LogEntry> {
        Arc::new(LogEntry {
            line: LogLine {
                container: "c".into(),
                seq,
                at: Timestamp::UNIX_EPOCH,
                stream: Stream::Stdout,
                text: text.into(),
                reading: Reading { level, ..Reading::default() },
                styles: None,
                history: false,
            },
            anomaly: None,
            mark,
        })
    }

    fn page(entries: Vec<Arc<LogEntry>>, first_kept: u64) -> LogPage {
        let last = entries.last().map_or(0, |e| e.line.seq);
        LogPage { entries, first_kept, last, revision: 0 }
    }

    fn of_c() -> LogView {
        LogView { container: Some("c".into()), ..LogView::default() }
    }

    fn take(view: &mut LogView, page: &LogPage, whole: bool) -> bool {
        view.take(&"c".into(), page, whole)
    }

    fn filled(count: u64) -> LogView {
        let mut view = of_c();
        let entries = (1..=count).map(|s| entry(s, &format!("line {s}"), None, false)).collect();
        assert!(take(&mut view, &page(entries, 1), true));
        view
    }

    #[test]
    fn appending_drops_what_is_there_already_and_keeps_marks_of_the_same_number() {
        let mut view = filled(3);
        let next = vec![
            entry(3, "line 3", None, false),
            entry(3, "gap", None, true),
            entry(4, "line 4", None, false),
        ];
        assert!(take(&mut view, &page(next.clone(), 1), false));
        assert_eq!(view.total(), 5);
        assert!(!take(&mut view, &page(next[1..].to_vec(), 1), false) || view.total() == 5);
        assert_eq!(view.total(), 5);
    }

    #[test]
    fn scrolling_up_stops_following_and_the_end_follows_again() {
        let mut view = filled(50);
        view.step(-1, 10, 80);
        assert!(!view.follow);
        assert_eq!(view.place(), 48);
        assert_eq!(view.start(10, 80).place, 40);
        take(
            &mut view,
            &page(vec![entry(50, "line 50", None, false), entry(51, "new", None, false)], 1),
            false,
        );
        assert_eq!(view.missed, 1);
        assert_eq!(view.start(10, 80).place, 40, "the view stays where the reader is");
        view.step(10, 10, 80);
        assert!(view.follow && view.missed == 0);
    }

    #[test]
    fn the_reader_stays_put_while_the_front_falls_away() {
        let mut view = filled(50);
        view.step(-20, 10, 80);
        let current = view.current().unwrap().line.seq;
        take(&mut view, &page(vec![entry(50, "line 50", None, false)], 20), false);
        assert_eq!(view.current().unwrap().line.seq, current);
        take(&mut view, &page(vec![entry(50, "line 50", None, false)], 45), false);
        assert_eq!(view.current().unwrap().line.seq, 45, "what fell away cannot be shown");
    }

    #[test]
    fn a_whole_page_keeps_the_place() {
        let mut view = filled(50);
        view.step(-20, 10, 80);
        let current = view.current().unwrap().line.seq;
        let entries = (11..=60).map(|s| entry(s, &format!("line {s}"), None, false)).collect();
        take(&mut view, &page(entries, 11), true);
        assert_eq!(view.current().unwrap().line.seq, current);
        assert_eq!(view.missed, 10);
    }

    #[test]
    fn filters_and_levels_narrow_what_is_shown() {
        let mut view = of_c();
        take(
            &mut view,
            &page(
                vec![
                    entry(1, "ok", Some(Level::Info), false),
                    entry(2, "bad", Some(Level::Error), false),
                    entry(2, "gap", None, true),
                    entry(3, "bare", None, false),
                ],
                1,
            ),
            true,
        );
        view.least = Some(Level::Warn);
        view.reshow();
        assert_eq!(view.shown().len(), 2, "the error and the mark");
        view.least = None;
        view.filter = Filter::parse("!ba", Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
        view.reshow();
        assert_eq!(view.shown().len(), 1);
        assert_eq!(view.current().unwrap().line.text.as_ref(), "ok");
    }

    #[test]
    fn errors_are_found_around_the_end() {
        let mut view = of_c();
        take(
            &mut view,
            &page(
                vec![
                    entry(1, "bad", Some(Level::Error), false),
                    entry(2, "ok", None, false),
                    entry(3, "bad", Some(Level::Fatal), false),
                    entry(4, "ok", None, false),
                ],
                1,
            ),
            true,
        );
        assert_eq!(view.find(true, is_trouble), Some(0));
        assert_eq!(view.find(false, is_trouble), Some(2));
        view.jump(2, 10, 80);
        assert_eq!(view.find(true, is_trouble), Some(0));
    }

    #[test]
    fn wrapped_lines_count_their_rows() {
        let mut view = LogView { wrap: true, times: Times::Off, ..of_c() };
        take(&mut view, &page(vec![entry(1, &"x".repeat(25), None, false)], 1), true);
        assert_eq!(view.rows(BASE, 14), 3);
        assert_eq!(view.start(2, 14), Start { place: 0, skip: 1 }, "its end is shown");
    }

    #[test]
    fn the_end_of_a_tall_line_fills_the_pane_and_it_is_read_row_by_row() {
        let mut view = LogView { wrap: true, times: Times::Off, ..of_c() };
        let entries = vec![
            entry(1, "first", None, false),
            entry(2, &"x".repeat(1 << 20), None, false),
            entry(3, "last", None, false),
        ];
        take(&mut view, &page(entries, 1), true);
        let tall = (1_usize << 20).div_ceil(10);
        assert_eq!(view.start(8, 14), Start { place: 1, skip: tall - 7 });
        view.step(-1, 8, 14);
        assert_eq!(view.place(), 1);
        view.step(-1, 8, 14);
        assert_eq!((view.place(), view.start(8, 14).skip), (1, tall - 8), "one row up");
        view.step(-(1 << 20), 8, 14);
        assert_eq!(view.start(8, 14), Start { place: 1, skip: 0 }, "its beginning");
        view.step(-1, 8, 14);
        assert_eq!(view.start(8, 14), Start { place: 0, skip: 0 });
        view.step(1, 8, 14);
        assert_eq!(view.place(), 1);
        view.jump(2, 8, 14);
        view.step(-1, 8, 14);
        view.reveal(8, 14);
        let kept = view.start(8, 14);
        view.reveal(8, 14);
        assert_eq!(view.start(8, 14), kept, "to reveal what is in view moves nothing");
    }

    #[test]
    fn a_held_line_that_falls_away_is_counted_and_the_cursor_stays_at_the_oldest() {
        let mut view = filled(50);
        view.step(-20, 10, 80);
        view.reveal(10, 80);
        assert_eq!(view.pinned_rows(), 0);
        take(&mut view, &page(vec![entry(50, "line 50", None, false)], 45), false);
        assert_eq!(view.current().unwrap().line.seq, 45);
        assert_eq!((view.pinned_rows(), view.start(9, 80).place), (1, 0));
        assert!(view.fell > 0);
        view.stick();
        assert_eq!((view.pinned_rows(), view.fell), (0, 0));
    }

    #[test]
    fn scrolling_right_ends_with_the_longest_line_in_view() {
        let mut view = filled(50);
        view.scroll_right(16, 10, 80);
        assert_eq!(view.left, 0, "everything fits");
        let long = entry(51, &"y".repeat(100), None, false);
        take(&mut view, &page(vec![entry(50, "line 50", None, false), long], 1), false);
        for _ in 0..9 {
            view.scroll_right(16, 10, 80);
        }
        assert_eq!(view.left, 100 - view.text_columns(80));
    }
}
