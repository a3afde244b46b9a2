//! Editing, rehearsing, putting off and allowing a plan: the dialogs, their guards, how they look;
//! and that no sequence of keys decides anything without a key that was meant for the dialog.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;
use proptest::prelude::*;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::grant::Grant;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::{Actor, FixState, Plan, Risk};
use sentinel_core::domain::snapshot::{Mode, Snapshot};
use sentinel_core::domain::snooze::Snooze;
use sentinel_core::domain::tool::{Tool, ToolHints};
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use serde_json::json;
use tui_common::{Session, ago, awaiting, healthy, incident, now, plan};

const SIZES: [(u16, u16); 5] = [(40, 12), (60, 15), (80, 24), (120, 40), (200, 60)];

/// A plan that raises a limit, with all that its tool wants, and the tool.
fn raising() -> (Plan, Snapshot) {
    let mut raise = plan(Risk::R1);
    raise.steps.truncate(1);
    let call = &mut raise.steps[0].call;
    call.arguments.insert("resources".to_owned(), json!({"memory": "144m"}));
    let raise = raise.freeze();
    let mut snapshot = awaiting(Risk::R1);
    snapshot.incidents =
        vec![Arc::new(incident(Some(raise.clone()), IncidentState::AwaitingApproval))];
    let resources = json!({
        "type": "object",
        "properties": {"memory": {"type": "string", "maxLength": 12}, "cpu": {"type": "string"}},
        "additionalProperties": false,
    });
    snapshot.tools = Arc::new(vec![Tool {
        server: "docker-control".to_owned(),
        name: "update_resources".to_owned(),
        description: String::new(),
        input_schema: json!({
            "type": "object",
            "properties": {
                "container_name": {"type": "string"},
                "resources": resources,
                "reason": {"type": "string"},
            },
            "required": ["container_name", "resources"],
            "additionalProperties": false,
        }),
        foreign: false,
        hints: ToolHints::default(),
    }]);
    (raise, snapshot)
}

fn opened(snapshot: Snapshot, keys: &str) -> Session {
    let mut session = Session::new(snapshot, 120, 40);
    session.keys(keys);
    session.drawn();
    session.wait(300);
    session
}

fn granted() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.brakes.grants = vec![Grant {
        id: 7,
        tools: ["restart_container".to_owned()].into(),
        service: "api".to_owned(),
        project: Some("shop".to_owned()),
        by: "ana".to_owned(),
        at: ago(600),
        until: now() + SignedDuration::from_secs(3000),
        uses: 2,
        used: 1,
    }];
    snapshot
}

fn postponed() -> Snapshot {
    let mut snapshot = awaiting(Risk::R1);
    let mut open = (*snapshot.incidents[0]).clone();
    let until = Some(now() + SignedDuration::from_secs(500));
    open.snooze = Some(Snooze { times: 1, until, by: "ana".to_owned() });
    snapshot.incidents = vec![Arc::new(open)];
    snapshot
}

fn erase(session: &mut Session, count: usize) {
    for _ in 0..count {
        session.keys("backspace");
    }
}

#[test]
fn an_edit_is_asked_for_with_the_hash_that_was_shown() {
    let (raise, snapshot) = raising();
    let mut session = opened(snapshot, "3 E");
    session.keys("enter");
    assert!(session.commands().is_empty(), "nothing was changed yet");
    erase(&mut session, 4);
    session.types("160m");
    assert!(session.screen().contains("memory 96 MiB → 160 MiB"), "{}", session.screen());
    session.keys("enter");
    let Some(Command::Edit { fix, sha256, arguments }) = session.commands().first().copied() else {
        panic!("no edit in {:?}", session.commands());
    };
    assert_eq!((fix, sha256), (&raise.steps[0].id, &raise.sha256));
    assert_eq!(arguments["resources"], json!({"memory": "160m"}));
    assert_eq!(arguments["container_name"], raise.steps[0].call.arguments["container_name"]);
    assert!(session.state.modal.is_none());
}

#[test]
fn each_mistake_stands_beside_its_field_and_nothing_is_sent() {
    let (_, snapshot) = raising();
    let mut session = opened(snapshot, "3 E");
    erase(&mut session, 4);
    session.types("9999g");
    let screen = session.screen();
    assert!(screen.contains("is possible"), "our own bounds: {screen}");
    session.keys("enter");
    erase(&mut session, 5);
    session.types("0000000000160m");
    assert!(session.screen().contains("longer than 12"), "the schema: {}", session.screen());
    session.keys("enter");
    erase(&mut session, 14);
    session.types("much");
    assert!(session.screen().contains("no amount"), "{}", session.screen());
    session.keys("enter");
    assert!(session.commands().is_empty());
    assert!(session.state.modal.is_some(), "it stays, to be mended");
}

