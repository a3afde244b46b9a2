//! Lines from beyond the rings, a page at a time: older ones when the reader comes to the top, the
//! beginning of the log, and what was written since a moment. Bounded: what is beyond the bounds
//! drops at the other end, and following goes back to the rings.

use std::sync::Arc;

use sentinel_core::domain::log::LogEntry;
use sentinel_core::domain::log_page::{PageAsk, PageFrom, PastPage, Seam};

use crate::tui::fate::Fate;
use crate::tui::log_past::{Edge, PAGED, Range};
use crate::tui::log_take::{HELD_BYTES, HELD_LINES, cost};
use crate::tui::log_view::LogView;

/// Lines of one page.
pub const PAGE_LINES: usize = 1_000;
/// Lines at an edge among which those that are equal to the last one are counted.
const EQUAL_MOST: usize = 4_096;

impl LogView {
    /// Whether the view stands at its first line.
    pub fn is_at_top(&self) -> bool {
        !self.follow && self.skip == 0 && self.shown.front().is_none_or(|first| self.top <= *first)
    }

    /// Shows the lines since a moment, or the newest ones again.
    pub fn show_since(&mut self, range: Range) -> Option<PageAsk> {
        let back = self.range == Range::Head || self.past.detached;
        self.range = range;
        if back {
            self.empty();
        }
        self.reshow();
        if self.range == Range::Tail {
            self.stick();
        }
        self.past.fills = matches!(self.range, Range::Since { .. });
        self.fill()
    }

    /// Shows the beginning of the log.
    pub fn show_head(&mut self) -> Option<PageAsk> {
        if !self.merged.is_empty() {
            return None;
        }
        let container = self.container.clone()?;
        self.empty();
        self.range = Range::Head;
        self.loaded = true;
        self.follow = false;
        (self.past.paged, self.past.detached) = (true, true);
        (self.past.older, self.past.newer) = (Edge::End, Edge::Loading);
        Some(PageAsk { container, from: PageFrom::Start, limit: PAGE_LINES })
    }

    /// Goes on asking until the range is covered or no more may be held.
    pub fn fill(&mut self) -> Option<PageAsk> {
        let Range::Since { from, .. } = &self.range else { return None };
        if !self.past.fills || !self.loaded {
            return None;
        }
        let covered = self.entries.front().is_none_or(|e| e.line.at < *from);
        if covered || self.is_full() || self.past.older == Edge::End {
            self.past.fills = false;
            return None;
        }
        self.ask_older()
    }

    fn is_full(&self) -> bool {
        self.entries.len() + PAGE_LINES > HELD_LINES || self.bytes > HELD_BYTES / 8 * 7
    }

    /// Asks for the page before the first line.
    pub fn ask_older(&mut self) -> Option<PageAsk> {
        if !self.loaded || !self.merged.is_empty() || self.past.older != Edge::Open {
            return None;
        }
        let container = self.container.clone()?;
        let Some(seam) = seam(self.entries.iter()) else {
            self.past.older = Edge::End;
            return None;
        };
        let lines = self.entries.iter().filter(|e| !e.mark).count() as u64;
        self.past.older = Edge::Loading;
        let from = PageFrom::Before(seam, lines + self.past.cut);
        Some(PageAsk { container, from, limit: PAGE_LINES })
    }

    /// Asks for the page behind the last line, while the newest ones are not shown.
    pub fn ask_newer(&mut self) -> Option<PageAsk> {
        if !self.past.detached || self.past.newer == Edge::Loading {
            return None;
        }
        let container = self.container.clone()?;
        let seam = seam(self.entries.iter().rev())?;
        self.past.newer = Edge::Loading;
        Some(PageAsk { container, from: PageFrom::After(seam), limit: PAGE_LINES })
    }

    /// A page that failed may be asked for again.
    pub fn try_again(&mut self) {
        if matches!(self.past.older, Edge::Failed(_)) {
            self.past.older = Edge::Open;
        }
    }

    /// Takes a page that was asked for.
    pub fn take_past(&mut self, older: bool, outcome: Result<PastPage, String>) {
        let edge = if older { &mut self.past.older } else { &mut self.past.newer };
        let page = match outcome {
            Ok(page) => page,
            Err(why) => {
                *edge = Edge::Failed(why);
                self.past.fills = false;
                return;
            }
        };
        *edge = if page.ends { Edge::End } else { Edge::Open };
        let entries: Vec<Arc<LogEntry>> = page
            .lines
            .into_iter()
            .map(|mut line| {
                line.seq = PAGED + self.past.read;
                self.past.read += 1;
                Arc::new(LogEntry { line, anomaly: None, mark: false })
            })
            .collect();
        if entries.is_empty() {
            return;
        }
        self.past.paged = true;
        if older { self.put_before(entries) } else { self.put_behind(entries) }
    }

    fn put_before(&mut self, entries: Vec<Arc<LogEntry>>) {
        for entry in entries.into_iter().rev() {
            self.bytes += cost(&entry);
            self.entries.push_front(entry);
            self.fates.push_front(Fate::Hidden);
            self.base -= 1;
        }
        self.judge_all();
        if self.follow {
            self.trim();
            self.stick();
        } else {
            self.cut_newest();
        }
    }

    fn put_behind(&mut self, entries: Vec<Arc<LogEntry>>) {
        let first = self.entries.is_empty();
        for entry in entries {
            self.past.cut = self.past.cut.saturating_sub(1);
            let fate = self.judge(&entry);
            self.push(entry, fate);
        }
        while self.is_over() {
            self.drop_oldest();
            self.past.older = Edge::Open;
        }
        self.settle_front();
        // Nothing was lost: the reader is where they asked for more.
        self.fell = 0;
        if first {
            (self.cursor, self.top, self.skip) = (self.base, self.base, 0);
        }
    }

    /// What stands above the first line, while it is in view.
    pub fn edge_words(&self) -> Option<String> {
        if self.follow || !self.is_at_top() {
            return None;
        }
        Some(match &self.past.older {
            Edge::Loading => "loading older lines".to_owned(),
            Edge::End => "beginning of the log".to_owned(),
            Edge::Failed(why) => format!("no older lines: {why}"),
            Edge::Open if !self.merged.is_empty() => {
                "older lines are read one log at a time: W".to_owned()
            }
            Edge::Open => return None,
        })
    }
}

/// The first line of some, and how many are like it.
fn seam<'e>(mut entries: impl Iterator<Item = &'e Arc<LogEntry>> + Clone) -> Option<Seam> {
    let first = entries.by_ref().find(|e| !e.mark)?;
    let line = &first.line;
    let like = |e: &&Arc<LogEntry>| {
        !e.mark && (e.line.at, e.line.stream) == (line.at, line.stream) && e.line.text == line.text
    };
    let copies = 1 + entries.take(EQUAL_MOST).filter(like).count();
    Some(Seam { at: line.at, stream: line.stream, text: Arc::clone(&line.text), copies })
}
