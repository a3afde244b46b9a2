//! The kinds of line as front ends see them. Asking changes nothing that a verdict depends on.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::logs::LogDetector;
use crate::detect::score::{WINDOW, window_of};
use crate::domain::container::ContainerRef;
use crate::domain::log::{Level, LogEntry};
use crate::domain::log_pattern::{
    LogPattern, LogPatterns, MOST_PATTERNS, MOST_SAMPLES, RECENT_COLUMNS, RECENT_SECONDS,
};

/// What was first seen within so many seconds is new.
const NEW: i64 = 600;
/// Seconds over which the present rate is counted.
const MINUTE: i64 = 60;

/// What the lines that are kept tell of one kind.
#[derive(Default)]
struct Kept {
    level: Option<Level>,
    now: u32,
    recent: [u32; RECENT_COLUMNS],
    samples: Vec<Arc<LogEntry>>,
}

impl LogDetector {
    /// The kinds of line, most frequent first; `kept` are the lines that are still there, oldest
    /// first.
    pub(in crate::detect) fn patterns(
        &mut self,
        of: &ContainerRef,
        kept: &[Arc<LogEntry>],
        now: Timestamp,
    ) -> LogPatterns {
        let until = self.clock(now);
        let mut found = self.sorted_out(kept, until);
        let oldest = kept.iter().find(|e| !e.mark).map_or(until, |e| e.line.at.as_second());
        let known = self.novelty.is_warm();
        let window = window_of(until);
        let mut patterns: Vec<LogPattern> = self
            .miner
            .iter()
            .map(|template| {
                let kept = found.remove(&template.id.0).unwrap_or_default();
                let rate = &template.payload.rate;
                let first = template.first_seen.as_second();
                LogPattern {
                    id: template.id.0,
                    text: template.text(),
                    count: template.count,
                    first_seen: template.first_seen,
                    last_seen: template.last_seen,
                    usual: rate.usual() * (MINUTE / WINDOW) as f32,
                    now: kept.now,
                    bursting: rate.was_burst(window, MINUTE.unsigned_abs() / WINDOW.unsigned_abs()),
                    is_new: known
                        && until - first < NEW
                        && first > i64::from(self.first) * WINDOW + NEW,
                    level: kept.level,
                    recent: columns(&kept.recent, until - oldest),
                    samples: kept.samples,
                }
            })
            .collect();
        let lines = patterns.iter().map(|p| p.count).sum();
        patterns.sort_by(|a, b| b.count.cmp(&a.count).then(a.id.cmp(&b.id)));
        let left_out = patterns.len().saturating_sub(MOST_PATTERNS);
        patterns.truncate(MOST_PATTERNS);
        LogPatterns {
            of: of.clone(),
            until: Timestamp::from_second(until).unwrap_or(now),
            patterns,
            left_out,
            lines,
            other: self.miner.other(),
            is_known: known,
        }
    }

    /// Which kind each kept line is of.
    fn sorted_out(&mut self, kept: &[Arc<LogEntry>], until: i64) -> HashMap<u32, Kept> {
        let mut found: HashMap<u32, Kept> = HashMap::new();
        for entry in kept.iter().rev().filter(|e| !e.mark && !e.line.reading.continues) {
            let line = &entry.line;
            let Some(id) = self.miner.known(line.reading.message(&line.text)) else { continue };
            let kind = found.entry(id.0).or_default();
            kind.level = kind.level.max(line.reading.level);
            let age = (until - line.at.as_second()).max(0);
            kind.now += u32::from(age < MINUTE);
            let back = usize::try_from(age / RECENT_SECONDS).unwrap_or(usize::MAX);
            if let Some(column) = RECENT_COLUMNS.checked_sub(back.saturating_add(1))
                && let Some(count) = kind.recent.get_mut(column)
            {
                *count += 1;
            }
            if kind.samples.len() < MOST_SAMPLES {
                kind.samples.push(Arc::clone(entry));
            }
        }
        for kind in found.values_mut() {
            kind.samples.reverse();
        }
        found
    }
}

/// Columns that lie before the oldest kept line are not known.
fn columns(counts: &[u32; RECENT_COLUMNS], kept_for: i64) -> Vec<Option<u32>> {
    let known = usize::try_from(kept_for / RECENT_SECONDS).unwrap_or(usize::MAX).saturating_add(1);
    let unknown = RECENT_COLUMNS.saturating_sub(known);
    counts.iter().enumerate().map(|(at, n)| (at >= unknown).then_some(*n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::reader::Reader;
    use crate::detect::signatures::Signatures;
    use crate::domain::container::tests_support::container;
    use crate::domain::log::{LogLine, Stream};

    fn entry(seq: u64, second: i64, text: &str) -> Arc<LogEntry> {
        let reading = Reader::default().read(Stream::Stdout, text);
        let line = LogLine {
            container: "c".into(),
            seq,
            at: Timestamp::from_second(second).unwrap(),
            stream: Stream::Stdout,
            text: text.into(),
            styles: None,
            reading,
            history: false,
        };
        Arc::new(LogEntry { line, anomaly: None, mark: false })
    }

    #[test]
    fn kinds_are_counted_with_their_rate_level_and_newest_lines() {
        let mut detector = LogDetector::default();
        let of = container("api").of;
        let began = 1_795_500_000;
        let mut kept = Vec::new();
        for n in 0..700_i64 {
            kept.push(entry(n.unsigned_abs() + 1, began + n, &format!("INFO served order {n}")));
        }
        kept.push(entry(701, began + 1290, "INFO served order 5"));
        kept.push(entry(702, began + 1295, "ERROR cannot reach ledger 7"));
        let lines: Vec<LogLine> = kept.iter().map(|e| e.line.clone()).collect();
        let now = Timestamp::from_second(began + 1300).unwrap();
        detector.lines(&lines, &of, Signatures::builtin(), now);
        let told = detector.patterns(&of, &kept, now);
        assert_eq!((told.patterns.len(), told.lines, told.left_out), (2, 702, 0));
        let (often, fresh) = (&told.patterns[0], &told.patterns[1]);
        assert_eq!((often.count, often.is_new, often.now), (701, false, 1));
        assert_eq!(often.samples.len(), MOST_SAMPLES);
        assert_eq!(often.samples.last().map(|e| e.line.seq), Some(701));
        assert!(fresh.is_new, "{fresh:?}");
        assert_eq!(fresh.level, Some(Level::Error));
        assert_eq!(fresh.recent.last(), Some(&Some(1)));
        assert!(fresh.text.contains("<*>"), "{}", fresh.text);
        // Asking learns nothing.
        assert_eq!(detector.patterns(&of, &kept, now), told);
    }

    #[test]
    fn what_is_older_than_the_kept_lines_is_not_called_nothing() {
        let mut counts = [0; RECENT_COLUMNS];
        counts[RECENT_COLUMNS - 1] = 4;
        let shown = columns(&counts, 45);
        assert_eq!(shown[RECENT_COLUMNS - 3..], [None, Some(0), Some(4)]);
        assert!(columns(&counts, 100_000).iter().all(Option::is_some));
    }
}
