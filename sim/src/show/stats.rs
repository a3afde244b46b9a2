//! What a container uses, in the shapes of both generations of control groups.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::container::Container;
use crate::show::time;
use crate::world::World;

/// Bytes of network traffic and of disk traffic that a second adds.
const TRAFFIC: (u64, u64) = (2048, 512);
/// Share of the memory that is file cache.
const CACHE: u64 = 8;

/// One reading. With `before` the engine's own earlier one stands beside it.
pub fn reading(world: &World, container: &Container, before: bool) -> Value {
    let now = world.now;
    let earlier = now - SignedDuration::from_secs(1);
    let started = container.started.unwrap_or(now);
    let has_before = before && container.has_process() && earlier > started;
    let mut out = json!({
        "read": time(Some(now)),
        "preread": if has_before { time(Some(earlier)) } else { time(None) },
        "pids_stats": {}, "num_procs": 0, "storage_stats": {},
        "blkio_stats": empty_blocks(),
        "cpu_stats": idle(), "precpu_stats": idle(), "memory_stats": {},
        "name": format!("/{}", container.name),
        "id": container.id,
    });
    let Some(all) = out.as_object_mut().filter(|_| container.has_process()) else {
        return out;
    };
    let seconds = u64::try_from(now.duration_since(started).as_secs()).unwrap_or_default();
    let mut set = |key: &str, value: Value| all.insert(key.to_owned(), value);
    set("pids_stats", json!({"current": 2, "limit": u64::MAX}));
    set("cpu_stats", cpu(world, container, now));
    if has_before {
        set("precpu_stats", cpu(world, container, earlier));
    }
    set("memory_stats", memory(world, container));
    set("blkio_stats", blocks(world.setting.cgroup, seconds * TRAFFIC.1));
    let traffic = seconds * TRAFFIC.0;
    let card = json!({
        "rx_bytes": traffic, "rx_packets": traffic / 128, "rx_errors": 0, "rx_dropped": 0,
        "tx_bytes": traffic / 2, "tx_packets": traffic / 256, "tx_errors": 0, "tx_dropped": 0,
    });
    let cards: Map<String, Value> =
        (0..container.endpoints.len()).map(|i| (format!("eth{i}"), card.clone())).collect();
    set("networks", Value::Object(cards));
    out
}

fn idle() -> Value {
    json!({
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    })
}

fn cpu(world: &World, container: &Container, at: Timestamp) -> Value {
    let used = container.cpu(at);
    let cpus = world.setting.cpus;
    // A host that has been up for a day already.
    let up = at.duration_since(world.began) + SignedDuration::from_hours(24);
    let system = u64::try_from(up.as_nanos()).unwrap_or_default().saturating_mul(cpus);
    let mut usage = json!({
        "total_usage": used, "usage_in_kernelmode": used / 3, "usage_in_usermode": used - used / 3,
    });
    if let Some(usage) = usage.as_object_mut().filter(|_| world.setting.cgroup == 1) {
        let each: Vec<u64> = (0..cpus).map(|_| used / cpus.max(1)).collect();
        usage.insert("percpu_usage".to_owned(), json!(each));
    }
    json!({
        "cpu_usage": usage, "system_cpu_usage": system, "online_cpus": cpus,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    })
}

fn memory(world: &World, container: &Container) -> Value {
    let own = container.process.as_ref().map_or(0, |process| process.memory);
    let cache = own / CACHE;
    let usage = own + cache;
    let limit = container.spec.memory.unwrap_or(world.setting.memory);
    if world.setting.cgroup == 1 {
        json!({
            "usage": usage, "max_usage": usage,
            "stats": {
                "cache": cache, "rss": own, "inactive_file": cache, "active_file": 0,
                "inactive_anon": 0, "active_anon": own, "hierarchical_memory_limit": limit,
                "total_cache": cache, "total_rss": own, "total_inactive_file": cache,
                "total_active_file": 0, "total_inactive_anon": 0, "total_active_anon": own,
            },
            "limit": limit,
        })
    } else {
        json!({
            "usage": usage,
            "stats": {
                "anon": own, "file": cache, "inactive_file": cache, "active_file": 0,
                "inactive_anon": own, "active_anon": 0, "kernel_stack": 16384, "slab": 262_144,
                "pgfault": 5000, "pgmajfault": 0,
            },
            "limit": limit,
        })
    }
}

fn empty_blocks() -> Value {
    json!({
        "io_service_bytes_recursive": null, "io_serviced_recursive": null,
        "io_queue_recursive": null, "io_service_time_recursive": null,
        "io_wait_time_recursive": null, "io_merged_recursive": null,
        "io_time_recursive": null, "sectors_recursive": null,
    })
}

fn blocks(cgroup: u8, written: u64) -> Value {
    // The first generation writes its words with a capital.
    let (read, write) = if cgroup == 1 { ("Read", "Write") } else { ("read", "write") };
    let mut out = empty_blocks();
    let bytes = json!([
        {"major": 254, "minor": 0, "op": read, "value": 4096},
        {"major": 254, "minor": 0, "op": write, "value": written},
    ]);
    if let Some(out) = out.as_object_mut() {
        out.insert("io_service_bytes_recursive".to_owned(), bytes);
    }
    out
}
