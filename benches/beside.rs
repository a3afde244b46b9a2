//! sentinel-tui beside other terminal programs for containers, in one run, on the same containers:
//! first frame, processor time, what the engine spends more, memory.
//!
//! Run by `scripts/must/beside.sh`, which installs the others and says which processes are the
//! engine's (`BESIDE_ENGINE_PIDS_OF`). `CONTAINERS` (20), `RATE` in lines a second and container
//! (10; 0 for quiet ones), `SECONDS` measured of each program in each round (60), `ROUNDS` (3) set the size; `BESIDE`
//! names the programs, `BESIDE_PROGRAM` another build of ours.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use support::{Corner, Fallible};

const ROWS: u16 = 40;
const COLUMNS: u16 = 140;
/// Visible characters from which on a screen is taken for a frame.
const FRAME: usize = 40;
/// A program attaches, reads what was written before and settles.
const SETTLE: Duration = Duration::from_secs(12);
/// Nothing may take longer to show a container.
const PATIENCE: Duration = Duration::from_secs(30);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

/// What one program was seen to do in one round.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    first_frame: f64,
    first_names: f64,
    own_cores: f64,
    engine_cores: f64,
    mebibytes: f64,
}

/// Processor time of processes so far, in seconds.
fn cpu(pids: &[u32], ticks_a_second: f64) -> f64 {
    let ticks: u64 = pids.iter().filter_map(|pid| ticks(*pid)).sum();
    ticks as f64 / ticks_a_second
}

fn ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything: count the fields behind it.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// A process and everything below it.
fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        at += 1;
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(text.split_whitespace().filter_map(|p| p.parse::<u32>().ok()));
        }
    }
    found
}

/// Proportional memory in MiB: what several processes share counts once.
fn memory(pids: &[u32]) -> f64 {
    let one = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    pids.iter().filter_map(one).sum::<u64>() as f64 / 1024.0
}

/// The engine's processes, as the script names them.
fn engine() -> Fallible<Vec<u32>> {
    let command = std::env::var("BESIDE_ENGINE_PIDS_OF")?;
    let output = std::process::Command::new("bash").args(["-c", &command]).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().filter_map(|p| p.parse().ok()).collect())
}

/// What the terminal shows, and when it first did.
#[derive(Default)]
struct Watched {
    first_frame: Option<Duration>,
    first_names: Option<Duration>,
    last: String,
}

/// Reads what a program draws, as a terminal would.
fn watch(
    mut reader: Box<dyn std::io::Read + Send>,
    began: Instant,
    name: String,
) -> Fallible<Arc<Mutex<Watched>>> {
    let watched = Arc::new(Mutex::new(Watched::default()));
    let shared = Arc::clone(&watched);
    let mut screen = vt100::Parser::new(ROWS.try_into()?, COLUMNS.try_into()?, 0);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count) = reader.read(&mut buffer) {
            let Some(bytes) = buffer.get(..count).filter(|b| !b.is_empty()) else { break };
            let at = began.elapsed();
            screen.process(bytes);
            let mut watched = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if watched.first_names.is_none() {
                let text = screen.screen().contents();
                if text.chars().filter(|c| !c.is_whitespace()).count() >= FRAME {
                    watched.first_frame.get_or_insert(at);
                }
                if text.contains(&name) {
                    watched.first_names = Some(at);
                }
                watched.last = text;
            }
        }
    });
    Ok(watched)
}

