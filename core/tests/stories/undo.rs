//! A person has a fix taken back: while it is verified, when it was verified long ago, after a
//! restart of sentinel-tui.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::{Actor, FixState};
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, seconds, settings};

/// A container that died and was started again by a fix, which was verified.
fn mended() -> Story {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    let approved = story.approve();
    assert!(approved.is_ok(), "{approved:?}");
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    story
}

#[test]
fn what_was_verified_is_taken_back_and_its_incident_stays_closed() {
    let mut story = mended();
    let told = story.undo().unwrap();
    assert_eq!(told, "taking it back: stop_container on api");
    story.pass(SECOND);
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Resolved);
    assert_eq!(incident.plan.as_ref().unwrap().steps[0].state, FixState::Undone);
    assert!(incident.timeline.iter().any(|e| e.what == "taken back by ann"));
    assert_eq!(story.audited()[5..], ["undoing", "undone"]);
    let undone = &story.audit[5];
    assert_eq!(
        (undone.actor.to_string(), undone.reason.as_str()),
        ("ann".to_owned(), "taken back by ann")
    );
    assert_eq!(story.count("fix_undone"), 1);
    assert!(story.undo().unwrap_err().contains("nothing of fix"), "once is enough");
}

#[test]
fn while_it_is_verified_it_goes_to_a_person_and_its_target_is_left_alone() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.undo().unwrap();
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.undone.len(), 1);
    // By somebody's hand it runs again, and dies long after: the policy leaves it to people.
    story.starts("api");
    story.pass(seconds(1200));
    story.dies("api", 1);
    story.pass(seconds(60));
    assert!(story.reasons().contains(&"locked"), "{:?}", story.reasons());
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn after_a_restart_it_can_still_be_taken_back() {
    let mut story = mended().restarted(settings(Mode::Approve));
    story.undo().unwrap();
    story.pass(SECOND);
    assert_eq!(story.incident().plan.unwrap().steps[0].state, FixState::Undone);
}

#[test]
fn an_undo_whose_end_nobody_told_is_given_up() {
    let mut story = mended();
    story.undo_is_silent = true;
    story.undo().unwrap();
    story.pass(seconds(700));
    let incident = story.incident();
    assert_eq!(incident.plan.as_ref().unwrap().steps[0].state, FixState::Failed);
    assert!(incident.timeline.iter().any(|e| e.what.contains("did not come back")));
    // Nothing waits for it any more: another plan may run.
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
}

#[test]
fn an_undo_that_a_restart_broke_off_is_never_repeated() {
    let mut story = mended();
    story.undo_is_silent = true;
    story.undo().unwrap();
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(60));
    assert_eq!(next.audited(), ["interrupted"]);
    assert_eq!(next.incident().plan.unwrap().steps[0].state, FixState::Failed);
    assert!(next.undone.is_empty());
}

#[test]
fn who_may_not_change_anything_takes_nothing_back() {
    let story = mended();
    let plan = story.incident().plan.unwrap();
    let undo =
        |sha256: &str| Command::Undo { fix: plan.steps[0].id.clone(), sha256: sha256.to_owned() };
    let ann = || Actor::Person("ann".to_owned());
    let mut read_only = story.restarted(settings(Mode::ReadOnly));
    assert!(read_only.ask(ann(), undo(&plan.sha256)).unwrap_err().contains("read-only"));
    let mut other = settings(Mode::Approve);
    other.elected = false;
    let mut watching = story.restarted(other);
    assert!(watching.ask(ann(), undo(&plan.sha256)).unwrap_err().contains("approve there"));
    let mut story = story.restarted(settings(Mode::Approve));
    assert!(story.ask(Actor::Policy, undo(&plan.sha256)).unwrap_err().contains("only a person"));
    assert!(story.ask(ann(), undo("another")).unwrap_err().contains("changed since it was shown"));
    story.removed("api");
    let error = story.ask(ann(), undo(&plan.sha256)).unwrap_err();
    assert!(error.contains("gone or was replaced"), "{error}");
    assert!(story.undone.is_empty());
}

#[test]
fn what_a_later_fix_builds_upon_is_not_taken_back_first() {
    let mut story = mended();
    let first = story.incident().plan.unwrap();
    story.pass(seconds(1000));
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
    story.pass(seconds(40));
    let undo = Command::Undo { fix: first.steps[0].id.clone(), sha256: first.sha256.clone() };
    let error = story.ask(Actor::Person("ann".to_owned()), undo.clone()).unwrap_err();
    assert!(error.contains("take that back first"), "{error}");
    story.undo().unwrap();
    story.pass(SECOND);
    story.ask(Actor::Person("ann".to_owned()), undo).unwrap();
    story.pass(SECOND);
    assert_eq!(story.undone.len(), 2);
}
