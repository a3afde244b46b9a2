//! Signals in, anomalies out: deterministic, O(1) per line or sample, bounded in memory.
//!
//! Start at [`Detector::observe`]. It sees every signal before the engine does and changes
//! nothing outside itself. Later detectors join here; the interface stays.

pub mod fleet;
pub mod found;
pub mod keeping;
pub mod life;
pub mod logs;
pub mod miner;
pub mod peer;
mod probes;
pub mod reader;
pub mod score;
pub mod signatures;
pub mod storm;
pub mod usage;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::detect::fleet::AskedEnd;
use crate::detect::keeping::Awaited;
use crate::detect::life::LifeDetector;
use crate::detect::logs::LogDetector;
use crate::detect::score::learned::ServiceKey;
use crate::detect::signatures::Signatures;
use crate::detect::storm::Storm;
use crate::detect::usage::watch::UsageWatch;
use crate::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use crate::domain::clock;
use crate::domain::container::{Container, ContainerRef, RunState};
use crate::domain::evidence::Evidence;
use crate::domain::hash::base32_of;
use crate::domain::ids::{AnomalyId, ContainerId};
use crate::domain::life::LifeKind;
use crate::domain::log::LogEntry;
use crate::domain::log_pattern::LogPatterns;
use crate::domain::severity::Severity;
use crate::domain::signal::Signal;
use crate::domain::snapshot::ENGINE_PART;

/// Templates of all containers together.
const TEMPLATES: usize = 20_000;
/// Templates of one container at most, and at least.
const TEMPLATES_EACH: (usize, usize) = (16, 1024);

/// What a detector found, before it gets its id and container.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub kind: AnomalyKind,
    /// How bad.
    pub severity: Severity,
    /// How sure and strong, 0 to 1.
    pub score: f64,
    /// One sentence.
    pub summary: String,
    /// When it could be observed.
    pub observed_at: Timestamp,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Detail for diagnosis.
    pub detail: AnomalyDetail,
}

/// All detectors of one container.
#[derive(Debug)]
struct Watch {
    of: ContainerRef,
    life: LifeDetector,
    logs: LogDetector,
    /// When an event, or an inspect in order with the events, last arrived.
    ordered_at: Timestamp,
    /// When the end that somebody asked for was seen, if its last run ended so.
    asked_end: Option<AskedEnd>,
    /// It is frozen.
    paused: bool,
    /// When what it learned was last given out to be kept, or the watch began.
    kept_at: Timestamp,
}

impl Watch {
    /// Whether it can write: it runs and is not frozen.
    fn may_write(&self) -> bool {
        self.life.is_running() && !self.paused
    }

    /// What an event means for its lines.
    fn lines_affected(&mut self, kind: &LifeKind, at: Timestamp, now: Timestamp) {
        match kind {
            LifeKind::Start => {
                self.paused = false;
                self.logs.process_started(at);
            }
            LifeKind::Pause => self.paused = true,
            LifeKind::Unpause => {
                self.paused = false;
                self.logs.resumed(now);
            }
            _ => {}
        }
    }
}

/// The detectors of all containers.
#[derive(Debug)]
pub struct Detector {
    prefix: String,
    counter: u64,
    /// The monitor was attached before: attaching again means that there was a gap.
    attached: bool,
    /// The container engine is out of sight: what it tells now happened meanwhile.
    blind: bool,
    watches: HashMap<ContainerId, Watch>,
    awaited: Awaited,
    signatures: Arc<Signatures>,
    storm: Storm,
    usage: UsageWatch,
}

impl Detector {
    /// Detectors with the built-in signatures. `run` names this run of sentinel-tui (host and
    /// start), so that anomaly ids of two runs do not collide in the store.
    pub fn new(run: &str) -> Self {
        Self::with_signatures(run, Arc::clone(Signatures::builtin()))
    }

    /// The same with these signatures.
    pub fn with_signatures(run: &str, signatures: Arc<Signatures>) -> Self {
        Self {
            prefix: base32_of(run, 4),
            counter: 0,
            attached: false,
            blind: false,
            watches: HashMap::new(),
            awaited: Awaited::default(),
            signatures,
            storm: Storm::default(),
            usage: UsageWatch::default(),
        }
    }

