//! Readings of the engine turned into rates, equal to what `docker stats` shows. Pure.
//!
//! Formulas: CPU = Δcpu / Δsystem · online processors · 100; memory = usage − inactive file cache
//! (`total_inactive_file` on cgroup v1, `inactive_file` on v2), as the Docker CLI computes them
//! (`cli/command/container/stats_helpers.go`).

use bollard::models::{ContainerBlkioStatEntry, ContainerMemoryStats, ContainerStatsResponse};
use jiff::Timestamp;
use sentinel_core::domain::usage::Usage;

/// Counters of one reading, to be compared with the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counters {
    at: Option<Timestamp>,
    cpu: u64,
    system: u64,
    rx: u64,
    tx: u64,
    read: u64,
    write: u64,
}

/// Turns a reading into rates over the time since `before`, and moves `before` on. The first
/// reading of a container, and the first after its counters began anew, has no rates yet.
pub(super) fn usage(
    raw: &ContainerStatsResponse,
    at: Timestamp,
    before: &mut Counters,
) -> Option<Usage> {
    let now = counters(raw, at);
    let memory = raw.memory_stats.as_ref();
    let old = std::mem::replace(before, now.clone());
    // A stopped container answers with zeros.
    if now.cpu == 0 && memory.and_then(|m| m.usage).is_none() {
        return None;
    }
    let seconds = old.at.map(|t| at.duration_since(t).as_secs_f64()).filter(|s| *s > 0.0);
    let rate = |now: u64, old: u64| match seconds {
        // Counters that went back belong to a new process: no rate, never a negative one.
        Some(seconds) if now >= old => (now - old) as f64 / seconds,
        _ => 0.0,
    };
    let processors =
        raw.cpu_stats
            .as_ref()
            .and_then(|c| {
                c.online_cpus.filter(|n| *n > 0).map(f64::from).or_else(|| {
                    c.cpu_usage.as_ref()?.percpu_usage.as_ref().map(|per| per.len() as f64)
                })
            })
            .filter(|n| *n > 0.0)
            .unwrap_or(1.0);
    let cpu_pct = if seconds.is_some() && now.system > old.system && now.cpu >= old.cpu {
        (now.cpu - old.cpu) as f64 / (now.system - old.system) as f64 * processors * 100.0
    } else {
        0.0
    };
    Some(Usage {
        cpu_pct,
        mem_used: memory.map_or(0, memory_used),
        mem_limit: memory.and_then(|m| m.limit).unwrap_or_default(),
        net_rx_bps: rate(now.rx, old.rx),
        net_tx_bps: rate(now.tx, old.tx),
        disk_read_bps: rate(now.read, old.read),
        disk_write_bps: rate(now.write, old.write),
        pids: raw.pids_stats.as_ref().and_then(|p| p.current).unwrap_or_default(),
        ..Usage::default()
    })
}

fn counters(raw: &ContainerStatsResponse, at: Timestamp) -> Counters {
    let cpu = raw.cpu_stats.as_ref();
    let networks = raw.networks.iter().flatten().map(|(_, n)| n);
    let (mut rx, mut tx) = (0_u64, 0_u64);
    for network in networks {
        rx = rx.saturating_add(network.rx_bytes.unwrap_or_default());
        tx = tx.saturating_add(network.tx_bytes.unwrap_or_default());
    }
    let blocks = raw.blkio_stats.as_ref().and_then(|b| b.io_service_bytes_recursive.as_ref());
    let of = |what: &str| -> u64 {
        let matches = |e: &&ContainerBlkioStatEntry| {
            e.op.as_deref().is_some_and(|op| op.eq_ignore_ascii_case(what))
        };
        blocks.into_iter().flatten().filter(matches).filter_map(|e| e.value).sum()
    };
    Counters {
        at: Some(at),
        cpu: cpu.and_then(|c| c.cpu_usage.as_ref()?.total_usage).unwrap_or_default(),
        system: cpu.and_then(|c| c.system_cpu_usage).unwrap_or_default(),
        rx,
        tx,
        read: of("read"),
        write: of("write"),
    }
}

