//! The kill switch, the circuit breakers, and what goes on next to a target.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::engine::Settings;
use sentinel_core::policy::limits::Limits;
use sentinel_core::policy::rules::Rules;

use crate::support::{SECOND, Story, Tools, container, healthy, seconds, settings};

fn halt(story: &mut Story) -> Result<String, String> {
    let reason = "deploy".to_owned();
    story.ask(Actor::Person("ann".to_owned()), Command::Halt { reason })
}

fn resume(story: &mut Story) -> Result<String, String> {
    let reason = String::new();
    story.ask(Actor::Person("ann".to_owned()), Command::Resume { reason })
}

#[test]
fn with_the_kill_switch_on_only_a_person_acts_also_after_a_restart() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    halt(&mut story).unwrap();
    assert!(halt(&mut story).is_err(), "it is on already");
    story.dies("api", 1);
    story.pass(seconds(60));
    assert_eq!(story.reasons(), ["halted"]);
    assert!(story.applied.is_empty());
    let mut story = story.restarted(settings(Mode::AutoHeal));
    story.pass(seconds(60));
    assert!(story.applied.is_empty(), "a restart does not release it");
    assert!(story.engine.snapshot(story.now).brakes.halt.is_some_and(|h| h.reason == "deploy"));
    story.approve().unwrap();
    story.pass(seconds(60));
    assert_eq!(story.applied.len(), 1, "a person may");
}

#[test]
fn released_what_waits_is_decided_anew() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    halt(&mut story).unwrap();
    story.dies("api", 1);
    story.pass(seconds(10));
    assert!(story.applied.is_empty());
    resume(&mut story).unwrap();
    story.pass(seconds(60));
    assert_eq!(story.applied.len(), 1);
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.audited()[..3], ["halted", "staged", "resumed"]);
    assert_eq!(story.count("healing_halted") + story.count("healing_resumed"), 2);
    assert!(resume(&mut story).is_err(), "it is off already");
}

#[test]
fn with_the_kill_switch_on_not_even_an_undo_runs_by_itself() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    halt(&mut story).unwrap();
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert!(story.undone.is_empty());
    let told = story.incident().timeline;
    assert!(told.iter().any(|e| e.what.contains("the kill switch is on")), "{told:#?}");
    story.undo().unwrap();
    story.pass(SECOND);
    assert_eq!(story.undone.len(), 1, "a person may");
}

#[test]
fn a_server_whose_calls_fail_is_left_alone_for_a_while() {
    let names = ["a", "b", "c", "d"];
    let limits = Limits { per_hour: 100, ..Limits::default() };
    let own = Settings { limits, ..settings(Mode::AutoHeal) };
    let mut story = Story::with(own.clone(), Vec::new(), names.map(container).to_vec());
    story.tools = Tools::FailAt(1);
    for name in ["a", "b", "c"] {
        story.dies(name, 1);
        story.pass(seconds(60));
    }
    assert_eq!(story.count("circuit_opened"), 1);
    assert_eq!(story.applied.len(), 3);
    story.tools = Tools::Work;
    let mut story = story.restarted(own);
    story.dies("d", 1);
    story.pass(seconds(100));
    assert!(story.reasons().contains(&"circuit_open"), "{:?}", story.reasons());
    assert!(story.applied.is_empty());
    story.pass(seconds(150));
    assert_eq!(story.applied.len(), 1, "then one call is tried");
    assert_eq!(story.count("circuit_closed"), 1);
}

#[test]
fn a_fault_that_comes_back_after_every_fix_goes_to_a_person() {
    let limits = Limits { per_hour: 100, strikes: 100, ..Limits::default() };
    let own = Settings { limits, ..settings(Mode::AutoHeal) };
    let mut story = Story::with(own, Vec::new(), vec![container("api")]);
    for _ in 0..3 {
        story.dies("api", 1);
        story.pass(seconds(1000));
    }
    assert_eq!(story.applied.len(), 2);
    assert!(story.reasons().contains(&"ineffective"), "{:?}", story.reasons());
    assert_eq!(story.last().unwrap().state, IncidentState::Escalated);
}

#[test]
fn while_somebody_works_next_to_it_nothing_is_done() {
    let mut web = healthy("web");
    web.labels.insert("sre-sentinel.depends-on".to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![web, container("db")]);
    story.operator_stops("db");
    story.pass(seconds(2));
    story.starts("db");
    story.dies("web", 1);
    story.pass(seconds(10));
    assert!(story.reasons().contains(&"neighbourhood"), "{:?}", story.reasons());
    assert!(story.applied.is_empty());
    story.pass(seconds(30));
    assert_eq!(story.applied.len(), 1, "it passes");
}

#[test]
fn what_the_configuration_rules_out_is_not_done() {
    let strict = |risk: &str| {
        let rules: Rules = serde_json::from_str(risk).unwrap();
        let own = Settings { rules, ..settings(Mode::AutoHeal) };
        let mut story = Story::with(own, Vec::new(), vec![container("api")]);
        story.dies("api", 1);
        story.pass(seconds(60));
        story
    };
    let raised = strict(r#"{"risks":{"start_container":"R3"}}"#);
    assert_eq!(raised.reasons(), ["risk_too_high"]);
    let few = strict(r#"{"classes":["oom_kill"]}"#);
    assert_eq!(few.reasons(), ["class_not_allowed"]);
    let never = strict(r#"{"risks":{"start_container":"R4"}}"#);
    assert_eq!(never.state(), IncidentState::Escalated);
    assert!(never.plan().is_none(), "what is ruled out is not even offered");
    for story in [raised, few, never] {
        assert!(story.applied.is_empty());
    }
}
