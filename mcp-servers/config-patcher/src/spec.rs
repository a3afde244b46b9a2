//! An inspect answer turned into the body of a create. Pure.
//!
//! Everything passes through as the engine wrote it; only what belongs to the old container
//! itself (its id as host name and alias, its runtime addresses, the names of its anonymous
//! volumes) is put into words that a new container can have too.

use serde_json::{Map, Value, json};

/// Characters of an id that the engine uses as host name and alias.
const SHORT_ID: usize = 12;

/// What a successor is created from.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The body of the create, with the network that it starts with.
    pub body: Value,
    /// Networks to connect before the start: id or name, endpoint settings.
    pub connect: Vec<(String, Value)>,
    /// A network that the create connects by its mode although the old one had left it.
    pub disconnect: Option<String>,
}

/// Describes the successor of a container.
pub fn successor(inspect: &Value, env: &[String], image: &str) -> Spec {
    let id = text(inspect, "/Id");
    let short = id.get(..SHORT_ID).unwrap_or(id);
    let mut config = object(inspect, "/Config");
    let mut host = object(inspect, "/HostConfig");
    let mode = text(inspect, "/HostConfig/NetworkMode").to_owned();

    config.insert("Env".to_owned(), json!(env));
    config.insert("Image".to_owned(), json!(image));
    if config.get("Hostname").and_then(Value::as_str) == Some(short) {
        config.remove("Hostname");
    }
    if mode.starts_with("container:") {
        // These belong to the container whose network is shared; the engine refuses them here.
        for field in ["Hostname", "Domainname", "MacAddress", "ExposedPorts"] {
            config.remove(field);
        }
        for field in ["PortBindings", "PublishAllPorts"] {
            host.remove(field);
        }
    }
    if text(inspect, "/HostConfig/UTSMode") == "host" {
        config.remove("Hostname");
    }
    keep_volumes(inspect, &mut host);
    keep_links(&mut host);

    let networks = networks(inspect, &mode, short);
    let (first, connect): (Vec<_>, Vec<_>) = networks.into_iter().partition(|n| n.first);
    let disconnect = (first.is_empty() && own_network(&mode)).then(|| named(&mode).to_owned());
    let mut body = config;
    if let Some(first) = first.into_iter().next() {
        let endpoints = Map::from_iter([(first.name, first.endpoint)]);
        body.insert("NetworkingConfig".to_owned(), json!({ "EndpointsConfig": endpoints }));
    }
    body.insert("HostConfig".to_owned(), Value::Object(host));
    Spec {
        body: Value::Object(body),
        connect: connect.into_iter().map(|n| (n.name, n.endpoint)).collect(),
        disconnect,
    }
}

struct Attached {
    name: String,
    endpoint: Value,
    first: bool,
}

fn networks(inspect: &Value, mode: &str, short: &str) -> Vec<Attached> {
    let Some(all) = inspect.pointer("/NetworkSettings/Networks").and_then(Value::as_object) else {
        return Vec::new();
    };
    if !own_network(mode) {
        return Vec::new();
    }
    let wanted = named(mode);
    all.iter()
        .map(|(name, old)| {
            let id = old.get("NetworkID").and_then(Value::as_str).unwrap_or_default();
            let by_id = wanted.len() >= SHORT_ID && id.starts_with(wanted);
            Attached {
                name: name.clone(),
                endpoint: endpoint(old, short),
                first: name == wanted || by_id,
            }
        })
        .collect()
}

/// What was asked for when the old one was connected, without what the engine chose.
fn endpoint(old: &Value, short: &str) -> Value {
    let mut new = Map::new();
    for field in ["IPAMConfig", "Links", "DriverOpts", "GwPriority"] {
        if let Some(value) = old.get(field).filter(|v| !v.is_null()) {
            new.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(aliases) = old.get("Aliases").and_then(Value::as_array) {
        // The engine adds the short id by itself; the old one's must not stay behind.
        let kept: Vec<&Value> = aliases.iter().filter(|a| a.as_str() != Some(short)).collect();
        if !kept.is_empty() {
            new.insert("Aliases".to_owned(), json!(kept));
        }
    }
    let mac = old.get("MacAddress").and_then(Value::as_str).unwrap_or_default();
    let address = old.get("IPAddress").and_then(Value::as_str).unwrap_or_default();
    if !mac.is_empty() && !is_derived(mac, address) {
        new.insert("MacAddress".to_owned(), json!(mac));
    }
    Value::Object(new)
}

/// Whether the engine made this hardware address from the IPv4 address, as bridges do. It would
/// be wrong for another address.
fn is_derived(mac: &str, address: &str) -> bool {
    let parts: Vec<u8> = address.split('.').filter_map(|part| part.parse().ok()).collect();
    let [a, b, c, d] = parts.as_slice() else { return false };
    mac.eq_ignore_ascii_case(&format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
}

/// Whether the container has a network stack of its own with endpoints.
fn own_network(mode: &str) -> bool {
    mode != "host" && mode != "none" && !mode.starts_with("container:")
}

fn named(mode: &str) -> &str {
    match mode {
        "" | "default" => "bridge",
        other => other,
    }
}

/// Anonymous volumes are bound by their names, so that the successor gets the same ones.
/// `nocopy` keeps the engine from filling one that was emptied on purpose.
fn keep_volumes(inspect: &Value, host: &mut Map<String, Value>) {
    let bound = |mount: &Value| mount.get("Destination").and_then(Value::as_str).map(str::to_owned);
    let mut binds: Vec<Value> =
        host.get("Binds").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut covered: Vec<String> = binds
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|bind| bind.split(':').nth(1).map(normal))
        .collect();
    let carried: Vec<&Value> = inspect
        .get("Mounts")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter().filter(|m| m.get("Type").and_then(Value::as_str) == Some("volume")).collect()
        })
        .unwrap_or_default();
    if let Some(mounts) = host.get_mut("Mounts").and_then(Value::as_array_mut) {
        for mount in mounts {
            let Some(target) = mount.get("Target").and_then(Value::as_str).map(normal) else {
                continue;
            };
            let nameless = mount.get("Type").and_then(Value::as_str) == Some("volume")
                && mount.get("Source").and_then(Value::as_str).unwrap_or_default().is_empty();
            let found =
                carried.iter().find(|m| bound(m).as_deref().map(normal) == Some(target.clone()));
            if let (true, Some(name)) = (nameless, found.and_then(|m| m.get("Name")))
                && let Some(fields) = mount.as_object_mut()
            {
                fields.insert("Source".to_owned(), name.clone());
            }
            covered.push(target);
        }
    }
    for mount in carried {
        let Some(name) = mount.get("Name").and_then(Value::as_str) else { continue };
        let Some(target) = bound(mount) else { continue };
        if covered.contains(&normal(&target)) {
            continue;
        }
        let writable = mount.get("RW").and_then(Value::as_bool).unwrap_or(true);
        let options = if writable { "nocopy" } else { "ro,nocopy" };
        binds.push(json!(format!("{name}:{target}:{options}")));
    }
    if !binds.is_empty() {
        host.insert("Binds".to_owned(), Value::Array(binds));
    }
}

