//! What the engine says of a container, turned into ours. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum,
    HealthStatusEnum, HostConfig, RestartPolicyNameEnum,
};
use jiff::Timestamp;
use sentinel_core::domain::clock::is_plausible;
use sentinel_core::domain::container::{
    Attachment, Container, ContainerRef, Health, HealthCheck, LABEL_SERVICE, Probe, RestartPolicy,
    RunState,
};
use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::redact::{clean, clean_args};
use serde_json::json;

mod host;
mod plain;
mod variables;

/// Probe output kept per probe, in bytes.
const PROBE_OUTPUT: usize = 4096;
/// Longest command line, error text or label kept, in bytes.
const SHORT_TEXT: usize = 1024;
/// What the engine uses where a health check leaves a value out.
const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
/// See [`HEALTH_INTERVAL`].
const HEALTH_RETRIES: u32 = 3;
/// How long `docker stop` waits where the container does not say.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// The labels that are kept: ours and compose's.
const LABELS: [&str; 2] = ["sre-sentinel.", "com.docker.compose."];

/// Decodes an inspect.
pub(in crate::monitor) fn container(raw: ContainerInspectResponse, salt: &Salt) -> Container {
    let hash = config_hash(&raw, salt);
    let id = ContainerId(raw.id.unwrap_or_default());
    let name = raw.name.unwrap_or_default().trim_start_matches('/').to_owned();
    let state = raw.state.unwrap_or_default();
    let config = raw.config.unwrap_or_default();
    let host = raw.host_config.unwrap_or_default();
    let labels = labels(&config);
    let own_label = |key: &str| labels.get(key).filter(|v| !v.is_empty()).cloned();
    let service = own_label(LABEL_SERVICE)
        .or_else(|| own_label("com.docker.compose.service"))
        .unwrap_or_else(|| name.clone());
    let project = own_label("com.docker.compose.project");
    let command: Vec<String> = raw.path.into_iter().chain(raw.args.unwrap_or_default()).collect();
    let mut networks: Vec<Attachment> = raw
        .network_settings
        .and_then(|n| n.networks)
        .unwrap_or_default()
        .into_iter()
        .map(|(network, endpoint)| Attachment {
            network,
            aliases: endpoint.aliases.unwrap_or_default(),
            address: endpoint.ip_address.unwrap_or_default(),
        })
        .collect();
    networks.sort_by(|a, b| a.network.cmp(&b.network));
    let started_at_raw = state.started_at.clone().unwrap_or_default();
    Container {
        of: ContainerRef { id, name, service, project },
        image: config.image.clone().unwrap_or_default(),
        image_id: raw.image.unwrap_or_default(),
        state: run_state(&state),
        health: health(&state),
        probes: probes(&state),
        exit_code: state.exit_code.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        error: clean(state.error.clone().unwrap_or_default().as_bytes(), SHORT_TEXT),
        created_at: raw.created.as_deref().and_then(time),
        started_at: time(&started_at_raw),
        started_at_raw,
        finished_at: state.finished_at.as_deref().and_then(time),
        restart_count: raw.restart_count.and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        restart_policy: restart_policy(&host),
        auto_remove: host.auto_remove.unwrap_or_default(),
        tty: config.tty.unwrap_or_default(),
        stop_signal: config.stop_signal.as_deref().and_then(signal_number).unwrap_or(15),
        stop_timeout: config
            .stop_timeout
            .and_then(|s| u64::try_from(s).ok())
            .map_or(STOP_TIMEOUT, Duration::from_secs),
        memory_limit: host.memory.and_then(positive),
        memory_swap: host.memory_swap.filter(|n| *n != 0),
        nano_cpus: nano_cpus(&host),
        health_check: health_check(&config),
        networks,
        network_mode: host.network_mode.clone().unwrap_or_default(),
        labels,
        config_hash: hash,
        log_driver: host.log_config.as_ref().and_then(|l| l.typ.clone()).unwrap_or_default(),
        command: clean_args(&command, SHORT_TEXT).join(" "),
        env: variables::all(&config, salt),
        mounts: host::mounts(raw.mounts.unwrap_or_default(), &host),
        ports: host::ports(&host),
        user: clean(config.user.unwrap_or_default().as_bytes(), SHORT_TEXT),
        read_only_root: host.readonly_rootfs.unwrap_or_default(),
        shm_size: host::shm_size(&host),
        pids_limit: host.pids_limit.and_then(positive),
        nofile: host::nofile(&host),
    }
}

/// A time as the engine writes it; its zero (`0001-01-01T00:00:00Z`) means never.
pub(in crate::monitor) fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|at| is_plausible(*at))
}

fn positive(value: i64) -> Option<u64> {
    u64::try_from(value).ok().filter(|v| *v > 0)
}

