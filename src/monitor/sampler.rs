//! Reads the resources of all running containers, round after round: from the kernel's files where
//! the engine runs on this machine, from the engine otherwise, and no faster than that can bear,
//! for the statistics API is what costs a Docker engine most (50 containers read every two
//! seconds: 0.16 of a core).

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::usage::UsageSample;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use crate::monitor::cgroup::{Cgroups, Meter, is_over};
use crate::monitor::client::Reader;
use crate::monitor::decode;
use crate::monitor::usage::Reading;
use crate::ports::Inbox;

/// Readings of the engine under way at the same time.
const AT_ONCE: usize = 4;
/// One reading of the engine may take this long; the next round tries again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rates need two readings: the second comes soon, so that the screen is not empty for long.
const SECOND_ROUND: Duration = Duration::from_millis(700);
/// Rounds are stretched so that reading takes at most this share of the time.
const SHARE: u32 = 4;

/// What the readings of a running container need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) id: ContainerId,
    /// Its quota, which the engine's statistics leave out.
    nano_cpus: Option<u64>,
    /// Whose network it uses.
    network_mode: String,
}

impl Running {
    pub(super) fn of(container: &Container) -> Self {
        Self {
            id: container.of.id.clone(),
            nano_cpus: container.nano_cpus,
            network_mode: container.network_mode.clone(),
        }
    }
}

/// Where the readings of one container come from.
#[derive(Debug)]
enum Source {
    /// Not known yet, or not any more.
    Unknown,
    Files(Box<Meter>),
    Engine,
}

/// One container between two readings.
#[derive(Debug)]
struct Measured {
    source: Source,
    before: Option<Reading>,
}

/// Reads until the list's owner has gone.
pub(super) async fn sample(
    reader: Reader,
    inbox: Inbox,
    every: Duration,
    mut running: watch::Receiver<Vec<Running>>,
) {
    let mut sampler = Sampler::new(reader, inbox);
    let mut round = 0_u32;
    loop {
        let wanted = running.borrow_and_update().clone();
        let began = Instant::now();
        sampler.round(wanted).await;
        round = round.saturating_add(1);
        let pause = if round == 1 { SECOND_ROUND } else { every.max(began.elapsed() * SHARE) };
        tokio::select! {
            () = sleep_until(began + pause) => {}
            changed = running.changed() => {
                if changed.is_err() {
                    return;
                }
                // Something started or stopped: look soon, but not at every single change.
                tokio::time::sleep(SECOND_ROUND.min(every)).await;
            }
        }
    }
}

struct Sampler {
    reader: Reader,
    inbox: Inbox,
    /// `None`: the engine is elsewhere for sure, or this machine has no such files.
    cgroups: Option<Cgroups>,
    measured: HashMap<ContainerId, Measured>,
    told_files: bool,
    told_engine: bool,
}

impl Sampler {
    fn new(reader: Reader, inbox: Inbox) -> Self {
        let cgroups = if reader.may_be_local() {
            Cgroups::open(Path::new("/proc"))
                .inspect_err(|error| tracing::debug!("no control groups here: {error}"))
                .ok()
        } else {
            None
        };
        Self {
            reader,
            inbox,
            cgroups,
            measured: HashMap::new(),
            told_files: false,
            told_engine: false,
        }
    }

    async fn round(&mut self, wanted: Vec<Running>) {
        self.measured.retain(|id, _| wanted.iter().any(|w| &w.id == id));
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.expect(wanted.len());
        }
        let mut of_engine = Vec::new();
        for one in wanted {
            if self.finds_source(&one).await {
                of_engine.push(one);
            } else {
                self.read_files(&one);
                // A reading is short, a round over many containers is not.
                yield_now().await;
            }
        }
        self.ask_engine(of_engine).await;
    }

    /// Settles where a container's readings come from; whether from the engine.
    async fn finds_source(&mut self, one: &Running) -> bool {
        let measured = self
            .measured
            .entry(one.id.clone())
            .or_insert(Measured { source: Source::Unknown, before: None });
        if matches!(measured.source, Source::Unknown) {
            measured.source = match &self.cgroups {
                None => Source::Engine,
                Some(cgroups) => match cgroups.meter(&one.id, None) {
                    Some(meter) => Source::Files(Box::new(meter)),
                    None => look_further(&self.reader, cgroups, &one.id).await,
                },
            };
            match &measured.source {
                Source::Files(_) if !std::mem::replace(&mut self.told_files, true) => {
                    let version = self.cgroups.as_ref().map_or("", Cgroups::version);
                    tracing::info!("resources are read from the control group files ({version})");
                }
                Source::Engine => self.tell_engine("it has no control group on this machine", one),
                _ => {}
            }
        }
        self.measured.get(&one.id).is_some_and(|m| matches!(m.source, Source::Engine))
    }

    fn tell_engine(&mut self, why: &str, one: &Running) {
        if !std::mem::replace(&mut self.told_engine, true) {
            tracing::info!(
                "resources of container {} are read from the engine's statistics: {why}",
                one.id.short()
            );
        }
    }

    fn read_files(&mut self, one: &Running) {
        let Some(cgroups) = &mut self.cgroups else { return };
        let Some(measured) = self.measured.get_mut(&one.id) else { return };
        let Source::Files(meter) = &mut measured.source else { return };
        match meter.read(cgroups, &one.network_mode) {
            Ok(reading) => {
                if let Some(usage) = reading.since(&mut measured.before) {
                    let at = Timestamp::now();
                    self.inbox.usage(UsageSample { container: one.id.clone(), at, usage });
                }
            }
            Err(error) if is_over(&error) => {
                // It stopped, of which its events tell. If it runs on, it is looked for again.
                *measured = Measured { source: Source::Unknown, before: None };
            }
            Err(error) => {
                *measured = Measured { source: Source::Engine, before: None };
                self.tell_engine(&format!("its files cannot be read: {error}"), one);
            }
        }
    }

    async fn ask_engine(&mut self, wanted: Vec<Running>) {
        let mut readings = stream::iter(wanted)
            .map(|one| {
                let reader = self.reader.clone();
                async move { (timeout(PATIENCE, reader.stats(&one.id)).await, one) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((reading, one)) = readings.next().await {
            // Without one it stopped, or the engine is away: the event stream tells, not this.
            let Ok(Ok(Some(raw))) = reading else { continue };
            let at = raw.read.as_deref().and_then(decode::time).unwrap_or_else(Timestamp::now);
            let Some(measured) = self.measured.get_mut(&one.id) else { continue };
            match Reading::of_engine(&raw, at, one.nano_cpus) {
                Some(reading) => {
                    if let Some(usage) = reading.since(&mut measured.before) {
                        self.inbox.usage(UsageSample { container: one.id, at, usage });
                    }
                }
                // It stopped: the next run may have its group here.
                None => *measured = Measured { source: Source::Unknown, before: None },
            }
        }
    }
}

/// A container whose group is not where engines put it: its main process, as the engine numbers
/// it, leads there if the engine runs on this machine.
async fn look_further(reader: &Reader, cgroups: &Cgroups, id: &ContainerId) -> Source {
    let inspected = timeout(PATIENCE, reader.inspect(id)).await;
    let Ok(Ok(Some(raw))) = inspected else { return Source::Unknown };
    let pid = raw.state.and_then(|s| s.pid).and_then(|p| u32::try_from(p).ok()).unwrap_or_default();
    if pid == 0 {
        // It stopped meanwhile.
        return Source::Unknown;
    }
    cgroups.meter(id, Some(pid)).map_or(Source::Engine, |meter| Source::Files(Box::new(meter)))
}
