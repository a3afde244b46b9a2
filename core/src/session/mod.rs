//! One session of the pure core: detectors and engine, what they are given, and the stream of
//! facts that comes of it. The run loop and a replay drive the same [`Session`], so a session that
//! was recorded tells the same again.
//!
//! Start at [`Session::new`]. [`input`] is everything that may go in, [`wire`] how that stands in a
//! recording. What goes in by another way than these would be missing from the recording: there is
//! none, detectors and engine are private.

pub mod input;
pub mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::Detector;
use crate::detect::score::learned::{Learned, LearnedError, ServiceKey};
use crate::domain::anomaly::Anomaly;
use crate::domain::container::Container;
use crate::domain::event::{Envelope, Event};
use crate::domain::ids::ContainerId;
use crate::domain::log::{LogEntry, LogLine};
use crate::domain::log_pattern::LogPatterns;
use crate::domain::signal::Signal;
use crate::domain::snapshot::Snapshot;
use crate::domain::usage::UsageSample;
use crate::engine::Engine;
use crate::engine::effect::Effect;
use crate::session::input::{Announced, Input, Start};

/// What people call a container.
#[derive(Clone, Debug)]
struct Names {
    container: String,
    service: String,
    /// Restarts by its policy.
    restarts: u32,
}

/// Detectors, engine and stream of one run.
#[derive(Debug)]
pub struct Session {
    detector: Detector,
    engine: Engine,
    host: String,
    seq: u64,
    announced: Announced,
    names: HashMap<ContainerId, Names>,
}

impl Session {
    /// A session that begins like this.
    pub fn new(start: Start) -> Self {
        let Start { run, settings, signatures, earlier, announced } = start;
        Self {
            detector: Detector::with_signatures(&run, signatures),
            host: settings.host.clone(),
            engine: Engine::new(settings, earlier),
            seq: 0,
            announced,
            names: HashMap::new(),
        }
    }

    /// Takes what is no turn of its own: it is a turn only if it is a signal, and those come by
    /// [`Session::observe`] and [`Session::step`]. What was learned and cannot be read is an error,
    /// and learning begins anew.
    pub fn told(&mut self, input: Input<'_>, now: Timestamp) -> Result<(), LearnedError> {
        match input {
            Input::Signal(_) | Input::End(_) => {}
            Input::Learned { service, content } => {
                let learned = Learned::decode(content.as_bytes())?;
                self.detector.warm(service.into_owned(), learned);
            }
            Input::Histories(histories) => self.engine.recall_histories(histories.into_owned()),
            Input::Silences(silences) => self.engine.recall_silences(silences.into_owned(), now),
            Input::Brakes(kept) => self.engine.recall_brakes(kept.into_owned()),
            Input::Judged(judged) => self.engine.recall_judged(judged.into_owned()),
            Input::Past(past) => self.engine.recall_past(past.into_owned()),
            Input::ClockJumped(by) => {
                self.detector.clock_jumped(by);
                self.engine.clock_jumped(by);
            }
            Input::Adopted(earlier) => self.engine.adopt(earlier.into_owned()),
            Input::Elected(acts) => self.engine.elect(acts),
            Input::StandDown => self.engine.stand_down(),
        }
        Ok(())
    }

    /// The first half of a turn: what the detectors find in a signal.
    pub fn observe(&mut self, signal: &Signal, now: Timestamp) -> Vec<Anomaly> {
        match signal {
            Signal::Attached { watched, .. } => watched.iter().for_each(|c| self.learn(c)),
            Signal::Inspected { container, .. } => self.learn(container),
            Signal::Gone { container } => drop(self.names.remove(container)),
            _ => {}
        }
        self.detector.observe(signal, now)
    }

    /// The second half of a turn: what is to be done.
    #[must_use]
    pub fn step(&mut self, signal: Signal, anomalies: Vec<Anomaly>, now: Timestamp) -> Vec<Effect> {
        self.engine.step(signal, anomalies, now)
    }

    /// What the stream tells of lines and readings themselves, where that is wanted. Between the
    /// halves of a turn.
    pub fn announce(
        &mut self,
        signal: &Signal,
        anomalies: &[Anomaly],
        now: Timestamp,
    ) -> Vec<Envelope> {
        match signal {
            Signal::Logs { lines } if self.announced.logs => self.lines(lines, anomalies),
            Signal::Usage { sample } if self.announced.usage => vec![self.reading(sample, now)],
            _ => Vec::new(),
        }
    }

