//! A day of continuous input through the detector as fast as it goes: what a line costs and what
//! memory is taken, hour by simulated hour.
//!
//! 50 containers write in eight formats; their load follows the hour of the day, each has moments of
//! more and of nothing, every hour brings a few kinds of lines that never came before, and every 97th
//! line is a word that never comes again. Readings every two seconds, a restart now and then.
//!
//! Run by `scripts/must/fast-forward.sh`; `CONTAINERS` (50), `RATE` in lines per second and container
//! (4) and `HOURS` (24) set the size.

#[path = "synthetic/mod.rs"]
mod synthetic;

use std::io::Write as _;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::Detector;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::usage::{Usage, UsageSample};
use synthetic::{Dice, Service, container, thread_seconds};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Growth in the last third that still counts as flat: what the allocator leaves lying about.
const FLAT: f64 = 1.10;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

/// Resident memory of this process in MiB.
fn resident() -> Fallible<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib: f64 = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.split_whitespace().next()?.parse().ok())
        .ok_or("no VmRSS")?;
    Ok(kib / 1024.0)
}

/// One container and what writes in it.
struct Source {
    container: Container,
    service: Service,
    reader: Reader,
    seq: u64,
    dice: Dice,
    /// Bytes in use: breathes, does not grow.
    memory: u64,
    burst_until: Timestamp,
}

impl Source {
    fn new(index: usize, at: Timestamp) -> Self {
        Self {
            container: container(index, at),
            service: Service::new(index),
            reader: Reader::default(),
            seq: 0,
            dice: Dice::new(index as u64 * 7919 + 3),
            memory: 200 << 20,
            burst_until: at,
        }
    }

    /// What it writes in the second that begins at `at`.
    fn second(&mut self, at: Timestamp, hour: usize, rate: u64) -> Vec<Signal> {
        let mut signals = Vec::new();
        if self.dice.below(1800) == 0 {
            self.burst_until = at + SignedDuration::from_secs(20);
        }
        // From a third of the load by night to all of it by day; each second has its own luck.
        let load = [3, 4, 6, 8, 9, 9, 8, 6][hour % 24 / 3];
        let mut count = self.dice.below(2 * rate * load / 9 + 1);
        if at < self.burst_until {
            count *= 3;
        }
        let mut lines = Vec::new();
        for index in 0..count {
            let millis = i64::try_from(index * 1000 / count.max(1)).unwrap_or_default();
            let at = at + SignedDuration::from_millis(millis);
            let text = match self.dice.below(20_000) {
                0 => {
                    let kind = self.dice.below(3);
                    self.service.written(
                        at,
                        "INFO",
                        &format!(
                            "feature {} of hour {} is ready",
                            letters(hour as u64 * 3 + kind),
                            letters(hour as u64)
                        ),
                    )
                }
                n if n % 97 == 1 => {
                    let word = letters(self.dice.below(u64::MAX >> 1));
                    self.service.written(at, "INFO", &format!("note: {word} was seen"))
                }
                _ => self.service.line(at),
            };
            self.seq += 1;
            lines.push((at, text));
        }
        let from = self.seq - lines.len() as u64;
        let lines: Vec<LogLine> = lines
            .into_iter()
            .zip(from + 1..)
            .map(|((at, text), seq)| LogLine {
                container: self.container.of.id.clone(),
                seq,
                at,
                stream: Stream::Stdout,
                reading: self.reader.read(Stream::Stdout, &text),
                text: text.into(),
                styles: None,
                history: false,
            })
            .collect();
        if !lines.is_empty() {
            signals.push(Signal::Logs { lines });
        }
        if at.as_second() % 2 == 0 {
            signals.push(self.usage(at));
        }
        if self.dice.below(86_400) == 0 {
            signals.extend(self.restart(at));
        }
        signals
    }