fn normal(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() }
}

/// Links of the old kind: the engine shows `/db:/web/alias` and takes `db:alias`.
fn keep_links(host: &mut Map<String, Value>) {
    let Some(links) = host.get_mut("Links").and_then(Value::as_array_mut) else { return };
    for link in links {
        let said = link.as_str().and_then(|text| text.split_once(':'));
        if let Some((target, alias)) = said {
            let alias = alias.rsplit('/').next().unwrap_or(alias);
            *link = json!(format!("{}:{alias}", target.trim_start_matches('/')));
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn object(value: &Value, pointer: &str) -> Map<String, Value> {
    value.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspect() -> Value {
        json!({
            "Id": "0123456789abcdef",
            "Config": {
                "Hostname": "0123456789ab", "Env": ["A=1"], "Image": "api:1",
                "MacAddress": "02:00:00:00:00:07", "SomethingNew": {"x": 1},
                "Volumes": {"/anon": {}},
            },
            "HostConfig": {
                "NetworkMode": "front", "Binds": ["data:/data:rw"],
                "Links": ["/db:/web/database"], "UnknownLimit": 7,
                "Mounts": [{"Type": "volume", "Target": "/m/"}, {"Type": "tmpfs", "Target": "/t"}],
            },
            "Mounts": [
                {"Type": "volume", "Name": "data", "Destination": "/data", "RW": true},
                {"Type": "volume", "Name": "f00", "Destination": "/anon", "RW": true},
                {"Type": "volume", "Name": "f01", "Destination": "/m", "RW": true},
                {"Type": "bind", "Source": "/x", "Destination": "/x"},
            ],
            "NetworkSettings": {"Networks": {
                "front": {
                    "Aliases": ["api", "0123456789ab"], "IPAMConfig": {"IPv4Address": "10.9.0.5"},
                    "IPAddress": "10.9.0.5", "MacAddress": "02:42:0a:09:00:05",
                },
                "back": {
                    "Aliases": null, "IPAMConfig": null, "MacAddress": "02:00:00:00:00:09",
                    "IPAddress": "10.8.0.2",
                },
            }},
        })
    }

    #[test]
    fn what_is_not_known_passes_through() {
        let spec = successor(&inspect(), &["A=2".to_owned()], "api:1");
        assert_eq!(spec.body["Env"], json!(["A=2"]));
        assert_eq!(spec.body["SomethingNew"], json!({"x": 1}));
        assert_eq!(spec.body["HostConfig"]["UnknownLimit"], 7);
        assert_eq!(spec.body["MacAddress"], "02:00:00:00:00:07");
        assert_eq!(spec.body.get("Hostname"), None, "the old id is no host name for the new one");
    }

    #[test]
    fn networks_keep_what_was_asked_for() {
        let spec = successor(&inspect(), &[], "api:1");
        assert_eq!(
            spec.body["NetworkingConfig"]["EndpointsConfig"],
            json!({"front": {"Aliases": ["api"], "IPAMConfig": {"IPv4Address": "10.9.0.5"}}})
        );
        assert_eq!(spec.connect, [("back".to_owned(), json!({"MacAddress": "02:00:00:00:00:09"}))]);
        assert_eq!(spec.disconnect, None);
    }

    #[test]
    fn a_left_network_is_left_again_and_a_shared_one_has_no_endpoints() {
        let mut left = inspect();
        left["HostConfig"]["NetworkMode"] = json!("default");
        let spec = successor(&left, &[], "api:1");
        assert_eq!(spec.disconnect.as_deref(), Some("bridge"));
        assert_eq!(spec.connect.len(), 2);
        for mode in ["host", "none", "container:abc"] {
            left["HostConfig"]["NetworkMode"] = json!(mode);
            let spec = successor(&left, &[], "api:1");
            assert!(spec.connect.is_empty() && spec.disconnect.is_none(), "{mode}");
        }
    }

    #[test]
    fn anonymous_volumes_are_bound_by_name() {
        let spec = successor(&inspect(), &[], "api:1");
        assert_eq!(spec.body["HostConfig"]["Binds"], json!(["data:/data:rw", "f00:/anon:nocopy"]));
        assert_eq!(spec.body["HostConfig"]["Mounts"][0]["Source"], "f01");
        assert_eq!(spec.body["HostConfig"]["Links"], json!(["db:database"]));
    }
}
