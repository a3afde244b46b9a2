//! The command palette, the mouse, own keys and notices: a state, what is done, what is expected.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::collections::BTreeMap;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::snapshot::Mode;
use sentinel_tui::tui::action::Action;
use sentinel_tui::tui::keymap::Keymap;
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use sentinel_tui::tui::state::Subject;
use tui_common::{Session, awaiting, empty, healthy, theme};

fn session() -> Session {
    Session::new(awaiting(Risk::R1), 120, 40)
}

fn palette(session: &mut Session, text: &str) {
    session.keys(":");
    session.types(text);
}

fn logs_of(session: &Session) -> &str {
    let id = session.state.logs.container.as_ref();
    id.and_then(|id| session.state.container(id)).map_or("", |v| v.container.of.name.as_str())
}

#[test]
fn every_action_is_found_by_its_name() {
    for action in Action::ALL.iter().filter(|a| **a != Action::Palette) {
        let mut session = session();
        palette(&mut session, action.word());
        let Some(open) = &session.state.modal else { panic!("no palette") };
        let Modal::Palette(open) = &open.modal else { panic!("another dialog") };
        let found = sentinel_tui::tui::palette::matches(&session.state, open);
        assert_eq!(found.first().map(|e| e.words.as_str()), Some(action.word()));
    }
}

#[test]
fn a_name_leads_to_a_log_a_page_a_pane() {
    let mut session = session();
    palette(&mut session, "logs worker");
    session.keys("enter");
    assert_eq!(session.state.focus, Pane::Logs);
    assert_eq!(logs_of(&session), "shop-worker-1");
    palette(&mut session, "inspect inc");
    session.keys("enter");
    let subject = session.state.inspector.as_ref().map(|i| i.subject.clone());
    assert!(matches!(subject, Some(Subject::Incident(_))));
    palette(&mut session, "fixes");
    session.keys("enter");
    assert_eq!(session.state.focus, Pane::Fixes);
}

#[test]
fn an_action_of_another_pane_goes_there() {
    let mut session = session();
    let before = session.state.logs.wrap;
    palette(&mut session, "wrap");
    session.keys("enter");
    assert_eq!((session.state.focus, session.state.logs.wrap), (Pane::Logs, !before));
}

#[test]
fn approving_by_name_opens_the_same_card_in_the_same_places() {
    let mut session = session();
    palette(&mut session, "approve");
    session.keys("enter");
    assert!(session.state.modal.is_none(), "not from the containers");
    assert_eq!(session.state.focus, Pane::Containers);
    session.keys("3");
    palette(&mut session, "approve");
    // The same burst goes on: nothing of it counts.
    session.keys("enter y enter");
    let open = session.state.modal.clone().unwrap();
    assert!(matches!(open.modal, Modal::Approve(_)) && open.drawn.is_none());
    session.drawn();
    session.keys("y");
    assert!(session.commands().is_empty());
    session.wait(301);
    session.keys("y");
    assert_eq!(session.commands().len(), 1);
}

#[test]
fn read_only_holds_in_the_palette() {
    let mut snapshot = awaiting(Risk::R1);
    snapshot.mode = Mode::ReadOnly;
    let mut session = Session::new(snapshot, 120, 40);
    session.keys("3");
    for word in ["approve", "reject"] {
        palette(&mut session, word);
        session.keys("enter");
        assert!(session.state.modal.is_none());
    }
    assert!(session.state.toasts.iter().all(|t| t.text.contains("read-only")));
}

#[test]
fn quitting_by_name_asks_what_the_key_asks() {
    let mut snapshot = healthy();
    snapshot.mode = Mode::AutoHeal;
    let mut session = Session::new(snapshot, 120, 40);
    palette(&mut session, "q");
    session.keys("enter");
    assert!(!session.state.quit);
    assert!(matches!(session.state.modal.as_ref().unwrap().modal, Modal::Quit { .. }));
    let mut session = Session::new(healthy(), 120, 40);
    palette(&mut session, "quit");
    session.keys("enter");
    assert!(session.state.quit);
}

#[test]
fn matches_are_chosen_around_the_ends() {
    let mut session = session();
    palette(&mut session, "theme");
    session.keys("tab down shift-tab tab enter");
    assert_eq!(session.effects.last(), Some(&Effect::Theme("light")));
    palette(&mut session, "theme ");
    session.keys("up enter");
    assert_eq!(session.effects.last(), Some(&Effect::Theme("high-contrast")));
    palette(&mut session, "no such thing");
    session.keys("enter");
    assert!(session.state.modal.is_some(), "it waits for another name");
    session.keys("esc");
    assert!(session.state.modal.is_none());
}

#[test]
fn what_is_pasted_is_typed_and_never_run() {
    let mut session = session();
    session.keys(": ");
    let at = session.at;
    session.send(Msg::Paste { text: "halt\r\n".to_owned(), at });
    assert!(session.commands().is_empty());
    let Some(Modal::Palette(open)) = session.state.modal.as_ref().map(|o| &o.modal) else {
        panic!("the palette has closed")
    };
    assert_eq!(open.typed.lines(), ["halt"]);
}

#[test]
fn own_keys_are_in_force_and_shown() {
    let own = BTreeMap::from([
        ("zoom".to_owned(), vec!["ctrl+o".to_owned()]),
        ("logs".to_owned(), vec!["F6".to_owned()]),
    ]);
    let mut session = session();
    session.state.keymap = Keymap::with(&own).unwrap();
    assert!(session.screen().contains("F6 logs"), "{}", session.screen());
    session.keys("z");
    assert!(!session.state.zoom);
    session.keys("ctrl-o");
    assert!(session.state.zoom);
    session.keys("?");
    assert!(session.screen().contains("^o        zoom pane"), "{}", session.screen());
}

