//! The rows of the failure table about resources, each beside its control, told as readings to the
//! detectors of a whole container.

use super::*;
use crate::detect::Detector;
use crate::domain::anomaly::Anomaly;
use crate::domain::container::tests_support::container;
use crate::domain::container::{Container, Health};
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::signal::Signal;
use crate::domain::snapshot::EngineInfo;

const MIB: u64 = 1 << 20;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
}

/// A detector that watches one container `api`, begun at second 0, with 256 MiB and two cores.
struct Watching {
    detector: Detector,
    container: Container,
    told: Vec<(i64, Anomaly)>,
}

impl Watching {
    fn new(change: impl FnOnce(&mut Container)) -> Self {
        let mut api = container("api");
        api.started_at = Some(at(0));
        api.memory_limit = Some(256 * MIB);
        change(&mut api);
        let mut detector = Detector::new("test");
        let engine = EngineInfo { cpus: 2, ..EngineInfo::default() };
        detector.observe(&Signal::Attached { engine, watched: vec![api.clone()] }, at(0));
        Self { detector, container: api, told: Vec::new() }
    }

    fn feed(&mut self, (from, to): (i64, i64), usage: impl Fn(i64) -> Usage) {
        for t in (from..to).step_by(2) {
            let container = self.container.of.id.clone();
            let sample = UsageSample { container, at: at(t), usage: usage(t) };
            let found = self.detector.observe(&Signal::Usage { sample }, at(t));
            self.told.extend(found.into_iter().map(|anomaly| (t, anomaly)));
        }
    }

    fn life(&mut self, t: i64, kind: LifeKind) {
        let event = LifeEvent { container: self.container.of.id.clone(), at: at(t), kind };
        let found = self.detector.observe(&Signal::Life { event }, at(t));
        self.told.extend(found.into_iter().map(|anomaly| (t, anomaly)));
    }

    fn kinds(&self) -> Vec<(AnomalyKind, Severity)> {
        self.told.iter().map(|(_, a)| (a.kind, a.severity)).collect()
    }
}

fn memory(held: f64) -> Usage {
    let held = held * MIB as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
    let bytes = held as u64;
    Usage { mem_used: bytes, mem_anon: Some(bytes), mem_limit: 256 * MIB, ..Usage::default() }
}

#[test]
fn a_leak_is_said_in_a_sentence_with_its_figures() {
    let mut watching = Watching::new(|_| ());
    watching.feed((0, 1700), |t| memory(60.0 + t as f64 / 10.0));
    let (_, first) = &watching.told[0];
    assert_eq!((first.kind, first.severity), (AnomalyKind::MemoryGrowth, Severity::High));
    assert_eq!(
        first.summary,
        "memory of api grows 6 MiB/min and will reach its limit of 256 MiB in about 7 min"
    );
    let [evidence] = first.evidence.as_slice() else { unreachable!("{first:?}") };
    assert_eq!(evidence.kind, EvidenceKind::Sample);
    assert_eq!(evidence.line, None);
    assert!(evidence.excerpt.starts_with("memory without page cache rose from 1"), "{evidence:?}");
    assert_eq!(first.detail.measure.as_deref(), Some("mem_held"));
    assert!(first.detail.seconds_to_limit.is_some_and(|s| (400..600).contains(&s)), "{first:?}");
    assert!(first.kind.is_engine_observed());
}

#[test]
fn a_leak_of_a_mebibyte_a_second_comes_before_the_kernel() {
    let mut watching = Watching::new(|c| c.memory_limit = Some(64 * MIB));
    watching.feed((0, 60), |t| Usage { mem_limit: 64 * MIB, ..memory(2.0 + t as f64) });
    let (when, first) = &watching.told[0];
    assert_eq!((first.kind, first.severity), (AnomalyKind::MemoryGrowth, Severity::High));
    assert!(*when <= 50, "{when}");
    assert_eq!(
        first.summary,
        "memory of api grows 60 MiB/min and will reach its limit of 64 MiB in about 18 s"
    );
}

