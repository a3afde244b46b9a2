//! Records of several lines folded into their first one: a stack trace takes one row until it is
//! opened. A line that is evidence is never folded away.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::domain::log::LogEntry;

use crate::tui::fate::{self, Fate, Head};
use crate::tui::log_past::Range;
use crate::tui::log_view::LogView;
use crate::tui::record;
use crate::tui::words;

/// Lines behind a record's first that are looked at to count its own.
const LOOKED_AT: usize = 2000;

impl LogView {
    /// Decides what becomes of the entry behind all others.
    pub(super) fn judge(&mut self, entry: &LogEntry) -> Fate {
        if let Range::Since { from, .. } = &self.range
            && entry.line.at < *from
        {
            return Fate::Before;
        }
        let wanted = self.accepts(entry);
        let plain = if wanted { Fate::Shown } else { Fate::Hidden };
        if entry.mark {
            return plain;
        }
        if !entry.line.reading.continues {
            let left_out = self.filter.as_ref().is_some_and(|f| f.excludes(&entry.line.text));
            self.heads.begin(Head { line: entry.line.clone(), shown: wanted, left_out });
            return plain;
        }
        let Some(head) = self.heads.of(&entry.line) else { return plain };
        if head.left_out {
            return Fate::Hidden;
        }
        let open = self.unfolded.contains(&head.line);
        let folded = wanted && entry.anomaly.is_none() && head.shown && !open;
        if folded { Fate::Folded } else { plain }
    }

