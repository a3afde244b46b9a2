//! Lines per second of CPU time through everything that looks at a line: reader, miner,
//! signatures and scores, as the monitor and the run loop call them, on one thread.
//!
//! `SENTINEL_BENCH_LOGS` names a folder whose folders have `*_2k.log` samples, each of which
//! becomes a container; without it the lines of the miner's bench are read. In each round every
//! digit is another one, and 5,000 lines make a second of the engine's clock. CPU time is read
//! from the scheduler; where that is not there (it is Linux), wall time is told as such.

mod shared;

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::Detector;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Reading, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;

use shared::cpu::cpu;
use shared::{BUILT_IN, Random};

const LINES: usize = 2_000_000;
const PER_SECOND: u64 = 5000;
/// Lines that arrive together.
const BATCH: usize = 256;

/// The line with other digits.
fn digits(random: &mut Random, line: &str) -> String {
    let digit = |c: char| {
        char::from_digit(u32::try_from(random.next() % 10).unwrap_or(0), 10)
            .filter(|_| c.is_ascii_digit())
            .unwrap_or(c)
    };
    line.chars().map(digit).collect()
}

/// How long `work` took, in nanoseconds.
fn timed(work: impl FnOnce()) -> u64 {
    let (before, wall) = (cpu(), Instant::now());
    work();
    match (before, cpu()) {
        (Some(before), Some(after)) => after - before,
        _ => u64::try_from(wall.elapsed().as_nanos()).unwrap_or(u64::MAX),
    }
}

fn container(name: &str) -> Container {
    Container::plain(ContainerRef {
        id: ContainerId(format!("{name:-<64}")),
        name: name.to_owned(),
        service: name.to_owned(),
        project: None,
    })
}

/// The name of a sample, and its lines.
type Sample = (String, Vec<String>);

/// The samples in a folder, by name.
fn samples(folder: &Path) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Ok(raw) = fs::read(path.join(format!("{name}_2k.log"))) else { continue };
        let text = String::from_utf8_lossy(&raw);
        samples.push((name.to_owned(), text.lines().map(str::to_owned).collect()));
    }
    samples.sort();
    Ok(samples)
}

/// What a run took.
#[derive(Default)]
struct Cost {
    lines: usize,
    bytes: usize,
    reading: u64,
    detecting: u64,
    told: usize,
}

fn run(sets: &[Sample], wanted: usize, random: &mut Random) -> Cost {
    let mut detector = Detector::new("bench");
    let mut now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let watched = sets.iter().map(|(name, _)| container(name)).collect::<Vec<_>>();
    let ids: Vec<ContainerId> = watched.iter().map(|c| c.of.id.clone()).collect();
    detector.observe(&Signal::Attached { engine: EngineInfo::default(), watched }, now);
    let mut readers: Vec<Reader> = sets.iter().map(|_| Reader::default()).collect();
    let mut cost = Cost::default();
    let mut seq = 0;
    let longest = sets.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
    while cost.lines < wanted {
        // The lines of all containers take turns by batches. A batch is made, read and judged
        // before the next one comes, as in life.
        for from in (0..longest).step_by(BATCH) {
            for (at, (_, lines)) in sets.iter().enumerate() {
                let Some(lines) = lines.get(from..lines.len().min(from + BATCH)) else { continue };
                let made = lines.iter().map(|line| {
                    seq += 1;
                    let text: Arc<str> = digits(random, line).into();
                    cost.bytes += text.len();
                    LogLine {
                        container: ids[at].clone(),
                        seq,
                        at: now,
                        stream: Stream::Stdout,
                        text,
                        reading: Reading::default(),
                        styles: None,
                        history: false,
                    }
                });
                let mut lines: Vec<LogLine> = made.collect();
                cost.lines += lines.len();
                cost.reading += timed(|| {
                    for line in &mut lines {
                        line.reading = readers[at].read(line.stream, &line.text);
                    }
                });
                let signal = Signal::Logs { lines };
                cost.detecting += timed(|| cost.told += detector.observe(&signal, now).len());
            }
        }
        cost.detecting += timed(|| cost.told += detector.observe(&Signal::Tick, now).len());
        now = Timestamp::UNIX_EPOCH
            + SignedDuration::from_hours(500_000)
            + SignedDuration::from_millis(
                i64::try_from(seq * 1000 / PER_SECOND).unwrap_or(i64::MAX),
            );
    }
    cost
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let sets = match env::var_os("SENTINEL_BENCH_LOGS") {
        Some(folder) => samples(&PathBuf::from(folder))?,
        None => vec![("built-in".to_owned(), BUILT_IN.lines().map(str::to_owned).collect())],
    };
    let wanted: usize =
        env::var("SENTINEL_BENCH_LINES").ok().and_then(|n| n.parse().ok()).unwrap_or(LINES);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut report = |name: &str, cost: &Cost| -> std::io::Result<()> {
        let all = cost.reading + cost.detecting;
        let each = |nanos: u64| nanos as f64 / cost.lines as f64;
        writeln!(
            out,
            "{name:10} {:5.2} M lines/s of {}, {:4.0} MB/s: {:4.0} ns a line, reader {:4.0}, rest {:4.0}; {} anomalies in {} lines",
            1e3 / each(all),
            if cpu().is_some() { "CPU" } else { "WALL" },
            cost.bytes as f64 / all as f64 * 1e3,
            each(all),
            each(cost.reading),
            each(cost.detecting),
            cost.told,
            cost.lines,
        )
    };
    if env::var_os("SENTINEL_BENCH_EACH").is_some() {
        for set in &sets {
            report(&set.0, &run(std::slice::from_ref(set), wanted / 8, &mut random))?;
        }
    }
    report("all", &run(&sets, wanted, &mut random))?;
    Ok(())
}