#[test]
fn a_plan_that_changes_under_the_edit_or_the_grant_voids_it() {
    for keys in ["3 E", "3 ctrl-g", "3 A"] {
        let (raise, snapshot) = raising();
        let mut session = opened(snapshot.clone(), keys);
        let mut other = raise.clone();
        other.steps[0].docker_line.push('!');
        let mut changed = snapshot.clone();
        changed.incidents =
            vec![Arc::new(incident(Some(other.freeze()), IncidentState::AwaitingApproval))];
        session.snapshot(changed);
        assert!(session.screen().contains("changed since it was shown"), "{}", session.screen());
        session.keys("y enter y");
        assert!(session.commands().is_empty(), "{keys}");
        let mut session = opened(snapshot, keys);
        session.snapshot(postponed());
        session.keys("y");
        assert!(session.commands().is_empty(), "{keys}");
    }
}

#[test]
fn every_dialog_has_the_grace_and_its_opener_answers_nothing() {
    let openers = [("3 A", "A"), ("3 E", "E"), ("3 S", "S"), ("3 ctrl-g", "ctrl-g"), ("3 R", "R")];
    for (open, opener) in openers {
        let (_, snapshot) = raising();
        let mut session = Session::new(snapshot.clone(), 120, 40);
        session.keys(open);
        session.keys("y enter 1 enter");
        session.drawn();
        session.wait(299);
        session.keys("y enter 1 enter y");
        session.send(Msg::Paste { text: "y\r".to_owned(), at: session.at });
        assert!(session.commands().is_empty(), "{open}");
        assert!(session.state.modal.is_some(), "{open}");
        let mut session = opened(snapshot.clone(), open);
        session.keys(&format!("{opener} {opener} {opener}"));
        assert!(session.commands().is_empty(), "{open} answers itself");
        let mut session = opened(snapshot, open);
        session.send(Msg::Paste { text: "y\r\ny".to_owned(), at: session.at });
        assert!(session.commands().is_empty(), "{open}: a paste is no key");
    }
}

#[test]
fn a_snooze_is_chosen_and_a_plan_that_is_put_off_is_grey_and_not_approved() {
    let mut session = opened(awaiting(Risk::R1), "3 S");
    session.keys("2 enter");
    let fix = plan(Risk::R1).steps[0].id.clone();
    assert_eq!(session.commands(), [&Command::Snooze { fix: fix.clone(), seconds: 900 }]);
    let mut session = opened(postponed(), "3");
    assert!(session.screen().contains("put off 8:20"), "{}", session.screen());
    session.keys("A");
    assert!(session.state.modal.is_none());
    assert!(session.screen().contains("S ends that"), "{}", session.screen());
    session.keys("S");
    session.drawn();
    session.wait(300);
    session.keys("4 enter");
    assert_eq!(session.commands(), [&Command::Snooze { fix, seconds: 0 }]);
}

#[test]
fn a_grant_is_given_for_what_was_shown_and_listed_and_taken_back() {
    let mut session = opened(awaiting(Risk::R1), "3 ctrl-g");
    session.keys("enter");
    erase(&mut session, 1);
    session.types("99");
    session.keys("y");
    assert!(session.commands().is_empty() && session.screen().contains("1 to 10"));
    erase(&mut session, 2);
    session.types("3");
    session.keys("y");
    let shown = plan(Risk::R1);
    let (fix, sha256) = (shown.steps[0].id.clone(), shown.sha256);
    let expected = Command::Grant { fix, sha256, seconds: 3600, uses: 3 };
    assert_eq!(session.commands(), [&expected]);
    let mut session = opened(awaiting(Risk::R3), "3 ctrl-g");
    assert!(session.state.modal.is_none() && session.screen().contains("approved each time"));
    session.keys("y");
    assert!(session.commands().is_empty());

    let mut session = opened(granted(), "L");
    assert!(session.screen().contains("Allowed beforehand  1"), "{}", session.screen());
    assert!(session.screen().contains("restart_container, 1 of 2 left"), "{}", session.screen());
    session.keys("] ctrl-g");
    session.drawn();
    session.wait(300);
    session.types("enough");
    session.keys("enter");
    let expected = Command::Revoke { grant: 7, reason: "enough".to_owned() };
    assert_eq!(session.commands(), [&expected]);
}

