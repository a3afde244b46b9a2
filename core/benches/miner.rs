//! Lines per second of CPU time through the miner alone: tokens, masks, template, values.
//!
//! `cargo bench -p sentinel-core --bench miner -- FILE…`: each file is a list of messages. Every
//! digit is replaced by a random one in each round, as an hour of a real log has other numbers
//! than the next. Wall time says nothing on a machine that others use, so CPU time is read from
//! the scheduler; where that is not there (it is Linux), wall time is told as such.

mod shared;

use std::io::Write as _;
use std::time::Instant;

use jiff::Timestamp;
use sentinel_core::detect::miner::{Bounds, Miner};

use shared::cpu::cpu;
use shared::{BUILT_IN, Random};

const LINES: usize = 2_000_000;

/// A function of its own, so that a profiler can tell it from the rest.
#[inline(never)]
fn is_new(miner: &mut Miner<()>, line: &str) -> bool {
    miner.mine(line, Timestamp::UNIX_EPOCH).is_some_and(|mined| mined.is_new)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let mut sets = Vec::new();
    for file in &files {
        let bytes = std::fs::read(file)?;
        let name = file.rsplit('/').next().unwrap_or(file).to_owned();
        sets.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    if sets.is_empty() {
        sets.push(("built-in".to_owned(), BUILT_IN.to_owned()));
    }
    let all: String = sets.iter().flat_map(|(_, text)| [text.trim_end(), "\n"]).collect();
    if sets.len() > 1 {
        sets.push(("all".to_owned(), all));
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (name, text) in sets {
        let lines: Vec<&str> = text.lines().collect();
        let wanted = if name == "all" { LINES } else { LINES / 8 };
        let mut miner: Miner<()> = Miner::new(Bounds::default());
        let (mut done, mut bytes, mut nanos, mut new) = (0, 0, 0, 0);
        while done < wanted {
            let round: Vec<String> = lines
                .iter()
                .map(|line| {
                    let digit = |c: char| {
                        char::from_digit(u32::try_from(random.next() % 10).unwrap_or(0), 10)
                            .filter(|_| c.is_ascii_digit())
                            .unwrap_or(c)
                    };
                    line.chars().map(digit).collect()
                })
                .collect();
            let (before, wall) = (cpu(), Instant::now());
            for line in &round {
                bytes += line.len();
                new += usize::from(is_new(&mut miner, line));
            }
            nanos += match (before, cpu()) {
                (Some(before), Some(after)) => after - before,
                _ => u64::try_from(wall.elapsed().as_nanos())?,
            };
            done += round.len();
        }
        let seconds = nanos as f64 / 1e9;
        writeln!(
            out,
            "{name:24} {:6.2} M lines/s of {}  {:6.0} MB/s  {:5.0} ns a line  {} templates, {new} were new, {} bytes",
            done as f64 / seconds / 1e6,
            if cpu().is_some() { "CPU" } else { "WALL" },
            bytes as f64 / seconds / 1e6,
            nanos as f64 / done as f64,
            miner.len(),
            miner.memory(),
        )?;
    }
    Ok(())
}
