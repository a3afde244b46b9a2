//! What there is, and how it is set up: the list of watched containers, one of them in detail.

use std::collections::BTreeMap;

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use sentinel_core::domain::container::{LABEL_MONITOR, LABEL_SELF, LABEL_SERVICE};
use sentinel_core::domain::names::{is_parked_name, is_staged_name};
use sentinel_core::redact::{clean, clean_args};
use serde_json::Value;

use crate::arguments::{Inspect, List};
use crate::results::{Attachment, Inspected, Listed, MountPoint, Row};

/// Containers listed at most.
const ROWS_MAX: usize = 500;
/// Entries of any list in an inspect.
const ENTRIES_MAX: usize = 200;
/// The longest text of a field, in bytes.
const TEXT_MAX: usize = 1024;

/// The containers that may be looked at, by name. Those that a recreate keeps aside are left out.
pub async fn list(engine: &Engine, asked: List) -> Result<Listed, Failure> {
    let found = engine.get("/containers/json?all=true", "list the containers").await?;
    let settings = engine.settings();
    let label = |raw: &Value, name: &str| {
        raw.pointer("/Labels").and_then(|l| l.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let mut rows: Vec<Row> = found
        .as_array()
        .into_iter()
        .flatten()
        .filter(|raw| {
            let own = label(raw, LABEL_SELF).as_deref() == Some("true")
                || settings.own_container.as_deref() == raw.get("Id").and_then(Value::as_str);
            let watched =
                settings.watch_all || label(raw, LABEL_MONITOR).as_deref() == Some("true");
            watched && !own
        })
        .map(|raw| {
            let text = |pointer: &str| safe(raw.pointer(pointer));
            let name = text("/Names/0").trim_start_matches('/').to_owned();
            Row {
                service: label(raw, LABEL_SERVICE)
                    .or_else(|| label(raw, "com.docker.compose.service"))
                    .map_or_else(|| name.clone(), |service| clean(service.as_bytes(), TEXT_MAX)),
                name,
                id: text("/Id"),
                image: text("/Image"),
                state: text("/State"),
                status: text("/Status"),
            }
        })
        .filter(|row| !is_parked_name(&row.name) && !is_staged_name(&row.name))
        .filter(|row| asked.all || row.state == "running")
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let total = rows.len();
    rows.truncate(ROWS_MAX);
    Ok(Listed { success: true, truncated: rows.len() < total, total, containers: rows })
}

/// How a container is set up and how it is. Values of the environment that are or look like
/// secrets are masked.
pub async fn inspect(engine: &Engine, asked: Inspect) -> Result<Inspected, Failure> {
    Ok(summary(&engine.watched(&asked.container_name).await?))
}

fn summary(target: &Target) -> Inspected {
    let raw = &target.inspect;
    let at = |pointer: &str| raw.pointer(pointer);
    let text = |pointer: &str| safe(at(pointer));
    let list = |pointer: &str| at(pointer).and_then(Value::as_array).into_iter().flatten();
    let command: Vec<&str> = at("/Path")
        .and_then(Value::as_str)
        .into_iter()
        .chain(list("/Args").filter_map(Value::as_str))
        .collect();
    let mut mounts: Vec<MountPoint> = list("/Mounts").take(ENTRIES_MAX).map(mount).collect();
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    Inspected {
        success: true,
        container: target.name.clone(),
        container_id: target.id.clone(),
        image: text("/Config/Image"),
        image_id: text("/Image"),
        state: target.status().to_owned(),
        health: at("/State/Health/Status").map_or_else(|| "none".to_owned(), |h| safe(Some(h))),
        exit_code: target.number("/State/ExitCode"),
        error: text("/State/Error"),
        oom_killed: target.switch("/State/OOMKilled"),
        created: text("/Created"),
        started_at: target.started_at().to_owned(),
        finished_at: text("/State/FinishedAt"),
        restarts: target.number("/RestartCount"),
        restart_policy: crate::policy::words(target),
        command: clean_args(&command, TEXT_MAX).join(" "),
        user: text("/Config/User"),
        env: env(target),
        limits: crate::limits::current(target).limits,
        pids_limit: at("/HostConfig/PidsLimit").and_then(Value::as_i64).filter(|n| *n > 0),
        read_only_root: target.switch("/HostConfig/ReadonlyRootfs"),
        mounts,
        networks: networks(raw),
        network_mode: text("/HostConfig/NetworkMode"),
        ports: ports(raw),
        labels: labels(raw),
        health_check: at("/Config/Healthcheck/Test")
            .and_then(Value::as_array)
            .map(|test| {
                let words: Vec<&str> = test.iter().filter_map(Value::as_str).collect();
                clean_args(&words, TEXT_MAX).join(" ")
            })
            .filter(|test| !test.is_empty()),
    }
}

fn safe(value: Option<&Value>) -> String {
    clean(value.and_then(Value::as_str).unwrap_or_default().as_bytes(), TEXT_MAX)
}

/// By name; a whole pair is looked at, because the name may say that the value is secret.
fn env(target: &Target) -> BTreeMap<String, String> {
    target
        .env()
        .iter()
        .take(ENTRIES_MAX)
        .map(|pair| {
            let shown = clean(pair.as_bytes(), TEXT_MAX);
            let (name, value) = shown.split_once('=').unwrap_or((&shown, ""));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn mount(raw: &Value) -> MountPoint {
    let text = |key: &str| safe(raw.get(key));
    let name = text("Name");
    MountPoint {
        kind: text("Type"),
        source: if name.is_empty() { text("Source") } else { name },
        target: text("Destination"),
        writable: raw.get("RW").and_then(Value::as_bool).unwrap_or_default(),
    }
}

fn networks(raw: &Value) -> BTreeMap<String, Attachment> {
    raw.pointer("/NetworkSettings/Networks")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .take(ENTRIES_MAX)
        .map(|(name, endpoint)| {
            let aliases = endpoint.get("Aliases").and_then(Value::as_array).into_iter().flatten();
            let attachment = Attachment {
                address: safe(endpoint.get("IPAddress")),
                aliases: aliases.map(|alias| safe(Some(alias))).collect(),
            };
            (clean(name.as_bytes(), TEXT_MAX), attachment)
        })
        .collect()
}

/// `5432/tcp`: where on the host it is published, nothing if it is only exposed.
fn ports(raw: &Value) -> BTreeMap<String, Vec<String>> {
    raw.pointer("/NetworkSettings/Ports")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .take(ENTRIES_MAX)
        .map(|(port, bindings)| {
            let bindings = bindings.as_array().into_iter().flatten();
            let shown = bindings
                .map(|b| format!("{}:{}", safe(b.get("HostIp")), safe(b.get("HostPort"))))
                .collect();
            (clean(port.as_bytes(), TEXT_MAX), shown)
        })
        .collect()
}

fn labels(raw: &Value) -> BTreeMap<String, String> {
    raw.pointer("/Config/Labels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .take(ENTRIES_MAX)
        .map(|(name, value)| {
            let pair = format!("{name}={}", value.as_str().unwrap_or_default());
            let shown = clean(pair.as_bytes(), TEXT_MAX);
            let (name, value) = shown.split_once('=').unwrap_or((&shown, ""));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_names_what_is_set_and_no_secret() {
        let inspect = json!({
            "Path": "app", "Args": ["--token", "hunter2hunter2"], "RestartCount": 3,
            "State": {"Status": "running", "StartedAt": "2026-11-24T03:15:02Z"},
            "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
                "NetworkMode": "shop", "PidsLimit": 64, "Memory": 1000},
            "Config": {"Image": "shop:1", "Env": ["DB_PASSWORD=hunter2", "DB_HOST=db",
                "DSN=postgres://app:hunter2@db/shop"], "Labels": {"api_key": "hunter2", "a": "b"}},
            "Mounts": [{"Type": "volume", "Name": "data", "Source": "/var/x", "Destination": "/d", "RW": true}],
            "NetworkSettings": {"Networks": {"shop": {"Aliases": ["api"], "IPAddress": "10.0.0.2"}},
                "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null}},
        });
        let target = Target { id: "1".to_owned(), name: "api".to_owned(), inspect };
        let seen = summary(&target);
        let text = serde_json::to_string(&seen).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(seen.restart_policy, "on-failure:5");
        assert_eq!(seen.env["DB_HOST"], "db");
        assert_eq!(seen.env["DSN"], "postgres://app:***@db/shop");
        assert_eq!(seen.ports["80/tcp"], ["0.0.0.0:8080"]);
        assert!(seen.ports["81/tcp"].is_empty());
        assert_eq!(seen.mounts[0].source, "data");
        assert_eq!((seen.health.as_str(), seen.pids_limit), ("none", Some(64)));
        assert_eq!(seen.networks["shop"].aliases, ["api"]);
    }
}