    /// A fact with its place in the stream.
    pub fn envelope(&mut self, at: Timestamp, event: Event) -> Envelope {
        self.seq += 1;
        Envelope { v: 1, seq: self.seq, ts: format!("{at:.3}"), host: self.host.clone(), event }
    }

    /// Takes an input of a recording: the facts that came of it. What the engine asked to be done
    /// was done then, and what came of that is in the recording, too.
    pub fn replay(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Vec<Envelope>, LearnedError> {
        let Input::Signal(signal) = input else {
            return self.told(input, now).map(|()| Vec::new());
        };
        let anomalies = self.observe(&signal, now);
        let mut facts = self.announce(&signal, &anomalies, now);
        for effect in self.step(signal.into_owned(), anomalies, now) {
            if let Effect::Emit(event) = effect {
                facts.push(self.envelope(now, *event));
            }
        }
        Ok(facts)
    }

    /// When the engine wants to be woken although nothing happened.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.engine.wake_at()
    }

    /// Incidents that still need somebody.
    pub fn open_incidents(&self) -> usize {
        self.engine.open_incidents()
    }

    /// The state of everything, for front ends. Changes nothing that a verdict depends on.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        self.engine.snapshot(now)
    }

    /// What was learned and is worth keeping. Changes nothing that a verdict depends on.
    pub fn due_learned(&mut self, now: Timestamp) -> Option<(ServiceKey, Learned)> {
        self.detector.due_learned(now)
    }

    /// The kinds of line of a container. Changes nothing that a verdict depends on.
    pub fn patterns(
        &mut self,
        container: &ContainerId,
        kept: &[Arc<LogEntry>],
        now: Timestamp,
    ) -> Option<LogPatterns> {
        self.detector.patterns(container, kept, now)
    }

    /// What a container is called, if it is known.
    pub fn name_of(&self, container: &ContainerId) -> Option<&str> {
        self.names.get(container).map(|names| names.container.as_str())
    }

    fn learn(&mut self, container: &Container) {
        let names = Names {
            container: container.of.name.clone(),
            service: container.of.service.clone(),
            restarts: container.restart_count,
        };
        self.names.insert(container.of.id.clone(), names);
    }

    /// What a container is called; its short id if it is not known.
    fn names(&self, container: &ContainerId) -> Names {
        self.names.get(container).cloned().unwrap_or_else(|| Names {
            container: container.short().to_owned(),
            service: String::new(),
            restarts: 0,
        })
    }

    /// Lines are announced under the engine's time of them.
    fn lines(&mut self, lines: &[LogLine], anomalies: &[Anomaly]) -> Vec<Envelope> {
        let Some(first) = lines.first() else { return Vec::new() };
        let Names { container, service, .. } = self.names(&first.container);
        let mut told = Vec::with_capacity(lines.len());
        for line in lines.iter().filter(|l| !l.history) {
            let is_evidence = |a: &&Anomaly| {
                a.evidence.iter().filter_map(|e| e.line.as_ref()).any(|l| l.seq == line.seq)
            };
            let event = Event::Log {
                container: container.clone(),
                service: service.clone(),
                stream: line.stream,
                level: line.reading.level,
                message: line.text.to_string(),
                anomaly_id: anomalies.iter().find(is_evidence).map(|a| a.id.clone()),
            };
            told.push(self.envelope(line.at, event));
        }
        told
    }

    fn reading(&mut self, sample: &UsageSample, now: Timestamp) -> Envelope {
        let usage = &sample.usage;
        let Names { container, restarts, .. } = self.names(&sample.container);
        let event = Event::Usage {
            container,
            cpu_pct: usage.cpu_pct,
            mem_used: usage.mem_used,
            mem_limit: usage.mem_limit,
            net_rx_bps: usage.net_rx_bps,
            net_tx_bps: usage.net_tx_bps,
            disk_read_bps: usage.disk_read_bps,
            disk_write_bps: usage.disk_write_bps,
            restarts,
        };
        self.envelope(now, event)
    }
}
