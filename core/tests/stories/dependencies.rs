//! One cause, several sufferers: one incident.

use sentinel_core::domain::container::{Container, RestartPolicy};
use sentinel_core::domain::event::Event;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, millis, seconds};

const REFUSED: &str = "ERROR cannot reach db:5432: connection refused";

/// The caller complains every half second for so long.
fn complains(story: &mut Story, name: &str, text: &str, times: usize) {
    for _ in 0..times {
        story.says(name, text);
        story.pass(millis(500));
    }
}

#[test]
fn the_sibling_dies_first_and_its_caller_joins_its_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.tools = crate::support::Tools::Silent;
    story.dies("db", 1);
    story.pass(SECOND);
    complains(&mut story, "api", REFUSED, 10);
    let incident = story.incident();
    assert_eq!(incident.container.name, "db");
    assert_eq!(incident.root, "db");
    assert_eq!(incident.affected, ["api"]);
    assert_eq!(story.applied.len(), 1);
    assert_eq!(story.applied[0].steps[0].target.name, "db");
}

#[test]
fn the_caller_complains_first_and_the_sibling_dies_within_two_seconds() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    // High at the third line: it waits two seconds for a deeper cause.
    complains(&mut story, "api", REFUSED, 4);
    assert_eq!(story.count("incident_opened"), 0);
    story.dies("db", 1);
    story.pass(seconds(3));
    let incident = story.incident();
    assert_eq!(incident.root, "db");
    assert_eq!(incident.affected, ["api"]);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn the_caller_complains_long_before_and_its_incident_is_merged() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    complains(&mut story, "api", REFUSED, 10);
    assert_eq!(story.count("incident_opened"), 1);
    story.dies("db", 1);
    story.pass(SECOND);
    assert_eq!(story.count("incident_merged"), 1);
    let open = story.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].root, "db");
    assert_eq!(open[0].affected, ["api"]);
    assert_eq!(open[0].state, IncidentState::AwaitingApproval);
    let merged = story.saved.values().find(|i| i.container.name == "api").unwrap();
    assert!(merged.explanation.as_deref().unwrap().contains(open[0].id.as_str()));
}

#[test]
fn a_sibling_that_an_operator_stopped_is_staged_and_never_started_by_itself() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.operator_stops("db");
    complains(&mut story, "api", REFUSED, 40);
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::DependencyDown);
    assert_eq!(incident.container.name, "api");
    assert_eq!(incident.root, "db");
    assert_eq!(incident.state, IncidentState::AwaitingApproval);
    assert!(incident.title.contains("an operator stopped it"), "{}", incident.title);
    assert!(story.applied.is_empty());
    assert!(story.reasons().contains(&"operator_intent"));
    assert!(story.reasons().contains(&"no_observed_fault"));
    // A person may.
    story.approve().unwrap();
    story.pass(seconds(50));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn complaints_during_a_restart_of_the_sibling_are_no_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.operator_stops("db");
    complains(&mut story, "api", REFUSED, 8);
    story.starts("db");
    story.pass(seconds(60));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
}

#[test]
fn a_sibling_whose_own_policy_restarts_it_is_left_to_it() {
    let db = Container { restart_policy: RestartPolicy::Always, ..container("db") };
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), db]);
    story.dies("db", 1);
    complains(&mut story, "api", REFUSED, 6);
    story.starts_by_policy("db");
    story.pass(seconds(60));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::ResolvedExternally);
    assert_eq!(incident.affected, ["api"]);
    assert!(story.applied.is_empty());
}

#[test]
fn a_caller_that_died_of_it_too_is_merged_and_started_afterwards() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.dies("db", 1);
    story.pass(seconds(2));
    complains(&mut story, "api", REFUSED, 3);
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.open().len(), 1, "{:#?}", story.told());
    assert_eq!(story.open()[0].root, "db");
    story.approve().unwrap();
    story.pass(seconds(40));
    // The database is back; the caller has no restart policy and is the next incident.
    let open = story.open();
    assert_eq!(open.len(), 1, "{:#?}", story.told());
    assert_eq!(open[0].container.name, "api");
    assert_eq!(open[0].state, IncidentState::AwaitingApproval);
    story.approve().unwrap();
    story.pass(seconds(40));
    assert!(story.open().is_empty());
}

