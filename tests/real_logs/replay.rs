//! A recording played back to the detectors, by its own clock.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::Detector;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::container::{Container, ContainerRef, RunState};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::redact::clean;

pub(crate) type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// As the monitor cuts lines.
const LINE_BYTES: usize = 16 * 1024;

/// An anomaly, and when it was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) anomaly: Anomaly,
}

/// What a line of a recording is.
#[derive(Debug)]
enum What {
    Line(Stream, String),
    Life(LifeKind),
}

/// Plays a recording of the container `name`; gives all that the detectors told. A tick comes every
/// second, also for a minute after the last line.
pub(crate) fn replay(path: &Path, name: &str) -> Fallible<Vec<Told>> {
    let moments = read(path)?;
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return Err(format!("{} is empty", path.display()).into());
    };
    let mut stage = Stage::new(name, first.0);
    let end = last.0.saturating_add(SignedDuration::from_mins(1))?;
    for (at, what) in moments {
        stage.ticks_until(at)?;
        match what {
            What::Line(stream, text) => stage.line(at, stream, &text),
            What::Life(kind) => stage.life(at, kind),
        }
    }
    stage.ticks_until(end)?;
    Ok(stage.told)
}

fn read(path: &Path) -> Fallible<Vec<(Timestamp, What)>> {
    let file = File::open(path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
    let mut moments = Vec::new();
    for line in BufReader::new(GzDecoder::new(file)).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let mut parts = line.splitn(3, ' ');
        let at: Timestamp = parts.next().unwrap_or_default().parse()?;
        let what = match parts.next() {
            Some("stdout") => What::Line(Stream::Stdout, rest(parts.next())),
            Some("stderr") => What::Line(Stream::Stderr, rest(parts.next())),
            Some("event") => What::Life(life(&rest(parts.next()))?),
            _ => return Err(format!("{}: no stream in {line:?}", path.display()).into()),
        };
        moments.push((at, what));
    }
    Ok(moments)
}

fn rest(text: Option<&str>) -> String {
    text.unwrap_or_default().trim_end_matches('\r').to_owned()
}

/// `die exitCode=137` as the monitor would decode it.
fn life(text: &str) -> Fallible<LifeKind> {
    let (word, value) = match text.split_once(' ') {
        Some((word, value)) => (word, value.split_once('=').map_or("", |(_, v)| v)),
        None => (text, ""),
    };
    Ok(match word {
        "create" => LifeKind::Create,
        "start" => LifeKind::Start,
        "restart" => LifeKind::Restart,
        "kill" => LifeKind::Kill { signal: value.parse()? },
        "die" => LifeKind::Die { exit_code: value.parse()? },
        "stop" => LifeKind::Stop,
        "oom" => LifeKind::Oom,
        "pause" => LifeKind::Pause,
        "unpause" => LifeKind::Unpause,
        "destroy" => LifeKind::Destroy,
        other => return Err(format!("unknown event {other:?}").into()),
    })
}

/// The detectors with one container before them.
struct Stage {
    detector: Detector,
    reader: Reader,
    container: Container,
    seq: u64,
    tick: Timestamp,
    told: Vec<Told>,
}

impl Stage {
    fn new(name: &str, begin: Timestamp) -> Self {
        let mut stage = Self {
            detector: Detector::new("replay"),
            reader: Reader::default(),
            container: container(name),
            seq: 0,
            tick: begin,
            told: Vec::new(),
        };
        let attached = Signal::Attached { engine: EngineInfo::default(), watched: Vec::new() };
        stage.show(&attached, begin);
        stage.inspected(begin);
        stage
    }

    fn show(&mut self, signal: &Signal, now: Timestamp) {
        let found = self.detector.observe(signal, now);
        self.told.extend(found.into_iter().map(|anomaly| Told { at: now, anomaly }));
    }

    fn ticks_until(&mut self, at: Timestamp) -> Fallible {
        while self.tick < at {
            self.show(&Signal::Tick, self.tick);
            self.tick = self.tick.saturating_add(SignedDuration::from_secs(1))?;
        }
        Ok(())
    }

    fn line(&mut self, at: Timestamp, stream: Stream, text: &str) {
        self.seq += 1;
        let text = clean(text.as_bytes(), LINE_BYTES);
        let line = LogLine {
            container: self.container.of.id.clone(),
            seq: self.seq,
            at,
            stream,
            reading: self.reader.read(stream, &text),
            text: text.into(),
            styles: None,
            history: false,
        };
        self.show(&Signal::Logs { lines: vec![line] }, at);
    }

    fn life(&mut self, at: Timestamp, kind: LifeKind) {
        match kind {
            LifeKind::Start => {
                self.container.state = RunState::Running;
                self.container.started_at = Some(at);
                self.container.started_at_raw = at.to_string();
            }
            LifeKind::Die { exit_code } => {
                self.container.state = RunState::Exited;
                self.container.finished_at = Some(at);
                self.container.exit_code = exit_code;
            }
            _ => {}
        }
        let event = LifeEvent { container: self.container.of.id.clone(), at, kind };
        self.show(&Signal::Life { event }, at);
        self.inspected(at);
    }

    fn inspected(&mut self, at: Timestamp) {
        let container = Box::new(self.container.clone());
        self.show(&Signal::Inspected { container, unwitnessed: false, asked_at: None }, at);
    }
}

fn container(name: &str) -> Container {
    Container {
        image: "services:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        state: RunState::Created,
        network_mode: "services".to_owned(),
        config_hash: "config-1".to_owned(),
        command: name.to_owned(),
        ..Container::plain(ContainerRef {
            id: ContainerId(format!("{name:-<64}")),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        })
    }
}
