//! How a container is configured: the engine's own JSON, kept as it came, and what the simulation
//! needs of it, read once. Containers of one kind share theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::program::{LABEL, Program};
use crate::refused::Refused;

/// What the engine uses where a health check leaves a duration out.
const PROBE_DEFAULT: SignedDuration = SignedDuration::from_secs(30);
/// The same for the interval while it starts.
const START_INTERVAL: SignedDuration = SignedDuration::from_secs(5);
/// The smallest memory limit that the engine takes.
const LEAST_MEMORY: i64 = 6 << 20;

/// What a container is made of.
#[derive(Clone, Debug)]
pub struct Spec {
    /// `Config` of an inspect.
    pub config: Map<String, Value>,
    /// `HostConfig` of an inspect.
    pub host: Map<String, Value>,
    /// The image's digest.
    pub image: String,
    /// Entry point and command.
    pub command: Vec<String>,
    /// The environment.
    pub env: Vec<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// What its process does.
    pub program: Arc<Program>,
    /// Bound of its memory.
    pub memory: Option<u64>,
    /// When it is started again.
    pub policy: Policy,
    /// Its health check.
    pub check: Option<Check>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Seconds that it has to stop.
    pub grace: i64,
    /// Goes away when it ends.
    pub auto_remove: bool,
}

/// A restart policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Never.
    #[default]
    No,
    /// After every end.
    Always,
    /// After every end but a wished one.
    UnlessStopped,
    /// After an end with an error, so many times at most (0: without a bound).
    OnFailure(u32),
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its command.
    pub test: Vec<String>,
    /// Between two probes.
    pub interval: SignedDuration,
    /// What a probe may take.
    pub timeout: SignedDuration,
    /// In which failures do not count.
    pub start_period: SignedDuration,
    /// Between two probes in that period.
    pub start_interval: SignedDuration,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
}

impl Spec {
    /// Reads a configuration. `config` and `host` may leave out what has a default.
    pub fn read(
        config: Map<String, Value>,
        host: Map<String, Value>,
        image: &str,
    ) -> Result<Self, Refused> {
        let (config, host) = (with_defaults(config, &config_defaults()), checked(host)?);
        let command = [words(config.get("Entrypoint")), words(config.get("Cmd"))].concat();
        if command.is_empty() {
            return Err(Refused::bad("No command specified"));
        }
        let env = words(config.get("Env"));
        let labels = labels(config.get("Labels"));
        let program = Program::of(labels.get(LABEL).map(String::as_str), &command, &env)
            .map_err(Refused::bad)?;
        Ok(Self {
            command,
            program: Arc::new(program),
            memory: host.get("Memory").and_then(Value::as_u64).filter(|bytes| *bytes > 0),
            policy: policy(host.get("RestartPolicy"))?,
            check: config.get("Healthcheck").and_then(check),
            tty: flag(config.get("Tty")),
            grace: config.get("StopTimeout").and_then(Value::as_i64).unwrap_or(10),
            auto_remove: flag(host.get("AutoRemove")),
            image: image.to_owned(),
            env,
            labels,
            config,
            host,
        })
    }

    /// The same with other resources or another restart policy.
    pub fn updated(&self, change: &Map<String, Value>) -> Result<Self, Refused> {
        let mut host = self.host.clone();
        for (key, value) in change {
            // An update leaves alone what it names as nothing.
            let nothing = value.is_null() || *value == json!(0) || *value == json!("");
            if !nothing {
                host.insert(key.clone(), value.clone());
            }
        }
        let number = |host: &Map<String, Value>, key: &str| host.get(key).and_then(Value::as_i64);
        let (memory, swap) = (number(&host, "Memory"), number(&host, "MemorySwap"));
        if let (Some(memory), Some(swap)) = (memory, swap)
            && swap > 0
            && memory > swap
        {
            return Err(Refused::conflict(
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
            ));
        }
        let wants_restarts = !matches!(policy(host.get("RestartPolicy"))?, Policy::No);
        if self.auto_remove && wants_restarts {
            return Err(Refused::conflict(
                "Restart policy cannot be updated because AutoRemove is enabled for the container",
            ));
        }
        Self::read(self.config.clone(), host, &self.image)
    }

    /// Names in a network besides its own.
    pub fn network_mode(&self) -> &str {
        match self.host.get("NetworkMode").and_then(Value::as_str) {
            None | Some("" | "default") => "bridge",
            Some(mode) => mode,
        }
    }

