//! How a container sits on its host: mounts, ports, bounds.

use bollard::models::{HostConfig, MountPoint};
use sentinel_core::domain::setup::{Mount, Published};
use sentinel_core::redact::clean;

use crate::monitor::decode::{SHORT_TEXT, positive};

/// Mounts and ports kept of one container.
const ENTRIES_MAX: usize = 200;
/// The engine's own size of `/dev/shm`.
const SHM_DEFAULT: u64 = 64 << 20;

fn safe(text: &str) -> String {
    clean(text.as_bytes(), SHORT_TEXT)
}

/// Mounts by path in the container, those in memory (`--tmpfs`) with them.
pub(super) fn mounts(points: Vec<MountPoint>, host: &HostConfig) -> Vec<Mount> {
    let mounted = points.into_iter().map(|point| {
        let name = point.name.filter(|n| !n.is_empty());
        Mount {
            kind: safe(&point.typ.unwrap_or_default()),
            source: safe(&name.or(point.source).unwrap_or_default()),
            target: safe(&point.destination.unwrap_or_default()),
            writable: point.rw.unwrap_or_default(),
        }
    });
    let in_memory = host.tmpfs.iter().flatten().map(|(target, options)| Mount {
        kind: "tmpfs".to_owned(),
        // `size=8m`: how much fits.
        source: safe(options),
        target: safe(target),
        writable: !options.split(',').any(|o| o == "ro"),
    });
    let mut all: Vec<Mount> = mounted.chain(in_memory).take(ENTRIES_MAX).collect();
    all.sort_by(|a, b| a.target.cmp(&b.target));
    all.dedup_by(|a, b| a.target == b.target);
    all
}

/// Ports as they are asked for, whether it runs or not.
pub(super) fn ports(host: &HostConfig) -> Vec<Published> {
    let mut all: Vec<Published> = host
        .port_bindings
        .iter()
        .flatten()
        .flat_map(|(port, bindings)| {
            bindings.iter().flatten().map(move |binding| Published {
                port: safe(port),
                host_address: safe(binding.host_ip.as_deref().unwrap_or_default()),
                host_port: safe(binding.host_port.as_deref().unwrap_or_default()),
            })
        })
        .take(ENTRIES_MAX)
        .collect();
    all.sort_by(|a, b| (&a.port, &a.host_port).cmp(&(&b.port, &b.host_port)));
    all
}

/// Size of `/dev/shm`, where somebody chose it.
pub(super) fn shm_size(host: &HostConfig) -> Option<u64> {
    host.shm_size.and_then(positive).filter(|size| *size != SHM_DEFAULT)
}

/// Bound of open files, where somebody chose it.
pub(super) fn nofile(host: &HostConfig) -> Option<u64> {
    let limits = host.ulimits.iter().flatten();
    limits.filter(|l| l.name.as_deref() == Some("nofile")).find_map(|l| l.soft.and_then(positive))
}
