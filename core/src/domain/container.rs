//! A container as the engine describes it, reduced to what detection, diagnosis and the screen
//! need. Environment values never get this far: names only.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ContainerId, EvidenceId};
use crate::domain::setup::{Mount, Published, Variable};

/// The label that opts a container in.
pub const LABEL_MONITOR: &str = "sre-sentinel.monitor";
/// The label that names its service.
pub const LABEL_SERVICE: &str = "sre-sentinel.service";
/// The label that opts it out of (or, under `--all`, into) auto-heal.
pub const LABEL_AUTO_HEAL: &str = "sre-sentinel.auto-heal";
/// The label that lists the services it needs, separated by commas.
pub const LABEL_DEPENDS_ON: &str = "sre-sentinel.depends-on";
/// The label that caps how far a fix may raise its memory.
pub const LABEL_MAX_MEMORY: &str = "sre-sentinel.max-memory";
/// The label that marks sentinel-tui's own containers: never watched, never targets.
pub const LABEL_SELF: &str = "sre-sentinel.self";
/// The label that keeps a container watched and quiet: it opens no incident.
pub const LABEL_QUIET: &str = "sre-sentinel.quiet";

/// Which container: identity and the names people use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerRef {
    /// Full id.
    pub id: ContainerId,
    /// Name without the leading slash.
    pub name: String,
    /// Service name: label, compose service, or the container's name.
    pub service: String,
    /// Compose project, if any.
    pub project: Option<String>,
}

/// The engine's own states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Never started.
    Created,
    /// Running.
    Running,
    /// Frozen by the operator.
    Paused,
    /// Waiting for the restart policy's delay.
    Restarting,
    /// Being removed.
    Removing,
    /// Stopped.
    Exited,
    /// The engine could not clean it up.
    Dead,
}

impl RunState {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It has no health check.
    None,
    /// Inside the start period, no verdict yet.
    Starting,
    /// The last probe passed.
    Healthy,
    /// `retries` probes in a row failed.
    Unhealthy,
}

impl Health {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// One run of the health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Exit status of the probe command; -1 when it timed out.
    pub exit_code: i64,
    /// What it printed, redacted and cut.
    pub output: String,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long it took.
    pub duration: Duration,
}

impl Probe {
    /// Its id as evidence: by its end, for the engine keeps five runs and their places move. By its
    /// place among them where the engine tells no end.
    pub fn evidence_id(&self, of: &ContainerRef, place: usize) -> EvidenceId {
        let which = self.ended_at.map_or(place.to_string(), |at| at.as_millisecond().to_string());
        EvidenceId(format!("probe-{}-{which}", of.id.short()))
    }
}

/// The health check's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The probe command, redacted.
    pub test: Vec<String>,
    /// Time between probes.
    pub interval: Duration,
    /// Time a probe may take.
    pub timeout: Duration,
    /// Time after start in which failures do not count.
    pub start_period: Duration,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
}

impl HealthCheck {
    /// The longest time from a start to a verdict:
    /// `start_period + (retries + 1) * (interval + timeout)`.
    pub fn longest_verdict(&self) -> Duration {
        let probe = self.interval.saturating_add(self.timeout);
        self.start_period.saturating_add(probe.saturating_mul(self.retries.saturating_add(1)))
    }
}

/// What the engine does when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Nothing.
    No,
    /// Start again, always.
    Always,
    /// Start again unless an operator stopped it.
    UnlessStopped,
    /// Start again after a failure, at most this often (0: no bound).
    OnFailure(u32),
}

impl RestartPolicy {
    /// Whether the engine itself will start the container again after `exit_code`.
    pub fn restarts_after(self, exit_code: i64, restarts_so_far: u32) -> bool {
        match self {
            Self::No => false,
            Self::Always | Self::UnlessStopped => true,
            Self::OnFailure(max) => exit_code != 0 && (max == 0 || restarts_so_far < max),
        }
    }
}

/// One network that a container is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The network's name.
    pub network: String,
    /// Names that resolve to this container on it.
    pub aliases: Vec<String>,
    /// Its address there; empty while it is stopped.
    pub address: String,
}

