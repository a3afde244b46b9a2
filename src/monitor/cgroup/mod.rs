//! Resources of a container read from the kernel's own files, which costs the engine nothing.
//!
//! Start at [`Cgroups::meter`]. It finds a container's control group on this machine: `mounts`
//! knows where the hierarchies are mounted, `place` where in them the container is, `text` how
//! their files are written, `process` what `/proc` has of its main process. Small synchronous
//! reads, tens of microseconds for a container.
//!
//! A container is ours only if a control group that the kernel shows *here* carries its id, 64
//! digits that no two engines share. So the engine in the virtual machine of a desktop product, or
//! one whose socket is forwarded, is never misread: its containers have no group here.

mod mounts;
mod place;
mod process;
#[cfg(test)]
mod tests;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sentinel_core::domain::ids::ContainerId;

use crate::monitor::cgroup::mounts::Mounts;
use crate::monitor::cgroup::place::{Counters, Place};
use crate::monitor::cgroup::process::MainProcess;
use crate::monitor::cgroup::text::{Scratch, keyed};
use crate::monitor::usage::{MOST_PIDS, Reading, without_cache};

/// Limits change only by `docker update`: they are read this often.
const LIMITS_EVERY: Duration = Duration::from_secs(5);

/// Counters of at most so many containers stay open, six files each: a watched container costs a
/// descriptor for its log already, and the usual limit is 1024.
const MOST_KEPT: usize = 64;

/// The control groups of this machine.
#[derive(Debug)]
pub(super) struct Cgroups {
    proc: PathBuf,
    mounts: Mounts,
    /// What the engine gives as limit of a container that has none.
    machine_memory: u64,
    began: Instant,
    scratch: Scratch,
    /// Counters stay open between two readings.
    keep: bool,
}

impl Cgroups {
    /// Those that the process file system at `proc` (`/proc`, or a recorded one) shows. An error
    /// where there are none that count memory: another operating system, a sandbox.
    pub(super) fn open(proc: &Path) -> io::Result<Self> {
        let mut scratch = Scratch::default();
        let mounts = Mounts::parse(scratch.read(&proc.join("self/mountinfo"))?);
        if !mounts.count_memory() {
            return Err(io::Error::other("no control group hierarchy that counts memory"));
        }
        let text = scratch.read(&proc.join("meminfo"))?;
        let kib = keyed(text, "MemTotal:").unwrap_or_default();
        let machine_memory = kib.saturating_mul(1024);
        Ok(Self {
            proc: proc.to_owned(),
            mounts,
            machine_memory,
            began: Instant::now(),
            scratch,
            keep: true,
        })
    }

    /// How many containers are read: with many of them no file stays open.
    pub(super) fn expect(&mut self, containers: usize) {
        self.keep = containers <= MOST_KEPT;
    }

    /// `v1` or `v2`.
    pub(super) fn version(&self) -> &'static str {
        self.mounts.version()
    }

    /// The meter of a container that runs on this machine. `pid` is its main process as the
    /// engine numbers it, if that is known: it finds a group with an unusual parent, and proves
    /// nothing by itself.
    pub(super) fn meter(&self, id: &ContainerId, pid: Option<u32>) -> Option<Meter> {
        let uid = process::owner(&self.proc);
        let place = pid
            .and_then(|pid| {
                let lines = fs::read_to_string(self.proc.join(format!("{pid}/cgroup"))).ok()?;
                self.mounts.place_of_process(id, &lines)
            })
            .or_else(|| self.mounts.well_known_place(id, uid))?;
        Some(Meter { counters: place.counters(), place, main: None, limits: None, cpu_ns: 0 })
    }
}

/// Limits, and when they were read.
#[derive(Clone, Copy, Debug)]
struct Limits {
    read_at: Instant,
    memory: u64,
    pids: Option<u64>,
    cpu_pct: Option<f64>,
}

/// Reads one container.
#[derive(Debug)]
pub(super) struct Meter {
    place: Place,
    counters: Counters,
    main: Option<MainProcess>,
    limits: Option<Limits>,
    /// The last reading's: a counter that went back belongs to a new run.
    cpu_ns: u64,
}

impl Meter {
    /// One reading. An error means that the container stopped, or that its files may not be read
    /// (see [`is_over`]). `network` is what the inspect says of its network mode.
    pub(super) fn read(&mut self, on: &mut Cgroups, network: &str) -> io::Result<Reading> {
        let Cgroups { proc, machine_memory, began, scratch, keep, .. } = on;
        let now = Instant::now();
        let elapsed = now.duration_since(*began).as_nanos();
        let mut reading =
            Reading { clock_ns: u64::try_from(elapsed).unwrap_or(u64::MAX), ..Reading::default() };
        self.counters(scratch, *keep, &mut reading)?;
        if reading.cpu_ns < self.cpu_ns {
            self.main = None;
            self.limits = None;
        }
        self.cpu_ns = reading.cpu_ns;
        let limits = match self.limits {
            Some(known) if now.duration_since(known.read_at) < LIMITS_EVERY => known,
            _ => self.read_limits(scratch, *machine_memory, now),
        };
        self.limits = Some(limits);
        reading.mem_limit = limits.memory;
        reading.pids_limit = limits.pids;
        reading.cpu_limit_pct = limits.cpu_pct;
        if limits.cpu_pct.is_none() {
            reading.periods = None;
        }
        self.process(proc, scratch, network, now, &mut reading)?;
        Ok(reading)
    }

