//! The classes of container failure, with the names used in code, stream and docs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The process ended by itself with status 0.
    CleanExit,
    /// Somebody asked the engine to stop it.
    IntendedStop,
    /// It died once and nothing says it will again.
    TransientCrash,
    /// It dies again and again; a restart will not help.
    CrashLoop,
    /// It fails since its image or spec changed.
    BadDeploy,
    /// The kernel killed it at its memory limit.
    OomKill,
    /// Its memory grows towards the limit without a plateau.
    MemoryLeak,
    /// The host, not the container, ran out of memory.
    HostMemoryPressure,
    /// It spins at its CPU quota without more work to do.
    CpuRunaway,
    /// Its CPU quota is too small for its load.
    CpuThrottled,
    /// The process lives but does not answer.
    Hang,
    /// The probe is broken, not the service.
    BadHealthcheck,
    /// A sibling that it needs is not running.
    DependencyDown,
    /// A sibling that it needs is slow.
    SlowDependency,
    /// A name that it needs does not resolve.
    DnsFailure,
    /// It lost a network that it shared with its siblings.
    NetworkDetached,
    /// A setting is missing or wrong.
    BadConfig,
    /// A peer refused its credentials.
    CredentialsRejected,
    /// A port that it needs is taken.
    PortConflict,
    /// A file system that it writes to is full.
    DiskFull,
    /// A file system that it writes to is read-only.
    ReadOnlyFs,
    /// It may not use a file or socket that it needs.
    PermissionDenied,
    /// It ran out of file descriptors.
    FdExhaustion,
    /// It ran out of processes or threads.
    PidLimit,
    /// A connection pool is used up.
    PoolExhaustion,
    /// Errors rose far above their usual rate.
    ErrorBurst,
    /// An error that was never seen before.
    NewError,
    /// Durations in its log rose above their usual range.
    LatencyRise,
    /// A regular logger fell silent while running.
    LogSilence,
    /// It could not be started: entrypoint, command or image.
    StartFailure,
    /// It died of a fatal signal such as SIGSEGV.
    NativeCrash,
    /// It ignored SIGTERM and had to be killed.
    SlowStop,
    /// Many containers died at the same time.
    RestartStorm,
    /// It is paused.
    Paused,
    /// A certificate is not valid (any more).
    TlsExpired,
    /// Its image could not be fetched.
    ImagePullFailure,
    /// It goes up and down without settling.
    Flapping,
    /// The container whose namespace it shares was replaced.
    NamespaceBroken,
    /// The evidence does not fit any class.
    Unknown,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 39] = [
        Self::CleanExit,
        Self::IntendedStop,
        Self::TransientCrash,
        Self::CrashLoop,
        Self::BadDeploy,
        Self::OomKill,
        Self::MemoryLeak,
        Self::HostMemoryPressure,
        Self::CpuRunaway,
        Self::CpuThrottled,
        Self::Hang,
        Self::BadHealthcheck,
        Self::DependencyDown,
        Self::SlowDependency,
        Self::DnsFailure,
        Self::NetworkDetached,
        Self::BadConfig,
        Self::CredentialsRejected,
        Self::PortConflict,
        Self::DiskFull,
        Self::ReadOnlyFs,
        Self::PermissionDenied,
        Self::FdExhaustion,
        Self::PidLimit,
        Self::PoolExhaustion,
        Self::ErrorBurst,
        Self::NewError,
        Self::LatencyRise,
        Self::LogSilence,
        Self::StartFailure,
        Self::NativeCrash,
        Self::SlowStop,
        Self::RestartStorm,
        Self::Paused,
        Self::TlsExpired,
        Self::ImagePullFailure,
        Self::Flapping,
        Self::NamespaceBroken,
        Self::Unknown,
    ];

    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CleanExit => "clean_exit",
            Self::IntendedStop => "intended_stop",
            Self::TransientCrash => "transient_crash",
            Self::CrashLoop => "crash_loop",
            Self::BadDeploy => "bad_deploy",
            Self::OomKill => "oom_kill",
            Self::MemoryLeak => "memory_leak",
            Self::HostMemoryPressure => "host_memory_pressure",
            Self::CpuRunaway => "cpu_runaway",
            Self::CpuThrottled => "cpu_throttled",
            Self::Hang => "hang",
            Self::BadHealthcheck => "bad_healthcheck",
            Self::DependencyDown => "dependency_down",
            Self::SlowDependency => "slow_dependency",
            Self::DnsFailure => "dns_failure",
            Self::NetworkDetached => "network_detached",
            Self::BadConfig => "bad_config",
            Self::CredentialsRejected => "credentials_rejected",
            Self::PortConflict => "port_conflict",
            Self::DiskFull => "disk_full",
            Self::ReadOnlyFs => "read_only_fs",
            Self::PermissionDenied => "permission_denied",
            Self::FdExhaustion => "fd_exhaustion",
            Self::PidLimit => "pid_limit",
            Self::PoolExhaustion => "pool_exhaustion",
            Self::ErrorBurst => "error_burst",
            Self::NewError => "new_error",
            Self::LatencyRise => "latency_rise",
            Self::LogSilence => "log_silence",
            Self::StartFailure => "start_failure",
            Self::NativeCrash => "native_crash",
            Self::SlowStop => "slow_stop",
            Self::RestartStorm => "restart_storm",
            Self::Paused => "paused",
            Self::TlsExpired => "tls_expired",
            Self::ImagePullFailure => "image_pull_failure",
            Self::Flapping => "flapping",
            Self::NamespaceBroken => "namespace_broken",
            Self::Unknown => "unknown",
        }
    }

    /// The class in words a person would use.
    pub fn words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
