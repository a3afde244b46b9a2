//! The engine out of sight, answers that come late, a clock that jumps: nothing is concluded from
//! what was not seen.

use sentinel_core::domain::anomaly::AnomalyKind;
use sentinel_core::domain::container::{Container, Health, RestartPolicy, RunState};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, Tools, container, healthy, millis, seconds};

fn degraded() -> Signal {
    Signal::Degraded { part: "docker".to_owned(), detail: "the events ended".to_owned() }
}

fn recovered() -> Signal {
    Signal::Recovered { part: "docker".to_owned(), detail: "back".to_owned() }
}

fn about(story: &Story, name: &str) -> Incident {
    let mut about = story.saved.values().filter(|i| i.container.name == name).cloned();
    about.next_back().unwrap_or_else(|| unreachable!("no incident on {name}"))
}

#[test]
fn nothing_is_verified_while_nobody_can_see_the_engine() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(10));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.feed(degraded());
    story.pass(seconds(300));
    assert_eq!(story.state(), IncidentState::Verifying);
    let checks = story.incident().checks;
    assert!(checks.iter().any(|c| !c.passed && c.detail.contains("cannot be seen")), "{checks:?}");
    // It is back: everything must hold for the whole time from now on.
    let asked = story.inspects.len();
    story.feed(recovered());
    assert_eq!(story.inspects.len(), asked + 1, "the target is looked at anew");
    story.pass(seconds(29));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(2));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn without_a_fresh_inspect_nothing_is_believed_after_a_blind_time() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(10));
    story.feed(degraded());
    story.pass(seconds(5));
    story.inspect_after = None;
    story.feed(recovered());
    story.pass(seconds(60));
    assert_eq!(story.state(), IncidentState::Escalated, "it never showed that it runs");
}

#[test]
fn what_ended_in_the_blind_time_is_not_called_resolved() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(10));
    story.feed(degraded());
    story.edit("api", |c| {
        c.state = RunState::Exited;
        c.exit_code = 1;
    });
    story.pass(seconds(60));
    story.feed(recovered());
    story.pass(seconds(60));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.count("incident_resolved"), 0);
}

#[test]
fn a_recovery_that_is_only_watched_waits_for_sight_too() {
    let api = Container { restart_policy: RestartPolicy::Always, ..container("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.dies("api", 1);
    story.pass(millis(100));
    story.starts_by_policy("api");
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
    story.feed(degraded());
    story.pass(seconds(300));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.feed(recovered());
    story.pass(seconds(31));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_recovery_is_not_begun_to_be_watched_out_of_sight() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 127);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    story.feed(degraded());
    story.starts("api");
    story.pass(seconds(300));
    assert_eq!(story.state(), IncidentState::Escalated);
    story.feed(recovered());
    story.pass(seconds(32));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_shutdown_of_the_engine_dismisses_no_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api"), container("db")]);
    story.tools = Tools::Stale;
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    let before = about(&story, "api").state;
    assert!(!before.is_closed());
    let applied = story.applied.len();
    story.operator_stops("db");
    story.operator_stops("api");
    story.pass(SECOND);
    story.feed(degraded());
    story.pass(seconds(60));
    let incident = about(&story, "api");
    assert!(!incident.state.is_closed(), "{:#?}", incident.timeline);
    let noted = incident.timeline.iter().any(|e| e.what.contains("no operator"));
    assert!(noted, "{:#?}", incident.timeline);
    // It comes back and nothing may be started by itself meanwhile: nobody saw what happened.
    assert_eq!(story.applied.len(), applied, "only what was before");
    for name in ["api", "db"] {
        story.inspected(name, true);
    }
    story.feed(recovered());
    story.pass(seconds(10));
    assert!(!about(&story, "api").state.is_closed());
    assert_eq!(story.applied.len(), applied);
}

#[test]
fn what_an_operator_stopped_long_ago_was_not_taken_along_by_the_engine() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.operator_stops("api");
    story.operator_stops("db");
    story.pass(seconds(600));
    // Hours later the engine restarts; both are still down, as they were meant to be.
    story.feed(degraded());
    story.pass(seconds(20));
    for name in ["api", "db"] {
        story.inspected(name, true);
    }
    story.feed(recovered());
    story.pass(seconds(30));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
}

#[test]
fn a_late_answer_brings_nothing_back_that_is_gone() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.inspect_after = Some(millis(200));
    story.dies("api", 1);
    story.pass(millis(50));
    assert!(!story.inspects.is_empty());
    story.removed("api");
    story.pass(seconds(5));
    let now = story.now;
    assert!(story.engine.snapshot(now).containers.is_empty());
    assert_eq!(story.count("container_gone"), 1);
    assert_eq!(story.count("container_seen"), 1, "only at the start");
}

