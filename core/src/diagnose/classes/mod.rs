//! One file per class of failure: what it needs to be seen, what excludes it, what mends it.
//! A new class is a new file and a line in [`ALL`].

use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

mod bad_config;
mod bad_deploy;
mod bad_healthcheck;
mod clean_exit;
mod cpu_runaway;
mod cpu_throttled;
mod crash_loop;
mod credentials_rejected;
mod dependency_down;
mod disk_full;
mod dns_failure;
mod error_burst;
mod fd_exhaustion;
mod flapping;
mod hang;
mod host_memory_pressure;
mod image_pull_failure;
mod intended_stop;
mod latency_rise;
mod log_silence;
mod memory_leak;
mod namespace_broken;
mod native_crash;
mod network_detached;
mod new_error;
mod one_death;
mod oom_kill;
mod paused;
mod permission_denied;
mod pid_limit;
mod pool_exhaustion;
mod port_conflict;
mod read_only_fs;
mod restart_storm;
mod shared;
mod slow_dependency;
mod slow_stop;
mod start_failure;
mod tls_expired;
mod transient_crash;

/// How one class is told.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The class.
    pub class: FailureClass,
    /// Offers an explanation of a case, or none.
    pub judge: fn(&Case<'_>) -> Option<Hypothesis>,
    /// Says why the class was considered and does not fit, where there is anything to say.
    pub excluded: fn(&Case<'_>) -> Option<String>,
}

/// All classes. The order does not matter for the verdict: scores decide. Those in front say first
/// why they were excluded.
pub const ALL: &[Rule] = &[
    dependency_down::RULE,
    bad_deploy::RULE,
    oom_kill::RULE,
    crash_loop::RULE,
    bad_healthcheck::RULE,
    network_detached::RULE,
    host_memory_pressure::RULE,
    start_failure::RULE,
    native_crash::RULE,
    transient_crash::RULE,
    clean_exit::RULE,
    intended_stop::RULE,
    paused::RULE,
    hang::RULE,
    namespace_broken::RULE,
    restart_storm::RULE,
    flapping::RULE,
    memory_leak::RULE,
    cpu_runaway::RULE,
    cpu_throttled::RULE,
    slow_dependency::RULE,
    dns_failure::RULE,
    bad_config::RULE,
    credentials_rejected::RULE,
    port_conflict::RULE,
    disk_full::RULE,
    read_only_fs::RULE,
    permission_denied::RULE,
    fd_exhaustion::RULE,
    pid_limit::RULE,
    pool_exhaustion::RULE,
    tls_expired::RULE,
    image_pull_failure::RULE,
    error_burst::RULE,
    new_error::RULE,
    latency_rise::RULE,
    log_silence::RULE,
    slow_stop::RULE,
];

/// Nothing to say about why a class does not fit.
fn silent(_: &Case<'_>) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_class_has_one_rule() {
        let classes: BTreeSet<FailureClass> = ALL.iter().map(|rule| rule.class).collect();
        assert_eq!(classes.len(), ALL.len(), "one rule each");
        for class in FailureClass::ALL {
            assert!(classes.contains(&class) || class == FailureClass::Unknown, "{class}");
        }
    }
}
