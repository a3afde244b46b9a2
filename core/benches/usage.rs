//! What a resource reading costs the detectors: all of them, over a day of one container, in
//! ordinary times and close to a limit where memory is looked at more closely.

use divan::counter::ItemsCount;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::usage::{UsageDetector, UsageFacts};
use sentinel_core::domain::container::ContainerRef;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::usage::{Usage, UsageSample};

/// A day at one reading in two seconds.
const READINGS: u32 = 43_200;
const MIB: u64 = 1 << 20;

/// A day of readings whose memory stands around `mebibytes` of 256.
fn day(mebibytes: u64) -> Vec<UsageSample> {
    let mut state = 1_u64;
    let mut random = move || {
        // Knuth's linear congruence: the same day in every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f64 / f64::from(1_u32 << 24)
    };
    (0..READINGS)
        .map(|n| {
            let pages = u64::from(n % 977) * 4096;
            let bytes = mebibytes * MIB + pages;
            let usage = Usage {
                cpu_pct: 5.0 + 20.0 * random(),
                mem_used: bytes + 10 * MIB,
                mem_anon: Some(bytes),
                mem_limit: 256 * MIB,
                net_rx_bps: 1e5 * random(),
                net_tx_bps: 1e5 * random(),
                disk_write_bps: 1e4 * random(),
                pids: 12,
                pids_limit: Some(100),
                cpu_limit_pct: Some(100.0),
                throttled_pct: Some(random()),
                fds: Some(40),
                fds_limit: Some(1024),
                ..Usage::default()
            };
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::from(n) * 2);
            UsageSample { container: ContainerId("c".repeat(64)), at, usage }
        })
        .collect()
}

#[divan::bench(args = [100, 200], sample_count = 10)]
fn a_day_of_readings(bencher: divan::Bencher<'_, '_>, mebibytes: u64) {
    let of = ContainerRef {
        id: ContainerId("c".repeat(64)),
        name: "api".to_owned(),
        service: "api".to_owned(),
        project: None,
    };
    let samples = day(mebibytes);
    let facts = UsageFacts { limited: true, cores: 4.0, ..UsageFacts::default() };
    bencher.counter(ItemsCount::new(samples.len())).bench_local(|| {
        let mut detector = UsageDetector::default();
        samples.iter().map(|sample| detector.sample(sample, &of, facts).len()).sum::<usize>()
    });
}

fn main() {
    divan::main();
}
