//! Many containers that write for long: no line lost, none repeated, memory flat.
//!
//! Run by `scripts/must/soak.sh`; `CONTAINERS` (30), `RATE` in lines per second and container (10)
//! and `MINUTES` (10) set the size.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
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

fn main() -> Fallible {
    let (containers, rate, minutes) =
        (number("CONTAINERS", 30), number("RATE", 10), number("MINUTES", 10));
    let mut out = std::io::stdout();
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
    let pid = child.id();
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let (sender, lines) = std::sync::mpsc::sync_channel(100_000);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut next: HashMap<String, u64> = HashMap::new();
    let mut ended: HashMap<String, u64> = HashMap::new();
    let (mut lost, mut repeated, mut read) = (0_u64, 0_u64, 0_u64);
    let mut troubles = Vec::new();
    let mut memory = Vec::new();
    let mut began = None;
    let mut stopping = false;
    let mut sample_at = Instant::now();
    let length = Duration::from_secs(minutes * 60);
    loop {
        let line = lines.recv_timeout(Duration::from_secs(30));
        let Ok(line) = line else {
            troubles.push("no event for 30 s".to_owned());
            break;
        };
        let event: Value = serde_json::from_str(&line)?;
        match event["type"].as_str().unwrap_or_default() {
            "monitor_started" => {
                began = Some(Instant::now());
                runtime.block_on(touch(&corner, containers, "/go"))?;
            }
            "log" => {
                let name = event["container"].as_str().unwrap_or_default().to_owned();
                let text = event["message"].as_str().unwrap_or_default();
                if let Some(seq) = text.strip_prefix("seq=").and_then(|s| s.parse::<u64>().ok()) {
                    read += 1;
                    let expected = next.entry(name).or_insert(1);
                    if seq < *expected {
                        repeated += 1;
                    } else {
                        lost += seq - *expected;
                        *expected = seq + 1;
                    }
                } else if let Some(last) = text.strip_prefix("last=").and_then(|s| s.parse().ok()) {
                    ended.insert(name, last);
                }
            }
            "log_dropped" | "degraded" => troubles.push(line.clone()),
            _ => {}
        }
        let Some(start) = began else { continue };
        if sample_at.elapsed() >= Duration::from_secs(15) {
            sample_at = Instant::now();
            let (resident, ticks) = process(pid)?;
            memory.push(resident);
            writeln!(
                out,
                "{:>5} s  {read:>8} lines  {:>6.1} MiB  {:>5.2} % of a core",
                start.elapsed().as_secs(),
                resident as f64 / 1024.0,
                ticks as f64 / start.elapsed().as_secs_f64()
            )?;
        }
        if !stopping && start.elapsed() >= length {
            stopping = true;
            runtime.block_on(touch(&corner, containers, "/stop"))?;
        }
        if ended.len() as u64 == containers {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    for (name, last) in &ended {
        let got = next.get(name).map_or(0, |n| n - 1);
        lost += last - got;
    }
    let after_warm_up = memory.get(memory.len() / 4).copied().unwrap_or_default();
    let last = memory.last().copied().unwrap_or_default();
    writeln!(out, "{containers} containers, {rate} lines/s each, {minutes} min")?;
    writeln!(out, "{read} lines read, {lost} lost, {repeated} repeated")?;
    writeln!(
        out,
        "memory {:.1} MiB after a quarter, {:.1} MiB at the end, {:.1} MiB at most",
        after_warm_up as f64 / 1024.0,
        last as f64 / 1024.0,
        memory.iter().max().copied().unwrap_or_default() as f64 / 1024.0
    )?;
    for trouble in &troubles {
        writeln!(out, "trouble: {trouble}")?;
    }
    if lost + repeated > 0 || !troubles.is_empty() || ended.len() as u64 != containers {
        return Err("the soak failed".into());
    }
    Ok(())
}

async fn touch(corner: &Corner, containers: u64, path: &str) -> Fallible {
    use bollard::exec::{CreateExecOptions, StartExecOptions};
    for index in 0..containers {
        let options = CreateExecOptions { cmd: Some(vec!["touch", path]), ..Default::default() };
        let exec = corner.docker.create_exec(&corner.full(&format!("w{index}")), options).await?;
        let detached = StartExecOptions { detach: true, ..Default::default() };
        corner.docker.start_exec(&exec.id, Some(detached)).await?;
    }
    Ok(())
}