#[test]
fn an_answer_that_an_event_overtook_counts_for_nothing() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.inspect_after = Some(millis(200));
    story.dies("api", 1);
    story.pass(millis(50));
    // It is up again, and paused, before the answer from its death arrives.
    story.starts("api");
    story.pass(millis(1));
    story.edit("api", |c| c.state = RunState::Paused);
    story.life("api", LifeKind::Pause);
    story.pass(seconds(1));
    let now = story.now;
    let snapshot = story.engine.snapshot(now);
    assert_eq!(snapshot.containers[0].container.state, RunState::Paused);
}

#[test]
fn an_overtaken_answer_is_no_find_for_the_detectors_either() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    let asked_at = Some(story.now);
    let mut failed = story.truth["api"].clone();
    failed.state = RunState::Exited;
    failed.error = "port is already allocated".to_owned();
    story.pass(SECOND);
    // Somebody started it in the meantime.
    story.starts("api");
    let container = Box::new(failed);
    story.feed(Signal::Inspected { container, unwitnessed: false, asked_at });
    story.pass(seconds(5));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
}

#[test]
fn a_sleep_of_the_machine_verifies_nothing() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.clock_jumps(seconds(3600));
    story.feed(Signal::Tick);
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(20));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(10));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_sleep_that_nobody_told_of_is_not_enough_looks() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    // The wall clock alone moves: the next look is the first after an hour.
    story.now += seconds(3600);
    story.feed(Signal::Tick);
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(30));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_sleep() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    story.clock_jumps(seconds(-3600));
    story.pass(seconds(31));
    assert_eq!(story.state(), IncidentState::Resolved);
    // Answers count again, too.
    story.pass(seconds(10));
    story.dies("api", 1);
    story.pass(millis(15));
    assert_eq!(story.count("diagnosis_ready"), 1, "the log has not ended yet");
    story.pass(millis(10));
    assert_eq!(story.count("diagnosis_ready"), 2);
}

#[test]
fn answers_count_after_a_clock_was_set_back() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    story.clock_jumps(seconds(-3600));
    // No event in between: only the answer to the question says that it still runs.
    story.feed(degraded());
    story.feed(recovered());
    story.pass(seconds(31));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_plan_expires_after_the_time_that_really_passed() {
    for jump in [3600, -3600] {
        let mut story = Story::new(Mode::Approve, vec![container("api")]);
        story.dies("api", 1);
        story.pass(SECOND);
        story.clock_jumps(seconds(jump));
        story.pass(seconds(14 * 60));
        assert_eq!(story.state(), IncidentState::AwaitingApproval, "{jump}");
        story.pass(seconds(2 * 60));
        assert_eq!(story.state(), IncidentState::Escalated, "{jump}");
        assert_eq!(story.count("fix_expired"), 1);
    }
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.clock_jumps(seconds(3600));
    story.approve().unwrap();
}

/// The engine crashed, starts again and ends what it finds left over: told while it is out of
/// sight.
fn ended_by_the_engine(story: &mut Story, name: &str) {
    story.life(name, LifeKind::Kill { signal: 15 });
    story.pass(seconds(1));
    story.life(name, LifeKind::Kill { signal: 9 });
    story.dies(name, 137);
    story.life(name, LifeKind::Stop);
}

#[test]
fn what_a_crashed_engine_ends_when_it_starts_again_was_no_operators_wish() {
    let mut worker = container("worker");
    worker.labels.insert("sre-sentinel.depends-on".to_owned(), "api".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![worker, container("api"), container("db")]);
    story.feed(degraded());
    story.pass(seconds(20));
    for name in ["worker", "api"] {
        ended_by_the_engine(&mut story, name);
    }
    assert!(story.saved.is_empty(), "no crash was witnessed: {:#?}", story.told());
    for name in ["worker", "api"] {
        story.inspected(name, true);
    }
    story.inspected("db", false);
    story.feed(recovered());
    story.pass(seconds(5));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::AwaitingApproval);
    assert!(incident.anomalies.iter().all(|a| a.kind == AnomalyKind::FoundDown));
    let plan = incident.plan.unwrap();
    let targets: Vec<&str> = plan.steps.iter().map(|s| s.target.name.as_str()).collect();
    assert_eq!(targets, ["api", "worker"], "those first that others need");
    assert!(story.applied.is_empty(), "staged only");
    assert!(story.reasons().contains(&"operator_intent"));
    story.approve().unwrap();
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    // Once it is back in sight, a stop is an operator's again.
    story.pass(seconds(200));
    story.operator_stops("db");
    story.inspected("db", true);
    story.pass(seconds(30));
    assert_eq!(story.saved.len(), 1);
}

#[test]
fn a_wish_that_was_seen_before_the_blind_time_goes_on_to_count() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.life("api", LifeKind::Kill { signal: 15 });
    story.feed(degraded());
    story.pass(seconds(2));
    story.dies("api", 143);
    story.life("api", LifeKind::Stop);
    story.inspected("api", true);
    story.feed(recovered());
    story.pass(seconds(30));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
}

#[test]
fn a_death_that_nobody_asked_for_is_a_crash_although_it_is_told_late() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.feed(degraded());
    story.pass(seconds(2));
    story.dies("api", 1);
    story.feed(recovered());
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.applied.len(), 1);
}