fn mouse(session: &mut Session, kind: MouseEventKind, column: u16, row: u16) {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    let at = session.at;
    session.send(Msg::Mouse { event, at });
}

/// Clicks where a text stands.
fn click(session: &mut Session, text: &str) {
    let screen = session.screen();
    let place = screen.lines().enumerate().find_map(|(row, line)| {
        let column = line.split_once(text)?.0.chars().count();
        Some((u16::try_from(column).ok()?, u16::try_from(row).ok()?))
    });
    assert!(place.is_some(), "`{text}` is not on the screen:\n{screen}");
    let (column, row) = place.unwrap_or_default();
    mouse(session, MouseEventKind::Down(MouseButton::Left), column, row);
}

#[test]
fn a_click_focuses_selects_and_runs_hints() {
    let mut session = session();
    session.state.mouse = true;
    click(&mut session, "shop-worker-1");
    assert_eq!((session.state.focus, logs_of(&session)), (Pane::Containers, "shop-worker-1"));
    click(&mut session, "4 Logs");
    assert_eq!(session.state.focus, Pane::Logs);
    click(&mut session, "3 Fixes");
    assert_eq!(session.state.focus, Pane::Fixes);
    click(&mut session, "A approve");
    assert!(matches!(session.state.modal.as_ref().unwrap().modal, Modal::Approve(_)));
    session.drawn();
    session.wait(1000);
    click(&mut session, "Approve ");
    assert!(session.commands().is_empty() && session.state.modal.is_some());
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut session = session();
    session.state.mouse = true;
    let shown = session.screen();
    let row = shown.lines().position(|l| l.contains("4 Logs")).unwrap();
    mouse(&mut session, MouseEventKind::ScrollUp, 5, u16::try_from(row).unwrap() + 2);
    assert!(!session.state.logs.follow);
    assert_eq!(session.state.focus, Pane::Containers);
    let first = logs_of(&session).to_owned();
    mouse(&mut session, MouseEventKind::ScrollDown, 5, 4);
    assert_ne!(logs_of(&session), first);
}

#[test]
fn a_click_does_not_leave_a_line_that_is_typed() {
    let mut session = session();
    session.state.mouse = true;
    session.keys("4 /");
    click(&mut session, "1 Containers");
    assert_eq!(session.state.focus, Pane::Logs);
    assert!(session.state.prompt.is_some());
}

#[test]
fn a_mouse_that_is_off_does_nothing() {
    let mut session = session();
    click(&mut session, "4 Logs");
    assert_eq!(session.state.focus, Pane::Containers);
    session.keys("M");
    assert_eq!(session.effects.last(), Some(&Effect::Mouse(true)));
    click(&mut session, "4 Logs");
    assert_eq!(session.state.focus, Pane::Logs);
}

fn notices(session: &Session) -> Vec<&str> {
    let told = session.effects.iter().filter_map(|effect| match effect {
        Effect::Notify(words) => Some(words.as_str()),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_new_incident_is_told_once() {
    let mut session = Session::new(empty(), 120, 40);
    session.state.notices.on = true;
    session.snapshot(healthy());
    assert!(notices(&session).is_empty());
    session.snapshot(awaiting(Risk::R1));
    session.snapshot(awaiting(Risk::R1));
    let told = notices(&session);
    assert!(told.len() == 1 && told[0].contains("shop-api-1"), "{told:?}");
    // One that was there at the start is no news.
    let mut session = Session::new(empty(), 120, 40);
    session.state.notices.on = true;
    session.snapshot(awaiting(Risk::R1));
    assert!(notices(&session).is_empty());
}

#[test]
fn many_incidents_are_told_together() {
    let mut session = Session::new(empty(), 120, 40);
    session.state.notices.on = true;
    session.snapshot(healthy());
    let mut many = awaiting(Risk::R1);
    session.snapshot(many.clone());
    for number in 1..4 {
        let mut other = many.incidents[0].clone();
        std::sync::Arc::make_mut(&mut other).id.0 = format!("INC-other-{number}");
        many.incidents.push(other);
        session.snapshot(many.clone());
    }
    assert_eq!(notices(&session).len(), 1);
    session.wait(10_000);
    let (now, at) = (session.state.now, session.at);
    session.send(Msg::Tick { now, at });
    let told = notices(&session);
    assert!(told.len() == 2 && told[1].contains("(and 2 more)"), "{told:?}");
}

#[test]
fn a_job_is_suspended_from_anywhere() {
    for keys in ["ctrl-z", "/ ctrl-z", ": ctrl-z", "3 A ctrl-z"] {
        let mut session = session();
        session.keys(keys);
        assert_eq!(session.effects.last(), Some(&Effect::Suspend), "after `{keys}`");
    }
}

#[test]
fn the_palette_fits_every_screen() {
    for (width, height) in [(60, 15), (80, 24), (120, 40)] {
        for (name, text) in [("all", ""), ("some", "logs shop"), ("none", "xyzzy")] {
            let mut session = Session::new(awaiting(Risk::R1), width, height);
            palette(&mut session, text);
            session.keys("tab");
            let shown = tui_common::text(&session.buffer(&theme("dark")));
            insta::assert_snapshot!(format!("palette_{name}_{width}x{height}"), shown);
        }
    }
}
