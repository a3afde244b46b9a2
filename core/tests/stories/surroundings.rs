//! What is done to containers from outside, and what several of them have in common: it joins an
//! incident and opens none.

use sentinel_core::domain::anomaly::AnomalyKind;
use sentinel_core::domain::container::{Container, Health, RestartPolicy, RunState};
use sentinel_core::domain::event::Event;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, healthy, millis, seconds};

fn told(story: &Story, kind: AnomalyKind) -> Vec<(String, Severity, String)> {
    story
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Anomaly { anomaly } if anomaly.kind == kind => {
                Some((anomaly.container.clone(), anomaly.severity, anomaly.summary.clone()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn what_dies_together_is_one_incident() {
    let names = ["db", "api", "web", "cache"];
    let mut story = Story::new(Mode::Approve, names.map(container).to_vec());
    for name in ["db", "api", "web"] {
        story.dies(name, 1);
        story.pass(millis(300));
    }
    let storms = told(&story, AnomalyKind::RestartStorm);
    assert_eq!(storms.len(), 1);
    assert_eq!(storms[0].0, "db");
    assert_eq!(storms[0].2, "3 containers died within 10 s: db first, then api, web");
    story.dies("cache", 1);
    story.pass(SECOND);
    assert_eq!(told(&story, AnomalyKind::RestartStorm).len(), 1, "told once");
    let open = story.open();
    assert_eq!(open.len(), 1, "{:#?}", story.told());
    assert_eq!(open[0].container.name, "db");
    let mut affected = open[0].affected.clone();
    affected.sort();
    assert_eq!(affected, ["api", "cache", "web"]);
    let diagnosis = open[0].diagnosis.as_ref().unwrap();
    assert_eq!(diagnosis.class, FailureClass::RestartStorm);
    assert_eq!(diagnosis.plan.len(), 4);
    story.approve().unwrap();
    story.pass(seconds(60));
    assert!(story.open().is_empty());
}

#[test]
fn what_a_storm_leaves_down_behind_a_first_one_that_was_healed_is_one_incident() {
    let names = ["db", "api", "web", "cache", "mail"];
    let mut story = Story::new(Mode::AutoHeal, names.map(container).to_vec());
    story.dies("db", 1);
    story.pass(millis(250));
    assert_eq!(story.applied.len(), 1, "the first is being healed already");
    for name in &names[1..] {
        story.dies(name, 1);
        story.pass(millis(10));
    }
    story.pass(seconds(60));
    let open = story.open();
    assert_eq!(open.len(), 1, "{:#?}", story.told());
    assert_eq!(open[0].class, FailureClass::RestartStorm);
    assert_eq!(story.plan().unwrap().steps.len(), 4);
}

#[test]
fn a_storm_under_one_that_all_the_others_need_is_the_fault_of_that_one() {
    let needing = |name: &str, peer: &str| {
        let mut needing = container(name);
        needing.labels.insert("sre-sentinel.depends-on".to_owned(), peer.to_owned());
        needing
    };
    let all = vec![container("db"), needing("api", "db"), needing("web", "api")];
    let mut story = Story::new(Mode::Approve, all);
    for name in ["api", "db", "web"] {
        story.dies(name, 1);
        story.pass(millis(10));
    }
    story.pass(SECOND);
    let open = story.open();
    assert_eq!(open.len(), 1, "{:#?}", story.told());
    assert_eq!((open[0].root.as_str(), open[0].class), ("db", FailureClass::TransientCrash));
    let plan = story.plan().unwrap();
    assert_eq!(plan.steps[0].target.name, "db");
}

#[test]
fn what_says_why_it_died_is_no_part_of_a_storm() {
    let names = ["db", "api", "web", "cache"];
    let mut story = Story::new(Mode::Approve, names.map(container).to_vec());
    story.says("cache", "FATAL environment variable DATABASE_URL is required");
    story.dies("cache", 1);
    story.pass(SECOND);
    for name in ["db", "api", "web"] {
        story.dies(name, 1);
        story.pass(millis(100));
    }
    story.pass(SECOND);
    let roots: Vec<_> = story.open().iter().map(|i| (i.root.clone(), i.class)).collect();
    assert_eq!(roots.len(), 2, "{roots:?}");
    assert!(roots.contains(&("cache".to_owned(), FailureClass::BadConfig)), "{roots:?}");
}

#[test]
fn an_engine_that_shuts_down_and_a_deploy_are_no_storm() {
    let names = ["db", "api", "web", "cache"];
    let mut story = Story::new(Mode::Approve, names.map(container).to_vec());
    for name in names {
        story.operator_stops(name);
        story.pass(millis(100));
    }
    story.pass(SECOND);
    for name in names {
        story.starts(name);
    }
    story.pass(seconds(30));
    assert!(told(&story, AnomalyKind::RestartStorm).is_empty());
    assert!(story.saved.is_empty());
}

#[test]
fn what_flaps_is_told_once_and_has_one_incident() {
    let api = Container { restart_policy: RestartPolicy::Always, ..container("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    for _ in 0..4 {
        story.dies("api", 1);
        story.pass(millis(200));
        story.starts_by_policy("api");
        // Slower than a loop.
        story.pass(seconds(310));
    }
    let flapping = told(&story, AnomalyKind::Flapping);
    assert_eq!(flapping.len(), 1, "{flapping:?}");
    assert_eq!(flapping[0].1, Severity::Medium);
    assert_eq!(story.saved.len(), 4, "one for each death that was mended by itself");
    assert!(story.applied.is_empty());
}

#[test]
fn an_unsteady_health_check_is_told_on_its_incident() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    for _ in 0..3 {
        story.becomes("api", Health::Unhealthy);
        story.pass(seconds(5));
        story.becomes("api", Health::Healthy);
        story.pass(seconds(5));
    }
    assert_eq!(told(&story, AnomalyKind::Flapping).len(), 1);
    assert_eq!(story.saved.len(), 1);
    let incident = story.saved.values().next().unwrap();
    assert!(incident.anomalies.iter().any(|a| a.kind == AnomalyKind::Flapping));
}

#[test]
fn a_pause_is_told_and_never_an_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.edit("api", |c| c.state = RunState::Paused);
    story.life("api", LifeKind::Pause);
    story.inspected("api", false);
    story.pass(seconds(60));
    story.edit("api", |c| c.state = RunState::Running);
    story.life("api", LifeKind::Unpause);
    story.inspected("api", false);
    story.pass(seconds(60));
    let pauses = told(&story, AnomalyKind::Paused);
    assert_eq!(pauses.len(), 1);
    assert_eq!(pauses[0].1, Severity::Low);
    assert!(story.saved.is_empty());
}

#[test]
fn a_network_that_is_taken_is_told_and_opens_nothing_by_itself() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.edit("api", |c| c.networks.clear());
    story.life("api", LifeKind::Disconnect { network: "net".to_owned() });
    story.inspected("api", false);
    story.pass(seconds(60));
    let taken = told(&story, AnomalyKind::Surroundings);
    assert_eq!(taken.len(), 1);
    assert_eq!(
        taken[0].2,
        "api was disconnected from network net through the engine; it has no other"
    );
    assert!(story.saved.is_empty());
    // What ends is detached by the engine itself.
    story.life("db", LifeKind::Disconnect { network: "net".to_owned() });
    story.dies("db", 1);
    story.edit("db", |c| c.networks.clear());
    story.inspected("db", false);
    story.pass(seconds(1));
    assert_eq!(told(&story, AnomalyKind::Surroundings).len(), 1);
}

#[test]
fn who_complains_while_what_it_needs_is_frozen_opens_an_incident_about_that() {
    let mut api = container("api");
    api.labels.insert("sre-sentinel.depends-on".to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![api, container("db")]);
    for n in 0..400 {
        story.says("api", &format!("INFO request {n} served"));
        story.pass(SECOND);
    }
    let freeze = |story: &mut Story| {
        story.edit("db", |c| c.state = RunState::Paused);
        story.life("db", LifeKind::Pause);
        story.inspected("db", false);
    };
    freeze(&mut story);
    story.says("api", "WARN db did not answer: timed out");
    // A snapshot takes a moment.
    story.pass(seconds(5));
    story.edit("db", |c| c.state = RunState::Running);
    story.life("db", LifeKind::Unpause);
    story.inspected("db", false);
    story.pass(seconds(30));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
    freeze(&mut story);
    story.says("api", "WARN no reply from db within 3 seconds");
    story.pass(seconds(15));
    let incident = story.incident();
    assert_eq!(incident.root, "db", "{incident:#?}");
    let diagnosis = incident.diagnosis.unwrap();
    assert_eq!(diagnosis.class, FailureClass::DependencyDown);
    assert_eq!(diagnosis.plan[0].call.tool, "unpause_container");
    assert!(story.applied.is_empty(), "somebody froze it");
}
