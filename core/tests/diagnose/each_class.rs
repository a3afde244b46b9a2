//! Each class by its own signs, and what is proposed for it.

use std::time::Duration;

use sentinel_core::diagnose::world::Facts;
use sentinel_core::domain::anomaly::{AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{Container, Health, Probe, RunState};
use sentinel_core::domain::failure::FailureClass as F;
use sentinel_core::domain::log::{LogLine, Reading, Stream};
use sentinel_core::domain::setup::{Mount, Published};

use crate::world::{Told, at, container, needing, tools};

fn nothing() -> AnomalyDetail {
    AnomalyDetail::default()
}

fn one(change: impl FnOnce(&mut Container)) -> Told {
    Told::new(vec![container("api")]).becomes("api", -3600, change)
}

fn probe(code: i64, output: &str) -> Probe {
    Probe {
        exit_code: code,
        output: output.to_owned(),
        ended_at: Some(at(0)),
        duration: Duration::from_millis(20),
    }
}

#[test]
fn what_a_line_names_is_told_and_nothing_is_changed_for_it() {
    for class in [
        F::BadConfig,
        F::CredentialsRejected,
        F::PortConflict,
        F::DiskFull,
        F::ReadOnlyFs,
        F::PermissionDenied,
        F::PoolExhaustion,
        F::TlsExpired,
        F::ImagePullFailure,
        F::NewError,
    ] {
        let diagnosis = one(|_| {}).says("api", class, None, 0).diagnosed("api");
        assert_eq!(diagnosis.class, class);
        assert!(diagnosis.plan.is_empty() && diagnosis.advice.is_some(), "{class}");
        assert!(!diagnosis.evidence.is_empty(), "{class}");
    }
}

#[test]
fn last_words_explain_a_death_better_than_that_it_died() {
    for class in [F::BadConfig, F::CredentialsRejected, F::PortConflict, F::PermissionDenied] {
        let told = one(|_| {}).says("api", class, None, 0).dies("api", 1, 1);
        let diagnosis = told.diagnosed("api");
        assert_eq!(diagnosis.class, class);
        assert!(diagnosis.plan.is_empty(), "a new start meets it again: {class}");
    }
    let long_ago = one(|_| {}).says("api", F::DiskFull, None, -300).dies("api", 1, 1);
    assert_eq!(long_ago.diagnosed("api").class, F::TransientCrash, "no last words");
}

#[test]
fn how_it_ended_tells_what_it_was() {
    for (code, class, start) in [
        (1, F::TransientCrash, true),
        (137, F::TransientCrash, true),
        (139, F::NativeCrash, true),
        (134, F::NativeCrash, true),
        (126, F::StartFailure, false),
        (127, F::StartFailure, false),
    ] {
        let diagnosis = one(|_| {}).dies("api", code, 0).diagnosed("api");
        assert_eq!(diagnosis.class, class, "{code}");
        assert_eq!(!diagnosis.plan.is_empty(), start, "{code}");
    }
    let finished = one(|_| {}).sees("api", AnomalyKind::Flapping, 0, nothing()).diagnosed("api");
    assert_eq!((finished.class, finished.plan.len()), (F::CleanExit, 0));
}

#[test]
fn memory_is_raised_within_bounds_and_a_host_that_is_full_is_for_a_person() {
    let kill = |told: Told| {
        told.sees("api", AnomalyKind::OomKill, 0, nothing()).dies("api", 137, 0).diagnosed("api")
    };
    let own = kill(one(|c| c.memory_limit = Some(64 << 20)));
    assert_eq!(own.class, F::OomKill);
    assert_eq!(tools(&own), ["update_resources", "start_container"]);
    let host = kill(one(|c| c.memory_limit = None));
    assert_eq!((host.class, host.plan.len()), (F::HostMemoryPressure, 0));
    let most = kill(one(|c| {
        c.memory_limit = Some(64 << 20);
        c.labels.insert("sre-sentinel.max-memory".to_owned(), "64m".to_owned());
    }));
    assert!(most.plan.is_empty() && most.advice.is_some());
}

#[test]
fn a_leak_is_restarted_before_its_limit_unless_it_is_a_cache_by_design() {
    let grows = |image: &str, seconds: u64| {
        let detail = AnomalyDetail { seconds_to_limit: Some(seconds), ..nothing() };
        one(|c| image.clone_into(&mut c.image))
            .sees("api", AnomalyKind::MemoryGrowth, 0, detail)
            .diagnosed("api")
    };
    let soon = grows("shop", 600);
    assert_eq!((soon.class, tools(&soon)), (F::MemoryLeak, vec!["restart_container"]));
    assert!(grows("shop", 20_000).plan.is_empty());
    assert!(grows("redis:7", 600).plan.is_empty());
}

#[test]
fn a_busy_processor_is_mended_by_what_it_is_for() {
    let burns = |change: fn(&mut Container), kind| {
        one(change).sees("api", kind, 0, nothing()).diagnosed("api")
    };
    let spins = burns(|_| {}, AnomalyKind::CpuSaturation);
    assert_eq!((spins.class, tools(&spins)), (F::CpuRunaway, vec!["restart_container"]));
    let works = burns(|c| c.command = "nightly backup".to_owned(), AnomalyKind::CpuSaturation);
    assert!(works.plan.is_empty() && works.advice.is_some());
    let held = burns(|c| c.nano_cpus = Some(500_000_000), AnomalyKind::CpuThrottled);
    assert_eq!((held.class, tools(&held)), (F::CpuThrottled, vec!["update_resources"]));
    assert_eq!(held.plan[0].call.arguments["resources"]["cpu"], 0.75);
    let all = burns(|c| c.nano_cpus = Some(4_000_000_000), AnomalyKind::CpuThrottled);
    assert!(all.plan.is_empty(), "the host has no more");
}

#[test]
fn used_up_processes_and_files_are_freed_by_a_restart() {
    for (class, kind) in
        [(F::PidLimit, AnomalyKind::PidsNearLimit), (F::FdExhaustion, AnomalyKind::FdsNearLimit)]
    {
        let told = one(|_| {}).says("api", class, None, 0).sees("api", kind, 1, nothing());
        let diagnosis = told.diagnosed("api");
        assert_eq!((diagnosis.class, tools(&diagnosis)), (class, vec!["restart_container"]));
        assert!(diagnosis.confidence > 0.85, "{}", diagnosis.confidence);
    }
}

#[test]
fn a_probe_that_fails_is_a_hang_or_a_bad_probe() {
    let sick = |code, output: &'static str| {
        one(|c| {
            c.health = Health::Unhealthy;
            c.probes = vec![probe(code, output)];
        })
        .sees("api", AnomalyKind::Unhealthy, 0, nothing())
    };
    let hangs = sick(1, "timed out").diagnosed("api");
    assert_eq!((hangs.class, tools(&hangs)), (F::Hang, vec!["restart_container"]));
    for (code, output) in [(127, ""), (1, "sh: curl: not found"), (-1, "executable file not found")]
    {
        let broken = sick(code, output).diagnosed("api");
        assert_eq!((broken.class, broken.plan.len()), (F::BadHealthcheck, 0), "{code} {output}");
    }
    // It never passed, and the service goes about its work.
    let mut never = sick(1, "connection refused").becomes("api", -1, |c| {
        c.created_at = Some(at(-100));
        c.started_at = Some(at(-99));
    });
    let api = never.of("api");
    let facts: &mut Facts = never.world.containers.get_mut(&api.of.id).unwrap();
    for seq in 0..5 {
        facts.heard(&LogLine {
            container: api.of.id.clone(),
            seq,
            at: at(-50),
            stream: Stream::Stdout,
            text: "GET / 200".into(),
            reading: Reading::default(),
            styles: None,
            history: false,
        });
    }
    assert_eq!(never.diagnosed("api").class, F::BadHealthcheck);
    never.world.containers.get_mut(&api.of.id).unwrap().was_healthy = true;
    assert_eq!(never.diagnosed("api").class, F::Hang, "it passed before");
}