fn labels(config: &ContainerConfig) -> BTreeMap<String, String> {
    config
        .labels
        .iter()
        .flatten()
        .filter(|(key, _)| LABELS.iter().any(|prefix| key.starts_with(prefix)))
        .map(|(key, value)| (key.clone(), clean(value.as_bytes(), SHORT_TEXT)))
        .collect()
}

fn run_state(state: &ContainerState) -> RunState {
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => RunState::Running,
        Some(ContainerStateStatusEnum::PAUSED) => RunState::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => RunState::Restarting,
        Some(ContainerStateStatusEnum::REMOVING) => RunState::Removing,
        Some(ContainerStateStatusEnum::EXITED) => RunState::Exited,
        Some(ContainerStateStatusEnum::DEAD) => RunState::Dead,
        _ => RunState::Created,
    }
}

fn health(state: &ContainerState) -> Health {
    match state.health.as_ref().and_then(|h| h.status) {
        Some(HealthStatusEnum::STARTING) => Health::Starting,
        Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
        _ => Health::None,
    }
}

fn probes(state: &ContainerState) -> Vec<Probe> {
    let results = state.health.as_ref().and_then(|h| h.log.clone()).unwrap_or_default();
    results
        .into_iter()
        .map(|result| {
            let began = result.start.as_deref().and_then(time);
            let ended_at = result.end.as_deref().and_then(time);
            let duration = match (began, ended_at) {
                (Some(began), Some(ended)) => {
                    Duration::try_from(ended.duration_since(began)).unwrap_or_default()
                }
                _ => Duration::ZERO,
            };
            Probe {
                exit_code: result.exit_code.unwrap_or_default(),
                output: clean(result.output.unwrap_or_default().trim().as_bytes(), PROBE_OUTPUT),
                ended_at,
                duration,
            }
        })
        .collect()
}

fn health_check(config: &ContainerConfig) -> Option<HealthCheck> {
    let raw = config.healthcheck.as_ref()?;
    let test = raw.test.clone().unwrap_or_default();
    if test.is_empty() || test.first().is_some_and(|t| t == "NONE") {
        return None;
    }
    let nanos = |value: Option<i64>| value.and_then(positive).map(Duration::from_nanos);
    Some(HealthCheck {
        test: clean_args(&test, SHORT_TEXT),
        interval: nanos(raw.interval).unwrap_or(HEALTH_INTERVAL),
        timeout: nanos(raw.timeout).unwrap_or(HEALTH_INTERVAL),
        start_period: nanos(raw.start_period).unwrap_or_default(),
        retries: raw
            .retries
            .and_then(|r| u32::try_from(r).ok())
            .filter(|r| *r > 0)
            .unwrap_or(HEALTH_RETRIES),
    })
}

fn restart_policy(host: &HostConfig) -> RestartPolicy {
    let Some(policy) = &host.restart_policy else { return RestartPolicy::No };
    match policy.name {
        Some(RestartPolicyNameEnum::ALWAYS) => RestartPolicy::Always,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => RestartPolicy::UnlessStopped,
        Some(RestartPolicyNameEnum::ON_FAILURE) => RestartPolicy::OnFailure(
            policy.maximum_retry_count.and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        ),
        _ => RestartPolicy::No,
    }
}

/// `--cpus`, or what `--cpu-quota` over `--cpu-period` comes to.
fn nano_cpus(host: &HostConfig) -> Option<u64> {
    const PERIOD: u64 = 100_000;
    host.nano_cpus.and_then(positive).or_else(|| {
        let quota = host.cpu_quota.and_then(positive)?;
        let period = host.cpu_period.and_then(positive).unwrap_or(PERIOD);
        Some(quota.saturating_mul(1_000_000_000) / period)
    })
}

/// A hash over everything that a recreate would change. Values of the environment go in, and do
/// not come out.
fn config_hash(raw: &ContainerInspectResponse, salt: &Salt) -> String {
    let config = raw.config.clone().unwrap_or_default();
    let host = raw.host_config.clone().unwrap_or_default();
    let mut networks: Vec<_> = raw
        .network_settings
        .iter()
        .filter_map(|n| n.networks.as_ref())
        .flatten()
        .map(|(name, endpoint)| (name.clone(), endpoint.aliases.clone()))
        .collect();
    networks.sort();
    // Health checks and limits included: a plan was made for exactly this container.
    let covered = json!({ "config": config, "host": host, "networks": networks });
    // serde_json's maps are sorted only when built from values: one more round makes it so.
    let canonical: serde_json::Value = covered;
    salt.sha256_hex(canonical.to_string().as_bytes())
}

