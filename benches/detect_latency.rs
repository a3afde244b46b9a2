//! From a line's arrival at the monitor to its anomaly among the events: the real run loop, a store
//! on disk, and a monitor that makes up what containers write.
//!
//! The monitor does to each line what the real one does (makes it safe, reads it, sends it in a
//! batch). Ordinary lines of 50 containers come at `RATE` (20000) a second for `SECONDS` (60); among
//! them `PROBES` (50) a second that are anomalies, each with a number by which its event is known.
//!
//! Run by `scripts/must/detect-latency.sh`, on one core.

#[path = "../tests/support/idle.rs"]
#[expect(unreachable_pub, reason = "tests share it")]
mod idle;
#[path = "synthetic/outside.rs"]
mod outside;
#[path = "synthetic/mod.rs"]
mod synthetic;

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use idle::Idle;
use jiff::Timestamp;
use outside::Followed;
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::engine::Settings;
use sentinel_core::session::input::Announced;
use sentinel_tui::ports::{Inbox, Monitor, PortError};
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use synthetic::container;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Containers that write.
const CONTAINERS: usize = 50;
/// What the probes say: failures that are known by their words. Enough different ones that none
/// comes again before it would be told again.
const FAILURES: [&str; 8] = [
    "could not write to file: No space left on device",
    "connect to 10.1.2.3:5432 failed: Connection refused",
    "lookup db.internal: no such host",
    "java.lang.OutOfMemoryError: Java heap space",
    "open /data/state: Permission denied",
    "accept failed: Too many open files",
    "password authentication failed for user app",
    "bind 0.0.0.0:8080: Address already in use",
];
/// The bar.
const WANTED_P99: Duration = Duration::from_millis(5);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(default)
}

/// When each probe was due, and when the monitor had it in hand.
type Sent = Arc<Mutex<Vec<(Instant, Instant)>>>;

/// Makes up what containers write.
struct Writers {
    containers: Vec<Container>,
    rate: u64,
    probes: u64,
    length: Duration,
    sent: Sent,
}