/// Memory in use without the page cache that the kernel can drop.
fn memory_used(memory: &ContainerMemoryStats) -> u64 {
    let usage = memory.usage.unwrap_or_default();
    let stats = memory.stats.as_ref();
    let of = |key: &str| stats.and_then(|s| s.get(key)).copied();
    // cgroup v1 has the total_ form; v2 only the plain one.
    let cache = of("total_inactive_file").or_else(|| of("inactive_file")).unwrap_or_default();
    if cache < usage { usage - cache } else { usage }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// Recorded from Engine 20.10 on cgroup v1, shortened; the second two seconds later.
    const V1: [&str; 2] = [
        r#"{"read":"2026-11-24T03:15:02Z","pids_stats":{"current":3},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":254,"minor":0,"op":"Read","value":4096},{"major":254,"minor":0,"op":"Write","value":0},{"major":254,"minor":0,"op":"Total","value":4096}]},
        "cpu_stats":{"cpu_usage":{"total_usage":1000000000,"percpu_usage":[600000000,400000000],"usage_in_kernelmode":1,"usage_in_usermode":1},"system_cpu_usage":50000000000,"online_cpus":2},
        "precpu_stats":{"cpu_usage":{"total_usage":0}},
        "memory_stats":{"usage":20971520,"max_usage":20971520,"stats":{"cache":9437184,"inactive_file":8388608,"total_inactive_file":8388608,"total_cache":9437184},"limit":67108864},
        "networks":{"eth0":{"rx_bytes":1000,"tx_bytes":500},"eth1":{"rx_bytes":1000,"tx_bytes":0}}}"#,
        r#"{"read":"2026-11-24T03:15:04Z","pids_stats":{"current":3},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":254,"minor":0,"op":"Read","value":12288},{"major":254,"minor":0,"op":"Write","value":2048}]},
        "cpu_stats":{"cpu_usage":{"total_usage":2000000000},"system_cpu_usage":54000000000,"online_cpus":2},
        "memory_stats":{"usage":20971520,"stats":{"total_inactive_file":8388608},"limit":67108864},
        "networks":{"eth0":{"rx_bytes":3000,"tx_bytes":500},"eth1":{"rx_bytes":2000,"tx_bytes":100}}}"#,
    ];

    /// Recorded from Engine 24 on cgroup v2, shortened: no percpu_usage, lower-case operations.
    const V2: [&str; 2] = [
        r#"{"pids_stats":{"current":1},"blkio_stats":{"io_service_bytes_recursive":[{"major":259,"minor":0,"op":"read","value":100},{"major":259,"minor":0,"op":"write","value":0}]},
        "cpu_stats":{"cpu_usage":{"total_usage":5000},"system_cpu_usage":1000000,"online_cpus":4},
        "memory_stats":{"usage":3000000,"stats":{"inactive_file":1000000,"active_file":500000,"anon":1500000},"limit":8000000}}"#,
        r#"{"pids_stats":{"current":1},"blkio_stats":{"io_service_bytes_recursive":[{"major":259,"minor":0,"op":"read","value":300},{"major":259,"minor":0,"op":"write","value":0}]},
        "cpu_stats":{"cpu_usage":{"total_usage":30000},"system_cpu_usage":1100000,"online_cpus":4},
        "memory_stats":{"usage":3000000,"stats":{"inactive_file":1000000},"limit":8000000}}"#,
    ];

    fn rates(samples: [&str; 2]) -> Usage {
        let mut before = Counters::default();
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(100);
        let mut last = None;
        for (i, text) in samples.iter().enumerate() {
            let raw: ContainerStatsResponse = serde_json::from_str(text).unwrap();
            let at = start + SignedDuration::from_secs(2 * i64::try_from(i).unwrap());
            last = usage(&raw, at, &mut before);
        }
        last.unwrap()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn cgroup_v1_reads_as_docker_stats_shows_it() {
        let u = rates(V1);
        // 1 s of CPU in 4 s of system time over two processors: half a core.
        assert!(near(u.cpu_pct, 50.0), "{}", u.cpu_pct);
        assert_eq!(u.mem_used, 12_582_912);
        assert_eq!(u.mem_limit, 67_108_864);
        assert!(near(u.net_rx_bps, 1500.0) && near(u.net_tx_bps, 50.0));
        assert!(near(u.disk_read_bps, 4096.0) && near(u.disk_write_bps, 1024.0));
        assert_eq!(u.pids, 3);
    }

    #[test]
    fn cgroup_v2_reads_as_docker_stats_shows_it() {
        let u = rates(V2);
        assert!(near(u.cpu_pct, 100.0), "{}", u.cpu_pct);
        assert_eq!(u.mem_used, 2_000_000);
        assert!(near(u.disk_read_bps, 100.0));
    }

    #[test]
    fn counters_that_went_back_give_no_rate() {
        let u = rates([V1[1], V1[0]]);
        assert!(near(u.cpu_pct, 0.0) && near(u.net_rx_bps, 0.0));
    }

    #[test]
    fn a_stopped_container_has_no_reading() {
        let raw: ContainerStatsResponse = serde_json::from_str(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}"#,
        )
        .unwrap();
        assert_eq!(usage(&raw, Timestamp::UNIX_EPOCH, &mut Counters::default()), None);
    }
}