    fn usage(&mut self, at: Timestamp) -> Signal {
        self.memory = (self.memory + self.dice.below(4 << 20)).clamp(190 << 20, 230 << 20)
            - self.dice.below(4 << 20).min(1 << 21);
        let usage = Usage {
            cpu_pct: 5.0 + self.dice.below(1000) as f64 / 100.0,
            mem_used: self.memory,
            mem_limit: 512 << 20,
            net_rx_bps: 1e5 + self.dice.below(10_000) as f64,
            net_tx_bps: 2e5 + self.dice.below(10_000) as f64,
            pids: 12 + self.dice.below(3),
            mem_anon: Some(self.memory),
            ..Usage::default()
        };
        Signal::Usage { sample: UsageSample { container: self.container.of.id.clone(), at, usage } }
    }

    /// Somebody deploys: stopped and started through the engine.
    fn restart(&self, at: Timestamp) -> Vec<Signal> {
        let kinds = [
            LifeKind::Kill { signal: 15 },
            LifeKind::Die { exit_code: 0 },
            LifeKind::Stop,
            LifeKind::Start,
            LifeKind::Restart,
        ];
        let event = |kind| LifeEvent { container: self.container.of.id.clone(), at, kind };
        kinds.into_iter().map(|kind| Signal::Life { event: event(kind) }).collect()
    }
}

/// A number as a word of letters, so that nothing in it is a value by its shape.
fn letters(mut number: u64) -> String {
    let mut word = String::from("q");
    for _ in 0..8 {
        word.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or_default()));
        number /= 26;
    }
    word
}

/// What an hour took.
#[derive(Default)]
struct Hour {
    lines: u64,
    seconds: f64,
    found: [u64; 4],
}

impl Hour {
    fn count(&mut self, anomalies: &[Anomaly]) {
        for anomaly in anomalies {
            let place = match anomaly.severity {
                Severity::Low => 0,
                Severity::Medium => 1,
                Severity::High => 2,
                Severity::Critical => 3,
            };
            self.found[place] += 1;
        }
    }
}

fn main() -> Fallible {
    let (containers, rate, hours) =
        (number("CONTAINERS", 50), number("RATE", 4), number("HOURS", 24));
    let mut out = std::io::stdout();
    let mut at: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let mut sources: Vec<Source> =
        (0..usize::try_from(containers)?).map(|index| Source::new(index, at)).collect();
    let mut detector = Detector::new("fast-forward");
    let watched = sources.iter().map(|s| s.container.clone()).collect();
    detector.observe(&Signal::Attached { engine: EngineInfo::default(), watched }, at);
    writeln!(out, "hour      lines   ns/line  memory MiB   low  medium  high  critical")?;
    let mut memory = Vec::new();
    let mut costs = Vec::new();
    for hour in 0..usize::try_from(hours)? {
        let mut took = Hour::default();
        for _ in 0..3600 {
            // A second is written beforehand: what writing costs is not the detector's, and more
            // than a second would take memory of its own.
            let mut second: Vec<Signal> = Vec::new();
            for source in &mut sources {
                second.extend(source.second(at, hour, rate));
            }
            at += SignedDuration::from_secs(1);
            second.push(Signal::Tick);
            let began = thread_seconds();
            for signal in &second {
                if let Signal::Logs { lines } = signal {
                    took.lines += lines.len() as u64;
                }
                took.count(&detector.observe(signal, at));
            }
            took.seconds += thread_seconds() - began;
        }
        let cost = took.seconds / took.lines.max(1) as f64 * 1e9;
        memory.push(resident()?);
        costs.push(cost);
        let [low, medium, high, critical] = took.found;
        writeln!(
            out,
            "{:>4}  {:>9}  {cost:>8.0}  {:>10.1}  {low:>4}  {medium:>6}  {high:>4}  {critical:>8}",
            hour + 1,
            took.lines,
            memory.last().copied().unwrap_or_default(),
        )?;
    }
    // By then every hour of the day was there, with the most that it brings.
    let until = memory.len() * 2 / 3;
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let (before, after) = (most(&memory[..until]), most(&memory[until..]));
    let third = costs.len().div_ceil(3).max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    let (early, late) = (mean(&costs[..third]), mean(&costs[costs.len() - third..]));
    writeln!(
        out,
        "memory at most {before:.1} MiB in the first two thirds, {after:.1} MiB in the last; {early:.0} ns a line in the first third, {late:.0} in the last"
    )?;
    if after > before * FLAT {
        return Err("memory grows".into());
    }
    Ok(())
}