    /// The name of its image, as it was given.
    pub fn image_name(&self) -> &str {
        self.config.get("Image").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A list of texts; nothing where there is none.
pub fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Labels by name.
pub fn labels(value: Option<&Value>) -> BTreeMap<String, String> {
    let all = value.and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn flag(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool).unwrap_or_default()
}

fn with_defaults(mut given: Map<String, Value>, defaults: &Value) -> Map<String, Value> {
    for (key, value) in defaults.as_object().into_iter().flatten() {
        let have = given.get(key).is_some_and(|have| !have.is_null());
        if !have {
            given.insert(key.clone(), value.clone());
        }
    }
    given
}

/// A host configuration with the engine's defaults and its checks.
fn checked(host: Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let mut host = with_defaults(host, &host_defaults());
    let number = |key: &str| host.get(key).and_then(Value::as_i64).unwrap_or_default();
    let (memory, swap) = (number("Memory"), number("MemorySwap"));
    if memory != 0 && memory < LEAST_MEMORY {
        return Err(Refused::bad("Minimum memory limit allowed is 6MB"));
    }
    if swap > 0 && swap < memory {
        return Err(Refused::bad(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if memory > 0 && swap == 0 {
        host.insert("MemorySwap".to_owned(), json!(memory * 2));
    }
    Ok(host)
}

fn policy(value: Option<&Value>) -> Result<Policy, Refused> {
    let field = |key: &str| value.and_then(|v| v.get(key));
    let most = field("MaximumRetryCount").and_then(Value::as_u64).unwrap_or_default();
    match field("Name").and_then(Value::as_str) {
        None | Some("" | "no") => Ok(Policy::No),
        Some("always") => Ok(Policy::Always),
        Some("unless-stopped") => Ok(Policy::UnlessStopped),
        Some("on-failure") => Ok(Policy::OnFailure(u32::try_from(most).unwrap_or(u32::MAX))),
        Some(other) => Err(Refused::bad(format!("invalid restart policy '{other}'"))),
    }
}

fn check(value: &Value) -> Option<Check> {
    let test = words(value.get("Test"));
    if test.first().is_none_or(|word| word == "NONE") {
        return None;
    }
    let time = |key: &str, default: SignedDuration| {
        let nanos = value.get(key).and_then(Value::as_i64).filter(|nanos| *nanos > 0);
        nanos.map_or(default, SignedDuration::from_nanos)
    };
    Some(Check {
        test,
        interval: time("Interval", PROBE_DEFAULT),
        timeout: time("Timeout", PROBE_DEFAULT),
        start_period: time("StartPeriod", SignedDuration::ZERO),
        start_interval: time("StartInterval", START_INTERVAL),
        retries: value
            .get("Retries")
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0)
            .unwrap_or(3),
    })
}

fn config_defaults() -> Value {
    json!({
        "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false,
        "AttachStdout": false, "AttachStderr": false, "Tty": false, "OpenStdin": false,
        "StdinOnce": false, "Env": null, "Cmd": null, "Image": "", "Volumes": null,
        "WorkingDir": "", "Entrypoint": null, "OnBuild": null, "Labels": {},
    })
}

fn host_defaults() -> Value {
    json!({
        "Binds": null, "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": "default", "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": false, "CapAdd": null, "CapDrop": null, "CgroupnsMode": "private",
        "Dns": null, "ExtraHosts": null, "IpcMode": "private", "Links": null,
        "OomScoreAdj": 0, "PidMode": "", "Privileged": false, "PublishAllPorts": false,
        "ReadonlyRootfs": false, "SecurityOpt": null, "ShmSize": 64 << 20, "Runtime": "runc",
        "CpuShares": 0, "Memory": 0, "NanoCpus": 0, "CpuPeriod": 0, "CpuQuota": 0,
        "MemoryReservation": 0, "MemorySwap": 0, "MemorySwappiness": null,
        "OomKillDisable": null, "PidsLimit": null, "Ulimits": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn limits_are_checked_as_the_engine_does_it() {
        let read = |host: Value| Spec::read(map(json!({"Cmd": ["x"]})), map(host), "sha256:1");
        let spec = read(json!({"Memory": 32 << 20})).unwrap();
        assert_eq!((spec.memory, &spec.host["MemorySwap"]), (Some(32 << 20), &json!(64 << 20)));
        assert!(read(json!({"Memory": 1 << 20})).is_err());
        let higher = map(json!({"Memory": 96 << 20}));
        assert_eq!(spec.updated(&higher).unwrap_err().status, 409, "the swap is in the way");
        let both = map(json!({"Memory": 96 << 20, "MemorySwap": 96 << 20, "NanoCpus": 0}));
        assert_eq!(spec.updated(&both).unwrap().memory, Some(96 << 20));
        assert!(Spec::read(Map::new(), Map::new(), "x").is_err(), "no command");
    }

    #[test]
    fn a_policy_and_a_check_are_read() {
        let host = json!({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}});
        let config = json!({"Cmd": "x", "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000_000}});
        let spec = Spec::read(map(config), map(host), "i").unwrap();
        assert_eq!(spec.policy, Policy::OnFailure(5));
        let check = spec.check.unwrap();
        assert_eq!((check.interval.as_secs(), check.timeout.as_secs(), check.retries), (1, 30, 3));
    }
}