#[test]
fn a_dry_run_opens_at_once_is_filled_later_and_asks_nothing_else() {
    let mut session = opened(awaiting(Risk::R1), "3 D");
    let fix = plan(Risk::R1).steps[0].id.clone();
    assert!(session.effects.contains(&Effect::Rehearse(fix.clone())));
    assert!(session.screen().contains("Looking at the target"));
    let report = "Dry run of INC-1/1: nothing was changed.\n\nNow\n  its preconditions hold";
    session.send(Msg::Rehearsed { fix: fix.clone(), outcome: Ok(report.to_owned()) });
    assert!(session.screen().contains("its preconditions hold"), "{}", session.screen());
    session.keys("esc");
    // What comes late opens nothing.
    session.send(Msg::Rehearsed { fix, outcome: Ok(report.to_owned()) });
    assert!(session.state.modal.is_none() && session.commands().is_empty());
    for (mode, keys) in [(Mode::ReadOnly, "3 D"), (Mode::Approve, "2 enter P")] {
        let mut snapshot = awaiting(Risk::R1);
        snapshot.mode = mode;
        let session = opened(snapshot, keys);
        assert!(matches!(session.state.modal.as_ref().unwrap().modal, Modal::Rehearsal(_)));
    }
}

#[test]
fn the_card_leads_to_the_other_dialogs_and_each_begins_its_own_grace() {
    for (key, answer) in [("E", "enter"), ("S", "enter"), ("ctrl-g", "y")] {
        let (_, snapshot) = raising();
        let mut session = opened(snapshot, "3 A");
        session.keys(key);
        assert!(!matches!(session.state.modal.as_ref().unwrap().modal, Modal::Approve(_)));
        session.keys(answer);
        session.drawn();
        session.wait(299);
        session.keys(answer);
        assert!(session.commands().is_empty(), "{key}");
    }
    let mut session = opened(awaiting(Risk::R1), "3 A");
    session.keys("2");
    assert!(session.state.modal.is_none() && session.commands().is_empty());
    assert_eq!(session.state.focus, Pane::Logs, "the second piece of evidence is a line");
}

#[test]
fn what_is_done_must_have_been_in_view_before_it_is_approved() {
    let mut session = Session::new(awaiting(Risk::R1), 60, 15);
    session.keys("3 A");
    session.drawn();
    session.wait(300);
    assert!(session.screen().contains("say what it does: read on"), "{}", session.screen());
    session.keys("y tab enter y");
    assert!(session.commands().is_empty());
    for _ in 0..40 {
        session.keys("down");
    }
    session.keys("y");
    assert!(session.commands().is_empty(), "no frame showed what lies between");
    for _ in 0..40 {
        session.keys("up");
    }
    for _ in 0..40 {
        session.keys("down");
        session.drawn();
    }
    assert!(!session.screen().contains("read on"), "{}", session.screen());
    session.send(Msg::Resize { width: 58, height: 15 });
    session.keys("y");
    assert!(session.commands().is_empty(), "in another size the lines are others");
    for _ in 0..40 {
        session.keys("up");
        session.drawn();
    }
    for _ in 0..9 {
        session.keys("pgdn");
        session.drawn();
    }
    session.keys("y");
    assert_eq!(session.commands().len(), 1, "{}", session.screen());
}

#[test]
fn the_card_answers_what_why_what_else_and_who_decides() {
    let mut snapshot = awaiting(Risk::R2);
    let mut open = (*snapshot.incidents[0]).clone();
    open.refuse(ago(300), Actor::Person("ana".to_owned()), "not during the deploy");
    snapshot.incidents = vec![Arc::new(open)];
    let session = opened(snapshot, "3 A");
    let screen = session.screen();
    for part in [
        "shop-api-1 was killed at its memory limit",
        "95% sure",
        "1 ",
        "hit its memory limit (oom event)",
        "memory 96 MiB → 144 MiB",
        "$ docker update --memory 144m shop-api-1",
        "brief downtime",
        "needed by  shop-gateway-1",
        "stop_container",
        "an oom event explains the death better",
        "not during the deploy",
        "auto-heal is off",
        "14:32 left",
    ] {
        assert!(screen.contains(part), "{part} is not on\n{screen}");
    }
}

