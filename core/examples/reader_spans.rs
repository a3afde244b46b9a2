//! How well the reader peels: for each sample below a folder, the share of lines whose message is
//! what the authors of the sample call the content, and the share of contents left whole.
//!
//! Usage: `cargo run -p sentinel-core --example reader_spans -- FOLDER [SAMPLES WRONG]`, where
//! FOLDER has one folder a sample with `*_2k.log` and `*_2k.content`; with a number the first so
//! many wrong lines are shown. With `-` in place of FOLDER the lines of standard input are read
//! and shown with their level, `+` if they go on with a record, and their message.

use std::env::args;
use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _, stdin, stdout};
use std::path::Path;

use sentinel_core::detect::reader::wrap::unwrapped;
use sentinel_core::detect::reader::{Reader, one};
use sentinel_core::domain::log::{Level, Stream};
use sentinel_core::redact::clean;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = args().skip(1);
    let folder = args.next().ok_or("give the folder of the samples")?;
    let show: usize = args.next().map_or(Ok(0), |n| n.parse())?;
    let only = args.next();
    if folder == "-" {
        return show_input();
    }
    let mut out = stdout().lock();
    writeln!(out, "{:10} {:>7} {:>7} {:>7} {:>7}", "sample", "equal", "whole", "level", "folded")?;
    let mut samples: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
    samples.sort_by_key(fs::DirEntry::file_name);
    for sample in samples {
        let name = sample.file_name().to_string_lossy().into_owned();
        if !sample.path().is_dir() || only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let lines = |kind: &str| -> Result<Vec<String>, Box<dyn Error>> {
            let path = Path::new(&folder).join(&name).join(format!("{name}_2k.{kind}"));
            let raw = fs::read(path)?;
            let text = String::from_utf8_lossy(&raw);
            Ok(text.split('\n').map(|l| l.trim_end_matches('\r').to_owned()).collect())
        };
        let (raw, content) = (lines("log")?, lines("content")?);
        let (mut equal, mut whole, mut levels, mut folded, mut all, mut shown) = (0, 0, 0, 0, 0, 0);
        let mut reader = Reader::default();
        for (line, expected) in raw.iter().zip(&content) {
            if line.is_empty() {
                continue;
            }
            all += 1;
            let reading = reader.read(Stream::Stdout, line);
            let message = reading.message(line);
            levels += usize::from(reading.level.is_some());
            folded += usize::from(reading.continues);
            let (got, want) = (message.trim(), expected.trim());
            equal += usize::from(got == want);
            let alone = one(expected);
            let kept = alone.message(expected).trim() == want;
            whole += usize::from(kept);
            if (got != want || !kept) && shown < show {
                shown += 1;
                writeln!(
                    out,
                    "  line    {line}\n  message {message}\n  alone   {}",
                    alone.message(expected)
                )?;
            }
        }
        let share = |n: usize| n as f64 / f64::from(all.max(1));
        writeln!(
            out,
            "{name:10} {:7.4} {:7.4} {:7.4} {:7.4}",
            share(equal),
            share(whole),
            share(levels),
            share(folded)
        )?;
    }
    Ok(())
}

/// Shows how the lines of standard input are read.
fn show_input() -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    let mut reader = Reader::default();
    let mut raw = Vec::new();
    stdin().lock().read_to_end(&mut raw)?;
    for line in String::from_utf8_lossy(&raw).lines() {
        let line = clean(unwrapped(line).as_bytes(), 16 * 1024);
        let reading = reader.read(Stream::Stdout, &line);
        let level = reading.level.map_or("-", Level::as_str);
        let mark = if reading.continues { '+' } else { ' ' };
        writeln!(out, "{level:5} {:?} {mark} {}", reading.format, reading.message(&line))?;
    }
    Ok(())
}
