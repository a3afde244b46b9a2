//! What looks like one class and is another, or nothing to act upon.

use std::time::Duration;

use sentinel_core::diagnose::{Case, diagnose};
use sentinel_core::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{
    Container, Health, HealthCheck, Probe, RestartPolicy, RunState,
};
use sentinel_core::domain::evidence::{Evidence, EvidenceKind};
use sentinel_core::domain::failure::FailureClass as F;
use sentinel_core::domain::ids::{AnomalyId, EvidenceId};
use sentinel_core::domain::severity::Severity;

use crate::world::{Told, at, container, needing, tools};

fn nothing() -> AnomalyDetail {
    AnomalyDetail::default()
}

fn three() -> Told {
    Told::new(vec![container("api"), container("db"), container("web")])
}

fn storm(told: Told) -> Told {
    told.dies("db", 137, 0).dies("api", 137, 1).dies("web", 137, 2).sees(
        "db",
        AnomalyKind::RestartStorm,
        2,
        nothing(),
    )
}

#[test]
fn many_that_die_together_with_nothing_in_common_are_a_storm_started_in_order() {
    let diagnosis = storm(three()).diagnosed("db");
    assert_eq!(diagnosis.class, F::RestartStorm);
    assert_eq!(diagnosis.affected, ["shop-api-1", "shop-web-1"]);
    assert_eq!(tools(&diagnosis), ["start_container"; 3]);
    // One needs another, and the third stands apart: still a storm, the needed one goes first.
    let apart = Told::new(vec![needing(container("api"), "db"), container("db"), container("web")]);
    let diagnosis = storm(apart).diagnosed("db");
    assert_eq!(diagnosis.class, F::RestartStorm);
    let order: Vec<&str> = diagnosis.plan.iter().map(|a| a.target.service.as_str()).collect();
    let place = |name: &str| order.iter().position(|n| *n == name);
    assert!(place("db") < place("api"), "{order:?}");
}

#[test]
fn many_that_die_of_the_one_they_need_are_no_storm() {
    let told = Told::new(vec![
        container("db"),
        needing(container("api"), "db"),
        needing(container("web"), "api"),
    ]);
    let diagnosis = storm(told).diagnosed("db");
    assert_eq!((diagnosis.class, diagnosis.root.as_str()), (F::TransientCrash, "shop-db-1"));
    assert_eq!(tools(&diagnosis), ["start_container"]);
    assert_eq!(diagnosis.plan[0].target.name, "shop-db-1");
}

#[test]
fn a_storm_leaves_alone_what_comes_back_and_what_an_operator_stopped() {
    let mut told = storm(three()).becomes("web", 3, |c| c.restart_policy = RestartPolicy::Always);
    let api = told.of("api").of.id;
    told.world.containers.get_mut(&api).unwrap().stopped_by_operator = Some(at(0));
    let diagnosis = told.diagnosed("db");
    assert_eq!(diagnosis.class, F::RestartStorm);
    let targets: Vec<&str> = diagnosis.plan.iter().map(|a| a.target.name.as_str()).collect();
    assert_eq!(targets, ["shop-db-1"]);
    assert_eq!(diagnosis.affected, ["shop-web-1"]);
}

#[test]
fn a_processor_that_is_busy_with_more_requests_is_not_restarted() {
    let traffic = |measure: &str, now: f64| AnomalyDetail {
        measure: Some(measure.to_owned()),
        usual: Some(1000.0),
        value: Some(now),
        ..nothing()
    };
    let burns = |shift: AnomalyDetail| {
        three()
            .sees("api", AnomalyKind::CpuSaturation, 0, nothing())
            .sees("api", AnomalyKind::UsageShift, 1, shift)
            .diagnosed("api")
    };
    let busy = burns(traffic("net_rx_bps", 5000.0));
    assert_eq!((busy.class, busy.plan.len()), (F::CpuRunaway, 0));
    assert!(busy.advice.unwrap().contains("more to do"));
    for other in [traffic("net_rx_bps", 10.0), traffic("disk_read_bps", 5000.0)] {
        assert_eq!(tools(&burns(other)), ["restart_container"]);
    }
}