/// `SIGTERM`, `TERM` or `15`.
pub(in crate::monitor) fn signal_number(text: &str) -> Option<i32> {
    let name = text.trim().to_ascii_uppercase();
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    Some(match name.trim_start_matches("SIG") {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "KILL" => 9,
        "USR1" => 10,
        "SEGV" => 11,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        "TERM" => 15,
        "WINCH" => 28,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inspect as Engine 20.10 writes it, shortened to what is read.
    const INSPECT: &str = r#"{
      "Id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      "Created":"2026-11-24T03:14:00.5Z","Path":"/app","Args":["--token=abcd1234efgh"],
      "State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,
        "OOMKilled":false,"Dead":false,"Pid":7,"ExitCode":0,"Error":"",
        "StartedAt":"2026-11-24T03:15:02.123456789Z","FinishedAt":"0001-01-01T00:00:00Z",
        "Health":{"Status":"unhealthy","FailingStreak":3,"Log":[
          {"Start":"2026-11-24T03:15:10Z","End":"2026-11-24T03:15:12Z","ExitCode":1,"Output":"no\u001b[31m answer\n"}]}},
      "Image":"sha256:aa","Name":"/demo-api","RestartCount":2,
      "HostConfig":{"Memory":134217728,"MemorySwap":134217728,"CpuQuota":50000,"CpuPeriod":100000,
        "Tmpfs":{"/cache":"size=8m"},"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]},
        "ReadonlyRootfs":true,"PidsLimit":64,"Ulimits":[{"Name":"nofile","Soft":32,"Hard":32}],
        "ShmSize":67108864,"NetworkMode":"net","RestartPolicy":{"Name":"on-failure","MaximumRetryCount":5},
        "AutoRemove":false,"LogConfig":{"Type":"json-file","Config":{}}},
      "Config":{"Image":"demo:1","Tty":false,"Env":["B=2","A_SECRET=x"],"StopSignal":"SIGQUIT",
        "Labels":{"sre-sentinel.service":"api","other":"x","com.docker.compose.project":"shop"},
        "Healthcheck":{"Test":["CMD","probe"],"Interval":1000000000,"Retries":2}},
      "Mounts":[{"Type":"volume","Name":"data","Source":"/var/lib/x","Destination":"/data","RW":true}],
      "NetworkSettings":{"Networks":{"net":{"Aliases":["api"],"IPAddress":"10.1.2.3"}}}
    }"#;

    fn decoded(text: &str) -> Container {
        container(serde_json::from_str(text).unwrap(), &Salt::default())
    }

    #[test]
    fn an_inspect_is_reduced_to_what_is_needed_and_holds_no_secret() {
        let c = decoded(INSPECT);
        assert_eq!(c.of.name, "demo-api");
        assert_eq!((c.of.service.as_str(), c.of.project.as_deref()), ("api", Some("shop")));
        assert_eq!((c.state, c.health), (RunState::Running, Health::Unhealthy));
        assert_eq!(c.finished_at, None);
        assert_eq!(c.memory_limit, Some(128 << 20));
        assert_eq!(c.nano_cpus, Some(500_000_000));
        assert_eq!(c.restart_policy, RestartPolicy::OnFailure(5));
        assert_eq!(c.stop_signal, 3);
        assert_eq!(c.env["B"].value.as_deref(), Some("2"));
        assert_eq!(c.env["A_SECRET"].value, None);
        let mounts: Vec<_> = c.mounts.iter().map(|m| (&*m.kind, &*m.source, &*m.target)).collect();
        assert_eq!(mounts, [("tmpfs", "size=8m", "/cache"), ("volume", "data", "/data")]);
        assert_eq!((c.ports[0].port.as_str(), c.ports[0].host_port.as_str()), ("80/tcp", "8080"));
        assert!(c.read_only_root);
        assert_eq!((c.pids_limit, c.nofile, c.shm_size), (Some(64), Some(32), None));
        assert!(!c.labels.contains_key("other"));
        assert_eq!(c.networks[0].address, "10.1.2.3");
        let probe = &c.probes[0];
        assert_eq!((probe.output.as_str(), probe.duration), ("no answer", Duration::from_secs(2)));
        let check = c.health_check.unwrap();
        assert_eq!((check.interval, check.retries), (Duration::from_secs(1), 2));
        assert_eq!(check.timeout, HEALTH_INTERVAL);
        assert!(!c.command.contains("abcd1234"), "{}", c.command);
    }

    #[test]
    fn the_hash_changes_with_the_configuration_and_with_nothing_else() {
        let base = decoded(INSPECT).config_hash;
        assert_eq!(base, decoded(INSPECT).config_hash);
        assert_eq!(base, decoded(&INSPECT.replace("03:15:02", "04:15:02")).config_hash);
        assert_ne!(base, decoded(&INSPECT.replace("A_SECRET=x", "A_SECRET=y")).config_hash);
        assert_ne!(base, decoded(&INSPECT.replace("134217728", "234217728")).config_hash);
    }

    #[test]
    fn signals_are_read_by_name_and_number() {
        assert_eq!(signal_number("SIGTERM"), Some(15));
        assert_eq!(signal_number("kill"), Some(9));
        assert_eq!(signal_number("3"), Some(3));
        assert_eq!(signal_number("SIGNOPE"), None);
    }
}
