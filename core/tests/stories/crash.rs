//! One death that nobody asked for.

use sentinel_core::domain::container::{Container, ContainerRef, Health, RestartPolicy, RunState};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::FixState;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, healthy, millis, seconds};

#[test]
fn a_crash_is_opened_diagnosed_staged_approved_verified_and_explained() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.pass(seconds(5));
    story.says("api", "ERROR cannot parse the answer");
    let died_at = story.now;
    story.dies("api", 1);
    // In the same step as the event.
    assert_eq!(story.first("incident_opened"), Some(died_at));
    assert_eq!(story.state(), IncidentState::Diagnosing);
    story.pass(millis(15));
    // The inspect is here, the end of the log is not.
    assert_eq!(story.count("diagnosis_ready"), 0);
    story.pass(millis(10));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert_eq!(story.first("fix_staged"), Some(died_at + millis(20)));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::TransientCrash);
    assert_eq!(incident.root, "api");
    let diagnosis = incident.diagnosis.clone().unwrap();
    assert!(diagnosis.cause.contains("cannot parse the answer"), "{}", diagnosis.cause);
    assert!(diagnosis.evidence.iter().any(|e| e.line.is_some()));
    let plan = incident.plan.clone().unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].call.tool, "start_container");
    assert_eq!(plan.steps[0].call.arguments["container_name"], *story.id("api").as_str());
    assert_eq!(story.reasons(), ["auto_heal_off"]);

    story.pass(seconds(60));
    assert_eq!(story.reasons(), ["auto_heal_off"]);
    assert!(story.applied.is_empty());
    let reply = story.approve().unwrap();
    assert!(reply.contains("docker start api"), "{reply}");
    assert_eq!(story.state(), IncidentState::Fixing);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
    assert_eq!(story.incident().plan.unwrap().steps[0].state, FixState::Applied);
    story.pass(seconds(28));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(3));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Resolved);
    let words = incident.explanation.unwrap();
    for part in ["api was affected", "Cause: ", "approved by ann", "docker start api", "Verified"] {
        assert!(words.contains(part), "{part} is not in: {words}");
    }
    assert_eq!(
        story.told(),
        [
            "incident_opened",
            "diagnosis_ready",
            "incident_updated",
            "fix_staged",
            "incident_updated",
            "not_acting",
            "fix_approved",
            "fix_applying",
            "fix_applied",
            "verification",
            "incident_resolved",
        ]
    );
    assert_eq!(story.audited(), ["staged", "approved", "applying", "applied", "verified"]);
    let actors: Vec<String> = incident
        .timeline
        .iter()
        .filter(|e| e.state == Some(IncidentState::Fixing))
        .map(|e| e.actor.to_string())
        .collect();
    assert_eq!(actors, ["ann"]);
}

#[test]
fn a_diagnosis_does_not_wait_longer_than_300_ms_for_what_never_comes() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.inspect_after = None;
    let died_at = story.now;
    // The event alone: neither an inspect nor the end of the log follows.
    story.life("api", LifeKind::Die { exit_code: 1 });
    story.pass(SECOND);
    assert_eq!(story.first("diagnosis_ready"), Some(died_at + millis(300)));
}

#[test]
fn the_end_of_the_log_may_come_before_the_event() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    let container = story.id("api");
    story.feed(Signal::LogEnd { container });
    story.pass(millis(5));
    let died_at = story.now;
    story.edit("api", |c| c.state = RunState::Exited);
    story.life("api", LifeKind::Die { exit_code: 1 });
    story.pass(SECOND);
    assert_eq!(story.first("diagnosis_ready"), Some(died_at + millis(10)));
}

#[test]
fn an_inspect_from_before_the_death_does_not_bring_it_back_to_life() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.inspect_after = None;
    let outdated = story.truth["api"].clone();
    story.dies("api", 1);
    let container = Box::new(outdated);
    story.feed(Signal::Inspected { container, unwitnessed: false, asked_at: None });
    // It is neither the inspect that the diagnosis waits for, nor a recovery.
    story.pass(millis(100));
    assert_eq!(story.count("diagnosis_ready"), 0);
    story.inspected("api", false);
    assert_eq!(story.count("diagnosis_ready"), 1);
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn auto_heal_starts_what_crashed_and_says_that_the_policy_did() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 139);
    story.pass(millis(25));
    assert_eq!(story.state(), IncidentState::Fixing);
    assert_eq!(story.incident().class, FailureClass::NativeCrash);
    story.pass(seconds(40));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Resolved);
    assert!(incident.explanation.unwrap().contains("approved by policy"));
    assert_eq!(story.reasons(), [""; 0]);
}