    /// Looks at one signal; returns what is out of the ordinary.
    pub fn observe(&mut self, signal: &Signal, now: Timestamp) -> Vec<Anomaly> {
        match signal {
            Signal::Attached { engine, watched } => {
                self.usage.machine(engine.cpus);
                self.attached(watched, now)
            }
            Signal::Inspected { container, unwitnessed, asked_at } => {
                if asked_at.is_some_and(|asked| self.is_overtaken(&container.of.id, asked)) {
                    return Vec::new();
                }
                let found = self.inspected(container, *unwitnessed, now);
                if asked_at.is_none() {
                    self.in_order(&container.of.id, now);
                }
                found
            }
            Signal::Gone { container } => {
                self.usage.gone(container);
                if let Some(watch) = self.watches.remove(container) {
                    // Its successor of that name goes on with what is usual.
                    if let Some(learned) = watch.logs.learned() {
                        self.awaited.keep(ServiceKey::of(&watch.of), learned);
                    }
                    self.share_room();
                }
                Vec::new()
            }
            Signal::Life { event } => {
                let Some(watch) = self.watches.get_mut(&event.container) else { return Vec::new() };
                watch.ordered_at = now;
                self.usage.life(event);
                let findings = if self.blind {
                    watch.life.replayed(event, &watch.of)
                } else {
                    watch.life.event(event, &watch.of)
                };
                watch.asked_end = watch.life.ended_as_asked().map(|at| match watch.asked_end {
                    Some(known) if known.at == at => known,
                    _ => AskedEnd { at, seen: now },
                });
                watch.lines_affected(&event.kind, event.at, now);
                let died = !self.blind && findings.iter().any(is_death);
                let mut anomalies = self.name(&event.container, findings);
                if died {
                    anomalies.extend(self.storm(&event.container, event.at));
                }
                anomalies
            }
            Signal::Logs { lines } => {
                let Some(first) = lines.first() else { return Vec::new() };
                let Some(watch) = self.watches.get_mut(&first.container) else { return Vec::new() };
                let findings = watch.logs.lines(lines, &watch.of, &self.signatures, now);
                self.name(&first.container, findings)
            }
            Signal::Usage { sample } => {
                if let Some(watch) = self.watches.get_mut(&sample.container) {
                    watch.life.usage(sample);
                }
                let findings = self.usage.sample(sample);
                self.name(&sample.container, findings)
            }
            Signal::Degraded { part, .. } if part == ENGINE_PART => {
                self.stream_ended(now);
                self.blind = true;
                Vec::new()
            }
            Signal::Recovered { part, .. } if part == ENGINE_PART => {
                self.blind = false;
                for watch in self.watches.values_mut() {
                    watch.logs.resumed(now);
                }
                Vec::new()
            }
            Signal::LogLost { container, .. } => {
                if let Some(watch) = self.watches.get_mut(container) {
                    watch.logs.resumed(now);
                }
                Vec::new()
            }
            Signal::Tick => self.tick(now),
            Signal::LogEnd { .. }
            | Signal::Degraded { .. }
            | Signal::Recovered { .. }
            | Signal::Tools { .. }
            | Signal::Command { .. }
            | Signal::StepDone { .. }
            | Signal::StepProgress { .. }
            | Signal::PlanStale { .. }
            | Signal::PlanDone { .. }
            | Signal::UndoDone { .. }
            | Signal::Model { .. }
            | Signal::Detached { .. } => Vec::new(),
        }
    }

    /// At the first start no history is judged as new; what is sick now is.
    fn attached(&mut self, watched: &[Container], now: Timestamp) -> Vec<Anomaly> {
        let gap = std::mem::replace(&mut self.attached, true);
        let mut found = Vec::new();
        for container in watched {
            let first = !self.watches.contains_key(&container.of.id);
            found.extend(self.inspected(container, gap, now));
            if let Some(watch) = self.watches.get_mut(&container.of.id).filter(|_| first) {
                watch.logs.watch_begins(now, container.is_up());
            }
            let sick = found::unhealthy(container, now);
            found.extend(self.name(&container.of.id, sick.into_iter().collect()));
            self.in_order(&container.of.id, now);
        }
        found
    }

    /// The kinds of line of one container; `kept` are its lines that are still there, oldest
    /// first. `None`: it is not watched.
    pub fn patterns(
        &mut self,
        container: &ContainerId,
        kept: &[Arc<LogEntry>],
        now: Timestamp,
    ) -> Option<LogPatterns> {
        let watch = self.watches.get_mut(container)?;
        Some(watch.logs.patterns(&watch.of, kept, now))
    }

