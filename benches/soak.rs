//! Many containers that write for long: no line lost, none repeated, memory flat.
//!
//! Run by `scripts/must/soak.sh`; `CONTAINERS` (30), `RATE` in lines per second and container (10)
//! and `MINUTES` (10) set the size.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::process::command;
use support::{Corner, Fallible};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

/// Resident memory of a process in KiB, and its processor time in clock ticks.
fn process(pid: u32) -> Fallible<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.split_whitespace().next()?.parse().ok())
        .ok_or("no VmRSS")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<u64>().ok()).sum();
    Ok((resident, ticks))
}

/// What was read so far.
#[derive(Default)]
struct Tally {
    next: HashMap<String, u64>,
    ended: HashMap<String, u64>,
    read: u64,
    lost: u64,
    repeated: u64,
    troubles: Vec<String>,
    memory: Vec<u64>,
}

impl Tally {
    /// Takes a log line.
    fn line(&mut self, container: &str, text: &str) {
        if let Some(seq) = text.strip_prefix("seq=").and_then(|s| s.parse::<u64>().ok()) {
            self.read += 1;
            let expected = self.next.entry(container.to_owned()).or_insert(1);
            if seq < *expected {
                self.repeated += 1;
            } else {
                self.lost += seq - *expected;
                *expected = seq + 1;
            }
        } else if let Some(last) = text.strip_prefix("last=").and_then(|s| s.parse().ok()) {
            let got = self.next.get(container).map_or(0, |n| n - 1);
            self.lost += last - got;
            self.ended.insert(container.to_owned(), last);
        }
    }

    /// Takes a reading of the process; gives it as a line.
    fn sample(&mut self, pid: u32, elapsed: Duration) -> Fallible<String> {
        let (resident, ticks) = process(pid)?;
        self.memory.push(resident);
        Ok(format!(
            "{:>5} s  {:>8} lines  {:>6.1} MiB  {:>5.2} % of a core",
            elapsed.as_secs(),
            self.read,
            resident as f64 / 1024.0,
            ticks as f64 / elapsed.as_secs_f64()
        ))
    }

    /// The figures as lines.
    fn summary(&self) -> Vec<String> {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let at = |i: usize| self.memory.get(i).copied().unwrap_or_default();
        let mut lines = vec![
            format!("{} lines read, {} lost, {} repeated", self.read, self.lost, self.repeated),
            format!(
                "memory {:.1} MiB after a quarter, {:.1} MiB at the end, {:.1} MiB at most",
                mib(at(self.memory.len() / 4)),
                mib(at(self.memory.len().saturating_sub(1))),
                mib(self.memory.iter().max().copied().unwrap_or_default())
            ),
        ];
        lines.extend(self.troubles.iter().map(|t| format!("trouble: {t}")));
        lines
    }
}

fn main() -> Fallible {
    let (containers, rate, minutes) =
        (number("CONTAINERS", 30), number("RATE", 10), number("MINUTES", 10));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let corner = Corner::new("soak")?;
    let folder = tempfile::tempdir()?;
    let pause = 1.0 / rate as f64;
    let script = format!(
        "until [ -e /go ]; do sleep 0.1; done; i=0; while [ ! -e /stop ]; do i=$((i+1)); echo seq=$i; sleep {pause}; done; echo last=$i; sleep 3600"
    );
    runtime.block_on(async {
        for index in 0..containers {
            corner.run(&format!("w{index}"), &script).await?;
        }
        Fallible::Ok(())
    })?;
    let mut child = command(&corner, folder.path())
        .args(["--headless", "--output", "jsonl", "--logs", "--filter", &corner.filter()])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = reader(child.stdout.take().ok_or("no standard output")?);
    let length = Duration::from_secs(minutes * 60);
    let mut out = std::io::stdout();
    let mut tally = Tally::default();
    let mut began = None;
    let mut stopping = false;
    let mut sample_at = Instant::now();
    while (tally.ended.len() as u64) < containers {
        let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) else {
            tally.troubles.push("no event for 30 s".to_owned());
            break;
        };
        let event: Value = serde_json::from_str(&line)?;
        match event["type"].as_str().unwrap_or_default() {
            "monitor_started" => {
                began = Some(Instant::now());
                runtime.block_on(touch(&corner, containers, "/go"))?;
            }
            "log" => tally.line(
                event["container"].as_str().unwrap_or_default(),
                event["message"].as_str().unwrap_or_default(),
            ),
            "log_dropped" | "degraded" => tally.troubles.push(line.clone()),
            _ => {}
        }
        let Some(start) = began else { continue };
        if sample_at.elapsed() >= Duration::from_secs(15) {
            sample_at = Instant::now();
            writeln!(out, "{}", tally.sample(child.id(), start.elapsed())?)?;
        }
        if !stopping && start.elapsed() >= length {
            stopping = true;
            runtime.block_on(touch(&corner, containers, "/stop"))?;
        }
    }
    child.kill()?;
    child.wait()?;
    writeln!(out, "{containers} containers, {rate} lines/s each, {minutes} min")?;
    for line in tally.summary() {
        writeln!(out, "{line}")?;
    }
    let all_ended = tally.ended.len() as u64 == containers;
    if tally.lost + tally.repeated > 0 || !tally.troubles.is_empty() || !all_ended {
        return Err("the soak failed".into());
    }
    Ok(())
}

/// The lines of a process's output, as they come.
fn reader(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = sync_channel(100_000);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

async fn touch(corner: &Corner, containers: u64, path: &str) -> Fallible {
    for index in 0..containers {
        corner.touch(&format!("w{index}"), path).await?;
    }
    Ok(())
}
