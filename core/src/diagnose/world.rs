//! What is known of all containers at one moment: the input of diagnosis and policy.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::detect::fleet::AskedEnd;
use crate::detect::score::learned::ServiceKey;
use crate::detect::score::quote;
use crate::diagnose::error_rate::ErrorRate;
use crate::domain::clock;
use crate::domain::container::{Container, ContainerRef, Health};
use crate::domain::evidence::Evidence;
use crate::domain::ids::ContainerId;
use crate::domain::log::{Level, LogLine};
use crate::domain::snapshot::EngineInfo;
use crate::domain::spec::{History, SpecChange};
use crate::domain::tool::Tool;
use crate::domain::usage::Usage;

/// The last lines kept per container for evidence.
const TAIL: usize = 20;

/// What is known of one container.
#[derive(Clone, Debug)]
pub struct Facts {
    /// As last inspected.
    pub container: Arc<Container>,
    /// The last reading.
    pub usage: Option<Usage>,
    /// The last lines, oldest first.
    pub tail: VecDeque<LogLine>,
    /// When somebody last stopped it through the engine, and not sentinel-tui itself.
    pub stopped_by_operator: Option<Timestamp>,
    /// When somebody other than us last stopped, paused, restarted, renamed or changed it through
    /// the engine, whatever became of it since.
    pub worked_on_at: Option<Timestamp>,
    /// When somebody other than us last sent a signal that stops it; it may not have worked.
    pub killed_at: Option<Timestamp>,
    /// Somebody sent a signal that stops it while the engine was out of sight; nobody knows who.
    pub killed_unseen: bool,
    /// `StartedAt` of the run whose death an event told.
    pub ended_run: Option<String>,
    /// When its log stream ended; the last lines before a death are here.
    pub log_ended_at: Option<Timestamp>,
    /// When an event last arrived that may have changed its state.
    pub changed_at: Option<Timestamp>,
    /// When the event arrived behind [`Facts::stopped_by_operator`].
    pub stop_seen_at: Option<Timestamp>,
    /// When an event, or an inspect in order with the events, last arrived.
    pub ordered_at: Option<Timestamp>,
    /// Its health check passed at some time, with the container as it is.
    pub was_healthy: bool,
    /// How many errors it logs.
    pub errors: ErrorRate,
    /// The last that was seen of it is a death that nobody asked for, with a bad exit status.
    pub crashed: bool,
}

impl Facts {
    /// What is known of a container that was just inspected for the first time.
    pub fn new(container: Container) -> Self {
        Self {
            was_healthy: container.health == Health::Healthy,
            container: Arc::new(container),
            usage: None,
            tail: VecDeque::new(),
            stopped_by_operator: None,
            worked_on_at: None,
            killed_at: None,
            killed_unseen: false,
            ended_run: None,
            log_ended_at: None,
            changed_at: None,
            stop_seen_at: None,
            ordered_at: None,
            errors: ErrorRate::default(),
            crashed: false,
        }
    }

    /// Whether something arrived about it since an inspect was asked for: the answer is history.
    pub fn has_overtaken(&self, asked: Timestamp) -> bool {
        self.ordered_at.is_some_and(|at| at >= asked)
    }

    /// The stop by somebody else, if that is how it ended.
    pub fn asked_end(&self) -> Option<AskedEnd> {
        Some(AskedEnd { at: self.stopped_by_operator?, seen: self.stop_seen_at? })
    }

    /// The wall clock jumped by `by`, and what is remembered of arrivals with it. The engine's own
    /// times stay as they are.
    pub fn clock_jumped(&mut self, by: SignedDuration) {
        let arrivals = [
            &mut self.log_ended_at,
            &mut self.changed_at,
            &mut self.stop_seen_at,
            &mut self.ordered_at,
        ];
        clock::shift(arrivals.into_iter().flatten(), by);
    }

    /// The last lines as evidence: those that name an error first, at most `count`.
    pub fn last_words(&self, count: usize) -> Vec<Evidence> {
        let loud = |l: &&LogLine| l.reading.level.is_some_and(|level| level >= Level::Warn);
        let mut chosen: Vec<&LogLine> = self.tail.iter().rev().filter(loud).take(count).collect();
        if chosen.is_empty() {
            chosen = self.tail.iter().rev().take(count.min(2)).collect();
        }
        chosen.into_iter().rev().map(|l| quote::line(l, &self.container.of)).collect()
    }

    /// Whether an inspect was made before the death that an event told: it still shows the run
    /// that has ended as running.
    pub fn is_outdated(&self, inspected: &Container) -> bool {
        inspected.is_up()
            && !inspected.started_at_raw.is_empty()
            && self.ended_run.as_ref() == Some(&inspected.started_at_raw)
    }

    /// Remembers a line.
    pub fn heard(&mut self, line: &LogLine) {
        self.errors.heard(line.at, line.reading.begins_error());
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
    }
}

/// What is known of everything.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The engine.
    pub engine: EngineInfo,
    /// Containers by id; sorted, so that every walk over them is repeatable.
    pub containers: BTreeMap<ContainerId, Facts>,
    /// Tools that were discovered.
    pub tools: Vec<Tool>,
    /// How each service was configured, and what changed.
    pub histories: BTreeMap<ServiceKey, History>,
}

impl World {
    /// A container by name.
    pub fn by_name(&self, name: &str) -> Option<&Facts> {
        self.containers.values().find(|f| f.container.of.name == name)
    }

    /// Memory of the host that no limit of a running container claims; the reading of what is
    /// used where there is no limit.
    pub fn unclaimed_memory(&self) -> u64 {
        let claimed: u64 = self
            .containers
            .values()
            .filter(|f| f.container.is_up())
            .map(|f| {
                f.container
                    .memory_limit
                    .unwrap_or_else(|| f.usage.as_ref().map_or(0, |u| u.mem_used))
            })
            .sum();
        self.engine.memory.saturating_sub(claimed)
    }

    /// What is remembered of the service of a container.
    pub fn history(&self, of: &ContainerRef) -> Option<&History> {
        self.histories.get(&ServiceKey::of(of))
    }

    /// What changed of the service of a container within the time before `now`, oldest first.
    pub fn recent_changes(
        &self,
        of: &ContainerRef,
        within: SignedDuration,
        now: Timestamp,
    ) -> Vec<&SpecChange> {
        self.history(of).map(|h| h.since(now - within).collect()).unwrap_or_default()
    }

    /// Whether a tool was discovered.
    pub fn has_tool(&self, name: &str) -> bool {
        self.tools.iter().any(|t| t.name == name)
    }
}