    /// Time passed: who is silent that should not be?
    fn tick(&mut self, now: Timestamp) -> Vec<Anomaly> {
        if self.blind {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (id, watch) in &mut self.watches {
            let findings = watch.logs.tick(watch.may_write(), &watch.of, now);
            if !findings.is_empty() {
                found.push((id.clone(), findings));
            }
        }
        // In an order that does not depend on hashing.
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.into_iter().flat_map(|(id, findings)| self.name(&id, findings)).collect()
    }

    /// Each container may keep its part of all templates.
    fn share_room(&mut self) {
        let (least, most) = TEMPLATES_EACH;
        let each = (TEMPLATES / self.watches.len().max(1)).clamp(least, most);
        for watch in self.watches.values_mut() {
            watch.logs.set_bound(each);
        }
    }

    /// The engine's events have ended: was it the engine that stopped everything before?
    fn stream_ended(&mut self, now: Timestamp) {
        let running = self.watches.values().filter(|w| w.life.is_running()).count();
        let ends: Vec<AskedEnd> = self.watches.values().filter_map(|w| w.asked_end).collect();
        let Some(last) = fleet::shut_down(running, &ends, now) else { return };
        for watch in self.watches.values_mut() {
            if watch.asked_end.is_some_and(|end| fleet::belongs(end.at, last)) {
                watch.asked_end = None;
                watch.life.engine_shut_down();
            }
        }
    }

    /// A container died and nobody had asked for it: did others, too?
    fn storm(&mut self, container: &ContainerId, at: Timestamp) -> Vec<Anomaly> {
        let running = self.watches.values().filter(|w| w.life.is_running()).count();
        let Some(watch) = self.watches.get(container) else { return Vec::new() };
        match self.storm.died(&watch.of, at, running) {
            Some((first, finding)) => self.name(&first.id, vec![finding]),
            None => Vec::new(),
        }
    }

    fn in_order(&mut self, container: &ContainerId, now: Timestamp) {
        if let Some(watch) = self.watches.get_mut(container) {
            watch.ordered_at = now;
        }
    }

    /// Whether the answer to an inspect that was asked for at `asked` says nothing any more: the
    /// container is gone, or something newer arrived meanwhile.
    fn is_overtaken(&self, container: &ContainerId, asked: Timestamp) -> bool {
        self.watches.get(container).is_none_or(|w| w.ordered_at >= asked)
    }

    /// The wall clock jumped by `by` (a suspend, a step), and what is remembered of arrivals with
    /// it. The engine's own times stay as they are.
    pub fn clock_jumped(&mut self, by: SignedDuration) {
        for watch in self.watches.values_mut() {
            let seen = watch.asked_end.as_mut().map(|end| &mut end.seen);
            let times = [&mut watch.ordered_at, &mut watch.kept_at];
            clock::shift(times.into_iter().chain(seen), by);
            watch.logs.clock_jumped(by);
        }
    }

    fn inspected(
        &mut self,
        container: &Container,
        unwitnessed: bool,
        now: Timestamp,
    ) -> Vec<Anomaly> {
        let before = self.watches.len();
        let watch = self.watches.entry(container.of.id.clone()).or_insert_with(|| {
            let mut logs = LogDetector::default();
            logs.watch_begins(now, false);
            Watch {
                of: container.of.clone(),
                life: LifeDetector::default(),
                logs,
                ordered_at: now,
                asked_end: None,
                paused: false,
                kept_at: now,
            }
        });
        watch.of = container.of.clone();
        let paused = container.state == RunState::Paused;
        if std::mem::replace(&mut watch.paused, paused) && !paused {
            watch.logs.resumed(now);
        }
        self.usage.inspected(container);
        let findings = watch.life.inspected(container, unwitnessed, now);
        if !watch.logs.has_heard()
            && let Some(learned) = self.awaited.take(&ServiceKey::of(&container.of))
        {
            watch.logs.warm(learned);
        }
        if self.watches.len() != before {
            self.share_room();
        }
        self.name(&container.of.id, findings)
    }

    fn name(&mut self, container: &ContainerId, findings: Vec<Finding>) -> Vec<Anomaly> {
        let Some(of) = self.watches.get(container).map(|w| w.of.clone()) else { return Vec::new() };
        let mut named = Vec::with_capacity(findings.len());
        for finding in findings {
            self.counter += 1;
            named.push(Anomaly {
                id: AnomalyId(format!("A-{}-{}", self.prefix, self.counter)),
                container: of.clone(),
                kind: finding.kind,
                severity: finding.severity,
                score: finding.score,
                summary: finding.summary,
                observed_at: finding.observed_at,
                evidence: finding.evidence,
                detail: finding.detail,
            });
        }
        named
    }
}

/// Whether a finding is the end of a service; a job of compose that fails is none.
fn is_death(finding: &Finding) -> bool {
    let dies =
        matches!(finding.kind, AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill);
    dies && finding.detail.exit_code.is_some() && finding.severity >= Severity::High
}
