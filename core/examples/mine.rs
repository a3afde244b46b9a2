//! Mines a file and writes `line,cluster` for each of its lines, with the final cluster.
//!
//! `mine FILE [raw] [show]`: `raw` takes the header off each line first, `show` writes the
//! templates to standard error.

use std::io::Write as _;

use jiff::Timestamp;
use sentinel_core::detect::miner::{Bounds, Miner};
use sentinel_core::detect::reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: mine FILE [raw] [show]")?;
    let with = |word: &str| std::env::args().skip(2).any(|a| a == word);
    let raw = with("raw");
    let file = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&file);
    let mut miner: Miner<()> = Miner::new(Bounds::default());
    let mut ids = Vec::new();
    for line in text.lines() {
        let reading = reader::one(line);
        let message = if raw { reading.message(line) } else { line };
        ids.push(miner.mine(message, Timestamp::UNIX_EPOCH).map(|mined| mined.id));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "line,cluster")?;
    for (number, id) in ids.into_iter().enumerate() {
        match id {
            Some(id) => writeln!(out, "{},{}", number + 1, miner.resolve(id).0)?,
            None => writeln!(out, "{},other", number + 1)?,
        }
    }
    if with("show") {
        for template in miner.iter() {
            writeln!(std::io::stderr(), "{:5} {}", template.count, template.text())?;
        }
    }
    Ok(())
}
