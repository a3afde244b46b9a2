//! What dies again and again.

use sentinel_core::domain::container::{Container, RestartPolicy};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, millis, seconds};

fn always(name: &str) -> Container {
    Container { restart_policy: RestartPolicy::Always, ..container(name) }
}

fn crash(story: &mut Story, pause: i64) {
    story.dies("api", 1);
    story.pass(millis(200));
    story.starts_by_policy("api");
    story.pass(seconds(pause));
}

#[test]
fn three_deaths_within_ten_minutes_escalate_and_nothing_is_restarted() {
    let mut story = Story::new(Mode::AutoHeal, vec![always("api")]);
    crash(&mut story, 11);
    assert_eq!(story.state(), IncidentState::Verifying);
    crash(&mut story, 11);
    assert_eq!(story.state(), IncidentState::Verifying);
    crash(&mut story, 11);
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(incident.class, FailureClass::CrashLoop);
    assert!(story.applied.is_empty());
    assert_eq!(story.count("fix_staged"), 0);
    let told = story.count("incident_escalated");
    // It goes on, and adds nothing to read.
    for _ in 0..20 {
        crash(&mut story, 11);
    }
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.count("incident_escalated"), told);
    assert_eq!(story.saved.len(), 1);
}

#[test]
fn five_deaths_within_half_an_hour_are_a_loop_too() {
    let mut story = Story::new(Mode::AutoHeal, vec![always("api")]);
    for _ in 0..5 {
        crash(&mut story, 350);
    }
    let last = story.last().unwrap();
    assert_eq!(last.class, FailureClass::CrashLoop);
    assert!(last.title.contains("5 times within half an hour"), "{}", last.title);
    assert!(story.applied.is_empty());
}

#[test]
fn a_loop_is_named_after_what_its_log_says() {
    let mut story = Story::new(Mode::AutoHeal, vec![always("api")]);
    for _ in 0..3 {
        story.says("api", "Error: listen EADDRINUSE: address already in use :::80");
        story.pass(millis(20));
        crash(&mut story, 3);
    }
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(incident.class, FailureClass::PortConflict);
    assert_eq!(
        incident.title,
        "api dies at every start: a port is taken (“listen EADDRINUSE: address already in use :::80”)"
    );
    assert!(story.applied.is_empty());
}

#[test]
fn a_loop_that_somebody_ended_is_resolved_only_after_a_long_quiet() {
    let mut story = Story::new(Mode::AutoHeal, vec![always("api")]);
    for _ in 0..3 {
        crash(&mut story, 5);
    }
    story.pass(seconds(120));
    assert_eq!(story.state(), IncidentState::Escalated);
    story.pass(seconds(240));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn without_a_restart_policy_our_starts_are_not_the_loop() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    // Again within two minutes: it continues the one before, and the brakes hold.
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.saved.len(), 2);
    let second = story.last().unwrap();
    assert!(second.reopens.is_some());
    assert_eq!(story.count("incident_reopened"), 1);
    assert_eq!(second.state, IncidentState::AwaitingApproval);
    assert!(story.reasons().contains(&"cooldown"));
    // The cooldown passes and the plan runs.
    story.pass(seconds(300));
    assert_eq!(story.applied.len(), 2);
    story.pass(seconds(60));
    assert_eq!(story.last().unwrap().state, IncidentState::Resolved);
    // A third death within ten minutes is a loop.
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.last().unwrap().class, FailureClass::CrashLoop);
    assert_eq!(story.last().unwrap().state, IncidentState::Escalated);
    assert_eq!(story.applied.len(), 2);
}
