//! From the end of a container's main process to the incident, to its healing and to the end of
//! the incident: the built binary, a real engine, a fresh container and state folder per try.
//!
//! Run by `scripts/must/kill-latency.sh`; `TRIES` sets how many (20).

#[path = "../tests/support/mod.rs"]
mod support;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use support::process::Headless;
use support::{Corner, Fallible};

/// How the process ends.
#[derive(Clone, Copy)]
enum End {
    /// It exits by itself.
    Inside,
    /// The kernel kills it at the request of a process of the host.
    HostPid,
}

/// One column of the table.
type Pick = fn(&Figures) -> f64;

/// Milliseconds from the end of the process.
struct Figures {
    opened: f64,
    running: f64,
    resolved: f64,
}

fn main() -> Fallible {
    let tries = std::env::var("TRIES").ok().and_then(|t| t.parse().ok()).unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:<34} {:>9} {:>9} {:>9}",
        "milliseconds after the end", "median", "min", "max"
    )?;
    for (name, end) in [("exits by itself", End::Inside), ("killed by host pid", End::HostPid)] {
        let mut all = Vec::new();
        for _ in 0..tries {
            all.push(runtime.block_on(one(end))?);
        }
        let columns: [(&str, Pick); 3] = [
            ("incident_opened", |f| f.opened),
            ("running again (auto-heal)", |f| f.running),
            ("resolved (verify 1 s)", |f| f.resolved),
        ];
        writeln!(out, "{name}, {tries} tries")?;
        for (column, pick) in columns {
            let mut values: Vec<f64> = all.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            let median = values.get(values.len() / 2).copied().unwrap_or_default();
            let min = values.first().copied().unwrap_or_default();
            let max = values.last().copied().unwrap_or_default();
            writeln!(out, "  {column:<32} {median:>9.0} {min:>9.0} {max:>9.0}")?;
        }
    }
    Ok(())
}

async fn one(end: End) -> Fallible<Figures> {
    let corner = Corner::new("latency")?;
    let folder = tempfile::tempdir()?;
    let control = folder.path().join("control");
    std::fs::create_dir(&control)?;
    let pipe = control.join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status()?.success() {
        return Err("mkfifo failed".into());
    }
    // PID 1 waits for a byte; what it does then is its own doing.
    let mut body = corner.body("api", "read word < /control/pipe; exit 7");
    if let Some(host) = &mut body.host_config {
        host.binds = Some(vec![format!("{}:/control", control.display())]);
    }
    corner.start("api", body).await?;
    let pid = corner.pid("api").await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    let (began, wall) = match end {
        End::Inside => {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(&pipe)?;
            let now = (Instant::now(), Timestamp::now());
            pipe.write_all(b"now\n")?;
            now
        }
        End::HostPid => {
            let arguments: [OsString; 2] = ["-9".into(), pid.to_string().into()];
            let now = (Instant::now(), Timestamp::now());
            if !Command::new("kill").args(arguments).status()?.success() {
                return Err("kill failed".into());
            }
            now
        }
    };
    app.until("incident_opened", |_| true)?;
    let opened = began.elapsed();
    app.until("fix_applied", |_| true)?;
    let since = corner.running_since("api").await?.ok_or("it does not run")?;
    let running = Duration::try_from(since.parse::<Timestamp>()?.duration_since(wall))?;
    app.until("incident_resolved", |_| true)?;
    let resolved = began.elapsed();
    app.stop()?;
    let millis = |d: Duration| d.as_secs_f64() * 1000.0;
    Ok(Figures { opened: millis(opened), running: millis(running), resolved: millis(resolved) })
}
