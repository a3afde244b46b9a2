//! From a key to the frame that shows what it did: the built terminal UI over the real run loop, in
//! a real terminal, with 50 containers that write 5,000 lines a second and an open incident.
//!
//! The bench starts itself in a pseudo-terminal. There the runner takes down when it read each key
//! and when the frame behind it had been written; outside, keys are typed at random moments and
//! what is drawn is read. `RATE` (5000), `SECONDS` (30), `COLUMNS` (160) and `LINES` (50) set the
//! size. Run by `scripts/must/input-to-frame.sh`.

#[path = "../tests/support/idle.rs"]
#[expect(unreachable_pub, reason = "tests share it")]
mod idle;
#[path = "synthetic/outside.rs"]
mod outside;
#[path = "synthetic/mod.rs"]
mod synthetic;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use idle::Idle;
use jiff::Timestamp;
use outside::Followed;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::{Container, RunState};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::domain::usage::{Usage, UsageSample};
use sentinel_core::engine::Settings;
use sentinel_core::session::input::Announced;
use sentinel_tui::config::ui::{Display, Notify};
use sentinel_tui::ports::{Inbox, Monitor, PortError};
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use sentinel_tui::tui::keymap::Keymap;
use sentinel_tui::tui::options::{Frames, Options};
use sentinel_tui::tui::theme::Theme;
use synthetic::{Dice, container};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const CONTAINERS: usize = 50;
/// Lines of a container that are sent together.
const BATCH: u64 = 8;
/// Between readings of resources.
const READINGS: Duration = Duration::from_secs(2);
/// The container that dies, so that an incident is open.
const DYING: usize = 7;
/// The bar.
const WANTED_P99: Duration = Duration::from_millis(16);
/// In the child's environment: where it writes what it measured.
const OUT: &str = "INPUT_TO_FRAME_OUT";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

/// Fifty containers that write, and one of them dies.
struct Fleet {
    containers: Vec<Container>,
    rate: u64,
}

impl Fleet {
    async fn go_on(&self, inbox: &Inbox, stop: &CancellationToken) {
        let watched = self.containers.clone();
        inbox.life(Signal::Attached { engine: EngineInfo::default(), watched }).await;
        let mut followed: Vec<Followed> = self
            .containers
            .iter()
            .enumerate()
            .map(|(place, c)| Followed::new(c.of.id.clone(), place))
            .collect();
        let mut dice = Dice::new(11);
        let began = Instant::now();
        let mut clock = interval(Duration::from_millis(2));
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut line, mut turn, mut next_reading, mut dead) = (0_u64, 0, READINGS, false);
        while !stop.is_cancelled() {
            clock.tick().await;
            let elapsed = began.elapsed();
            while (line as f64) < elapsed.as_secs_f64() * self.rate as f64 {
                turn = (turn + 1) % followed.len();
                let Some(f) = followed.get_mut(turn).filter(|_| !dead || turn != DYING) else {
                    continue;
                };
                let now = Timestamp::now();
                let texts: Vec<String> = (0..BATCH).map(|_| f.service.line(now)).collect();
                let batch = texts.iter().map(|text| f.take(text.as_bytes(), now)).collect();
                inbox.lines(batch).await;
                line += BATCH;
            }
            if elapsed > next_reading {
                next_reading += READINGS;
                for c in &self.containers {
                    inbox.usage(reading(&c.of.id, &mut dice));
                }
            }
            if !dead && elapsed > Duration::from_secs(1) {
                dead = true;
                self.die(inbox).await;
            }
        }
    }

    async fn die(&self, inbox: &Inbox) {
        let Some(mut container) = self.containers.get(DYING).cloned() else { return };
        let at = Timestamp::now();
        let id = container.of.id.clone();
        let event = LifeEvent { container: id.clone(), at, kind: LifeKind::Die { exit_code: 1 } };
        inbox.life(Signal::Life { event }).await;
        inbox.log_word(Signal::LogEnd { container: id }).await;
        container.state = RunState::Exited;
        container.exit_code = 1;
        container.finished_at = Some(at);
        let container = Box::new(container);
        inbox.life(Signal::Inspected { container, unwitnessed: false, asked_at: None }).await;
    }
}

fn reading(container: &ContainerId, dice: &mut Dice) -> UsageSample {
    let usage = Usage {
        cpu_pct: dice.below(900) as f64 / 10.0,
        mem_used: (40 << 20) + dice.below(40 << 20),
        mem_limit: 128 << 20,
        pids: 5,
        ..Usage::default()
    };
    UsageSample { container: container.clone(), at: Timestamp::now(), usage }
}

