//! Signals in, anomalies out: deterministic, O(1) per line or sample, bounded in memory.
//!
//! Start at [`Detector::observe`]. It sees every signal before the engine does and changes
//! nothing outside itself. Later detectors join here; the interface stays.

pub mod burst;
pub mod fleet;
pub mod level;
pub mod life;
pub mod logs;
pub mod peer;
pub mod signatures;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::detect::life::LifeDetector;
use crate::detect::logs::LogDetector;
use crate::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use crate::domain::container::{Container, ContainerRef};
use crate::domain::evidence::Evidence;
use crate::domain::hash::base32_of;
use crate::domain::ids::{AnomalyId, ContainerId};
use crate::domain::severity::Severity;
use crate::domain::signal::Signal;

/// The part that is degraded while the engine's events do not flow.
const ENGINE_PART: &str = "docker";

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
}

/// The detectors of all containers.
#[derive(Debug)]
pub struct Detector {
    prefix: String,
    counter: u64,
    /// The monitor was attached before: attaching again means that there was a gap.
    attached: bool,
    watches: HashMap<ContainerId, Watch>,
}

impl Detector {
    /// `run` names this run of sentinel-tui (host and start), so that anomaly ids of two runs
    /// do not collide in the store.
    pub fn new(run: &str) -> Self {
        Self { prefix: base32_of(run, 4), counter: 0, attached: false, watches: HashMap::new() }
    }

    /// Looks at one signal; returns what is out of the ordinary.
    pub fn observe(&mut self, signal: &Signal, now: Timestamp) -> Vec<Anomaly> {
        match signal {
            Signal::Attached { watched, .. } => {
                // At the first start no history is judged as new.
                let gap = std::mem::replace(&mut self.attached, true);
                let mut found = Vec::new();
                for container in watched {
                    found.extend(self.inspected(container, gap, now));
                }
                found
            }
            Signal::Inspected { container, unwitnessed } => {
                self.inspected(container, *unwitnessed, now)
            }
            Signal::Gone { container } => {
                self.watches.remove(container);
                Vec::new()
            }
            Signal::Life { event } => {
                let Some(watch) = self.watches.get_mut(&event.container) else { return Vec::new() };
                let findings = watch.life.event(event, &watch.of);
                if matches!(event.kind, crate::domain::life::LifeKind::Start) {
                    watch.logs.process_started();
                }
                self.name(&event.container, findings)
            }
            Signal::Logs { lines } => {
                let Some(first) = lines.first() else { return Vec::new() };
                let Some(watch) = self.watches.get_mut(&first.container) else { return Vec::new() };
                let mut findings = Vec::new();
                for line in lines.iter().filter(|l| !l.history) {
                    findings.extend(watch.logs.line(line, &watch.of));
                }
                self.name(&first.container, findings)
            }
            Signal::Usage { sample } => {
                if let Some(watch) = self.watches.get_mut(&sample.container) {
                    watch.life.usage(sample);
                }
                Vec::new()
            }
            Signal::Degraded { part, .. } if part == ENGINE_PART => {
                self.stream_ended();
                Vec::new()
            }
            Signal::Tick
            | Signal::LogEnd { .. }
            | Signal::LogLost { .. }
            | Signal::Degraded { .. }
            | Signal::Recovered { .. }
            | Signal::Tools { .. }
            | Signal::Command { .. }
            | Signal::StepDone { .. }
            | Signal::PlanStale { .. }
            | Signal::PlanDone { .. }
            | Signal::UndoDone { .. }
            | Signal::Detached { .. } => Vec::new(),
        }
    }

    /// The engine's events have ended: was it the engine that stopped everything before?
    fn stream_ended(&mut self) {
        let running = self.watches.values().filter(|w| w.life.is_running()).count();
        let ends: Vec<Timestamp> =
            self.watches.values().filter_map(|w| w.life.ended_as_asked()).collect();
        let Some(last) = ends.iter().max().copied() else { return };
        if !fleet::was_shut_down(running, &ends) {
            return;
        }
        for watch in self.watches.values_mut() {
            if watch.life.ended_as_asked().is_some_and(|at| fleet::belongs(at, last)) {
                watch.life.engine_shut_down();
            }
        }
    }

    fn inspected(
        &mut self,
        container: &Container,
        unwitnessed: bool,
        now: Timestamp,
    ) -> Vec<Anomaly> {
        let watch = self.watches.entry(container.of.id.clone()).or_insert_with(|| Watch {
            of: container.of.clone(),
            life: LifeDetector::default(),
            logs: LogDetector::default(),
        });
        watch.of = container.of.clone();
        let findings = watch.life.inspected(container, unwitnessed, now);
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
