//! The kernel kills at the memory limit.

use sentinel_core::domain::anomaly::AnomalyKind;
use sentinel_core::domain::container::{Container, LABEL_MAX_MEMORY, RestartPolicy};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, millis, seconds};

fn limited(name: &str) -> Container {
    Container { memory_limit: Some(64 << 20), ..container(name) }
}

#[test]
fn a_memory_kill_raises_the_limit_then_starts() {
    let mut story = Story::new(Mode::AutoHeal, vec![limited("api")]);
    story.life("api", LifeKind::Oom);
    story.pass(millis(2));
    story.dies("api", 137);
    story.pass(millis(100));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::OomKill);
    let plan = story.applied[0].clone();
    let tools: Vec<&str> = plan.steps.iter().map(|s| s.call.tool.as_str()).collect();
    assert_eq!(tools, ["update_resources", "start_container"]);
    assert_eq!(plan.steps[0].call.arguments["resources"]["memory"], "96m");
    assert_eq!(plan.risk(), Risk::R1);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.truth["api"].memory_limit, Some(96 << 20));
}

#[test]
fn a_log_that_ends_before_the_news_of_the_death_is_waited_for() {
    // The stream of a dying process ends a moment before the engine tells of its death, and an
    // inspect in between still shows it running.
    let mut story = Story::new(Mode::AutoHeal, vec![limited("api")]);
    story.life("api", LifeKind::Oom);
    let ended = Signal::LogEnd { container: story.id("api") };
    story.feed(ended);
    story.pass(millis(60));
    assert_eq!(story.count("diagnosis_ready"), 0, "it is about to die");
    story.dies("api", 137);
    story.pass(millis(100));
    let tools: Vec<&str> = story.applied[0].steps.iter().map(|s| s.call.tool.as_str()).collect();
    assert_eq!(tools, ["update_resources", "start_container"]);
}

#[test]
fn with_a_restart_policy_only_the_limit_is_raised() {
    let api = Container { restart_policy: RestartPolicy::Always, ..limited("api") };
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(millis(100));
    story.starts_by_policy("api");
    story.pass(SECOND);
    let plan = story.applied[0].clone();
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].call.tool, "update_resources");
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn an_unexplained_sigkill_near_the_limit_is_a_memory_kill() {
    for (used, class) in
        [(60_u64 << 20, FailureClass::OomKill), (10 << 20, FailureClass::TransientCrash)]
    {
        let mut story = Story::new(Mode::Approve, vec![limited("api")]);
        story.uses_memory("api", used, 64 << 20);
        story.pass(seconds(10));
        story.dies("api", 137);
        story.pass(SECOND);
        assert_eq!(story.incident().class, class, "{used}");
    }
}

#[test]
fn a_child_that_is_killed_is_seen_although_the_container_lives() {
    let mut story = Story::new(Mode::Approve, vec![limited("api")]);
    story.life("api", LifeKind::Oom);
    story.pass(SECOND);
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::OomKill);
    assert_eq!(incident.state, IncidentState::AwaitingApproval);
    let plan = incident.plan.unwrap();
    assert_eq!(plan.steps.len(), 1, "it runs, so nothing is started");
    assert_eq!(plan.steps[0].call.tool, "update_resources");
    // It runs on, which mends nothing: the plan waits for its decision longer than a crash's.
    story.pass(seconds(120));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
}

#[test]
fn the_label_bounds_how_far_the_limit_is_raised() {
    let mut api = limited("api");
    api.labels.insert(LABEL_MAX_MEMORY.to_owned(), "72m".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    let plan = story.applied[0].clone();
    assert_eq!(plan.steps[0].call.arguments["resources"]["memory"], "72m");
    story.pass(seconds(400));
    // At its maximum nothing more can be raised.
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    let last = story.last().unwrap();
    assert_eq!(last.state, IncidentState::Escalated);
    assert!(last.diagnosis.unwrap().advice.unwrap().contains("cannot be raised further"));
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn without_a_limit_it_was_the_host() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    assert_eq!(story.incident().class, FailureClass::HostMemoryPressure);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert!(story.applied.is_empty());
}

/// A leak of a mebibyte a second into 64 MiB, read every two seconds, up to a moment.
fn leaks(story: &mut Story, from: u64, to: u64) {
    for mebibytes in (from..to).step_by(2) {
        story.uses_memory("api", mebibytes << 20, 64 << 20);
        story.pass(seconds(2));
    }
}

#[test]
fn a_leak_that_ends_in_a_memory_kill_is_one_incident() {
    let api = Container { restart_policy: RestartPolicy::Always, ..limited("api") };
    let mut story = Story::new(Mode::Approve, vec![api]);
    leaks(&mut story, 4, 62);
    // Told before the kernel acts.
    assert_eq!(story.count("incident_opened"), 1);
    let before = story.incident();
    assert_eq!(before.severity, Severity::High);
    assert!(before.anomalies.iter().any(|a| a.kind == AnomalyKind::MemoryGrowth), "{before:#?}");
    let diagnosis = before.diagnosis.unwrap();
    assert_eq!(diagnosis.class, FailureClass::MemoryLeak);
    assert!(diagnosis.cause.contains("will reach its limit"), "{}", diagnosis.cause);
    let tools: Vec<&str> = diagnosis.plan.iter().map(|a| a.call.tool.as_str()).collect();
    assert_eq!(tools, ["restart_container"], "before it reaches the limit, by a person's word");
    assert!(story.applied.is_empty());
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(millis(100));
    story.starts_by_policy("api");
    story.pass(seconds(2));
    let incident = story.incident();
    assert_eq!(incident.class, FailureClass::OomKill);
    let kinds: Vec<AnomalyKind> = incident.anomalies.iter().map(|a| a.kind).collect();
    assert!(kinds.contains(&AnomalyKind::MemoryGrowth), "{kinds:?}");
    assert!(kinds.contains(&AnomalyKind::OomKill), "{kinds:?}");
    assert_eq!(incident.state, IncidentState::AwaitingApproval, "{incident:#?}");
}

#[test]
fn memory_near_the_limit_opens_nothing_and_belongs_to_the_kill_that_follows() {
    let mut story = Story::new(Mode::Approve, vec![limited("api")]);
    for _ in 0..10 {
        story.uses_memory("api", 61 << 20, 64 << 20);
        story.pass(seconds(2));
    }
    assert_eq!(story.count("incident_opened"), 0);
    assert_eq!(story.count("anomaly"), 1);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    let incident = story.incident();
    let kinds: Vec<AnomalyKind> = incident.anomalies.iter().map(|a| a.kind).collect();
    assert_eq!(kinds[0], AnomalyKind::MemoryNearLimit, "{kinds:?}");
    assert_eq!(incident.class, FailureClass::OomKill);
}

#[test]
fn a_light_sign_during_verification_undoes_nothing() {
    let mut story = Story::new(Mode::AutoHeal, vec![limited("api")]);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    assert_eq!(story.applied.len(), 1);
    assert_eq!(story.state(), IncidentState::Verifying);
    // It loads its data again, close to the raised limit: worth a mark, not an undo.
    for _ in 0..8 {
        story.uses_memory("api", 90 << 20, 96 << 20);
        story.pass(seconds(2));
    }
    story.pass(seconds(60));
    assert!(story.undone.is_empty());
    assert_eq!(story.state(), IncidentState::Resolved);
}
