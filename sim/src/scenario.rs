//! Ready worlds, and the ways in which they break.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::noise::Format;
use crate::process::Fault;
use crate::program::LABEL;
use crate::refused::Refused;
use crate::world::{Setting, World};

/// The image of everything here.
pub const IMAGE: &str = "docker-sim/service:1";
/// The shop's network.
const NETWORK: &str = "shop";
/// Kinds of containers in a large world: more would only cost memory.
const KINDS: usize = 12;

/// A way in which the shop breaks. Each reacts to the fix that a real one would react to.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Breakage {
    /// `shop-api` ends with an error.
    Crash,
    /// `shop-worker` ends again and again.
    CrashLoop,
    /// `shop-cache` leaks until the kernel kills it; a limit above 72 MiB heals it.
    OomLeak,
    /// `shop-api` stops answering its health check.
    Unhealthy,
    /// `shop-db` dies under those that need it.
    DependencyDown,
    /// `shop-worker` is deployed without its setting.
    BadDeploy,
    /// `shop-api` loses its network.
    NetworkDetached,
    /// Somebody pauses `shop-db`.
    Paused,
    /// `shop-api` fails most requests for some seconds.
    ErrorBurst,
}

/// A small shop: `shop-db`, `shop-cache`, `shop-api`, `shop-worker`, `shop-web`, all healthy.
pub fn shop(setting: Setting, now: Timestamp) -> Result<World, Refused> {
    let mut world = World::new(setting, now);
    world.add_image(IMAGE, image());
    world.create_network(&json!({"Name": NETWORK}))?;
    for name in ["db", "cache", "api", "worker", "web"] {
        deploy(&mut world, name, &service(name), "no")?;
    }
    Ok(world)
}

/// The configuration of an image whose process is told by labels.
fn image() -> Map<String, Value> {
    [("Cmd".to_owned(), json!(["/service"]))].into_iter().collect()
}

/// One service of the shop as a program.
fn service(name: &str) -> Value {
    let (format, peers, memory) = match name {
        "db" => (Format::Klog, json!([]), 60),
        "cache" => (Format::Plain, json!([]), 20),
        "api" => (Format::Json, json!(["db:5432", "cache:6379"]), 80),
        "worker" => (Format::Logfmt, json!(["db:5432"]), 30),
        _ => (Format::Access, json!(["api:8080"]), 15),
    };
    let format = match format {
        Format::Json => "json",
        Format::Logfmt => "logfmt",
        Format::Access => "access",
        Format::Klog => "klog",
        Format::Java => "java",
        Format::Plain => "plain",
    };
    json!({
        "noise": {"format": format, "per_second": 4.0},
        "peers": peers, "port": 8080, "cpu": 0.03,
        "memory": {"base": memory << 20},
    })
}

/// Creates and starts a service, in place of the one that has its name.
fn deploy(world: &mut World, service: &str, program: &Value, policy: &str) -> Result<(), Refused> {
    let name = format!("shop-{service}");
    if world.find(&name).is_ok() {
        world.remove(&name, true)?;
    }
    let second = 1_000_000_000_u64;
    let memory: u64 = if service == "cache" { 64 << 20 } else { 256 << 20 };
    world.create(
        Some(&name),
        &json!({
            "Image": IMAGE,
            "Env": ["MODE=production"],
            "Labels": {
                "sre-sentinel.monitor": "true",
                "sre-sentinel.service": service,
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": service,
                LABEL: program.to_string(),
            },
            "StopTimeout": 2,
            "Healthcheck": {
                "Test": ["CMD", "/service", "check"], "Interval": 2 * second,
                "Timeout": second, "Retries": 2,
            },
            "HostConfig": {
                "NetworkMode": NETWORK, "Memory": memory, "MemorySwap": memory,
                "RestartPolicy": {"Name": policy},
            },
            "NetworkingConfig": {"EndpointsConfig": {NETWORK: {"Aliases": [service]}}},
        }),
    )?;
    world.start(&name)
}

/// Breaks the shop.
pub fn break_world(world: &mut World, how: Breakage) -> Result<(), Refused> {
    let with = |name: &str, more: &Value| {
        let mut program = service(name);
        if let (Some(program), Some(more)) = (program.as_object_mut(), more.as_object()) {
            program.extend(more.clone());
        }
        program
    };
    match how {
        Breakage::Crash => world.inject("shop-api", Fault::Crash),
        Breakage::CrashLoop => {
            let more = json!({
                "says": [{"after_ms": 200, "error": true, "text": "panic: index out of range [7] with length 5"}],
                "exit": {"after_ms": 250, "code": 2},
            });
            deploy(world, "worker", &with("worker", &more), "always")
        }
        Breakage::OomLeak => {
            let more = json!({"memory": {"base": 20 << 20, "grows": 8 << 20, "up_to": 72 << 20}});
            deploy(world, "cache", &with("cache", &more), "on-failure")
        }
        Breakage::Unhealthy => world.inject("shop-api", Fault::Hang),
        Breakage::DependencyDown => world.kill_from_outside("shop-db"),
        Breakage::BadDeploy => {
            let more = json!({"needs": ["DATABASE_URL"]});
            deploy(world, "worker", &with("worker", &more), "on-failure")
        }
        Breakage::NetworkDetached => {
            world.disconnect(NETWORK, &json!({"Container": "shop-api", "Force": true}))
        }
        Breakage::Paused => world.pause("shop-db"),
        Breakage::ErrorBurst => world.inject("shop-api", Fault::Errors),
    }
}

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Containers that run.
    pub running: usize,
    /// Containers that ended.
    pub stopped: usize,
    /// Log lines in a second, of all together.
    pub lines_per_second: f64,
}

/// Many containers, watched, in all forms of log.
pub fn many(setting: Setting, now: Timestamp, size: Size) -> Result<World, Refused> {
    let mut world = World::new(setting, now);
    world.add_image(IMAGE, image());
    let each = size.lines_per_second / (size.running.max(1) as f64);
    let formats = ["plain", "json", "logfmt", "access", "java", "klog"];
    let mut specs = Vec::with_capacity(KINDS);
    for kind in 0..KINDS {
        let format = formats[kind % formats.len()];
        let program = json!({"noise": {"format": format, "per_second": each}, "cpu": 0.01});
        specs.push(Arc::new(world.spec(&json!({
            "Image": IMAGE,
            "Labels": {
                "sre-sentinel.monitor": "true",
                "sre-sentinel.service": format!("kind-{kind}"),
                LABEL: program.to_string(),
            },
        }))?));
    }
    let of = |i: usize| Arc::clone(&specs[i % KINDS]);
    for i in 0..size.stopped {
        world.add(format!("job-{i:05}"), of(i), Some(0));
    }
    // Not all at one moment: their lines come spread over time.
    let apart = 1.0 / size.lines_per_second.max(1.0);
    let apart = SignedDuration::try_from_secs_f64(apart).unwrap_or_default();
    for i in 0..size.running {
        world.step(world.now + apart);
        let name = format!("svc-{i:04}");
        world.add(name.clone(), of(i), None);
        world.start(&name)?;
    }
    Ok(world)
}
