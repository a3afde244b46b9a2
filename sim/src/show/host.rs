//! What the engine says of itself and its host.

use serde_json::{Value, json};

use crate::container::Status;
use crate::world::World;

/// The operating system that `/info` tells: how a client can know that nothing here is real.
pub const SYSTEM: &str = "docker-sim (simulated)";

/// `GET /version`.
pub fn version(world: &World) -> Value {
    let api = world.setting.api;
    json!({
        "Platform": {"Name": "docker-sim"},
        "Components": [{
            "Name": "Engine",
            "Version": api.engine(),
            "Details": {"ApiVersion": api.to_string(), "MinAPIVersion": api.oldest(), "Os": "linux"},
        }],
        "Version": api.engine(),
        "ApiVersion": api.to_string(),
        "MinAPIVersion": api.oldest(),
        "GitCommit": "simulated", "GoVersion": "none", "Os": "linux", "Arch": "amd64",
        "KernelVersion": "6.1.0-sim",
    })
}

/// `GET /info`.
pub fn info(world: &World) -> Value {
    let count = |wanted: fn(Status) -> bool| {
        world.containers().filter(|(_, container)| wanted(container.status)).count()
    };
    json!({
        "ID": format!("SIM0:{:04X}:{}", world.setting.seed & 0xffff, world.began.as_nanosecond()),
        "Containers": world.count(),
        "ContainersRunning": count(|s| matches!(s, Status::Running | Status::Restarting)),
        "ContainersPaused": count(|s| s == Status::Paused),
        "ContainersStopped": count(|s| matches!(s, Status::Created | Status::Exited)),
        "Images": world.images().len(),
        "Driver": "overlay2", "DriverStatus": [],
        "Plugins": {"Volume": ["local"], "Network": ["bridge", "host", "null"], "Log": ["json-file"]},
        "MemoryLimit": true, "SwapLimit": true, "CpuCfsPeriod": true, "CpuCfsQuota": true,
        "PidsLimit": true, "OomKillDisable": world.setting.cgroup == 1,
        "SystemTime": world.now.to_string(),
        "LoggingDriver": "json-file", "CgroupDriver": "systemd",
        "CgroupVersion": world.setting.cgroup.to_string(),
        "KernelVersion": "6.1.0-sim", "OperatingSystem": SYSTEM, "OSType": "linux",
        "Architecture": "x86_64", "NCPU": world.setting.cpus, "MemTotal": world.setting.memory,
        "DockerRootDir": "/var/lib/docker", "Name": world.setting.host,
        "ServerVersion": world.setting.api.engine(),
        "LiveRestoreEnabled": world.setting.live_restore,
        "Labels": ["docker-sim=true"],
        "SecurityOptions": ["name=seccomp,profile=default"], "Warnings": null,
    })
}

/// `GET /system/df`: what the containers and images take, as far as it is simulated.
pub fn usage(world: &World) -> Value {
    json!({
        "LayersSize": world.images().len() * (8 << 20),
        "Images": world.images().iter().map(crate::show::inspect::image_row).collect::<Vec<_>>(),
        "Containers": [], "Volumes": [], "BuildCache": [],
    })
}
