//! Scrolling the log: which rows of which entries are in view, and moving among them.

use crate::tui::log_view::LogView;
use crate::tui::text;

/// Columns before the time: cursor, level, anomaly mark, space.
pub const GUTTER: usize = 4;

/// Where the view begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The place of the first entry in view, among those shown.
    pub place: usize,
    /// Its rows that are above the view.
    pub skip: usize,
}

impl LogView {
    /// Columns for the text of a line in a pane of `columns`.
    pub fn text_columns(&self, columns: usize) -> usize {
        let head = GUTTER + self.times.columns() + self.name_columns(columns);
        columns.saturating_sub(head).max(1)
    }

    /// Rows that an entry takes in a pane of `columns`.
    pub fn rows(&self, number: u64, columns: usize) -> usize {
        match self.entry(number) {
            Some(entry) if self.wrap && !entry.mark => {
                let mut shown = self.text_of(entry);
                if let Some(words) = self.fold_words(number) {
                    shown.to_mut().push_str(&words);
                }
                text::count_chunks(&shown, self.text_columns(columns))
            }
            _ => 1,
        }
    }

    /// Where the view begins in a pane of `rows` by `columns`.
    pub fn start(&self, rows: usize, columns: usize) -> Start {
        if !self.follow {
            return self.held(columns);
        }
        // Counted from the newest row up, so that the end of a tall line fills the pane.
        let mut place = self.shown.len();
        let mut used = 0;
        while place > 0 && used < rows {
            place -= 1;
            used += self.rows_at(place, columns);
        }
        Start { place, skip: used.saturating_sub(rows) }
    }

    /// Where the view begins while it is held.
    fn held(&self, columns: usize) -> Start {
        let place = self.shown.partition_point(|n| *n < self.top);
        let skip = if self.skip > 0 && self.shown.get(place) == Some(&self.top) {
            self.skip.min(self.rows_at(place, columns).saturating_sub(1))
        } else {
            0
        };
        Start { place, skip }
    }

    fn rows_at(&self, place: usize, columns: usize) -> usize {
        self.shown.get(place).map_or(1, |n| self.rows(*n, columns))
    }

    fn begin_at(&mut self, place: usize, skip: usize) {
        self.top = self.shown.get(place).copied().unwrap_or(self.base);
        self.skip = skip;
    }

    /// Moves the view, as little as needed, so that the current entry is in it.
    pub fn reveal(&mut self, rows: usize, columns: usize) {
        if self.follow {
            return;
        }
        let (place, rows) = (self.place(), rows.max(1));
        let start = self.held(columns);
        if place <= start.place {
            // A tall entry that is partly in view stays as it is.
            let skip = if place == start.place { start.skip } else { 0 };
            self.begin_at(place, skip);
            return;
        }
        let mut used = 0;
        // Walk up from the current entry; what does not fit above it falls out of view.
        for at in (start.place..=place).rev() {
            let hidden = if at == start.place { start.skip } else { 0 };
            let own = self.rows_at(at, columns).saturating_sub(hidden);
            if used + own > rows {
                if at == place {
                    self.begin_at(place, 0);
                } else if used == rows {
                    self.begin_at(at + 1, 0);
                } else {
                    self.begin_at(at, hidden + own - (rows - used));
                }
                return;
            }
            used += own;
        }
        self.begin_at(start.place, start.skip);
    }

    /// Moves by a number of entries, or by rows within one that is taller than the pane. Past
    /// the newest one means following it.
    pub fn step(&mut self, by: isize, rows: usize, columns: usize) {
        if by > 0 && self.follow {
            return;
        }
        self.unstick(rows, columns);
        let (place, start) = (self.place(), self.held(columns));
        if place == start.place {
            let below = (self.rows_at(place, columns) - start.skip).saturating_sub(rows);
            if by < 0 && start.skip > 0 {
                self.skip = start.skip.saturating_sub(by.unsigned_abs());
                return;
            }
            if by > 0 && below > 0 {
                self.skip = start.skip + by.unsigned_abs().min(below);
                return;
            }
        }
        let past_end = place + by.unsigned_abs() > self.shown.len().saturating_sub(1);
        if by > 0 && past_end && !self.past.detached {
            self.stick();
            return;
        }
        self.go(place.saturating_add_signed(by));
        self.reveal(rows, columns);
        if self.place() < start.place {
            // Upwards one comes to the end of a tall line first.
            self.skip = self.rows_at(self.place(), columns).saturating_sub(rows);
        }
    }

    /// Stops following; the view stays as it is.
    pub fn unstick(&mut self, rows: usize, columns: usize) {
        if self.follow {
            let start = self.start(rows, columns);
            self.follow = false;
            self.begin_at(start.place, start.skip);
        }
    }

    /// Scrolls to the right, but not past the end of the longest line in view.
    pub fn scroll_right(&mut self, by: usize, rows: usize, columns: usize) {
        let start = self.start(rows, columns).place;
        let entries = self.shown.iter().skip(start).take(rows).filter_map(|n| self.entry(*n));
        let longest =
            entries.filter(|e| !e.mark).map(|e| text::width(&self.text_of(e))).max().unwrap_or(0);
        let most = longest.saturating_sub(self.text_columns(columns));
        self.left = (self.left + by).min(most.max(self.left));
    }

    /// Rows at the top of the pane that say that older lines fell away under the reader, or what
    /// lies before the first line.
    pub fn pinned_rows(&self) -> usize {
        usize::from(!self.follow && (self.fell > 0 || self.edge_words().is_some()))
    }

    /// Goes to a place and shows it with some lines above it.
    pub fn jump(&mut self, place: usize, rows: usize, columns: usize) {
        self.unstick(rows, columns);
        self.go(place);
        let far = self.cursor < self.top
            || (self.shown.partition_point(|n| *n < self.top) + rows) <= place;
        if far {
            self.begin_at(place.saturating_sub(rows / 3), 0);
        }
        self.reveal(rows, columns);
    }
}
