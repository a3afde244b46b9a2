//! One container, one network, one image, one command, in full.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::container::{Container, Endpoint, Health, Status};
use crate::show::time;
use crate::world::World;
use crate::world::execs::Exec;
use crate::world::images::Image;
use crate::world::networks::Network;

/// `GET /containers/{id}/json`.
pub fn container(world: &World, container: &Container) -> Value {
    let spec = &container.spec;
    let short = container.id.get(..12).unwrap_or_default();
    let mut config = spec.config.clone();
    if config.get("Hostname").and_then(Value::as_str) == Some("") {
        config.insert("Hostname".to_owned(), json!(short));
    }
    let mut host = spec.host.clone();
    host.insert("NetworkMode".to_owned(), json!(spec.network_mode()));
    let root = format!("/var/lib/docker/containers/{}", container.id);
    json!({
        "Id": container.id,
        "Created": time(Some(container.created)),
        "Path": spec.command.first(),
        "Args": spec.command.get(1..).unwrap_or_default(),
        "State": state(container),
        "Image": spec.image,
        "ResolvConfPath": format!("{root}/resolv.conf"),
        "HostnamePath": format!("{root}/hostname"),
        "HostsPath": format!("{root}/hosts"),
        "LogPath": format!("{root}/{}-json.log", container.id),
        "Name": format!("/{}", container.name),
        "RestartCount": container.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "", "ProcessLabel": "", "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": host,
        "GraphDriver": {"Data": null, "Name": "overlay2"},
        "Mounts": mounts(&spec.host),
        "Config": config,
        "NetworkSettings": network_settings(world, container),
    })
}

fn state(container: &Container) -> Value {
    let status = container.status;
    let mut state = json!({
        "Status": status.word(),
        "Running": container.is_up(),
        "Paused": status == Status::Paused,
        "Restarting": status == Status::Restarting,
        "OOMKilled": container.oom_killed,
        "Dead": false,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": time(container.started),
        "FinishedAt": time(container.finished),
    });
    if let (Some(health), Some(state)) = (&container.health, state.as_object_mut()) {
        state.insert("Health".to_owned(), health_of(health));
    }
    state
}

fn health_of(health: &Health) -> Value {
    let log: Vec<Value> = health
        .log
        .iter()
        .map(|probe| {
            json!({
                "Start": time(Some(probe.began)),
                "End": time(Some(probe.ended)),
                "ExitCode": probe.code,
                "Output": probe.output,
            })
        })
        .collect();
    json!({"Status": health.status, "FailingStreak": health.streak, "Log": log})
}

/// Binds and volumes as mount points.
fn mounts(host: &Map<String, Value>) -> Vec<Value> {
    let binds = host.get("Binds").and_then(Value::as_array).into_iter().flatten();
    let bound = binds.filter_map(Value::as_str).filter_map(|bind| {
        let mut parts = bind.split(':');
        let (source, target, mode) = (parts.next()?, parts.next()?, parts.next().unwrap_or(""));
        Some(mount(source, target, mode != "ro"))
    });
    let listed = host.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let read_only = entry.get("ReadOnly").and_then(Value::as_bool).unwrap_or_default();
        Some(mount(text("Source"), Some(text("Target")).filter(|t| !t.is_empty())?, !read_only))
    });
    bound.chain(listed).collect()
}

fn mount(source: &str, target: &str, writable: bool) -> Value {
    let bind = source.starts_with('/');
    let (kind, name) = if bind { ("bind", "") } else { ("volume", source) };
    let place = format!("/var/lib/docker/volumes/{source}/_data");
    let mut out = json!({
        "Type": kind,
        "Source": if bind { source } else { &place },
        "Destination": target,
        "Mode": if writable { "" } else { "ro" },
        "RW": writable,
        "Propagation": if bind { "rprivate" } else { "" },
    });
    if let Some(out) = out.as_object_mut().filter(|_| !bind) {
        out.insert("Name".to_owned(), json!(name));
        out.insert("Driver".to_owned(), json!("local"));
    }
    out
}

fn network_settings(world: &World, container: &Container) -> Value {
    let networks: Map<String, Value> = container
        .endpoints
        .iter()
        .map(|(name, endpoint)| (name.clone(), place(world, container, name, endpoint)))
        .collect();
    json!({
        "Bridge": "", "SandboxID": "", "HairpinMode": false,
        "Ports": if container.has_process() {
            container.spec.host.get("PortBindings").cloned().unwrap_or_default()
        } else {
            json!({})
        },
        "SandboxKey": "",
        "Networks": networks,
    })
}

