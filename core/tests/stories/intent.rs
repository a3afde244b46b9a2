//! What somebody meant to happen is no incident; what sentinel-tui did itself is neither.

use sentinel_core::domain::container::{Container, Health, RestartPolicy, RunState};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::FixState;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolResult;

use crate::support::{SECOND, Story, Tools, container, healthy, millis, seconds};

fn degraded() -> Signal {
    Signal::Degraded { part: "docker".to_owned(), detail: "the events ended".to_owned() }
}

#[test]
fn a_stop_a_clean_exit_and_a_restart_by_an_operator_are_no_incidents() {
    let mut story =
        Story::new(Mode::AutoHeal, vec![container("api"), container("job"), container("db")]);
    story.operator_stops("api");
    story.dies("job", 0);
    // docker restart db
    story.operator_stops("db");
    story.starts("db");
    story.life("db", LifeKind::Restart);
    // docker kill db
    story.life("db", LifeKind::Kill { signal: 9 });
    story.dies("db", 137);
    story.pass(seconds(300));
    assert!(story.saved.is_empty(), "{:#?}", story.told());
    assert!(story.applied.is_empty());
}

#[test]
fn a_deploy_is_no_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.operator_stops("api");
    story.removed("api");
    let mut next = container("api");
    next.of.id = "b".repeat(64).as_str().into();
    next.config_hash = "config-2".to_owned();
    story.truth.insert("api".to_owned(), next);
    story.inspected("api", false);
    story.starts("api");
    story.pass(seconds(60));
    assert!(story.saved.is_empty());
}

#[test]
fn a_forced_removal_is_no_incident() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.life("api", LifeKind::Kill { signal: 9 });
    story.dies("api", 137);
    story.removed("api");
    story.pass(seconds(60));
    assert!(story.saved.is_empty());
}

#[test]
fn a_signal_that_stops_nothing_excuses_no_crash() {
    for signal in [1, 10, 28] {
        let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
        story.life("api", LifeKind::Kill { signal });
        story.pass(SECOND);
        story.dies("api", 1);
        story.pass(SECOND);
        assert_eq!(story.state(), IncidentState::Verifying, "signal {signal}");
        assert_eq!(story.applied.len(), 1);
    }
}

#[test]
fn a_kill_that_was_survived_excuses_no_later_crash() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    // The process ignores it; the stop timeout of 10 s and two more pass.
    story.life("api", LifeKind::Kill { signal: 15 });
    story.pass(seconds(60));
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.applied.len(), 1, "{:?}", story.reasons());
}

#[test]
fn stopping_what_waits_for_its_restart_ends_its_incident() {
    let looping = Container { restart_policy: RestartPolicy::Always, ..container("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![looping]);
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
    // docker stop in the restart policy's delay: no kill, no die, only the word.
    story.life("api", LifeKind::Stop);
    story.pass(seconds(6));
    assert_eq!(story.state(), IncidentState::Dismissed);
    assert!(story.incident().explanation.unwrap().contains("an operator stopped"));
}

#[test]
fn an_operator_who_stops_the_patient_takes_it_over() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    story.operator_stops("api");
    assert_eq!(story.count("fix_stale"), 1);
    story.pass(seconds(6));
    assert_eq!(story.state(), IncidentState::Dismissed);
    story.pass(seconds(60));
    assert_eq!(story.saved.len(), 1);
}

#[test]
fn an_operator_who_restarts_the_patient_has_mended_it() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    story.operator_stops("api");
    story.starts("api");
    story.pass(seconds(8));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.becomes("api", Health::Healthy);
    story.pass(seconds(35));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert!(story.applied.is_empty());
}

#[test]
fn an_operators_restart_that_does_not_help_leads_to_a_new_plan() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    story.operator_stops("api");
    story.starts("api");
    story.pass(seconds(30));
    story.becomes("api", Health::Unhealthy);
    story.pass(seconds(60));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert_eq!(story.incident().plans, 2);
}

#[test]
fn our_own_restart_is_neither_a_death_nor_an_operators_stop() {
    for tools in [Tools::Work, Tools::WorkEventsLate] {
        let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
        story.tools = tools;
        story.becomes("api", Health::Unhealthy);
        story.pass(SECOND);
        assert_eq!(story.applied.len(), 1, "{tools:?}");
        assert_eq!(story.applied[0].steps[0].call.tool, "restart_container");
        story.pass(seconds(5));
        assert_eq!(story.state(), IncidentState::Verifying, "{tools:?}: {:#?}", story.told());
        story.becomes("api", Health::Healthy);
        story.pass(seconds(35));
        assert_eq!(story.state(), IncidentState::Resolved, "{tools:?}: {:#?}", story.told());
        assert_eq!(story.saved.len(), 1);
        no_operator_is_suspected(&story);
    }
}

fn no_operator_is_suspected(story: &Story) {
    let told = story.saved.values().flat_map(|i| &i.timeline);
    let suspicions: Vec<&str> =
        told.map(|e| e.what.as_str()).filter(|w| w.contains("operator")).collect();
    assert!(suspicions.is_empty(), "{suspicions:?}");
}

#[test]
fn an_operators_stop_right_after_our_start_is_the_operators() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(2));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.operator_stops("api");
    story.pass(seconds(6));
    assert_eq!(story.state(), IncidentState::Dismissed);
    assert!(story.undone.is_empty());
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn taking_a_fix_back_is_not_an_operators_stop() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.dies("api", 1);
    story.pass(seconds(2));
    story.becomes("api", Health::Unhealthy);
    story.pass(millis(50));
    assert_eq!(story.undone.len(), 1);
    story.pass(millis(300));
    assert_eq!(story.count("fix_undone"), 1);
    // The inverse of the start: whatever the engine tells of it is ours, even behind its result.
    story.life("api", LifeKind::Kill { signal: 15 });
    story.life("api", LifeKind::Die { exit_code: 143 });
    story.life("api", LifeKind::Stop);
    story.pass(seconds(30));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.incident().plan.unwrap().steps[0].state, FixState::Undone);
    no_operator_is_suspected(&story);
}

