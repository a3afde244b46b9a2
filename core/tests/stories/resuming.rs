//! sentinel-tui ends and begins again in the middle of everything.

use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::FixState;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, Tools, container, healthy, millis, seconds, settings, tool};

#[test]
fn a_call_under_way_is_never_repeated() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.tools = Tools::Silent;
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Fixing);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(5));
    let incident = next.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(incident.plan.unwrap().steps[0].state, FixState::Failed);
    assert_eq!(next.audited(), ["interrupted"]);
    next.pass(seconds(3600));
    assert!(next.applied.is_empty());
}

#[test]
fn what_turns_out_to_run_after_an_interrupted_call_is_resolved_with_honest_words() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.tools = Tools::Silent;
    story.dies("api", 1);
    story.pass(SECOND);
    story.starts("api");
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(40));
    assert_eq!(next.state(), IncidentState::ResolvedExternally);
    let words = next.incident().explanation.unwrap();
    assert!(words.contains("Tried without a known success (approved by policy)"), "{words}");
}

#[test]
fn a_staged_plan_waits_on_and_a_person_may_still_approve_it() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(60));
    let staged = story.plan().unwrap();
    let mut next = story.restarted(settings(Mode::Approve));
    next.pass(SECOND);
    assert_eq!(next.plan().unwrap().sha256, staged.sha256);
    next.approve().unwrap();
    next.pass(seconds(40));
    assert_eq!(next.state(), IncidentState::Resolved);
}

#[test]
fn a_plan_that_expired_meanwhile_is_not_run() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.now = story.plan().unwrap().expires_at + seconds(60);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(5));
    assert!(next.applied.is_empty());
    assert_eq!(next.state(), IncidentState::Escalated);
}

#[test]
fn what_happened_while_nobody_watched_may_have_been_meant() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    // Between the two runs somebody started and stopped it.
    let stopped = story.now + seconds(60);
    story.now += seconds(100);
    story.edit("api", |c| {
        c.started_at_raw = "start-of-somebody".to_owned();
        c.finished_at = Some(stopped);
    });
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(60));
    assert!(next.applied.is_empty());
    assert!(next.reasons().contains(&"operator_intent"), "{:?}", next.reasons());
    assert_eq!(next.state(), IncidentState::AwaitingApproval);
}

#[test]
fn a_death_that_an_earlier_run_witnessed_was_not_meant() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    assert!(story.incident().not_acting.iter().any(|r| r.starts_with("auto_heal_off")));
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(40));
    assert!(!next.reasons().contains(&"operator_intent"), "{:?}", next.reasons());
    assert_eq!(next.state(), IncidentState::Resolved);
    assert!(next.incident().not_acting.is_empty(), "{:?}", next.incident().not_acting);
}

#[test]
fn no_tool_is_called_missing_before_any_was_announced() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    let earlier = story.saved.values().cloned().collect();
    let truth = story.truth.values().cloned().collect();
    let mut next = Story::before_attach(settings(Mode::Approve), earlier, story.now, truth);
    next.attach();
    next.pass(seconds(5));
    assert!(next.reasons().is_empty(), "{:?}", next.reasons());
    next.feed(Signal::Tools { tools: vec![tool("start_container")] });
    next.pass(seconds(2));
    assert_eq!(next.reasons(), ["auto_heal_off"]);
    // With none that it needs, it is said; and at the latest when they should have come.
    next.feed(Signal::Tools { tools: Vec::new() });
    let earlier = next.saved.values().cloned().collect();
    let truth = next.truth.values().cloned().collect();
    let mut third = Story::before_attach(settings(Mode::Approve), earlier, next.now, truth);
    third.attach();
    third.pass(seconds(35));
    assert_eq!(third.reasons(), ["tool_missing"]);
}

#[test]
fn an_incident_in_diagnosis_is_diagnosed_anew() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    assert_eq!(story.state(), IncidentState::Diagnosing);
    let mut next = story.restarted(settings(Mode::Approve));
    next.pass(SECOND);
    assert_eq!(next.state(), IncidentState::AwaitingApproval);
}

#[test]
fn a_verification_goes_on() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), healthy("web")]);
    story.dies("api", 1);
    story.pass(seconds(10));
    assert_eq!(story.state(), IncidentState::Verifying);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    // It is in flight again: nothing else acts.
    next.becomes("web", sentinel_core::domain::container::Health::Unhealthy);
    next.pass(seconds(5));
    assert!(next.reasons().contains(&"in_flight"));
    next.pass(seconds(30));
    let about_api = next.saved.values().find(|i| i.container.name == "api").unwrap();
    assert_eq!(about_api.state, IncidentState::Resolved);
}

#[test]
fn an_escalated_incident_stays_with_its_person() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 127);
    story.pass(SECOND);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(60));
    assert_eq!(next.state(), IncidentState::Escalated);
    assert_eq!(next.told(), [""; 0]);
}

#[test]
fn a_container_that_was_replaced_meanwhile_ends_its_incident() {
    for tools in [Tools::Work, Tools::Silent] {
        let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
        story.tools = tools;
        story.dies("api", 1);
        story.pass(SECOND);
        story.edit("api", |c| c.of.id = "f".repeat(64).as_str().into());
        let mut next = story.restarted(settings(Mode::AutoHeal));
        next.pass(SECOND);
        assert_eq!(next.state(), IncidentState::ResolvedExternally);
    }
}

#[test]
fn the_brakes_remember_what_an_earlier_run_did() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(60));
    assert_eq!(story.state(), IncidentState::Resolved);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.dies("api", 1);
    next.pass(SECOND);
    assert!(next.reasons().contains(&"cooldown"), "{:?}", next.reasons());
    assert!(next.applied.is_empty());
    assert!(next.last().unwrap().reopens.is_some(), "it continues across the restart");
    next.pass(seconds(300));
    assert_eq!(next.applied.len(), 1);
    // Two plans in the hour are a third of the budget: no more for this service.
    next.pass(seconds(60));
    let mut third = next.restarted(settings(Mode::AutoHeal));
    third.pass(seconds(900));
    third.dies("api", 1);
    third.pass(seconds(60));
    assert!(third.reasons().contains(&"budget"), "{:?}", third.reasons());
    assert!(third.applied.is_empty());
}

#[test]
fn a_fix_that_made_it_worse_stays_locked_over_a_restart() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    story.dies("api", 1);
    story.pass(SECOND);
    assert_eq!(story.undone.len(), 1);
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.starts("api");
    next.pass(seconds(400));
    next.dies("api", 1);
    next.pass(SECOND);
    assert!(next.reasons().contains(&"locked"), "{:?}", next.reasons());
    assert!(next.applied.is_empty());
    assert!(next.undone.is_empty());
}

#[test]
fn nothing_is_diagnosed_before_the_monitor_is_attached() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(millis(5));
    let earlier = story.saved.values().cloned().collect();
    let truth = story.truth.values().cloned().collect();
    let mut next = Story::before_attach(settings(Mode::AutoHeal), earlier, story.now, truth);
    next.pass(seconds(60));
    assert_eq!(next.state(), IncidentState::Diagnosing);
    assert_eq!(next.told(), [""; 0]);
}
