//! Containers that write into a detector, by a clock of their own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::{Detector, reader};
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::container::{Container, ContainerRef, RestartPolicy, RunState};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Reading, Stream};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;

/// A line that is written again and again.
#[derive(Clone)]
pub(crate) struct Text {
    text: Arc<str>,
    reading: Reading,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), reading: reader::one(text) }
    }
}

/// The detector, its containers, and what it told.
pub(crate) struct World {
    pub(crate) detector: Detector,
    pub(crate) now: Timestamp,
    pub(crate) lines: u64,
    pub(crate) told: Vec<Anomaly>,
    /// One batch for each container, used again so that a line costs no allocation.
    batches: Vec<(Vec<LogLine>, usize)>,
    ids: Vec<ContainerId>,
    seq: u64,
}

fn container(name: &str) -> Container {
    Container {
        image: "app:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        started_at_raw: "start-0".to_owned(),
        restart_policy: RestartPolicy::Always,
        network_mode: "net".to_owned(),
        config_hash: "config-1".to_owned(),
        command: "app".to_owned(),
        ..Container::plain(ContainerRef {
            id: ContainerId(format!("{name:-<64}")),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        })
    }
}

impl World {
    /// So many containers, watched from now on.
    pub(crate) fn new(count: usize) -> Self {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        Self::at(now, Detector::new("run"), count)
    }

    /// Another run of the program, so many seconds later; `warm` tells it what was kept.
    pub(crate) fn restarted(old: &Self, seconds: i64, warm: impl FnOnce(&mut Detector)) -> Self {
        let mut detector = Detector::new("later");
        warm(&mut detector);
        Self::at(old.now + SignedDuration::from_secs(seconds), detector, old.ids.len())
    }

    fn at(now: Timestamp, detector: Detector, count: usize) -> Self {
        let watched: Vec<_> = (0..count).map(|i| container(&format!("app-{i}"))).collect();
        let ids: Vec<_> = watched.iter().map(|c| c.of.id.clone()).collect();
        let mut world = Self {
            detector,
            now,
            lines: 0,
            told: Vec::new(),
            batches: vec![(Vec::new(), 0); count],
            ids,
            seq: 0,
        };
        world.feed(&Signal::Attached { engine: EngineInfo::default(), watched });
        world
    }

    pub(crate) fn container(&self, at: usize) -> ContainerRef {
        ContainerRef { id: self.ids[at].clone(), ..container(&format!("app-{at}")).of }
    }

    /// How bad and what, of all that was told.
    pub(crate) fn words(&self) -> Vec<(Severity, &str)> {
        self.told.iter().map(|a| (a.severity, a.summary.as_str())).collect()
    }

    /// A container is removed, and another one of its name is created.
    pub(crate) fn made_anew(&mut self, at: usize) {
        self.feed(&Signal::Gone { container: self.ids[at].clone() });
        self.ids[at] = ContainerId(format!("{}-again", self.ids[at].as_str()));
        self.batches[at] = (Vec::new(), 0);
        let new = Container {
            of: self.container(at),
            state: RunState::Created,
            ..container(&format!("app-{at}"))
        };
        let container = Box::new(new);
        self.feed(&Signal::Inspected { container, unwitnessed: false, asked_at: None });
    }

    /// So many more containers are seen.
    pub(crate) fn joined_by(&mut self, count: usize) {
        for i in 0..count {
            let container = Box::new(container(&format!("more-{i}")));
            self.feed(&Signal::Inspected { container, unwitnessed: false, asked_at: None });
        }
    }

    pub(crate) fn feed(&mut self, signal: &Signal) {
        self.told.extend(self.detector.observe(signal, self.now));
    }

    /// A line, to be told with the others of its second.
    pub(crate) fn write(&mut self, container: usize, text: &Text) {
        self.seq += 1;
        let (batch, used) = &mut self.batches[container];
        if *used == batch.len() {
            batch.push(LogLine {
                container: self.ids[container].clone(),
                seq: 0,
                at: self.now,
                stream: Stream::Stdout,
                text: Arc::clone(&text.text),
                reading: text.reading,
                styles: None,
                history: false,
            });
        }
        let line = &mut batch[*used];
        (line.seq, line.at, line.reading) = (self.seq, self.now, text.reading);
        line.text.clone_from(&text.text);
        *used += 1;
    }

    /// The second is over: all that was written arrives, and the clock ticks.
    pub(crate) fn second(&mut self) {
        for at in 0..self.batches.len() {
            let (mut lines, used) = std::mem::take(&mut self.batches[at]);
            let rest = lines.split_off(used);
            self.lines += used as u64;
            let mut signal = Signal::Logs { lines };
            if used > 0 {
                self.feed(&signal);
            }
            if let Signal::Logs { lines } = &mut signal {
                lines.extend(rest);
                self.batches[at] = (std::mem::take(lines), 0);
            }
        }
        self.feed(&Signal::Tick);
        self.now += SignedDuration::from_secs(1);
    }

    /// An event of the engine.
    pub(crate) fn life(&mut self, container: usize, kind: LifeKind) {
        let event = LifeEvent { container: self.ids[container].clone(), at: self.now, kind };
        self.feed(&Signal::Life { event });
    }
}
