//! No key decides before it could be meant: races around the approval, scripted.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use jiff::SignedDuration;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::{FixState, Risk};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::engine::{Engine, Settings};
use sentinel_tui::tui::message::Msg;
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use tui_common::{Session, awaiting, healthy, incident, now, plan};

fn at_the_fix(risk: Risk) -> Session {
    let mut session = Session::new(awaiting(risk), 120, 40);
    session.keys("3");
    session
}

fn opened(risk: Risk) -> Session {
    let mut session = at_the_fix(risk);
    session.keys("A");
    session.drawn();
    session.wait(300);
    session
}

#[test]
fn a_new_incident_takes_no_focus_and_opens_nothing() {
    let mut session = Session::new(healthy(), 120, 40);
    session.keys("4");
    session.snapshot(awaiting(Risk::R1));
    assert_eq!(session.state.focus, Pane::Logs);
    assert!(session.state.modal.is_none() && session.state.inspector.is_none());
    session.keys("y A y enter R");
    assert!(session.commands().is_empty());
    assert!(session.state.modal.is_none());
}

#[test]
fn keys_before_the_first_frame_do_nothing() {
    let mut session = at_the_fix(Risk::R1);
    session.keys("A y tab enter y");
    session.wait(5000);
    session.keys("y");
    assert!(session.commands().is_empty(), "it was never drawn, so nothing was read");
    assert!(session.state.modal.is_some());
}

#[test]
fn keys_within_the_grace_after_the_first_frame_do_nothing() {
    let mut session = at_the_fix(Risk::R1);
    session.keys("A");
    session.drawn();
    session.wait(299);
    session.keys("y esc tab enter");
    assert!(session.commands().is_empty());
    assert!(session.state.modal.is_some(), "not even closing counts");
    session.drawn();
    session.wait(1);
    session.keys("y");
    assert_eq!(session.commands().len(), 1, "a later frame does not begin the grace again");
}

#[test]
fn y_approves_exactly_the_plan_that_was_shown() {
    let mut session = opened(Risk::R1);
    session.keys("y");
    let shown = plan(Risk::R1);
    let expected = Command::Approve { fix: shown.steps[0].id.clone(), sha256: shown.sha256 };
    assert_eq!(session.commands(), [&expected]);
    assert!(session.state.modal.is_none());
    session.keys("y");
    assert_eq!(session.commands().len(), 1);
}

#[test]
fn the_focus_is_on_cancel() {
    let mut session = opened(Risk::R2);
    session.keys("enter");
    assert!(session.commands().is_empty() && session.state.modal.is_none());
    let mut session = opened(Risk::R2);
    session.keys("tab enter");
    assert_eq!(session.commands().len(), 1);
    let mut session = opened(Risk::R2);
    session.keys("tab tab enter");
    assert!(session.commands().is_empty());
    for key in ["n", "q", "esc"] {
        let mut session = opened(Risk::R2);
        session.keys(key);
        session.keys("y");
        assert!(session.commands().is_empty(), "{key} cancels");
    }
}

#[test]
fn a_plan_that_is_replaced_under_the_dialog_cannot_be_approved() {
    let mut session = opened(Risk::R1);
    let mut other = plan(Risk::R1);
    other.steps[0].docker_line = "docker rm -f everything".to_owned();
    other.steps[0].call.arguments.insert("memory".to_owned(), serde_json::json!("1k"));
    let mut snapshot = awaiting(Risk::R1);
    snapshot.incidents =
        vec![Arc::new(incident(Some(other.freeze()), IncidentState::AwaitingApproval))];
    session.snapshot(snapshot);
    assert!(session.screen().contains("The plan changed since it was shown"));
    session.keys("y tab y enter");
    assert!(session.commands().is_empty());
    assert!(session.state.modal.is_none(), "enter closes what is void");
}

#[test]
fn a_plan_whose_text_changed_under_an_equal_hash_cannot_be_approved() {
    let mut session = opened(Risk::R1);
    let mut forged = plan(Risk::R1);
    forged.steps[0].call.tool = "exec".to_owned();
    let mut snapshot = awaiting(Risk::R1);
    snapshot.incidents = vec![Arc::new(incident(Some(forged), IncidentState::AwaitingApproval))];
    session.snapshot(snapshot);
    session.keys("y");
    assert!(session.commands().is_empty());
}

#[test]
fn a_plan_that_expires_under_the_dialog_cannot_be_approved() {
    let mut session = opened(Risk::R1);
    session.send(Msg::Tick { now: now() + SignedDuration::from_secs(873), at: session.at });
    assert!(session.screen().contains("expired"));
    session.keys("y");
    assert!(session.commands().is_empty());
}

#[test]
fn a_plan_that_somebody_else_decided_cannot_be_approved() {
    let mut session = opened(Risk::R1);
    let mut decided = plan(Risk::R1);
    for step in &mut decided.steps {
        step.state = FixState::Applying;
    }
    let mut snapshot = awaiting(Risk::R1);
    snapshot.incidents = vec![Arc::new(incident(Some(decided), IncidentState::Fixing))];
    session.snapshot(snapshot);
    assert!(session.screen().contains("decided meanwhile"));
    session.keys("y");
    assert!(session.commands().is_empty());
    let mut session = opened(Risk::R1);
    session.snapshot(healthy());
    session.keys("y");
    assert!(session.commands().is_empty());
}

