//! Is it mended? And what if it got worse.

use sentinel_core::domain::container::Health;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::FixState;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, Tools, container, healthy, millis, seconds};

#[test]
fn worse_after_the_fix_is_taken_back_exactly_once_and_locks() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.dies("api", 1);
    story.pass(millis(1));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.undone.len(), 1);
    assert_eq!(story.undone[0].steps[0].inverse.as_ref().unwrap().tool, "stop_container");
    story.pass(SECOND);
    let incident = story.incident();
    assert_eq!(incident.plan.unwrap().steps[0].state, FixState::Undone);
    assert_eq!(story.count("fix_undone"), 1);
    assert_eq!(
        story.audited(),
        ["staged", "approved", "applying", "applied", "not_verified", "undoing", "undone"]
    );
    // Nothing more happens by itself, whatever comes.
    for _ in 0..5 {
        story.pass(seconds(60));
        story.starts("api");
        story.pass(seconds(5));
        story.dies("api", 1);
    }
    story.pass(seconds(60));
    assert_eq!(story.undone.len(), 1);
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn a_target_that_got_worse_is_left_to_people_for_an_hour() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.undone.len(), 1);
    // Long after the cooldown, and too late to be a loop.
    story.starts("api");
    story.pass(seconds(1200));
    story.dies("api", 1);
    story.pass(seconds(60));
    assert!(story.reasons().contains(&"locked"), "{:?}", story.reasons());
    assert!(story.plan().is_some(), "a person may");
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn a_death_between_the_call_and_its_result_is_worse_too() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    // The start event comes 100 ms after the approval, the result 200 ms after it.
    story.pass(millis(150));
    assert_eq!(story.state(), IncidentState::Fixing);
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.undone.len(), 1);
}

#[test]
fn a_death_from_before_the_call_took_effect_is_no_verdict() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.edit("api", |c| c.memory_limit = Some(64 << 20));
    story.inspected("api", false);
    story.life("api", LifeKind::Oom);
    story.pass(millis(310));
    assert_eq!(story.state(), IncidentState::Fixing);
    // The death that belongs to the memory kill arrives only now.
    story.life("api", LifeKind::Oom);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert!(story.undone.is_empty());
}

#[test]
fn every_complaint_starts_the_wait_anew() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.dies("db", 1);
    story.pass(seconds(3));
    // The caller goes on for twenty seconds.
    for _ in 0..40 {
        story.says("api", "ERROR cannot reach db:5432: connection refused");
        story.pass(millis(500));
    }
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(25));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(20));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn signals_beyond_what_is_kept_still_count_as_noise() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.dies("db", 1);
    story.pass(seconds(3));
    // Told again every five seconds: ten minutes are far more than what an incident keeps.
    for _ in 0..1200 {
        story.says("api", "ERROR cannot reach db:5432: connection refused");
        story.pass(millis(500));
    }
    let incident = story.incident();
    assert!(incident.anomalies_dropped > 0);
    assert_eq!(incident.state, IncidentState::Escalated, "it was never quiet");
}

#[test]
fn a_dependent_that_gets_worse_is_seen() {
    let mut web = healthy("web");
    web.labels.insert("sre-sentinel.depends-on".to_owned(), "api".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), web]);
    story.dies("api", 1);
    story.pass(seconds(5));
    story.becomes("web", Health::Unhealthy);
    story.pass(seconds(10));
    let about_api = story.saved.values().find(|i| i.container.name == "api").unwrap();
    let dependents = about_api.checks.iter().find(|c| c.name == "dependents").unwrap();
    assert!(!dependents.passed);
    assert!(dependents.detail.contains("web"), "{}", dependents.detail);
    assert_eq!(about_api.state, IncidentState::Verifying);
}

#[test]
fn a_new_death_within_two_minutes_after_the_end_continues_the_incident() {
    for (pause, continues) in [(100, true), (130, false)] {
        let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
        story.dies("api", 1);
        story.pass(seconds(35));
        assert_eq!(story.state(), IncidentState::Resolved);
        let first = story.incident().id;
        story.pass(seconds(pause));
        story.dies("api", 1);
        story.pass(SECOND);
        assert_eq!(story.saved.len(), 2);
        let second = story.last().unwrap();
        assert_eq!(second.reopens, continues.then_some(first), "after {pause} s");
    }
}

#[test]
fn a_removed_container_ends_its_incident() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.removed("api");
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert_eq!(story.count("fix_stale"), 1);
    let incident = story.incident();
    let words = incident.explanation.unwrap();
    assert!(words.contains("the container was removed"), "{words}");
    assert!(!words.contains("recovered"), "{words}");
    assert!(incident.title.contains("the container was removed"), "{}", incident.title);
    assert_eq!(incident.timeline.last().unwrap().what, "the container was removed");
    assert!(story.approve().is_err());
}

#[test]
fn a_target_that_is_removed_takes_its_plan_along() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.operator_stops("db");
    for _ in 0..40 {
        story.says("api", "ERROR cannot reach db:5432: connection refused");
        story.pass(millis(500));
    }
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    story.removed("db");
    story.pass(SECOND);
    assert_eq!(story.count("fix_stale"), 1);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert!(story.plan().is_none());
}

#[test]
fn where_nothing_was_applied_there_is_nothing_to_take_back() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.tools = Tools::Silent;
    story.dies("api", 1);
    story.pass(SECOND);
    let incident = story.incident().id;
    // The plan ended, and no step of it ever said that it was made.
    story.feed(Signal::PlanDone { incident, ok: true });
    story.starts("api");
    story.pass(SECOND);
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert!(story.undone.is_empty());
    let told = story.incident().timeline;
    let words = "nothing was applied, so there is nothing to take back";
    assert!(told.iter().any(|e| e.what.contains(words)), "{told:#?}");
}
