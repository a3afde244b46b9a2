//! Readings turned into rates, equal to what `docker stats` shows, from whichever source they
//! come: the engine's statistics or the kernel's own files. Pure.
//!
//! Formulas: CPU = Δcpu / Δsystem · online processors · 100; memory = usage − inactive file cache
//! (`total_inactive_file` on cgroup v1, `inactive_file` on v2), as the Docker CLI computes them
//! (`cli/command/container/stats_helpers.go`).

use bollard::models::{ContainerBlkioStatEntry, ContainerMemoryStats, ContainerStatsResponse};
use jiff::Timestamp;
use sentinel_core::domain::usage::Usage;

/// The most processes that a Linux kernel numbers (`PID_MAX_LIMIT`): a limit above is none.
pub(super) const MOST_PIDS: u64 = 4 << 20;

/// Processor time that passed for everybody, to set a container's own against.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct System {
    /// Nanoseconds over all processors.
    pub(super) ns: u64,
    /// How many processors they are spread over.
    pub(super) processors: f64,
}

/// One reading: counters, to be compared with the next ones, and what needs no comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// When it was taken, in nanoseconds of a clock of its source.
    pub(super) clock_ns: u64,
    /// Processor time used, in nanoseconds.
    pub(super) cpu_ns: u64,
    /// What the engine sets it against; `None`: the clock, which comes to the same.
    pub(super) system: Option<System>,
    /// Bytes received, sent, read from disk, written to disk.
    pub(super) rx: u64,
    pub(super) tx: u64,
    pub(super) read: u64,
    pub(super) write: u64,
    /// The scheduler's periods, and those in which it was held back; `None`: no quota.
    pub(super) periods: Option<(u64, u64)>,
    pub(super) mem_used: u64,
    pub(super) mem_limit: u64,
    pub(super) mem_anon: Option<u64>,
    pub(super) pids: u64,
    pub(super) pids_limit: Option<u64>,
    pub(super) cpu_limit_pct: Option<f64>,
    pub(super) fds: Option<u64>,
    pub(super) fds_limit: Option<u64>,
}