#[test]
fn a_risky_plan_asks_for_the_name_and_letters_are_letters() {
    let mut session = opened(Risk::R3);
    session.types("y");
    session.keys("enter");
    assert!(session.commands().is_empty(), "y is a letter of a name here");
    session.keys("tab enter");
    assert!(session.commands().is_empty(), "the wrong name approves nothing");
    session.keys("backspace");
    session.types("shop-api-1");
    session.keys("enter");
    assert!(session.commands().is_empty(), "typing must not run into approving");
    session.keys("enter");
    assert_eq!(session.commands().len(), 1);
}

#[test]
fn a_pasted_name_confirms_nothing_and_pasted_keys_are_no_keys() {
    let mut session = opened(Risk::R3);
    session.send(Msg::Paste { text: "shop-api-1\r\ny".to_owned(), at: session.at });
    session.keys("tab tab enter");
    assert!(session.commands().is_empty());
    let mut session = opened(Risk::R1);
    session.send(Msg::Paste { text: "y".to_owned(), at: session.at });
    assert!(session.commands().is_empty());
}

#[test]
fn nothing_can_be_approved_where_it_cannot_be_seen() {
    let mut session = at_the_fix(Risk::R1);
    session.keys("A");
    session.send(Msg::Resize { width: 30, height: 6 });
    session.drawn();
    session.wait(1000);
    session.keys("y tab enter");
    assert!(session.commands().is_empty());
    session.send(Msg::Resize { width: 120, height: 40 });
    session.keys("y");
    assert!(session.commands().is_empty(), "the first frame that shows it begins the grace");
    session.drawn();
    session.wait(300);
    session.keys("y");
    assert_eq!(session.commands().len(), 1);
}

#[test]
fn read_only_explains_itself() {
    let mut snapshot = awaiting(Risk::R1);
    snapshot.mode = Mode::ReadOnly;
    for keys in ["3 A", "3 R", "2 D", "2 enter D", "2 enter R"] {
        let mut session = Session::new(snapshot.clone(), 120, 40);
        assert!(!session.screen().contains("to approve"), "{}", session.screen());
        session.keys(keys);
        assert!(session.state.modal.is_none() && session.commands().is_empty(), "after `{keys}`");
        assert!(session.screen().contains("read-only: nothing is changed"), "after `{keys}`");
    }
}

#[test]
fn an_instance_that_was_not_elected_says_that_it_only_watches() {
    let watching = |elected, mode| {
        let settings = Settings { elected, mode, ..Settings::default() };
        Engine::new(settings, Vec::new()).snapshot(now()).watching
    };
    assert!(watching(false, Mode::AutoHeal).is_some_and(|w| w.starts_with("another sentinel-tui")));
    assert_eq!(watching(true, Mode::AutoHeal), None);
    assert_eq!(watching(false, Mode::ReadOnly), None, "read-only is what it says already");
}

#[test]
fn an_instance_that_only_watches_does_not_pretend_to_act() {
    let mut snapshot = awaiting(Risk::R1);
    snapshot.watching = Some("another sentinel-tui on this machine acts on this engine".to_owned());
    for (keys, size) in [("3 A", (120, 40)), ("2 enter R", (120, 40)), ("3 A", (60, 15))] {
        let mut session = Session::new(snapshot.clone(), size.0, size.1);
        session.keys(keys);
        assert!(session.state.modal.is_none() && session.commands().is_empty());
        let screen = session.screen();
        assert!(screen.contains(" WATCHING ") && !screen.contains("APPROVE"), "{screen}");
        assert!(!screen.contains("to approve") && !screen.contains("approve?"), "{screen}");
        assert!(!screen.contains("A approve") && !screen.contains("◆ 1"), "{screen}");
        assert!(screen.contains("Only watching: another sentinel-tui"), "{screen}");
    }
}

#[test]
fn a_plan_whose_container_went_away_says_so() {
    let mut session = opened(Risk::R1);
    let mut snapshot = awaiting(Risk::R1);
    snapshot.containers.remove(0);
    let mut stale = plan(Risk::R1);
    for step in &mut stale.steps {
        step.state = FixState::Stale;
    }
    snapshot.incidents = vec![Arc::new(incident(Some(stale), IncidentState::ResolvedExternally))];
    session.snapshot(snapshot);
    assert!(
        session.screen().contains("shop-api-1 is gone: it was removed"),
        "{}",
        session.screen()
    );
    session.keys("y");
    assert!(session.commands().is_empty());
}

#[test]
fn approving_works_from_the_inspector_and_nowhere_else() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    session.keys("2 A");
    assert!(session.state.modal.is_none());
    session.keys("enter A");
    assert!(matches!(session.state.modal.as_ref().unwrap().modal, Modal::Approve(_)));
}

#[test]
fn a_rejection_carries_its_reason() {
    let mut session = at_the_fix(Risk::R1);
    session.keys("R");
    session.types("lost");
    session.drawn();
    session.wait(300);
    session.types("too risky now");
    session.keys("enter");
    let fix = plan(Risk::R1).steps[0].id.clone();
    let expected = Command::Reject { fix, reason: "too risky now".to_owned() };
    assert_eq!(session.commands(), [&expected]);
}
