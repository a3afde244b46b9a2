//! What is known of all containers at one moment: the input of diagnosis and policy.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::{level, logs};
use crate::domain::container::Container;
use crate::domain::evidence::Evidence;
use crate::domain::ids::ContainerId;
use crate::domain::log::{Level, LogLine};
use crate::domain::snapshot::EngineInfo;
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
    /// When an event last said that its state changed.
    pub changed_at: Option<Timestamp>,
}

impl Facts {
    /// The last lines as evidence: those that name an error first, at most `count`.
    pub fn last_words(&self, count: usize) -> Vec<Evidence> {
        let loud = |l: &&LogLine| level::of(&l.text).is_some_and(|level| level >= Level::Warn);
        let mut chosen: Vec<&LogLine> = self.tail.iter().rev().filter(loud).take(count).collect();
        if chosen.is_empty() {
            chosen = self.tail.iter().rev().take(count.min(2)).collect();
        }
        chosen.into_iter().rev().map(|l| logs::evidence(l, &self.container.of)).collect()
    }

    /// Remembers a line.
    pub fn heard(&mut self, line: &LogLine) {
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
}

impl World {
    /// A container by name, service, alias or address.
    pub fn by_host(&self, host: &str) -> Option<&Facts> {
        self.containers.values().find(|f| {
            f.container.host_names().any(|n| n == host)
                || f.container.networks.iter().any(|n| !n.address.is_empty() && n.address == host)
        })
    }

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

    /// Whether a tool was discovered.
    pub fn has_tool(&self, name: &str) -> bool {
        self.tools.iter().any(|t| t.name == name)
    }
}