#[test]
fn a_restart_policy_mends_a_crash_and_the_recovery_is_watched() {
    let api = Container { restart_policy: RestartPolicy::Always, ..container("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.dies("api", 1);
    story.pass(millis(100));
    story.starts_by_policy("api");
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
    assert_eq!(story.reasons(), ["restart_policy"]);
    story.pass(seconds(31));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert!(story.applied.is_empty());
    assert_eq!(story.count("fix_staged"), 0);
}

#[test]
fn a_crash_is_not_mended_while_the_health_check_has_no_verdict() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.dies("api", 1);
    story.pass(seconds(20));
    assert_eq!(story.state(), IncidentState::Verifying);
    // start_period + (retries + 1) * (interval + timeout) = 48 s is the deadline.
    story.pass(seconds(20));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.becomes("api", Health::Healthy);
    story.pass(seconds(29));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(2));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_health_check_without_a_verdict_by_its_deadline_escalates_and_locks() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.dies("api", 1);
    story.pass(seconds(48));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(2));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.count("verification"), 1);
    assert!(story.undone.is_empty(), "not verified is not worse");
}

#[test]
fn a_command_that_cannot_run_is_not_started_again() {
    for code in [126, 127] {
        let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
        story.dies("api", code);
        story.pass(SECOND);
        let incident = story.incident();
        assert_eq!(incident.class, FailureClass::StartFailure);
        assert_eq!(incident.state, IncidentState::Escalated);
        assert!(story.applied.is_empty());
    }
}

#[test]
fn a_container_run_with_rm_that_crashed_is_not_called_resolved() {
    let job = Container { auto_remove: true, ..container("job") };
    let mut story = Story::new(Mode::AutoHeal, vec![job]);
    story.dies("job", 3);
    story.pass(millis(2));
    story.removed("job");
    story.pass(seconds(5));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    assert!(incident.diagnosis.unwrap().advice.unwrap().contains("--rm"));
}

fn job() -> Container {
    Container { auto_remove: true, ..container("job") }
}

/// The next container of that name, which runs.
fn run_again(story: &mut Story) {
    let next =
        Container { of: ContainerRef { id: "b".repeat(64).as_str().into(), ..job().of }, ..job() };
    story.truth.insert("job".to_owned(), next);
    story.inspected("job", false);
    story.starts("job");
}

#[test]
fn running_it_again_ends_the_incident_of_a_container_run_with_rm() {
    let mut story = Story::new(Mode::AutoHeal, vec![job()]);
    story.dies("job", 3);
    story.removed("job");
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Escalated);
    run_again(&mut story);
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert!(story.incident().timeline.last().unwrap().what.contains("a new container job runs"));
}

#[test]
fn the_successor_of_a_container_run_with_rm_has_its_own_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![job()]);
    story.dies("job", 3);
    story.removed("job");
    story.pass(SECOND);
    let first = story.incident().id;
    // It dies before anybody saw it run.
    let next =
        Container { of: ContainerRef { id: "b".repeat(64).as_str().into(), ..job().of }, ..job() };
    story.truth.insert("job".to_owned(), Container { state: RunState::Created, ..next });
    story.inspected("job", false);
    story.dies("job", 4);
    story.pass(SECOND);
    assert_eq!(story.saved.len(), 2);
    assert_eq!(story.saved[&first].anomalies.len(), 1);
}

#[test]
fn removing_a_container_run_with_rm_by_hand_ends_its_incident() {
    let mut unwell = healthy("job");
    unwell.auto_remove = true;
    let mut story = Story::new(Mode::Approve, vec![unwell]);
    story.becomes("job", Health::Unhealthy);
    story.pass(SECOND);
    assert!(!story.state().is_closed());
    // docker rm -f job, or its clean end: nothing failed that a person owes something.
    story.life("job", LifeKind::Kill { signal: 9 });
    story.dies("job", 137);
    story.removed("job");
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_death_with_rm_takes_a_staged_plan_along() {
    let mut unwell = healthy("job");
    unwell.auto_remove = true;
    let mut story = Story::new(Mode::Approve, vec![unwell]);
    story.becomes("job", Health::Unhealthy);
    story.pass(SECOND);
    assert!(story.plan().is_some());
    story.dies("job", 3);
    story.removed("job");
    story.pass(seconds(5));
    assert!(story.plan().is_none());
    assert_eq!(story.state(), IncidentState::Escalated);
    run_again(&mut story);
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_setting_that_is_missing_is_named_and_a_start_is_not_tried() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.says("api", "FATAL environment variable DATABASE_URL is required");
    story.pass(millis(30));
    story.dies("api", 1);
    story.pass(seconds(3));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::BadConfig);
    assert_eq!(incident.state, IncidentState::Escalated);
    let diagnosis = incident.diagnosis.unwrap();
    assert!(diagnosis.evidence.iter().any(|e| e.excerpt.contains("DATABASE_URL")));
    assert_eq!(
        diagnosis.cause,
        "api: a setting is missing or invalid (“environment variable DATABASE_URL is required”)"
    );
    assert!(diagnosis.rejected.iter().any(|r| r.class == FailureClass::TransientCrash));
    assert!(story.applied.is_empty());
    assert_eq!(story.reasons(), ["no_safe_fix"]);
}
