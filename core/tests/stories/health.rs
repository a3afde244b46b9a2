//! The process lives, its health check fails.

use std::time::Duration;

use sentinel_core::domain::anomaly::AnomalyKind;
use sentinel_core::domain::container::{Container, Health, Probe, RestartPolicy, RunState};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, healthy, millis, seconds, settings};

fn probe(exit_code: i64, output: &str) -> Probe {
    Probe { exit_code, output: output.to_owned(), ended_at: None, duration: Duration::from_secs(1) }
}

#[test]
fn what_hangs_is_restarted_once() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.edit("api", |c| c.probes = vec![probe(1, "timeout")]);
    let seen_at = story.now;
    story.becomes("api", Health::Unhealthy);
    assert_eq!(story.first("incident_opened"), Some(seen_at));
    story.pass(seconds(3));
    assert_eq!(story.incident().class, FailureClass::Hang);
    assert_eq!(story.applied.len(), 1);
    assert!(story.applied[0].steps[0].inverse.is_none(), "a restart cannot be taken back");
    story.becomes("api", Health::Healthy);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    // It hangs again at once: not restarted a second time.
    story.becomes("api", Health::Unhealthy);
    story.pass(seconds(3));
    assert_eq!(story.applied.len(), 1);
    assert_eq!(story.last().unwrap().reopens.as_ref(), story.saved.keys().next());
}

#[test]
fn a_probe_that_cannot_run_is_no_reason_to_restart() {
    for (code, output) in [
        (127, "sh: curl: not found"),
        (126, "permission denied"),
        (-1, "OCI runtime exec failed: executable file not found in $PATH"),
    ] {
        let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
        story.edit("api", |c| c.probes = vec![probe(code, output)]);
        story.becomes("api", Health::Unhealthy);
        story.pass(SECOND);
        let incident = story.incident();
        assert_eq!(incident.class, FailureClass::BadHealthcheck, "{output}");
        assert_eq!(incident.state, IncidentState::Escalated);
        assert!(story.applied.is_empty());
    }
}

#[test]
fn failing_probes_inside_the_start_period_are_no_incident() {
    let api = Container { health: Health::Starting, ..healthy("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    for _ in 0..5 {
        story.edit("api", |c| c.probes.push(probe(1, "not yet")));
        story.inspected("api", false);
        story.pass(seconds(3));
    }
    story.becomes("api", Health::Healthy);
    story.pass(seconds(60));
    assert!(story.saved.is_empty());
}

#[test]
fn a_paused_container_is_not_restarted() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.edit("api", |c| c.state = sentinel_core::domain::container::RunState::Paused);
    story.life("api", LifeKind::Pause);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    assert_eq!(story.incident().class, FailureClass::Paused);
    assert!(story.applied.is_empty());
}

#[test]
fn what_is_unhealthy_because_its_dependency_is_down_is_left_alone() {
    let mut api = healthy("api");
    api.labels.insert("sre-sentinel.depends-on".to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::Approve, vec![api, container("db")]);
    story.dies("db", 1);
    story.pass(seconds(5));
    story.becomes("api", Health::Unhealthy);
    story.pass(seconds(2));
    assert_eq!(story.count("incident_merged"), 1);
    let open = story.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].root, "db");
    assert_eq!(open[0].affected, ["api"]);
    assert_eq!(open[0].plan.as_ref().unwrap().steps.len(), 1);
    assert_eq!(open[0].plan.as_ref().unwrap().steps[0].target.name, "db");
}

#[test]
fn what_is_unhealthy_when_watching_begins_is_an_incident() {
    let sick = Container { health: Health::Unhealthy, ..healthy("api") };
    let mut down = Container { health: Health::Unhealthy, ..healthy("db") };
    down.state = RunState::Exited;
    let mut story = Story::new(Mode::AutoHeal, vec![sick, down]);
    story.pass(seconds(2));
    let incident = story.incident();
    assert_eq!(incident.container.name, "api");
    assert_eq!(incident.class, FailureClass::Hang);
    assert_eq!(story.applied.len(), 1, "the engine itself observed it");
    story.becomes("api", Health::Healthy);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn what_is_unhealthy_still_after_a_restart_of_sentinel_tui_is_the_same_incident() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    let plan = story.plan().unwrap();
    let mut next = story.restarted(settings(Mode::Approve));
    next.pass(seconds(5));
    assert_eq!(next.incident().plans, 1);
    assert_eq!(next.plan().unwrap().sha256, plan.sha256);
}

#[test]
fn what_waits_for_its_restart_when_watching_begins_dies_as_any_other() {
    let mut api = container("api");
    api.restart_policy = RestartPolicy::Always;
    api.state = RunState::Restarting;
    api.exit_code = 1;
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.pass(seconds(2));
    assert!(story.saved.is_empty());
    story.starts_by_policy("api");
    story.pass(millis(500));
    story.dies("api", 1);
    story.pass(SECOND);
    assert!(story.incident().anomalies.iter().any(|a| a.kind == AnomalyKind::Death));
}