/// A container as last inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the engine's own switches, each by itself")]
pub struct Container {
    /// Identity and names.
    pub of: ContainerRef,
    /// Image reference as given at creation.
    pub image: String,
    /// Digest of the image.
    pub image_id: String,
    /// Engine state.
    pub state: RunState,
    /// Health verdict.
    pub health: Health,
    /// The engine's last probes, oldest first (at most five).
    pub probes: Vec<Probe>,
    /// Exit status of the last run.
    pub exit_code: i64,
    /// The engine's flag; false when only a child was killed, so the `oom` event is what counts.
    pub oom_killed: bool,
    /// Why the last start failed, if it did.
    pub error: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// `started_at` exactly as the engine wrote it, for the preconditions of a fix.
    pub started_at_raw: String,
    /// When the last run ended.
    pub finished_at: Option<Timestamp>,
    /// Restarts by the restart policy (not `docker restart`).
    pub restart_count: u32,
    /// Restart policy.
    pub restart_policy: RestartPolicy,
    /// Removed by the engine when it ends (`--rm`).
    pub auto_remove: bool,
    /// Whether it has a terminal (one raw log stream instead of two framed ones).
    pub tty: bool,
    /// The signal `docker stop` sends first.
    pub stop_signal: i32,
    /// How long `docker stop` waits before SIGKILL.
    pub stop_timeout: Duration,
    /// Memory limit in bytes; `None` for no limit.
    pub memory_limit: Option<u64>,
    /// Memory plus swap limit in bytes; -1 for unlimited swap; `None` for the engine's default.
    pub memory_swap: Option<i64>,
    /// CPU limit in 1e-9 cores; `None` for no limit.
    pub nano_cpus: Option<u64>,
    /// Its health check, if it has one.
    pub health_check: Option<HealthCheck>,
    /// Networks, by name.
    pub networks: Vec<Attachment>,
    /// `container:X` when it shares another one's network namespace.
    pub network_mode: String,
    /// Labels under `sre-sentinel.` and `com.docker.compose.` only.
    pub labels: BTreeMap<String, String>,
    /// Hash over everything that a recreate would change.
    pub config_hash: String,
    /// Log driver.
    pub log_driver: String,
    /// The command line, redacted.
    pub command: String,
    /// Its environment by name; no secret is in it.
    #[serde(default)]
    pub env: BTreeMap<String, Variable>,
    /// Its mounts, by path in the container.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Its published ports.
    #[serde(default)]
    pub ports: Vec<Published>,
    /// The user that its process runs as, as configured; empty for the image's.
    #[serde(default)]
    pub user: String,
    /// Its root file system may not be written to (`--read-only`).
    #[serde(default)]
    pub read_only_root: bool,
    /// Size of `/dev/shm` in bytes, if it is not the engine's default.
    #[serde(default)]
    pub shm_size: Option<u64>,
    /// Bound of its processes and threads.
    #[serde(default)]
    pub pids_limit: Option<u64>,
    /// Bound of its open files (`--ulimit nofile`), if set.
    #[serde(default)]
    pub nofile: Option<u64>,
}

impl Container {
    /// A container that runs as the engine makes one when nothing is asked for.
    pub fn plain(of: ContainerRef) -> Self {
        Self {
            of,
            image: String::new(),
            image_id: String::new(),
            state: RunState::Running,
            health: Health::None,
            probes: Vec::new(),
            exit_code: 0,
            oom_killed: false,
            error: String::new(),
            created_at: None,
            started_at: None,
            started_at_raw: String::new(),
            finished_at: None,
            restart_count: 0,
            restart_policy: RestartPolicy::No,
            auto_remove: false,
            tty: false,
            stop_signal: 15,
            stop_timeout: Duration::from_secs(10),
            memory_limit: None,
            memory_swap: None,
            nano_cpus: None,
            health_check: None,
            networks: Vec::new(),
            network_mode: "default".to_owned(),
            labels: BTreeMap::new(),
            config_hash: String::new(),
            log_driver: "json-file".to_owned(),
            command: String::new(),
            env: BTreeMap::new(),
            mounts: Vec::new(),
            ports: Vec::new(),
            user: String::new(),
            read_only_root: false,
            shm_size: None,
            pids_limit: None,
            nofile: None,
        }
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// Whether it runs (paused counts: its process lives).
    pub fn is_up(&self) -> bool {
        matches!(self.state, RunState::Running | RunState::Paused)
    }

    /// Whether it is down, or up and failing its health check.
    pub fn is_down_or_sick(&self) -> bool {
        !self.is_up() || self.health == Health::Unhealthy
    }

    /// Whether it is a one-off job of compose (`docker compose run`).
    pub fn is_one_off(&self) -> bool {
        self.label("com.docker.compose.oneoff").is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// Names of services that its own label says it needs.
    pub fn labelled_dependencies(&self) -> impl Iterator<Item = &str> {
        let own = self.label(LABEL_DEPENDS_ON).into_iter().flat_map(|v| v.split(','));
        own.map(str::trim).filter(|s| !s.is_empty())
    }

    /// Names of services that compose says it needs.
    pub fn compose_dependencies(&self) -> impl Iterator<Item = &str> {
        // Compose writes `db:service_healthy:false,cache:service_started:true`.
        self.label("com.docker.compose.depends_on")
            .into_iter()
            .flat_map(|v| v.split(','))
            .filter_map(|entry| entry.split(':').next())
            .map(str::trim)
            .filter(|s| !s.is_empty())
    }

    /// Names by which siblings on a shared user network reach it.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.networks.iter().flat_map(|n| n.aliases.iter().map(String::as_str));
        [self.of.name.as_str(), self.of.service.as_str()].into_iter().chain(aliases)
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use crate::domain::container::{Container, ContainerRef};
    use crate::domain::ids::ContainerId;

    /// A running container with nothing special about it.
    pub(crate) fn container(name: &str) -> Container {
        Container {
            image: "app:1".to_owned(),
            image_id: "sha256:1".to_owned(),
            started_at_raw: "start-1".to_owned(),
            config_hash: "config-1".to_owned(),
            command: "app".to_owned(),
            ..Container::plain(ContainerRef {
                id: ContainerId(format!("{name:-<64}")),
                name: name.to_owned(),
                service: name.to_owned(),
                project: None,
            })
        }
    }
}
