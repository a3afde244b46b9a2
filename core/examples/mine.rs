//! Mines a file and writes `line,cluster` for each of its lines, with the final cluster.

use std::io::Write as _;

use jiff::Timestamp;
use sentinel_core::detect::miner::{Bounds, Miner};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: mine FILE")?;
    let file = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&file);
    let mut miner: Miner<()> = Miner::new(Bounds::default());
    let ids: Vec<_> = text
        .lines()
        .map(|line| miner.mine(line, Timestamp::UNIX_EPOCH).map(|mined| mined.id))
        .collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "line,cluster")?;
    for (number, id) in ids.into_iter().enumerate() {
        match id {
            Some(id) => writeln!(out, "{},{}", number + 1, miner.resolve(id).0)?,
            None => writeln!(out, "{},other", number + 1)?,
        }
    }
    if std::env::args().nth(2).is_some() {
        for template in miner.iter() {
            writeln!(std::io::stderr(), "{:5} {}", template.count, template.text())?;
        }
    }
    Ok(())
}
