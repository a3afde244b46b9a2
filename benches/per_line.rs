//! What a line costs on its whole way through detection (reader, miner, signatures, scoring), on one
//! thread: lines of a file per second of processor time. `FILE…`: one container per file.
//!
//! Run by `scripts/compare-miners.sh`. Reading the file and making its text safe are not part of it.

#[path = "synthetic/mod.rs"]
mod synthetic;

use std::io::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::Detector;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use synthetic::{container, thread_seconds};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Lines of a batch, as the monitor sends them.
const BATCH: usize = 256;
/// A container writes so many lines a second.
const RATE: i64 = 1000;

fn main() -> Fallible {
    // Cargo adds options of its own.
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let mut at: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let mut detector = Detector::new("per-line");
    let watched: Vec<_> = (0..files.len()).map(|index| container(index, at)).collect();
    let attached = Signal::Attached { engine: EngineInfo::default(), watched: watched.clone() };
    detector.observe(&attached, at);
    let (mut lines, mut found) = (0_usize, 0_usize);
    let (mut reading, mut judging) = (0.0, 0.0);
    for (file, container) in files.iter().zip(&watched) {
        let bytes = std::fs::read(file)?;
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<&str> = text.lines().collect();
        let mut reader = Reader::default();
        let mut seq = 0;
        for batch in all.chunks(BATCH) {
            // A line has just been put together when it is read, as here.
            let batch: Vec<Arc<str>> = batch.iter().map(|line| Arc::from(*line)).collect();
            let began = thread_seconds();
            let signal = Signal::Logs {
                lines: batch
                    .iter()
                    .map(|text| {
                        seq += 1;
                        LogLine {
                            container: container.of.id.clone(),
                            seq,
                            at,
                            stream: Stream::Stdout,
                            text: Arc::clone(text),
                            reading: reader.read(Stream::Stdout, text),
                            styles: None,
                            history: false,
                        }
                    })
                    .collect(),
            };
            let read = thread_seconds();
            found += detector.observe(&signal, at).len();
            let judged = thread_seconds();
            reading += read - began;
            judging += judged - read;
            lines += batch.len();
            at += SignedDuration::from_millis(1000 * i64::try_from(batch.len())? / RATE);
        }
    }
    let rate = lines as f64 / (reading + judging) / 1e6;
    writeln!(
        std::io::stdout(),
        "{lines} lines, {found} anomalies, {:.3} s: {rate:.3} million lines per CPU-second (reading {:.0} ns, judging {:.0} ns a line)",
        reading + judging,
        reading / lines.max(1) as f64 * 1e9,
        judging / lines.max(1) as f64 * 1e9,
    )?;
    Ok(())
}