#[test]
fn a_reader_of_many_files_leaks_nothing() {
    // Row 6's control: the page cache fills the limit, the heap stays.
    let mut watching = Watching::new(|_| ());
    watching.feed((0, 6000), |t| Usage {
        mem_used: (40 + u64::try_from(t).unwrap()).min(255) * MIB,
        ..memory(30.0)
    });
    assert_eq!(watching.told, []);
}

#[test]
fn a_cache_that_fills_and_stops_alarms_nobody() {
    // Row 7's control. It fills after the warm-up, too.
    let mut watching = Watching::new(|_| ());
    let fills = |t: i64| 30.0 + 170.0 * (1.0 - (-(t.max(0) as f64) / 900.0).exp());
    watching.feed((0, 12_000), |t| memory(fills(t - 1200)));
    assert_eq!(watching.kinds(), []);
}

#[test]
fn memory_near_the_limit_is_medium_and_said_once() {
    let mut watching = Watching::new(|_| ());
    watching.feed((0, 4000), |_| memory(240.0));
    assert_eq!(watching.kinds(), [(AnomalyKind::MemoryNearLimit, Severity::Medium)]);
    assert_eq!(watching.told[0].1.summary, "memory of api stands at 94 % of its limit of 256 MiB");
    let mut unlimited = Watching::new(|c| c.memory_limit = None);
    unlimited.feed((0, 40), |_| memory(240.0));
    let summary = &unlimited.told[0].1.summary;
    assert!(summary.ends_with("of the machine's memory of 256 MiB"), "{summary}");
}

#[test]
fn a_spin_is_told_and_a_start_a_backup_and_traffic_are_not() {
    let busy = |pct: f64| Usage { cpu_pct: pct, ..memory(30.0) };
    let mut spin = Watching::new(|_| ());
    spin.feed((0, 1200), |t| busy(if t < 600 { 3.0 } else { 199.0 }));
    assert_eq!(spin.kinds(), [(AnomalyKind::CpuSaturation, Severity::Medium)]);
    assert_eq!(spin.told[0].1.summary, "api has used the whole machine for 2 min, usually 3 %");
    let mut start = Watching::new(|_| ());
    start.feed((0, 1200), |t| busy(if t < 150 { 199.0 } else { 3.0 }));
    assert_eq!(start.told, []);
    let mut backup = Watching::new(|_| ());
    backup.feed((0, 1200), |t| Usage {
        disk_read_bps: if t < 600 { 0.0 } else { 3e7 },
        ..busy(if t < 600 { 3.0 } else { 199.0 })
    });
    assert_eq!(backup.told, []);
    let mut job = Watching::new(|c| {
        c.labels.insert("com.docker.compose.oneoff".to_owned(), "True".to_owned());
    });
    job.feed((0, 1200), |t| busy(if t < 600 { 3.0 } else { 199.0 }));
    assert_eq!(job.told, []);
}

#[test]
fn a_spin_that_makes_the_health_check_fail_is_high() {
    let mut watching = Watching::new(|c| c.health = Health::Healthy);
    let spin = |t: i64| Usage { cpu_pct: if t < 600 { 3.0 } else { 199.0 }, ..memory(30.0) };
    watching.feed((0, 800), spin);
    watching.life(800, LifeKind::Unhealthy);
    watching.feed((802, 900), spin);
    assert_eq!(
        watching.kinds(),
        [
            (AnomalyKind::CpuSaturation, Severity::Medium),
            (AnomalyKind::Unhealthy, Severity::High),
            (AnomalyKind::CpuSaturation, Severity::High)
        ]
    );
}