#[test]
fn text_alone_never_authorises_a_call() {
    // The sibling was stopped long before anybody watched: only the log says that it is needed.
    let mut db = container("db");
    db.state = sentinel_core::domain::container::RunState::Exited;
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), db]);
    complains(&mut story, "api", REFUSED, 60);
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::DependencyDown);
    assert_eq!(incident.state, IncidentState::AwaitingApproval);
    assert!(story.applied.is_empty());
    assert!(story.reasons().contains(&"no_observed_fault"));
}

#[test]
fn a_stranger_of_the_same_name_is_not_touched() {
    let strange = |name: &str, network: &str, service: &str| {
        let mut c = container(name);
        c.of.service = service.to_owned();
        c.networks[0].network = network.to_owned();
        c
    };
    let mut story = Story::new(
        Mode::AutoHeal,
        vec![strange("shop-api", "shop", "api"), strange("blog-db", "blog", "db")],
    );
    story.dies("blog-db", 0);
    complains(&mut story, "shop-api", REFUSED, 20);
    let incident = story.incident();
    assert_eq!(incident.root, "shop-api");
    assert_eq!(incident.state, IncidentState::Escalated);
    assert!(story.applied.is_empty());
    assert_eq!(story.count("fix_staged"), 0);
}

#[test]
fn an_unrelated_fault_elsewhere_is_no_second_kind_of_signal() {
    // db crashed and is diagnosed; api's complaint about cache has only its log.
    let mut cache = container("cache");
    cache.state = sentinel_core::domain::container::RunState::Exited;
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), cache, container("db")]);
    story.tools = crate::support::Tools::Silent;
    story.dies("db", 1);
    complains(&mut story, "api", "ERROR cannot reach cache:6379: connection refused", 20);
    let about_cache = story.saved.values().find(|i| i.root == "cache").unwrap();
    assert_eq!(about_cache.state, IncidentState::AwaitingApproval);
    assert!(story.reasons().contains(&"no_observed_fault"));
    assert!(story.applied.iter().all(|p| p.steps[0].target.name == "db"));
}

#[test]
fn a_failed_sibling_in_the_fix_does_not_hide_that_it_got_worse() {
    // The incident is about the caller, the plan about the sibling.
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.operator_stops("db");
    complains(&mut story, "api", REFUSED, 30);
    story.approve().unwrap();
    story.pass(seconds(3));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.dies("db", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.undone.len(), 1);
}

#[test]
fn an_error_burst_is_an_incident_without_a_fix_and_ends_with_the_errors() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.pass(seconds(10));
    for _ in 0..40 {
        story.says("api", "ERROR request failed");
        story.pass(millis(100));
    }
    story.pass(seconds(3));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::ErrorBurst);
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(story.reasons(), ["no_safe_fix"]);
    assert!(incident.diagnosis.unwrap().evidence.iter().all(|e| e.line.is_some()));
    // Text has no state to look at: thirty quiet seconds prove less than two minutes.
    story.pass(seconds(60));
    assert_eq!(story.state(), IncidentState::Escalated);
    story.pass(seconds(90));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_new_cause_on_a_container_that_has_an_incident_is_not_swallowed() {
    let api = Container { memory_limit: Some(64 << 20), ..container("api") };
    let mut story = Story::new(Mode::Approve, vec![api]);
    story.pass(seconds(40));
    complains(&mut story, "api", "ERROR page could not be rendered", 60);
    story.pass(seconds(5));
    let first = story.incident();
    assert_eq!(first.class, FailureClass::ErrorBurst);
    assert_eq!(first.state, IncidentState::Escalated);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(seconds(2));
    let second = story.incident();
    assert_eq!(second.class, FailureClass::OomKill, "{:#?}", second.timeline);
    assert_eq!(second.state, IncidentState::AwaitingApproval);
    assert!(story.plan().is_some());
    let told = story.events.iter().filter_map(|(_, e)| match e {
        Event::DiagnosisReady { diagnosis, .. } => Some(diagnosis.class),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, [FailureClass::ErrorBurst, FailureClass::OomKill]);
}