#[test]
fn the_client_that_the_lines_name_holds_the_connections() {
    let says = |words: &str, clients: &[&str]| {
        let mut all = vec![container("db")];
        all.extend(clients.iter().map(|name| needing(container(name), "db")));
        all.push(container("stranger"));
        let detail = AnomalyDetail {
            class: Some(F::PoolExhaustion),
            words: Some(words.to_owned()),
            ..nothing()
        };
        Told::new(all).sees("db", AnomalyKind::FatalSignature, 0, detail).diagnosed("db")
    };
    let named = says("too many clients: api has 9, api idle 8, web has 1", &["api", "web"]);
    assert_eq!((named.class, named.root.as_str()), (F::PoolExhaustion, "shop-api-1"));
    assert_eq!((tools(&named), named.edges.len()), (vec!["restart_container"], 1));
    assert_eq!(named.affected, ["shop-db-1"]);
    // Nobody, two alike, or one that is no client: nothing is restarted.
    for words in ["too many clients", "api has 5, web has 5", "stranger has 9", "apis have 9"] {
        let open = says(words, &["api", "web"]);
        assert_eq!((open.root.as_str(), open.plan.len()), ("shop-db-1", 0), "{words}");
        assert!(open.advice.unwrap().contains("shop-api-1, shop-web-1"), "{words}");
    }
}

fn probed(runs: &[(i64, u64)]) -> Told {
    let probes: Vec<Probe> = (0..)
        .zip(runs)
        .map(|(n, (exit_code, millis))| Probe {
            exit_code: *exit_code,
            output: String::new(),
            ended_at: Some(at(n)),
            duration: Duration::from_millis(*millis),
        })
        .collect();
    three()
        .becomes("api", 9, |c: &mut Container| {
            c.health = Health::Unhealthy;
            c.health_check = Some(HealthCheck {
                test: vec!["CMD".to_owned(), "check".to_owned()],
                interval: Duration::from_secs(5),
                timeout: Duration::from_secs(1),
                start_period: Duration::ZERO,
                retries: 1,
            });
            c.probes = probes;
        })
        .sees("api", AnomalyKind::Unhealthy, 9, nothing())
}

#[test]
fn a_probe_that_needs_all_its_time_on_good_days_leads_to_a_look() {
    let hasty = probed(&[(0, 900), (0, 950), (-1, 1000)]).diagnosed("api");
    assert_eq!((hasty.class, hasty.plan.len()), (F::BadHealthcheck, 0));
    assert!(hasty.near_tie.is_some(), "a slow service looks the same");
    for runs in [
        &[(0, 20), (0, 950), (-1, 1000)][..],
        &[(0, 900), (-1, 1000)],
        &[(0, 900), (0, 950), (1, 30)],
    ] {
        let hangs = probed(runs).diagnosed("api");
        assert_eq!((hangs.class, tools(&hangs)), (F::Hang, vec!["restart_container"]), "{runs:?}");
    }
}

#[test]
fn the_peer_that_was_slow_first_is_at_fault() {
    let api = needing(needing(container("api"), "cache"), "db");
    let told = Told::new(vec![container("cache"), container("db"), api])
        .sees("db", AnomalyKind::CpuSaturation, -20, nothing())
        .sees("cache", AnomalyKind::NumericDrift, -5, nothing())
        .says("api", F::SlowDependency, Some("cache"), 0);
    let diagnosis = told.diagnosed("api");
    assert_eq!((diagnosis.class, diagnosis.root.as_str()), (F::SlowDependency, "shop-db-1"));
}

#[test]
fn one_fact_told_by_two_signs_is_listed_once() {
    let told = three().becomes("api", 0, |c| {
        c.state = RunState::Exited;
        c.exit_code = 1;
        c.memory_limit = Some(64 << 20);
    });
    let api = told.of("api").of;
    let sign = |kind, seconds| Anomaly {
        id: AnomalyId(format!("a{seconds}")),
        container: api.clone(),
        kind,
        severity: Severity::High,
        score: 0.9,
        summary: "it fails".to_owned(),
        observed_at: at(seconds),
        evidence: ["same", "own"]
            .map(|which| Evidence {
                id: EvidenceId(if which == "same" {
                    which.to_owned()
                } else {
                    format!("{which}{seconds}")
                }),
                kind: EvidenceKind::Event,
                container: api.name.clone(),
                ts: at(seconds),
                excerpt: "it ended".to_owned(),
                line: None,
            })
            .to_vec(),
        detail: AnomalyDetail { exit_code: Some(1), ..nothing() },
    };
    let anomalies = [
        sign(AnomalyKind::OomKill, 0),
        sign(AnomalyKind::OomKill, 1),
        sign(AnomalyKind::OomKill, 2),
    ];
    let case = Case { subject: &api, anomalies: &anomalies, world: &told.world, now: at(9) };
    let ids: Vec<String> = diagnose(&case).evidence.into_iter().map(|e| e.id.0).collect();
    assert_eq!(ids.iter().filter(|id| *id == "same").count(), 1, "{ids:?}");
}