#[test]
fn a_quota_that_is_too_small_is_told() {
    let mut watching = Watching::new(|c| c.nano_cpus = Some(100_000_000));
    watching.feed((0, 400), |t| Usage {
        cpu_pct: 8.0,
        cpu_limit_pct: Some(10.0),
        throttled_pct: Some(if t < 200 { 5.0 } else { 61.0 }),
        ..memory(30.0)
    });
    let throttled = |severity| (AnomalyKind::CpuThrottled, severity);
    assert_eq!(watching.kinds(), [throttled(Severity::Medium), throttled(Severity::High)]);
    let (when, first) = &watching.told[0];
    assert!((230..240).contains(when), "{when}");
    assert_eq!(first.detail.limit, Some(10.0));
}

#[test]
fn processes_and_open_files_near_their_limit_are_told() {
    let mut watching = Watching::new(|_| ());
    let count = |t: i64| u64::try_from(t / 10).unwrap();
    watching.feed((0, 330), |t| Usage {
        pids: count(t).min(8),
        pids_limit: Some(8),
        fds: Some(count(t).min(32)),
        fds_limit: Some(32),
        ..memory(30.0)
    });
    assert_eq!(
        watching.kinds(),
        [
            (AnomalyKind::PidsNearLimit, Severity::High),
            (AnomalyKind::FdsNearLimit, Severity::Medium),
            (AnomalyKind::FdsNearLimit, Severity::High)
        ]
    );
    assert_eq!(watching.told[0].1.summary, "api has 8 of 8 processes and threads");
    // Half of a limit, and none at all, are nothing.
    let mut quiet = Watching::new(|_| ());
    quiet.feed((0, 300), |_| Usage {
        pids: 5000,
        fds: Some(500),
        fds_limit: Some(1024),
        ..memory(3.0)
    });
    assert_eq!(quiet.told, []);
}

#[test]
fn a_restart_begins_anew_and_a_recreate_remembers_the_leak() {
    let leak = |from: i64| move |t: i64| memory(140.0 + (t - from) as f64 / 20.0);
    let mut watching = Watching::new(|_| ());
    watching.feed((0, 1600), leak(0));
    assert_eq!(watching.kinds()[0].0, AnomalyKind::MemoryGrowth);
    let known = watching.told.len();
    // A deploy: another container of the same service.
    let gone = watching.container.of.id.clone();
    watching.detector.observe(&Signal::Gone { container: gone }, at(1600));
    let mut next = container("api");
    next.of.id.0 = "b".repeat(64);
    next.started_at = Some(at(1610));
    next.memory_limit = Some(256 * MIB);
    watching.container = next.clone();
    let seen = Signal::Inspected { container: Box::new(next), unwitnessed: false, asked_at: None };
    watching.detector.observe(&seen, at(1611));
    watching.feed((1612, 2400), leak(1612));
    let (when, again) = &watching.told[known];
    assert_eq!(again.kind, AnomalyKind::MemoryGrowth);
    assert!(when - 1612 < 400, "{when}");
    // A start begins anew: nothing of the last run is held against it.
    let known = watching.told.len();
    watching.life(2400, LifeKind::Start);
    watching.feed((2402, 2500), |_| memory(30.0));
    assert_eq!(watching.told.len(), known);
}

#[test]
fn an_idle_container_is_quiet_for_a_day() {
    let mut watching = Watching::new(|_| ());
    let wave = |t: i64| (t as f64 / 9000.0).sin();
    let noise = |t: i64| ((t * 7919 + t * t * 31) % 201) as f64 / 200.0;
    for t in (0..86_400).step_by(10) {
        watching.feed((t, t + 1), |t| Usage {
            cpu_pct: 5.0 + 4.0 * wave(t) + 20.0 * noise(t).powi(8),
            net_rx_bps: 1e5 * (1.5 + wave(t)) * (0.3 + noise(t)),
            disk_write_bps: if noise(t) > 0.95 { 5e6 } else { 1e4 * noise(t) },
            pids: 12,
            pids_limit: Some(100),
            ..memory(100.0 + 30.0 * wave(t) + 5.0 * noise(t))
        });
    }
    assert_eq!(watching.told, []);
}
