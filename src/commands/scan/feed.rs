//! Lines of an input as the detector sees those of a container: cleaned, timed, in batches, with
//! the ticks of the clock between them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::Detector;
use sentinel_core::detect::reader::{self, Reader};
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::hash::base32_of;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::redact::clean;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::MASK;

use crate::commands::input::LINE_BYTES;
use crate::commands::scan::clock::Clock;
use crate::commands::scan::envelope::Bare;

/// Most lines in one batch, as in the monitor.
const BATCH: usize = 256;
/// The detector's clock ticks at least so often in life; a batch spans no more than this, either.
const TICK: SignedDuration = SignedDuration::from_secs(1);
/// A long gap is walked in steps of this part of what lies behind: a day takes about 150 ticks, a
/// year about 250, and when a silence was noticed stays right to 6 %.
const STEP: i64 = 16;

/// Feeds the lines of one input to a detector.
#[derive(Debug)]
pub struct Feed {
    detector: Detector,
    container: ContainerRef,
    attached: bool,
    clock: Clock,
    reader: Reader,
    /// Private keys that are written line by line, on either stream.
    keys: (KeyBlock, KeyBlock),
    seq: u64,
    batch: Vec<LogLine>,
    ticked: Option<Timestamp>,
}

impl Feed {
    /// `name` is what the input is called: its lines are those of a container of this name.
    pub fn new(name: &str) -> Self {
        let name = clean(name.as_bytes(), LINE_BYTES);
        let container = ContainerRef {
            id: ContainerId(base32_of(&name, 16)),
            service: name.clone(),
            name,
            project: None,
        };
        Self {
            // Not the time: two runs over the same input are to say the same.
            detector: Detector::new(&format!("scan|{}", container.name)),
            container,
            attached: false,
            clock: Clock::default(),
            reader: Reader::default(),
            keys: (KeyBlock::default(), KeyBlock::default()),
            seq: 0,
            batch: Vec::new(),
            ticked: None,
        }
    }

    /// Lines taken so far.
    pub fn lines(&self) -> u64 {
        self.seq
    }

    /// Takes the next line, which arrived at `arrived`; gives what is out of the ordinary in the
    /// lines before it.
    pub fn line(&mut self, raw: &[u8], arrived: Timestamp) -> Vec<Anomaly> {
        let bare = Bare::of(raw);
        let text = self.shown(&bare);
        let own = bare.at.or_else(|| reader::stamp(&text, arrived));
        let at = self.clock.at(own, arrived);
        let mut found = Vec::new();
        if !self.attached {
            found.extend(self.attach(at));
        }
        let first = self.batch.first().map(|line| line.at);
        if self.batch.len() >= BATCH || first.is_some_and(|first| at.duration_since(first) >= TICK)
        {
            found.extend(self.flush());
        }
        found.extend(self.tick(at));
        self.seq += 1;
        let reading = self.reader.read(bare.stream, &text);
        self.batch.push(LogLine {
            container: self.container.id.clone(),
            seq: self.seq,
            at,
            stream: bare.stream,
            text: text.into(),
            reading,
            styles: None,
            history: false,
        });
        found
    }

    /// Judges what waits; nothing has come for `silent`, if that is said.
    pub fn pause(&mut self, silent: Option<Duration>) -> Vec<Anomaly> {
        let mut found = self.flush();
        let silent = silent.and_then(|silent| SignedDuration::try_from(silent).ok());
        if let Some(now) = silent.and_then(|silent| self.clock.since(silent)) {
            found.extend(self.tick(now));
        }
        found
    }

    /// Redacted and display-safe, as the monitor does it.
    fn shown(&mut self, bare: &Bare<'_>) -> String {
        let key = match bare.stream {
            Stream::Stdout => &mut self.keys.0,
            Stream::Stderr => &mut self.keys.1,
        };
        if key.line(&String::from_utf8_lossy(&bare.text)) {
            return MASK.to_owned();
        }
        clean(&bare.text, LINE_BYTES)
    }

    fn attach(&mut self, at: Timestamp) -> Vec<Anomaly> {
        self.attached = true;
        let signal = Signal::Attached {
            engine: EngineInfo::default(),
            watched: vec![running(&self.container)],
        };
        self.detector.observe(&signal, at)
    }

    fn flush(&mut self) -> Vec<Anomaly> {
        let Some(last) = self.batch.last() else { return Vec::new() };
        let now = last.at;
        let lines = std::mem::take(&mut self.batch);
        self.detector.observe(&Signal::Logs { lines }, now)
    }

    /// Lets the detector's clock tick up to `now`.
    fn tick(&mut self, now: Timestamp) -> Vec<Anomaly> {
        let mut found = Vec::new();
        let from = *self.ticked.get_or_insert(now);
        let mut at = from;
        while let Ok(next) = at.checked_add(step(at.duration_since(from)))
            && next <= now
        {
            at = next;
            found.extend(self.detector.observe(&Signal::Tick, at));
        }
        self.ticked = Some(at);
        found
    }
}

/// To the next tick, when so much of the gap lies behind.
fn step(behind: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(behind.as_secs() / STEP).max(TICK)
}

/// A container that runs and has nothing special about it.
fn running(of: &ContainerRef) -> Container {
    Container::plain(of.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_gap_takes_few_ticks_however_long_it_is() {
        for (gap, most) in [(10, 10), (3600, 120), (86_400, 170), (31_536_000, 270)] {
            let gap = SignedDuration::from_secs(gap);
            let (mut behind, mut ticks) = (SignedDuration::ZERO, 0);
            while behind + step(behind) <= gap {
                behind += step(behind);
                ticks += 1;
            }
            assert!(ticks <= most && ticks >= most / 2, "{gap}: {ticks}");
            // What is left over is ticked with the next line.
            assert!(gap - behind <= gap / 16 + TICK);
        }
    }

    #[test]
    fn lines_are_batched_by_time_and_number_and_all_are_judged() {
        let mut feed = Feed::new("app.log");
        let mut found = Vec::new();
        for n in 0..1000 {
            found.extend(feed.line(b"2026-11-24T03:15:02Z INFO all is well", at(0)));
            assert_eq!(feed.lines(), n + 1);
            assert!(feed.batch.len() <= BATCH);
        }
        assert!(found.is_empty());
        // The batch before is judged when time goes on, the last one at a pause.
        let disk = b"2026-11-24T03:15:04Z FATAL No space left on device";
        found.extend(feed.line(disk, at(0)));
        assert_eq!(feed.batch.len(), 1);
        found.extend(feed.pause(None));
        assert!(feed.batch.is_empty());
        let lines: Vec<u64> = found
            .iter()
            .flat_map(|a| &a.evidence)
            .filter_map(|e| Some(e.line.as_ref()?.seq))
            .collect();
        assert_eq!(lines, [1001]);
        assert_eq!(found[0].container.name, "app.log");
    }
}