/// Runs a program, or nothing, and measures.
fn measured(program: &str, corner: &Corner, length: Duration) -> Fallible<Seen> {
    let hertz = 100.0;
    let engine = engine()?;
    let mut seen = Seen::default();
    let folder = tempfile::tempdir()?;
    let mut running = None;
    if program != "nobody" {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(|e| e.to_string())?;
        let reader = pair.master.try_clone_reader().map_err(|e| e.to_string())?;
        let command = command(program, corner, folder.path());
        let began = Instant::now();
        let child = pair.slave.spawn_command(command).map_err(|e| e.to_string())?;
        // The beginning of all their names: lists cut what is long.
        let name = corner.full("w").chars().take(9).collect();
        let watched = watch(reader, began, name)?;
        running = Some((child, pair, watched, began));
    }
    if let Some((child, _, watched, began)) = &mut running {
        loop {
            let state = watched.lock().unwrap_or_else(PoisonError::into_inner);
            if let (Some(frame), Some(names)) = (state.first_frame, state.first_names) {
                seen.first_frame = frame.as_secs_f64() * 1e3;
                seen.first_names = names.as_secs_f64() * 1e3;
                break;
            }
            let last = state.last.clone();
            drop(state);
            if began.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                return Err(format!("{program} shows no container:\n{last}").into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
    thread::sleep(SETTLE);
    let own = running.as_ref().and_then(|(child, ..)| child.process_id()).map(tree);
    let own = own.unwrap_or_default();
    let (own_before, engine_before, began) =
        (cpu(&own, hertz), cpu(&engine, hertz), Instant::now());
    thread::sleep(length);
    let took = began.elapsed().as_secs_f64();
    seen.own_cores = (cpu(&own, hertz) - own_before) / took;
    seen.engine_cores = (cpu(&engine, hertz) - engine_before) / took;
    seen.mebibytes = memory(&own);
    if let Some((mut child, ..)) = running {
        child.kill()?;
        child.wait()?;
    }
    Ok(seen)
}

fn command(program: &str, corner: &Corner, folder: &std::path::Path) -> CommandBuilder {
    let built = std::env::var("BESIDE_PROGRAM").ok();
    let built = built.as_deref().unwrap_or(env!("CARGO_BIN_EXE_sentinel-tui"));
    let mut command = CommandBuilder::new(if program == "sentinel-tui" { built } else { program });
    command.env("HOME", folder);
    command.env("XDG_CONFIG_HOME", folder);
    command.env("SENTINEL_LOCK_DIR", folder);
    command.env("DOCKER_HOST", &corner.host);
    command.env("TERM", "xterm-256color");
    match program {
        "sentinel-tui" => command.args(["--all"]),
        "oxker" => command.args(["--host", corner.host.trim_start_matches("unix://")]),
        "dtop" => command.args(["--host", &corner.host]),
        _ => {}
    }
    command
}

fn main() -> Fallible {
    let containers = number("CONTAINERS", 20);
    let rate = number("RATE", 10);
    let (rounds, seconds) = (number("ROUNDS", 3), number("SECONDS", 60));
    let programs = std::env::var("BESIDE")
        .unwrap_or_else(|_| "nobody sentinel-tui oxker dtop lazydocker".to_owned());
    let programs: Vec<&str> = programs.split_whitespace().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let corner = Corner::new("beside")?;
    let script = match rate {
        0 => "while :; do sleep 1000; done".to_owned(),
        _ => format!(
            "n=0; while :; do n=$((n+1)); echo \"INFO request $n served in $((n%97)) ms\"; sleep {}; done",
            1.0 / rate as f64
        ),
    };
    runtime.block_on(async {
        for index in 0..containers {
            corner.run(&format!("w{index}"), &script).await?;
        }
        Fallible::Ok(())
    })?;
    let mut all: BTreeMap<&str, Vec<Seen>> = BTreeMap::new();
    for _ in 0..rounds {
        for program in &programs {
            match measured(program, &corner, Duration::from_secs(seconds)) {
                Ok(seen) => all.entry(program).or_default().push(seen),
                Err(error) => writeln!(std::io::stderr(), "{error}")?,
            }
        }
    }
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| program | first frame, ms | first container, ms | own CPU, cores | extra engine CPU, cores | memory, MiB |\n|---|---:|---:|---:|---:|---:|"
    )?;
    let mean = |program: &str, pick: fn(&Seen) -> f64| -> Option<f64> {
        let seen = all.get(program)?;
        Some(seen.iter().map(pick).sum::<f64>() / seen.len() as f64)
    };
    let nobody = mean("nobody", |s| s.engine_cores).unwrap_or_default();
    for program in programs.iter().filter(|p| **p != "nobody") {
        let Some(own) = mean(program, |s| s.own_cores) else {
            writeln!(out, "| {program} | did not run | | | | |")?;
            continue;
        };
        let value = |pick| mean(program, pick).unwrap_or_default();
        writeln!(
            out,
            "| {program} | {:.0} | {:.0} | {own:.4} | {:+.4} | {:.1} |",
            value(|s| s.first_frame),
            value(|s| s.first_names),
            value(|s| s.engine_cores) - nobody,
            value(|s| s.mebibytes)
        )?;
    }
    Ok(())
}