    fn counters(
        &mut self,
        scratch: &mut Scratch,
        keep: bool,
        into: &mut Reading,
    ) -> io::Result<()> {
        let Self { place, counters, .. } = self;
        let v2 = place.is_v2();
        // The processor first: it is set against the clock, which was read just before.
        if v2 {
            let stat = counters.cpu_time.read(scratch, keep)?;
            into.cpu_ns = keyed(stat, "usage_usec").unwrap_or_default() * 1000;
            into.periods = periods(stat);
        } else {
            into.cpu_ns = counters.cpu_time.number(scratch, keep)?;
            if let Some(file) = &mut counters.periods {
                into.periods = periods(file.read(scratch, keep)?);
            }
        }
        let usage = counters.memory_usage.number(scratch, keep)?;
        let [inactive_file, inactive_anon, active_anon] = if v2 {
            ["inactive_file", "inactive_anon", "active_anon"]
        } else {
            ["total_inactive_file", "total_inactive_anon", "total_active_anon"]
        };
        let stat = counters.memory_stat.read(scratch, keep)?;
        into.mem_used = without_cache(usage, keyed(stat, inactive_file).unwrap_or_default());
        into.mem_anon = sum(keyed(stat, inactive_anon), keyed(stat, active_anon));
        if let Some(file) = &mut counters.blocks {
            let bytes = file.read(scratch, keep)?;
            (into.read, into.write) =
                if v2 { text::v2_block_bytes(bytes) } else { text::v1_block_bytes(bytes) };
        }
        if let Some(file) = &mut counters.pids {
            into.pids = file.number(scratch, keep)?;
        }
        Ok(())
    }

    fn read_limits(&self, scratch: &mut Scratch, machine_memory: u64, now: Instant) -> Limits {
        // `max` and what is missing are no number, and no limit.
        let mut of = |path: PathBuf| scratch.number(&path).ok();
        let (memory, pids, cpu_pct) = match &self.place {
            Place::V1 { memory, cpu, pids, .. } => {
                let quota = cpu.as_ref().and_then(|cpu| {
                    let quota = of(cpu.join("cpu.cfs_quota_us"))?;
                    let period = of(cpu.join("cpu.cfs_period_us")).filter(|p| *p > 0)?;
                    Some(quota as f64 / period as f64 * 100.0)
                });
                let most = pids.as_ref().and_then(|pids| of(pids.join("pids.max")));
                (of(memory.join("memory.limit_in_bytes")), most, quota)
            }
            Place::V2(group) => {
                let memory = of(group.join("memory.max"));
                let most = of(group.join("pids.max"));
                let quota = scratch.read(&group.join("cpu.max")).ok().and_then(text::v2_quota_pct);
                (memory, most, quota)
            }
        };
        Limits {
            read_at: now,
            memory: match machine_memory {
                0 => memory.unwrap_or_default(),
                machine => memory.map_or(machine, |m| m.min(machine)),
            },
            pids: pids.filter(|n| (1..=MOST_PIDS).contains(n)),
            cpu_pct,
        }
    }

    fn process(
        &mut self,
        proc: &Path,
        scratch: &mut Scratch,
        network: &str,
        now: Instant,
        reading: &mut Reading,
    ) -> io::Result<()> {
        for attempt in 0..2 {
            if self.main.is_none() {
                self.main = process::main_of(proc, self.place.group(), network, scratch);
            }
            let Some(main) = &mut self.main else {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it has no process"));
            };
            match main.read(scratch, now, reading) {
                Ok(()) => break,
                // It ended: another one is the main process now, or there is none.
                Err(_) if attempt == 0 => self.main = None,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether an error of [`Meter::read`] means that the container has stopped, as opposed to files
/// that cannot be read.
pub(super) fn is_over(error: &io::Error) -> bool {
    const NO_DEVICE: i32 = 19;
    const NO_PROCESS: i32 = 3;
    // An open file of a group that was removed reads as "no such device".
    error.kind() == io::ErrorKind::NotFound
        || matches!(error.raw_os_error(), Some(NO_DEVICE | NO_PROCESS))
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a?.saturating_add(b?))
}

/// `nr_periods` and `nr_throttled` of a `cpu.stat`.
fn periods(stat: &str) -> Option<(u64, u64)> {
    Some((keyed(stat, "nr_periods")?, keyed(stat, "nr_throttled")?))
}