#[test]
fn what_was_done_through_the_engine_is_named_and_only_offered_back() {
    let paused = one(|c| {
        c.state = RunState::Paused;
        c.health = Health::Unhealthy;
        c.probes = vec![probe(1, "no answer")];
    })
    .sees("api", AnomalyKind::Unhealthy, 0, nothing())
    .diagnosed("api");
    assert_eq!((paused.class, tools(&paused)), (F::Paused, vec!["unpause_container"]));

    let db = container("db");
    let mut side = container("side");
    side.network_mode = format!("container:{}", db.of.id.0);
    let told = Told::new(vec![db, side]).becomes("db", 0, |c| c.started_at = Some(at(0))).says(
        "side",
        F::DependencyDown,
        Some("cache"),
        5,
    );
    let broken = told.diagnosed("side");
    assert_eq!((broken.class, broken.plan.len()), (F::NamespaceBroken, 0));
}

#[test]
fn what_is_known_of_the_setup_makes_the_advice_exact() {
    let shm = one(|_| {}).sees(
        "api",
        AnomalyKind::FatalSignature,
        0,
        AnomalyDetail {
            class: Some(F::DiskFull),
            words: Some("no space left on /cache/x".to_owned()),
            ..nothing()
        },
    );
    let told = shm.becomes("api", -3600, |c| {
        c.mounts = vec![Mount {
            kind: "tmpfs".to_owned(),
            source: "size=8m".to_owned(),
            target: "/cache".to_owned(),
            writable: true,
        }];
    });
    let full = told.diagnosed("api");
    assert!(full.advice.unwrap().contains("/cache is a tmpfs (size=8m)"));
    let fixed = one(|c| c.read_only_root = true).says("api", F::ReadOnlyFs, None, 0);
    assert!(fixed.diagnosed("api").advice.unwrap().contains("tmpfs or a volume"));

    let port = |c: &mut Container| {
        c.ports = vec![Published {
            port: "80/tcp".to_owned(),
            host_address: String::new(),
            host_port: "8080".to_owned(),
        }];
    };
    let told = Told::new(vec![container("api"), container("old")])
        .becomes("api", -9, port)
        .becomes("old", -9, port)
        .says("api", F::PortConflict, None, 0);
    assert!(told.diagnosed("api").advice.unwrap().contains("shop-old-1 holds port 8080"));

    let told = Told::new(vec![container("db"), needing(container("api"), "db")]);
    let pool = told.says("db", F::PoolExhaustion, None, 0).diagnosed("db");
    assert!(pool.advice.unwrap().contains("shop-api-1"), "its client, not the store");
}

#[test]
fn slow_answers_are_blamed_on_the_one_that_is_slow() {
    let told = Told::new(vec![container("db"), needing(container("api"), "db")])
        .sees("db", AnomalyKind::NumericDrift, 0, nothing())
        .says("api", F::SlowDependency, Some("db"), 5);
    let diagnosis = told.diagnosed("api");
    assert_eq!((diagnosis.class, diagnosis.root.as_str()), (F::SlowDependency, "shop-db-1"));
    assert!(diagnosis.plan.is_empty());
}
