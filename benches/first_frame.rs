//! From the start of the built binary to its first frame with every container in it, in a real
//! terminal, with 20 containers running.
//!
//! Run by `scripts/must/first-frame.sh`; `TRIES` (20) and `CONTAINERS` (20) set the size.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use support::{Corner, Fallible};

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

fn main() -> Fallible {
    let (tries, containers) = (number("TRIES", 20), number("CONTAINERS", 20));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let corner = Corner::new("frame")?;
    runtime.block_on(async {
        for index in 0..containers {
            corner.run(&format!("w{index}"), "while true; do echo tick; sleep 0.5; done").await?;
        }
        Fallible::Ok(())
    })?;
    let mut first = Vec::new();
    let mut full = Vec::new();
    for _ in 0..tries {
        let (frame, all) = one(&corner, containers)?;
        first.push(frame.as_secs_f64() * 1000.0);
        full.push(all.as_secs_f64() * 1000.0);
    }
    let mut out = std::io::stdout();
    writeln!(out, "{containers} containers, {tries} starts; milliseconds: median, min, max")?;
    for (name, mut values) in [("first frame", first), ("frame with all containers", full)] {
        values.sort_by(f64::total_cmp);
        let at = |i: usize| values.get(i).copied().unwrap_or_default();
        writeln!(
            out,
            "  {name:<28} {:>7.1} {:>7.1} {:>7.1}",
            at(values.len() / 2),
            at(0),
            at(values.len().saturating_sub(1))
        )?;
    }
    Ok(())
}

/// Times until the first frame, and until all containers are on the screen.
fn one(corner: &Corner, containers: usize) -> Fallible<(Duration, Duration)> {
    let folder = tempfile::tempdir()?;
    let pty = native_pty_system();
    let size = PtySize { rows: 60, cols: 160, pixel_width: 0, pixel_height: 0 };
    let pair = pty.openpty(size).map_err(|e| e.to_string())?;
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command.env_clear();
    for (key, value) in [
        ("HOME", folder.path().as_os_str()),
        ("SENTINEL_LOCK_DIR", folder.path().as_os_str()),
        ("DOCKER_HOST", corner.host.as_ref()),
        ("TERM", "xterm-256color".as_ref()),
    ] {
        command.env(key, value);
    }
    command.args(["--filter", &corner.filter()]);
    let mut reader = pair.master.try_clone_reader().map_err(|e| e.to_string())?;
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).map_err(|e| e.to_string())?;
    let mut screen = vt100::Parser::new(60.try_into()?, 160.try_into()?, 0);
    let mut first = None;
    let mut buffer = vec![0; 65536];
    let wanted = format!("{containers}/{containers}");
    let all = loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 || began.elapsed() > Duration::from_secs(10) {
            return Err("it ended before all containers were shown".into());
        }
        screen.process(buffer.get(..count).unwrap_or_default());
        let text = screen.screen().contents();
        if first.is_none() && text.contains("sentinel-tui") {
            first = Some(began.elapsed());
        }
        if text.contains(&wanted) {
            break began.elapsed();
        }
    };
    child.kill()?;
    child.wait()?;
    Ok((first.unwrap_or(all), all))
}