impl Reading {
    /// What the engine's statistics say. `nano_cpus` is the quota, which they leave out.
    /// `None`: it does not run, for a stopped container answers with zeros.
    pub(super) fn of_engine(
        raw: &ContainerStatsResponse,
        at: Timestamp,
        nano_cpus: Option<u64>,
    ) -> Option<Self> {
        let cpu = raw.cpu_stats.as_ref();
        let memory = raw.memory_stats.as_ref();
        let cpu_ns = cpu.and_then(|c| c.cpu_usage.as_ref()?.total_usage).unwrap_or_default();
        if cpu_ns == 0 && memory.and_then(|m| m.usage).is_none() {
            return None;
        }
        let (mut rx, mut tx) = (0_u64, 0_u64);
        for (_, network) in raw.networks.iter().flatten() {
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
        let throttling = cpu.and_then(|c| c.throttling_data.as_ref());
        let pids = raw.pids_stats.as_ref();
        Some(Self {
            clock_ns: u64::try_from(at.as_nanosecond()).unwrap_or_default(),
            cpu_ns,
            system: Some(System {
                ns: cpu.and_then(|c| c.system_cpu_usage).unwrap_or_default(),
                processors: processors(raw),
            }),
            rx,
            tx,
            read: of("read"),
            write: of("write"),
            periods: throttling
                .and_then(|t| Some((t.periods?, t.throttled_periods?)))
                .filter(|(all, _)| nano_cpus.is_some() || *all > 0),
            mem_used: memory.map_or(0, memory_used),
            mem_limit: memory.and_then(|m| m.limit).unwrap_or_default(),
            mem_anon: memory.and_then(memory_anon),
            pids: pids.and_then(|p| p.current).unwrap_or_default(),
            // No limit is told as zero, or as the largest number there is.
            pids_limit: pids.and_then(|p| p.limit).filter(|n| (1..=MOST_PIDS).contains(n)),
            cpu_limit_pct: nano_cpus.map(|nano| nano as f64 / 1e7),
            fds: None,
            fds_limit: None,
        })
    }

    /// Rates over the time since `before`, which this reading replaces. The first reading of a
    /// container has memory but no rates, and gives nothing: a zero would be a lie in a chart.
    pub(super) fn since(self, before: &mut Option<Self>) -> Option<Usage> {
        let old = before.replace(self.clone())?;
        let elapsed = self.clock_ns.saturating_sub(old.clock_ns);
        // Counters that went back belong to a new process: no rate, never a negative one.
        let delta = |now: u64, old: u64| now.checked_sub(old).filter(|_| elapsed > 0);
        let rate = |now: u64, old: u64| {
            delta(now, old).map_or(0.0, |more| more as f64 / (elapsed as f64 / 1e9))
        };
        let system = match (self.system, old.system) {
            (Some(now), Some(old)) => {
                System { ns: now.ns.saturating_sub(old.ns), processors: now.processors }
            }
            _ => System { ns: elapsed, processors: 1.0 },
        };
        let cpu_pct = delta(self.cpu_ns, old.cpu_ns)
            .filter(|_| system.ns > 0)
            .map_or(0.0, |used| used as f64 / system.ns as f64 * system.processors * 100.0);
        let throttled_pct = self.periods.map(|(all, held)| {
            let (all_before, held_before) = old.periods.unwrap_or_default();
            match (all.checked_sub(all_before), held.checked_sub(held_before)) {
                (Some(all), Some(held)) if all > 0 => held as f64 / all as f64 * 100.0,
                _ => 0.0,
            }
        });
        Some(Usage {
            cpu_pct,
            mem_used: self.mem_used,
            mem_limit: self.mem_limit,
            net_rx_bps: rate(self.rx, old.rx),
            net_tx_bps: rate(self.tx, old.tx),
            disk_read_bps: rate(self.read, old.read),
            disk_write_bps: rate(self.write, old.write),
            pids: self.pids,
            pids_limit: self.pids_limit,
            cpu_limit_pct: self.cpu_limit_pct,
            throttled_pct,
            mem_anon: self.mem_anon,
            fds: self.fds,
            fds_limit: self.fds_limit,
        })
    }
}

fn processors(raw: &ContainerStatsResponse) -> f64 {
    let cpu = raw.cpu_stats.as_ref();
    cpu.and_then(|c| {
        c.online_cpus
            .filter(|n| *n > 0)
            .map(f64::from)
            .or_else(|| c.cpu_usage.as_ref()?.percpu_usage.as_ref().map(|per| per.len() as f64))
    })
    .filter(|n| *n > 0.0)
    .unwrap_or(1.0)
}

/// Memory in use without the page cache that the kernel can drop.
pub(super) fn without_cache(usage: u64, inactive_file: u64) -> u64 {
    usage.checked_sub(inactive_file).filter(|left| *left > 0).unwrap_or(usage)
}

fn memory_used(memory: &ContainerMemoryStats) -> u64 {
    let stats = memory.stats.as_ref();
    let of = |key: &str| stats.and_then(|s| s.get(key)).copied();
    // cgroup v1 has the total_ form; v2 only the plain one.
    let cache = of("total_inactive_file").or_else(|| of("inactive_file")).unwrap_or_default();
    without_cache(memory.usage.unwrap_or_default(), cache)
}

/// Memory that no file on a disk stands behind: heap, stacks, shared memory, tmpfs. Both lists of
/// the kernel's together, for `rss` and `anon` leave the files in memory out, which an engine on
/// cgroup v1 does not tell apart.
fn memory_anon(memory: &ContainerMemoryStats) -> Option<u64> {
    let stats = memory.stats.as_ref()?;
    let of = |key: &str| stats.get(key).copied();
    let sum = |inactive: &str, active: &str| Some(of(inactive)?.saturating_add(of(active)?));
    sum("total_inactive_anon", "total_active_anon")
        .or_else(|| sum("inactive_anon", "active_anon"))
        .or_else(|| of("anon"))
        .or_else(|| of("total_rss"))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// Recorded from Engine 20.10 on cgroup v1, shortened; the second two seconds later.
    const V1: [&str; 2] = [
        r#"{"read":"2026-11-24T03:15:02Z","pids_stats":{"current":3},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":254,"minor":0,"op":"Read","value":4096},{"major":254,"minor":0,"op":"Write","value":0},{"major":254,"minor":0,"op":"Total","value":4096}]},
        "cpu_stats":{"throttling_data":{"periods":10,"throttled_periods":5,"throttled_time":1},"cpu_usage":{"total_usage":1000000000,"percpu_usage":[600000000,400000000],"usage_in_kernelmode":1,"usage_in_usermode":1},"system_cpu_usage":50000000000,"online_cpus":2},
        "precpu_stats":{"cpu_usage":{"total_usage":0}},
        "memory_stats":{"usage":20971520,"max_usage":20971520,"stats":{"cache":9437184,"inactive_file":8388608,"total_inactive_file":8388608,"total_cache":9437184},"limit":67108864},
        "networks":{"eth0":{"rx_bytes":1000,"tx_bytes":500},"eth1":{"rx_bytes":1000,"tx_bytes":0}}}"#,
        r#"{"read":"2026-11-24T03:15:04Z","pids_stats":{"current":3,"limit":100},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":254,"minor":0,"op":"Read","value":12288},{"major":254,"minor":0,"op":"Write","value":2048}]},
        "cpu_stats":{"throttling_data":{"periods":30,"throttled_periods":10,"throttled_time":1},"cpu_usage":{"total_usage":2000000000},"system_cpu_usage":54000000000,"online_cpus":2},
        "memory_stats":{"usage":20971520,"stats":{"total_inactive_file":8388608,"total_inactive_anon":11000000,"total_active_anon":1000000},"limit":67108864},
        "networks":{"eth0":{"rx_bytes":3000,"tx_bytes":500},"eth1":{"rx_bytes":2000,"tx_bytes":100}}}"#,
    ];

    /// Recorded from Engine 24 on cgroup v2, shortened: no percpu_usage, lower-case operations.
    const V2: [&str; 2] = [
        r#"{"pids_stats":{"current":1},"blkio_stats":{"io_service_bytes_recursive":[{"major":259,"minor":0,"op":"read","value":100},{"major":259,"minor":0,"op":"write","value":0}]},
        "cpu_stats":{"cpu_usage":{"total_usage":5000},"system_cpu_usage":1000000,"online_cpus":4},
        "memory_stats":{"usage":3000000,"stats":{"inactive_file":1000000,"active_file":500000,"anon":1500000},"limit":8000000}}"#,
        r#"{"pids_stats":{"current":1,"limit":18446744073709551615},"blkio_stats":{"io_service_bytes_recursive":[{"major":259,"minor":0,"op":"read","value":300},{"major":259,"minor":0,"op":"write","value":0}]},
        "cpu_stats":{"cpu_usage":{"total_usage":30000},"system_cpu_usage":1100000,"online_cpus":4},
        "memory_stats":{"usage":3000000,"stats":{"inactive_file":1000000,"anon":1500000},"limit":8000000}}"#,
    ];

    fn rates(samples: [&str; 2]) -> Usage {
        let mut before = None;
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(100);
        let mut last = None;
        for (i, text) in samples.iter().enumerate() {
            let raw: ContainerStatsResponse = serde_json::from_str(text).unwrap();
            let at = start + SignedDuration::from_secs(2 * i64::try_from(i).unwrap());
            let reading = Reading::of_engine(&raw, at, Some(500_000_000)).unwrap();
            last = reading.since(&mut before);
            assert_eq!(last.is_some(), i > 0, "a first reading has no rates");
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
        assert_eq!((u.pids, u.pids_limit), (3, Some(100)));
        assert_eq!(u.cpu_limit_pct, Some(50.0));
        assert_eq!(u.throttled_pct, Some(25.0));
        assert_eq!(u.mem_anon, Some(12_000_000));
    }

    #[test]
    fn cgroup_v2_reads_as_docker_stats_shows_it() {
        let u = rates(V2);
        assert!(near(u.cpu_pct, 100.0), "{}", u.cpu_pct);
        assert_eq!(u.mem_used, 2_000_000);
        assert!(near(u.disk_read_bps, 100.0));
        assert_eq!(u.mem_anon, Some(1_500_000));
        assert_eq!((u.pids_limit, u.throttled_pct), (None, None), "none is told");
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
        assert_eq!(Reading::of_engine(&raw, Timestamp::UNIX_EPOCH, None), None);
    }
}
