//! What front ends see: readings over time, counts, and the snapshot made of it all.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::diagnose::topology;
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::ids::ContainerId;
use crate::domain::incident::Incident;
use crate::domain::log::LogLine;
use crate::domain::snapshot::{ContainerView, Mode, Snapshot, USAGE_HISTORY};
use crate::domain::tool::Tool;
use crate::domain::topology::Edge;
use crate::domain::usage::UsageSample;
use crate::engine::Engine;

/// Rows are kept for at most this many containers that are not known.
const ROWS_KEPT: usize = 4096;

/// Readings and counts of one container.
#[derive(Debug, Default)]
struct Row {
    cpu: VecDeque<f32>,
    mem: VecDeque<f32>,
    deaths: u32,
    lines: u64,
    dropped: u64,
    errors: u64,
}

/// Readings and counts of all containers.
#[derive(Debug, Default)]
pub(crate) struct Board {
    rows: HashMap<ContainerId, Row>,
    anomalies: u64,
    version: u64,
    tools: Arc<Vec<Tool>>,
}

impl Board {
    /// Counts a line. Lines of containers that are not known (yet) are counted up to a bound of
    /// such containers, so that ids from outside cannot fill the memory.
    pub(crate) fn heard(&mut self, line: &LogLine, known: bool) {
        if !self.has_room(&line.container, known) {
            return;
        }
        let row = self.rows.entry(line.container.clone()).or_default();
        row.lines += 1;
        if line.reading.begins_error() {
            row.errors += 1;
        }
    }

    fn has_room(&self, container: &ContainerId, known: bool) -> bool {
        known || self.rows.len() < ROWS_KEPT || self.rows.contains_key(container)
    }

    pub(crate) fn lost(&mut self, container: &ContainerId, count: u64, known: bool) {
        if !self.has_room(container, known) {
            return;
        }
        self.rows.entry(container.clone()).or_default().dropped += count;
    }

    pub(crate) fn usage(&mut self, sample: &UsageSample, known: bool) {
        if !self.has_room(&sample.container, known) {
            return;
        }
        let row = self.rows.entry(sample.container.clone()).or_default();
        #[expect(clippy::cast_possible_truncation, reason = "a percentage for a sparkline")]
        let (cpu, mem) = (sample.usage.cpu_pct as f32, sample.usage.mem_pct() as f32);
        for (history, value) in [(&mut row.cpu, cpu), (&mut row.mem, mem)] {
            if history.len() == USAGE_HISTORY {
                history.pop_front();
            }
            history.push_back(value);
        }
    }

    pub(crate) fn anomaly(&mut self, anomaly: &Anomaly) {
        self.anomalies += 1;
        let died = match anomaly.kind {
            AnomalyKind::Death | AnomalyKind::CrashLoop => true,
            // The event alone may be about a child; with an exit status the process ended.
            AnomalyKind::OomKill => anomaly.detail.exit_code.is_some(),
            _ => false,
        };
        if died {
            self.rows.entry(anomaly.container.id.clone()).or_default().deaths += 1;
        }
    }

    pub(crate) fn forget(&mut self, container: &ContainerId) {
        self.rows.remove(container);
    }

    /// Totals for the last event of a run.
    pub(crate) fn counts(&self, incidents: usize, suppressed: u64) -> Map<String, Value> {
        let lines: u64 = self.rows.values().map(|r| r.lines).sum();
        let dropped: u64 = self.rows.values().map(|r| r.dropped).sum();
        [
            ("lines", json!(lines)),
            ("lines_dropped", json!(dropped)),
            ("anomalies", json!(self.anomalies)),
            ("incidents", json!(incidents)),
            ("suppressed", json!(suppressed)),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect()
    }
}

impl Engine {
    /// Who needs whom, as far as known.
    pub(crate) fn edges(&mut self) -> Arc<Vec<Edge>> {
        let edges = self.edges.take().unwrap_or_else(|| Arc::new(topology::all(&self.world)));
        self.edges = Some(Arc::clone(&edges));
        edges
    }

    /// The state of everything, for front ends.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        self.board.version += 1;
        if *self.board.tools != self.world.tools {
            self.board.tools = Arc::new(self.world.tools.clone());
        }
        let edges = self.edges();
        let mut containers: Vec<ContainerView> = self
            .world
            .containers
            .values()
            .map(|facts| {
                let row = self.board.rows.get(&facts.container.of.id);
                ContainerView {
                    container: Arc::clone(&facts.container),
                    usage: facts.usage.clone(),
                    cpu_history: row.map(|r| r.cpu.clone()).unwrap_or_default(),
                    mem_history: row.map(|r| r.mem.clone()).unwrap_or_default(),
                    deaths: row.map_or(0, |r| r.deaths),
                    lines: row.map_or(0, |r| r.lines),
                    lines_dropped: row.map_or(0, |r| r.dropped),
                    errors: row.map_or(0, |r| r.errors),
                }
            })
            .collect();
        containers.sort_by(|a, b| a.container.of.name.cmp(&b.container.of.name));
        let mut incidents: Vec<Arc<Incident>> =
            self.incidents.values().map(|o| &o.incident).chain(&self.shown).cloned().collect();
        incidents.sort_by(|a, b| b.id.cmp(&a.id));
        Snapshot {
            at: now,
            version: self.board.version,
            engine: self.attached.then(|| self.world.engine.clone()),
            mode: self.settings.mode,
            containers,
            incidents,
            anomalies: self.anomalies.iter().cloned().collect(),
            degraded: self.degraded.clone(),
            tools: Arc::clone(&self.board.tools),
            edges,
            suppressed: self.quiet.suppressed(),
            silences: self.quiet.silences().to_vec(),
            brakes: self.brakes.view(now),
            models: self.model_views(),
            past: Arc::clone(&self.past),
            watching: (!self.settings.elected && self.settings.mode != Mode::ReadOnly)
                .then(|| "another sentinel-tui on this machine acts on this engine".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::Usage;

    #[test]
    fn strangers_fill_no_memory_and_take_no_chart_from_what_is_known() {
        let mut board = Board::default();
        let sample = |name: String| UsageSample {
            container: ContainerId(name),
            at: Timestamp::UNIX_EPOCH,
            usage: Usage::default(),
        };
        for number in 0..=ROWS_KEPT {
            board.usage(&sample(format!("gone-{number}")), false);
        }
        assert_eq!(board.rows.len(), ROWS_KEPT);
        let new = sample("new".to_owned());
        board.usage(&new, true);
        board.lost(&"new-too".into(), 3, true);
        assert_eq!(board.rows.get(&new.container).map(|r| r.cpu.len()), Some(1));
        assert_eq!(board.rows.get(&"new-too".into()).map(|r| r.dropped), Some(3));
    }
}
