//! One container between its create and its removal.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::log::Log;
use crate::process::Process;
use crate::spec::Spec;

/// Probe results that are kept.
const PROBES: usize = 5;

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Never started.
    Created,
    /// Its process runs.
    Running,
    /// Its process is frozen.
    Paused,
    /// It ended, and its policy will start it again.
    Restarting,
    /// It ended.
    Exited,
}

impl Status {
    /// The engine's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        }
    }
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its name, without a slash.
    pub name: String,
    /// How it is configured.
    pub spec: Arc<Spec>,
    /// When it was made.
    pub created: Timestamp,
    /// Where it is in its life.
    pub status: Status,
    /// Status of its last end.
    pub exit_code: i64,
    /// Its last end was the kernel's doing.
    pub oom_killed: bool,
    /// When it last started.
    pub started: Option<Timestamp>,
    /// When it last ended.
    pub finished: Option<Timestamp>,
    /// Number of its process.
    pub pid: u32,
    /// Its networks, by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// What it said.
    pub log: Log,
    /// Its process, while there is one.
    pub process: Option<Process>,
    /// Its health, if it has a check.
    pub health: Option<Health>,
    /// How often its policy has started it.
    pub restarts: u32,
    /// The delay before the next such start.
    pub delay: SignedDuration,
    /// When that start is due.
    pub restart_at: Option<Timestamp>,
    /// It is told to stop.
    pub stopping: Option<Stopping>,
    /// Somebody stopped it: its policy leaves it alone.
    pub stopped_by_hand: bool,
    /// How often it has been started: readers of its log belong to one run.
    pub run: u64,
    /// Paths that were written in its own layer.
    pub written: Vec<String>,
    /// Where it was last scheduled.
    pub due: Option<Timestamp>,
}

/// A container in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Other names that it answers to.
    pub aliases: Vec<String>,
    /// Its address while it runs.
    pub address: String,
    /// The engine's identifier of this place.
    pub id: String,
}

/// Health, as the engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `starting`, `healthy` or `unhealthy`.
    pub status: &'static str,
    /// Failures in a row.
    pub streak: u32,
    /// The newest results.
    pub log: VecDeque<Probe>,
    /// When the next probe is due.
    pub next: Timestamp,
}

/// The result of one health probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its status.
    pub code: i64,
    /// What it wrote.
    pub output: String,
}

impl Health {
    /// Not known yet.
    pub fn starting(next: Timestamp) -> Self {
        Self { status: "starting", streak: 0, log: VecDeque::new(), next }
    }

    /// Takes a result down.
    pub fn note(&mut self, probe: Probe) {
        self.log.push_back(probe);
        if self.log.len() > PROBES {
            self.log.pop_front();
        }
    }
}

/// A stop under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// When the process ends by itself, if it obeys.
    pub ends_at: Option<Timestamp>,
    /// When it is killed, if it must be.
    pub kill_at: Option<Timestamp>,
    /// What follows.
    pub then: Then,
}

/// What follows an end that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays stopped.
    Stop,
    /// It is started again.
    Restart,
    /// Nothing: a signal was sent, no more.
    Nothing,
}

impl Container {
    /// Whether the engine calls it running: paused ones and those in a delay are.
    pub fn is_up(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused | Status::Restarting)
    }

    /// Whether it has a process.
    pub fn has_process(&self) -> bool {
        self.process.is_some()
    }

    /// What should have happened by now, and did not, is not made up for.
    pub fn thaw(&mut self, now: Timestamp) {
        if let Some(process) = &mut self.process {
            process.thaw(now);
        }
        if let Some(health) = &mut self.health {
            health.next = health.next.max(now);
        }
    }

    /// When something is due for it.
    pub fn next(&self) -> Option<Timestamp> {
        let stopping = self.stopping.and_then(|s| earliest([s.ends_at, s.kill_at]));
        let runs = self.status == Status::Running;
        let process = self.process.as_ref().filter(|_| runs).and_then(Process::due);
        let health = self.health.as_ref().filter(|_| runs && self.has_process()).map(|h| h.next);
        earliest([stopping, process, health, self.restart_at])
    }

    /// Processor time used up to this moment.
    pub fn cpu(&self, now: Timestamp) -> u64 {
        let (Some(process), Some(started)) = (&self.process, self.started) else {
            return 0;
        };
        let elapsed = u64::try_from(now.duration_since(started).as_nanos()).unwrap_or_default();
        // A small wave, so that no two readings are alike.
        let share = process.program().cpu.max(0.0);
        let wave = (elapsed as f64 / 7e9).sin() * 1e7;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "nanoseconds of a simulation, never below zero"
        )]
        let used = (elapsed as f64 * share + wave.abs() * share) as u64;
        used.saturating_add(1_000_000)
    }
}

/// The earliest of those that are there.
fn earliest<const N: usize>(all: [Option<Timestamp>; N]) -> Option<Timestamp> {
    all.into_iter().flatten().min()
}