#[test]
fn a_shutdown_of_the_engine_is_one_incident_for_what_stays_down() {
    let always = |name| Container { restart_policy: RestartPolicy::Always, ..container(name) };
    let mut worker = container("worker");
    worker.labels.insert("sre-sentinel.depends-on".to_owned(), "api".to_owned());
    let mut story =
        Story::new(Mode::AutoHeal, vec![always("db"), worker, container("api"), container("job")]);
    for name in ["db", "worker", "api", "job"] {
        story.operator_stops(name);
    }
    story.feed(degraded());
    story.pass(seconds(10));
    assert!(story.saved.is_empty());
    // The engine is back; the monitor compares lists.
    story.edit("db", |c| {
        c.state = RunState::Running;
        c.started_at_raw = "start-99".to_owned();
    });
    for name in ["api", "db", "job", "worker"] {
        story.inspected(name, true);
    }
    story.feed(Signal::Recovered { part: "docker".to_owned(), detail: "back".to_owned() });
    story.pass(seconds(5));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::RestartStorm);
    assert_eq!(incident.state, IncidentState::AwaitingApproval);
    let plan = incident.plan.unwrap();
    let targets: Vec<&str> = plan.steps.iter().map(|s| s.target.name.as_str()).collect();
    assert_eq!(targets, ["api", "job", "worker"], "those first that others need");
    assert!(story.applied.is_empty(), "staged only");
    assert!(story.reasons().contains(&"operator_intent"));
    story.approve().unwrap();
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn what_was_lost_in_a_gap_is_staged_and_never_started_by_itself() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.feed(degraded());
    story.edit("api", |c| {
        c.state = RunState::Exited;
        c.exit_code = 1;
    });
    story.inspected("api", true);
    story.inspected("db", true);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert!(story.applied.is_empty());
    assert!(story.reasons().contains(&"operator_intent"));
    assert!(story.reasons().contains(&"no_observed_fault"));
}

#[test]
fn what_was_down_before_is_no_incident_at_the_start() {
    let mut down = container("api");
    down.state = RunState::Exited;
    down.exit_code = 1;
    let mut story = Story::new(Mode::AutoHeal, vec![down]);
    story.inspected("api", true);
    story.pass(seconds(60));
    assert!(story.saved.is_empty());
}

#[test]
fn attaching_again_means_that_there_was_a_gap() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.edit("api", |c| {
        c.state = RunState::Exited;
        c.exit_code = 1;
    });
    story.attach();
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert!(story.applied.is_empty());
}

#[test]
fn a_plan_on_a_sibling_that_an_operator_stops_is_thought_over() {
    let mut api = healthy("api");
    api.labels.insert("sre-sentinel.depends-on".to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::Approve, vec![api, container("db")]);
    story.edit("db", |c| c.state = RunState::Paused);
    story.life("db", LifeKind::Pause);
    story.edit("db", |c| c.state = RunState::Exited);
    story.inspected("db", false);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    let before = story.plan().unwrap();
    assert_eq!(before.steps[0].target.name, "db");
    assert_eq!(story.incident().container.name, "api");
    // Somebody starts it and stops it again: it is theirs.
    story.starts("db");
    story.operator_stops("db");
    story.pass(SECOND);
    assert_eq!(story.count("fix_stale"), 1);
    let after = story.plan().unwrap();
    assert_ne!(after.sha256, before.sha256);
    assert!(
        story.incident().title.contains("an operator stopped it"),
        "{}",
        story.incident().title
    );
    story.pass(seconds(30));
    assert_eq!(story.plan().unwrap().sha256, after.sha256, "once is enough");
}

#[test]
fn an_operators_stop_while_the_plan_runs_is_noted_and_decides_afterwards() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    // The start event comes 100 ms after the approval, the result 200 ms after it.
    story.pass(millis(150));
    assert_eq!(story.state(), IncidentState::Fixing);
    story.life("api", LifeKind::Kill { signal: 15 });
    story.dies("api", 143);
    story.life("api", LifeKind::Stop);
    assert_eq!(story.state(), IncidentState::Fixing);
    let noted = story.incident().timeline;
    let noted = noted.iter().filter(|e| e.what.contains("while the plan ran")).count();
    story.pass(seconds(10));
    assert_eq!(noted, 1);
    assert_eq!(story.state(), IncidentState::Dismissed);
    assert!(story.undone.is_empty());
}

#[test]
fn an_operators_stop_behind_our_restart_of_what_was_dead_is_the_operators() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(millis(5));
    // It dies before our restart comes to it; the engine just starts it.
    story.tools = Tools::Silent;
    story.pass(millis(10));
    assert_eq!(story.applied[0].steps[0].call.tool, "restart_container");
    story.dies("api", 1);
    story.starts("api");
    let incident = story.incident().id;
    let fix = story.applied[0].steps[0].id.clone();
    let result = ToolResult { ok: true, message: "done".to_owned(), duration_ms: 9 };
    let began_at = story.now;
    story.feed(Signal::StepDone {
        incident: incident.clone(),
        fix,
        result,
        replaced_by: None,
        began_at,
    });
    story.feed(Signal::PlanDone { incident, ok: true });
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying, "{:#?}", story.incident().timeline);
    story.operator_stops("api");
    story.pass(seconds(6));
    assert_eq!(story.state(), IncidentState::Dismissed);
}