impl Monitor for Fleet {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            self.go_on(&inbox, &stop).await;
            Ok(())
        })
    }

    fn inspect(&self, wanted: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        let found = self.containers.iter().find(|c| c.of.id == wanted).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// In the terminal: the UI over the run loop.
async fn shown(out: &Path) -> Fallible {
    let now = Timestamp::now();
    let fleet = Fleet {
        containers: (0..CONTAINERS).map(|place| container(place, now)).collect(),
        rate: number("RATE", 5_000),
    };
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(fleet),
        remediator: Arc::new(Idle),
        models: None,
        runbooks: Arc::default(),
        store: Arc::new(SqliteStore::in_memory()?),
        role: Arc::new(Idle),
        settings: Settings { mode: Mode::Approve, watch_all: true, ..Settings::default() },
        earlier: Vec::new(),
        signatures: Arc::clone(Signatures::builtin()),
        announced: Announced::default(),
        recorder: None,
    });
    let frames = Frames::default();
    let folder = std::env::temp_dir();
    let options = Options {
        theme: Theme::load("dark", false)?,
        ascii: false,
        operator: "bench".to_owned(),
        postmortems: folder.clone(),
        saved_logs: folder,
        menu: None,
        keymap: Keymap::default(),
        mouse: false,
        notify: Notify::Off,
        tmux: false,
        frames: Some(frames.clone()),
        examine: None,
        display: Display::default(),
        columns: None,
        tour: None,
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(state.run(stop.clone()));
    let ended = sentinel_tui::tui::run::run(handle.clone(), options, stop.clone()).await;
    let open = handle.snapshot().incidents.iter().filter(|i| !i.state.is_closed()).count();
    let lines: u64 = handle.snapshot().containers.iter().map(|v| v.lines).sum();
    stop.cancel();
    running.await?;
    ended?;
    let waits = frames.waits();
    let micros: Vec<String> = waits.iter().map(|w| w.as_micros().to_string()).collect();
    std::fs::write(out, format!("{open} {lines} {}", micros.join(" ")))?;
    Ok(())
}

/// Types into the terminal, and reads what is drawn as a terminal would.
fn typed(out: &Path) -> Fallible<Duration> {
    let length = Duration::from_secs(number("SECONDS", 30));
    let size = PtySize {
        rows: u16::try_from(number("LINES", 50))?,
        cols: u16::try_from(number("COLUMNS", 160))?,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).map_err(|e| e.to_string())?;
    let mut command = CommandBuilder::new(std::env::current_exe()?);
    command.env(OUT, out);
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).map_err(|e| e.to_string())?;
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().map_err(|e| e.to_string())?;
    let drawn = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        // It ends with the child, with an error or without.
        while reader.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    let mut keys = pair.master.take_writer().map_err(|e| e.to_string())?;
    // It starts, attaches and opens its incident.
    thread::sleep(Duration::from_secs(3));
    let began = Instant::now();
    let mut dice = Dice::new(5);
    // Through the lists, the log (it follows 100 lines a second there), a page, a search, back.
    let walk: Vec<&[u8]> = vec![
        b"j", b"j", b"k", b"j", b"\r", b"k", b"k", b"k", b"\x04", b"\x15", b"w", b"w", b"t", b"G",
        b"/", b"o", b"r", b"d", b"\r", b"n", b"n", b"N", b"\x1b", b"\x1b", b"2", b"\r", b"j", b"j",
        b"j", b"\x04", b"\x15", b"\x1b", b"\t", b"\t", b"1", b"s", b"s", b"s", b"s", b"s", b"z",
        b"z", b"?", b"j", b"\x1b",
    ];
    for key in walk.iter().cycle() {
        if began.elapsed() > length {
            break;
        }
        keys.write_all(key)?;
        keys.flush()?;
        // As fast as a quick hand, at moments that have nothing to do with frames.
        thread::sleep(Duration::from_micros(40_000 + dice.below(60_000)));
    }
    keys.write_all(b"\x03")?;
    keys.flush()?;
    let took = began.elapsed();
    let status = child.wait()?;
    drop(keys);
    drop(pair.master);
    if drawn.join().is_err() {
        return Err("the reader of the terminal failed".into());
    }
    if !status.success() {
        return Err(format!("the terminal UI ended with {status:?}").into());
    }
    Ok(took)
}

fn main() -> Fallible {
    if let Some(out) = std::env::var_os(OUT) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(shown(&PathBuf::from(out)));
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("waits");
    let took = typed(&file)?;
    let text = std::fs::read_to_string(&file)?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let open = numbers.next().ok_or("nothing was measured")??;
    let lines = numbers.next().ok_or("nothing was measured")??;
    let mut waits = numbers.collect::<Result<Vec<_>, _>>()?;
    waits.sort_unstable();
    let at = |permille: usize| {
        let place = (waits.len() * permille / 1000).min(waits.len().saturating_sub(1));
        waits.get(place).copied().unwrap_or(u64::MAX) as f64 / 1e3
    };
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{CONTAINERS} containers, {lines} lines, {open} open incidents; {} keys shown in {:.0} s",
        waits.len(),
        took.as_secs_f64()
    )?;
    writeln!(
        out,
        "milliseconds from key to frame: p50 {:.2}, p90 {:.2}, p99 {:.2}, longest {:.2}",
        at(500),
        at(900),
        at(990),
        at(1000)
    )?;
    if open == 0 || waits.len() < 50 {
        return Err("no incident was open, or too few keys were shown".into());
    }
    if at(990) > WANTED_P99.as_secs_f64() * 1e3 {
        return Err("slower than 16 ms".into());
    }
    Ok(())
}