    /// Decides anew what becomes of each entry.
    pub(super) fn judge_all(&mut self) {
        self.heads.clear();
        self.shown.clear();
        self.fates.clear();
        self.hidden = 0;
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get(at).map(Arc::clone) else { break };
            let fate = self.judge(&entry);
            self.fates.push_back(fate);
            self.hidden += usize::from(fate == Fate::Hidden);
            if fate == Fate::Shown {
                self.shown.push_back(self.base + at as u64);
            }
        }
    }

    /// Shows the oldest lines whose first line fell away: nothing stands for them any more.
    pub(super) fn show_orphans(&mut self) {
        let count = self.fates.iter().take_while(|f| **f == Fate::Folded).count();
        for fate in self.fates.iter_mut().take(count) {
            *fate = Fate::Shown;
        }
        for number in (0..count as u64).rev() {
            self.shown.push_front(self.base + number);
        }
    }

    /// Numbers of the entries behind a first line that go on with its record.
    pub fn further(&self, number: u64) -> impl Iterator<Item = u64> + '_ {
        let first = self.entry(number).filter(|e| !e.mark && !e.line.reading.continues);
        let from = usize::try_from(number.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let behind = self.entries.iter().enumerate().skip(from.saturating_add(1)).take(LOOKED_AT);
        let same = move |e: &LogEntry| first.is_some_and(|f| fate::same_stream(&f.line, &e.line));
        behind
            .filter(move |(_, e)| !e.mark && same(e))
            .take_while(|(_, e)| e.line.reading.continues)
            .map(|(at, _)| self.base + at as u64)
    }

    /// How many lines a first line stands for.
    pub fn folded_into(&self, number: u64) -> usize {
        self.further(number).filter(|n| self.fate(*n) == Some(Fate::Folded)).count()
    }

    fn fate(&self, number: u64) -> Option<Fate> {
        let at = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.fates.get(at).copied()
    }

    /// Whether the first line of its record stands for an entry.
    pub fn is_folded(&self, number: u64) -> bool {
        self.fate(number) == Some(Fate::Folded)
    }

    /// Unfolds the line of a moment with a text, where it is folded away.
    pub fn unfold_line(&mut self, at: Timestamp, excerpt: &str) {
        let wanted = |e: &LogEntry| e.line.at == at && e.line.text.contains(excerpt.trim());
        let found = self
            .entries
            .iter()
            .zip(&self.fates)
            .position(|(e, fate)| *fate == Fate::Folded && wanted(e));
        if let Some(found) = found {
            self.unfold(self.base + found as u64);
        }
    }

    /// What no filter hides, a line each, with the engine's time before it; bounded as the mirror.
    pub fn document(&self) -> String {
        self.written(0..self.entries.len(), true)
    }

    /// What no filter hides of some entries, by their places.
    pub(super) fn written(&self, places: std::ops::Range<usize>, times: bool) -> String {
        let mut out = String::new();
        let count = places.end.saturating_sub(places.start);
        let some = self.entries.iter().zip(&self.fates).skip(places.start).take(count);
        let kept = some.filter(|(_, f)| matches!(f, Fate::Shown | Fate::Folded));
        for (entry, _) in kept {
            let (before, behind) = if entry.mark { ("--- ", " ---") } else { ("", "") };
            if times {
                out.push_str(&entry.line.at.to_string());
                out.push(' ');
            }
            if let Some((_, name)) = self.name_of(&entry.line.container) {
                out.push_str(name);
                out.push(' ');
            }
            for part in [before, &entry.line.text, behind, "\n"] {
                out.push_str(part);
            }
        }
        out
    }

    /// The numbers of the lines that are selected.
    pub fn selected(&self) -> Option<RangeInclusive<u64>> {
        let anchor = self.anchor?;
        Some(anchor.min(self.cursor)..=anchor.max(self.cursor))
    }

    /// What no filter hides of the lines with some numbers, as it was written.
    pub fn text_between(&self, numbers: RangeInclusive<u64>) -> String {
        let place = |n: u64| usize::try_from(n.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let end = place(numbers.end().saturating_add(1)).min(self.entries.len());
        self.written(place(*numbers.start()).min(end)..end, false)
    }

    /// How many lines a filter or the level hides.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Opens or folds the record of the current line. False if it is one of a single line.
    pub fn toggle_fold(&mut self) -> bool {
        let Some(number) = self.shown.get(self.place()).copied() else { return false };
        let Some(first) = self.first_of(number) else { return false };
        if self.further(first).next().is_none() {
            return false;
        }
        let Some(line) = self.entry(first).map(|e| e.line.clone()) else { return false };
        self.unfolded.toggle(&line);
        self.cursor = first;
        let follow = std::mem::replace(&mut self.follow, false);
        self.reshow();
        self.follow = follow && self.shown.back() == Some(&self.cursor);
        true
    }

    /// The first line of the record that an entry belongs to.
    fn first_of(&self, number: u64) -> Option<u64> {
        let of = self.entry(number).filter(|e| !e.mark)?;
        if !of.line.reading.continues {
            return Some(number);
        }
        let floor = self.base.max(number.saturating_sub(LOOKED_AT as u64));
        (floor..number).rev().find(|n| {
            self.entry(*n).is_some_and(|e| {
                !e.mark && !e.line.reading.continues && fate::same_stream(&e.line, &of.line)
            })
        })
    }

    /// Makes a folded line a shown one, by opening its record.
    pub fn unfold(&mut self, number: u64) {
        if self.fate(number) != Some(Fate::Folded) {
            return;
        }
        let first = self.first_of(number).and_then(|n| self.entry(n)).map(|e| e.line.clone());
        if let Some(line) = first.filter(|line| !self.unfolded.contains(line)) {
            self.unfolded.toggle(&line);
            let cursor = self.cursor;
            self.reshow();
            self.cursor = cursor;
        }
    }

    /// The text of a line as it is shown: JSON as a message and pairs.
    pub fn text_of<'e>(&self, entry: &'e LogEntry) -> Cow<'e, str> {
        let one_line = if self.raw { None } else { record::one_line(&entry.line) };
        one_line.map_or(Cow::Borrowed(entry.line.text.as_ref()), Cow::Owned)
    }

    /// What a first line says of the lines that it stands for.
    pub fn fold_words(&self, number: u64) -> Option<String> {
        let count = self.folded_into(number);
        (count > 0).then(|| format!(" (+{})", words::count(count, "line")))
    }
}