/// A container's place in a network.
pub fn place(world: &World, container: &Container, name: &str, endpoint: &Endpoint) -> Value {
    let network = world.network(name).ok();
    let short = container.id.get(..12).unwrap_or_default();
    let mut aliases = endpoint.aliases.clone();
    if name != "bridge" && !aliases.iter().any(|alias| alias == short) {
        aliases.push(short.to_owned());
    }
    let runs = !endpoint.address.is_empty();
    let subnet = network.map_or(0, |n| n.subnet);
    json!({
        "IPAMConfig": null, "Links": null,
        "Aliases": if name == "bridge" { Value::Null } else { json!(aliases) },
        "NetworkID": network.map(|n| n.id.as_str()).unwrap_or_default(),
        "EndpointID": endpoint.id,
        "Gateway": if runs { format!("172.{subnet}.0.1") } else { String::new() },
        "IPAddress": endpoint.address,
        "IPPrefixLen": if runs { 16 } else { 0 },
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
        "MacAddress": mac(&endpoint.address),
        "DriverOpts": null,
    })
}

/// As the engine derives it from the address.
fn mac(address: &str) -> String {
    let parts: Vec<u8> = address.split('.').filter_map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [a, b, c, d] => format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}"),
        _ => String::new(),
    }
}

/// `GET /networks/{id}`.
pub fn network(world: &World, network: &Network) -> Value {
    let inside: Map<String, Value> = world
        .inside(&network.name)
        .map(|(id, name, endpoint)| {
            let place = json!({
                "Name": name,
                "EndpointID": endpoint.id,
                "MacAddress": mac(&endpoint.address),
                "IPv4Address": format!("{}/16", endpoint.address),
                "IPv6Address": "",
            });
            (id.to_owned(), place)
        })
        .collect();
    let mut out = network_row(network);
    if let Some(out) = out.as_object_mut() {
        out.insert("Containers".to_owned(), Value::Object(inside));
    }
    out
}

/// One row of `GET /networks`.
pub fn network_row(network: &Network) -> Value {
    let subnet = network.subnet;
    let ipam = if network.driver == "bridge" {
        json!([{"Subnet": format!("172.{subnet}.0.0/16"), "Gateway": format!("172.{subnet}.0.1")}])
    } else {
        json!([])
    };
    json!({
        "Name": network.name, "Id": network.id, "Created": time(Some(network.created)),
        "Scope": "local", "Driver": network.driver, "EnableIPv6": false,
        "IPAM": {"Driver": "default", "Options": null, "Config": ipam},
        "Internal": false, "Attachable": false, "Ingress": false,
        "ConfigFrom": {"Network": ""}, "ConfigOnly": false,
        "Containers": {}, "Options": {}, "Labels": network.labels,
    })
}

/// `GET /images/{name}/json`.
pub fn image(image: &Image) -> Value {
    json!({
        "Id": image.id, "RepoTags": image.tags, "RepoDigests": [], "Parent": "",
        "Created": time(Some(image.created)), "Author": "", "Comment": "",
        "Config": image.config, "Architecture": "amd64", "Os": "linux",
        "Size": 8 << 20, "VirtualSize": 8 << 20,
        "GraphDriver": {"Data": null, "Name": "overlay2"},
        "RootFS": {"Type": "layers", "Layers": image.layers},
        "Metadata": {"LastTagTime": time(None)},
    })
}

/// One row of `GET /images/json`.
pub fn image_row(image: &Image) -> Value {
    json!({
        "Id": image.id, "RepoTags": image.tags, "RepoDigests": null, "ParentId": "",
        "Created": image.created.as_second(), "Containers": -1, "Labels": null,
        "SharedSize": -1, "Size": 8 << 20, "VirtualSize": 8 << 20,
    })
}

/// `GET /exec/{id}/json`.
pub fn exec(world: &World, exec: &Exec) -> Value {
    let container = world.get(exec.container).map(|c| c.id.as_str()).unwrap_or_default();
    json!({
        "ID": exec.id, "ContainerID": container, "Running": false, "ExitCode": exec.code,
        "ProcessConfig": {
            "tty": exec.tty,
            "entrypoint": exec.command.first(),
            "arguments": exec.command.get(1..).unwrap_or_default(),
            "privileged": false,
        },
        "OpenStdin": false, "OpenStderr": true, "OpenStdout": true, "CanRemove": false,
        "DetachKeys": "", "Pid": 0,
    })
}

/// `Up 3 seconds (healthy)`, `Exited (137) 2 minutes ago`.
pub fn status_words(container: &Container, now: Timestamp) -> String {
    let ago = |at: Option<Timestamp>| at.map_or_else(String::new, |at| age(at, now));
    match container.status {
        Status::Created => "Created".to_owned(),
        Status::Running => {
            let health = container.health.as_ref().map(|health| match health.status {
                "starting" => " (health: starting)".to_owned(),
                status => format!(" ({status})"),
            });
            format!("Up {}{}", ago(container.started), health.unwrap_or_default())
        }
        Status::Paused => format!("Up {} (Paused)", ago(container.started)),
        Status::Restarting => {
            format!("Restarting ({}) {} ago", container.exit_code, ago(container.finished))
        }
        Status::Exited => {
            format!("Exited ({}) {} ago", container.exit_code, ago(container.finished))
        }
    }
}

/// A duration in the engine's words.
fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match (seconds, seconds / 60, seconds / 3600) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, minutes @ 2..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, hours @ 2..48) => format!("{hours} hours"),
        (_, _, hours) => format!("{} days", hours / 24),
    }
}