impl Writers {
    async fn write(&self, inbox: &Inbox, stop: &CancellationToken) {
        let attached =
            Signal::Attached { engine: EngineInfo::default(), watched: self.containers.clone() };
        inbox.life(attached).await;
        let mut followed: Vec<Followed> = self
            .containers
            .iter()
            .enumerate()
            .map(|(index, c)| Followed::new(c.of.id.clone(), index))
            .collect();
        // What writing costs is not what is measured: a stock of lines for each.
        let stock: Vec<Vec<String>> = followed
            .iter_mut()
            .map(|f| (0..512).map(|_| f.service.line(Timestamp::now())).collect())
            .collect();
        let began = Instant::now();
        let mut clock = interval(Duration::from_millis(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut line, mut probe, mut turn) = (0_u64, 0_u64, 0_usize);
        while began.elapsed() < self.length && !stop.is_cancelled() {
            clock.tick().await;
            let elapsed = began.elapsed().as_secs_f64();
            // One container after the other, as their sockets would become readable.
            while (line as f64) < elapsed * self.rate as f64 {
                let due_probe = (probe as f64) < elapsed * self.probes as f64;
                let next = usize::try_from(probe).unwrap_or_default();
                // Probes go round by themselves, so that no container says one twice too soon.
                turn = if due_probe { next } else { turn + 1 } % followed.len();
                let (Some(f), Some(stock)) = (followed.get_mut(turn), stock.get(turn)) else {
                    return;
                };
                let now = Timestamp::now();
                let mut batch = Vec::new();
                for _ in 0..8 {
                    let text = usize::try_from(line).ok().and_then(|n| stock.get(n % stock.len()));
                    batch.push(f.take(text.map_or("", String::as_str).as_bytes(), now));
                    line += 1;
                }
                if due_probe {
                    let due = began + Duration::from_secs_f64(probe as f64 / self.probes as f64);
                    let in_hand = Instant::now();
                    self.sent.lock().unwrap_or_else(PoisonError::into_inner).push((due, in_hand));
                    // Every container says every failure in its turn.
                    let rounds = next / CONTAINERS;
                    let failure = FAILURES.get(rounds % FAILURES.len()).copied();
                    let failure = failure.unwrap_or_default();
                    let text = f.service.written(now, "ERROR", &format!("{failure} probe={probe}"));
                    batch.push(f.take(text.as_bytes(), now));
                    probe += 1;
                }
                inbox.lines(batch).await;
            }
        }
    }
}

impl Monitor for Writers {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            self.write(&inbox, &stop).await;
            stop.cancelled().await;
            Ok(())
        })
    }

    fn inspect(&self, wanted: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        let found = self.containers.iter().find(|c| c.of.id == wanted).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// The probe that an event tells of: it is the last line of its evidence.
fn probe_of(envelope: &Envelope) -> Option<usize> {
    let Event::Anomaly { anomaly } = &envelope.event else { return None };
    let excerpt = &anomaly.evidence.last()?.excerpt;
    let digits = excerpt.split_once("probe=")?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A line of the table.
fn row(name: &str, all: &mut [Duration]) -> String {
    all.sort_unstable();
    let at = |percent: usize| {
        let place = (all.len() * percent / 100).min(all.len().saturating_sub(1));
        all.get(place).copied().unwrap_or_default()
    };
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    format!(
        "{name:<34} {:>8.3} {:>8.3} {:>8.3} {:>8.3}",
        ms(at(50)),
        ms(at(90)),
        ms(at(99)),
        ms(at(100))
    )
}

async fn measure(rate: u64, probes: u64, length: Duration) -> Fallible {
    let folder = tempfile::tempdir()?;
    let sent: Sent = Arc::default();
    let monitor = Arc::new(Writers {
        containers: (0..CONTAINERS).map(|index| container(index, Timestamp::now())).collect(),
        rate,
        probes,
        length,
        sent: Arc::clone(&sent),
    });
    let (handle, state) = prepare(Parts {
        monitor,
        remediator: Arc::new(Idle),
        models: None,
        runbooks: Arc::default(),
        store: Arc::new(SqliteStore::open(folder.path())?),
        role: Arc::new(Idle),
        settings: Settings { mode: Mode::ReadOnly, watch_all: true, ..Settings::default() },
        earlier: Vec::new(),
        signatures: Arc::clone(Signatures::builtin()),
        announced: Announced::default(),
        recorder: None,
    });
    let mut events = handle.subscribe();
    let stop = CancellationToken::new();
    let running = tokio::spawn(state.run(stop.clone()));
    let end = tokio::time::sleep(length + Duration::from_secs(1));
    tokio::pin!(end);
    let mut seen: Vec<Option<Instant>> = Vec::new();
    let mut missed = 0;
    let mut anomalies = 0_u64;
    loop {
        let event = tokio::select! {
            () = &mut end => break,
            event = events.recv() => event,
        };
        let now = Instant::now();
        match event {
            Ok(envelope) => {
                anomalies += u64::from(matches!(envelope.event, Event::Anomaly { .. }));
                let Some(probe) = probe_of(&envelope) else { continue };
                seen.resize(seen.len().max(probe + 1), None);
                if let Some(first) = seen.get_mut(probe) {
                    first.get_or_insert(now);
                }
            }
            Err(RecvError::Lagged(count)) => missed += count,
            Err(RecvError::Closed) => break,
        }
    }
    stop.cancel();
    let lines = handle.snapshot();
    let outcome = running.await?;
    if let Some(why) = outcome.unreachable {
        return Err(why.into());
    }
    let dropped = lines.containers.len();
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let told = |pick: fn(&(Instant, Instant)) -> Instant| -> Vec<Duration> {
        let pairs = sent.iter().zip(&seen);
        pairs.filter_map(|(sent, seen)| Some(seen.as_ref()?.duration_since(pick(sent)))).collect()
    };
    let (mut due, mut in_hand) = (told(|s| s.0), told(|s| s.1));
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{rate} lines/s of {dropped} containers for {} s; {} probes, {} told; {anomalies} anomalies, {missed} events missed",
        length.as_secs(),
        sent.len(),
        in_hand.len()
    )?;
    writeln!(
        out,
        "{:<34} {:>8} {:>8} {:>8} {:>8}",
        "milliseconds to the event", "p50", "p90", "p99", "max"
    )?;
    writeln!(out, "{}", row("from the line in the monitor's hand", &mut in_hand))?;
    writeln!(out, "{}", row("from when the line was due", &mut due))?;
    let p99 = in_hand.get(in_hand.len() * 99 / 100).copied();
    if p99.is_none_or(|p99| p99 > WANTED_P99) || in_hand.len() * 2 < sent.len() {
        return Err("too slow, or too few were told".into());
    }
    Ok(())
}

fn main() -> Fallible {
    let (rate, probes) = (number("RATE", 20_000), number("PROBES", 50));
    let length = Duration::from_secs(number("SECONDS", 60));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(rate, probes, length))
}