#[test]
fn nothing_decided_is_edited_and_read_only_explains_itself() {
    let mut decided = plan(Risk::R1);
    for step in &mut decided.steps {
        step.state = FixState::Applied;
    }
    let mut snapshot = awaiting(Risk::R1);
    snapshot.incidents = vec![Arc::new(incident(Some(decided), IncidentState::Verifying))];
    for keys in ["3 E", "3 S", "3 D", "3 ctrl-g"] {
        let session = opened(snapshot.clone(), keys);
        assert!(session.state.modal.is_none(), "{keys}");
        let mut reader = awaiting(Risk::R1);
        reader.mode = Mode::ReadOnly;
        let session = opened(reader, keys);
        assert!(session.commands().is_empty());
        let asks = session.state.modal.is_some();
        assert_eq!(asks, keys == "3 D", "only looking is allowed: {keys}");
    }
}

fn snap(name: &str, snapshot: &Snapshot, keys: &str, then: impl Fn(&mut Session)) {
    for (width, height) in SIZES {
        let mut session = Session::new(snapshot.clone(), width, height);
        session.keys(keys);
        session.drawn();
        session.wait(300);
        then(&mut session);
        session.drawn();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
    }
}

#[test]
fn how_an_edit_looks() {
    let (_, snapshot) = raising();
    snap("edit", &snapshot, "3 E", |session| {
        erase(session, 4);
        session.types("160m");
    });
    snap("edit_mistaken", &snapshot, "3 E", |session| session.types("9"));
}

#[test]
fn how_a_snooze_looks() {
    snap("snooze", &awaiting(Risk::R1), "3 S", |_| ());
    snap("snoozed", &postponed(), "3", |_| ());
}

#[test]
fn how_a_grant_looks() {
    snap("grant", &awaiting(Risk::R1), "3 ctrl-g", |_| ());
    snap("granted", &granted(), "L", |_| ());
}

#[test]
fn how_a_dry_run_looks() {
    let report = "Dry run of INC-1/1: nothing was changed.\n\nNow\n  its preconditions hold, and \
                  each tool takes its call\n\nWho decides\n  a person decides, because\n  \
                  auto_heal_off: auto-heal is off; a person decides (start with --auto-heal to \
                  change that)\n\nThe call\n  update_resources on shop-api-1\n  resources = \
                  {\"memory\":\"144m\"}\n  changes: memory 96 MiB → 144 MiB\n\nVerified \
                  afterwards\n  no container that depends on it is worse than before";
    snap("dry_run", &awaiting(Risk::R1), "3 D", |session| {
        let fix = plan(Risk::R1).steps[0].id.clone();
        session.send(Msg::Rehearsed { fix, outcome: Ok(report.to_owned()) });
    });
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let letters = prop::char::range(' ', '~').prop_map(KeyCode::Char);
    let named = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Backspace,
    ]);
    let likely = prop::sample::select("3AESDRgy2q".chars().collect::<Vec<_>>());
    let code = prop_oneof![2 => likely.prop_map(KeyCode::Char), 1 => letters, 1 => named];
    (code, prop::bool::weighted(0.1)).prop_map(|(code, control)| {
        let modifiers = if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        KeyEvent::new(code, modifiers)
    })
}

/// A key, then perhaps a frame, then some time.
fn script() -> impl Strategy<Value = Vec<(KeyEvent, bool, u64)>> {
    let pause = prop::sample::select(vec![0_u64, 1, 150, 299, 300, 1000]);
    prop::collection::vec((any_key(), any::<bool>(), pause), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// `y` and Enter may be typed at any time up to the end of a dialog's grace: only there are
    /// they left out.
    #[test]
    fn no_keys_decide_without_an_answer_that_was_meant(script in script(), risk in 1_u8..4) {
        let risk = match risk { 1 => Risk::R1, 2 => Risk::R2, _ => Risk::R3 };
        let mut session = Session::new(awaiting(risk), 120, 40);
        session.keys("3");
        for (key, frame, pause) in script {
            let heard = session.state.modal.as_ref().is_some_and(|open| open.hears(session.at));
            let answers = matches!(key.code, KeyCode::Char('y') | KeyCode::Enter);
            if !(heard && answers) {
                session.send(Msg::Key { key, at: session.at });
            }
            if frame {
                session.drawn();
            }
            session.wait(pause);
        }
        let decided = session.commands().into_iter().any(|c| {
            matches!(c, Command::Approve { .. } | Command::Grant { .. } | Command::Edit { .. })
        });
        prop_assert!(!decided, "{:?}", session.commands());
    }
}
