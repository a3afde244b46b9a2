//! What keys do: a state, keys, what is expected.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use proptest::prelude::*;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::snapshot::Mode;
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::pane::Pane;
use sentinel_tui::tui::state::{Sort, Subject};
use tui_common::{
    Session, awaiting, degraded, empty, halted, healthy, id, long_names, page, resolved, silenced,
    theme, verifying,
};

fn session() -> Session {
    Session::new(awaiting(Risk::R1), 120, 40)
}

fn selected(session: &Session) -> String {
    session
        .state
        .containers
        .item
        .as_ref()
        .and_then(|i| session.state.container(i))
        .map(|v| v.container.of.name.clone())
        .unwrap_or_default()
}

#[test]
fn panes_are_reached_by_tab_and_digit() {
    let cases = [
        ("", Pane::Containers),
        ("tab", Pane::Incidents),
        ("tab tab tab", Pane::Logs),
        ("tab tab tab tab", Pane::Containers),
        ("shift-tab", Pane::Logs),
        ("3", Pane::Fixes),
        ("4", Pane::Logs),
        ("5", Pane::Containers),
        ("2 i", Pane::Inspector),
        ("2 enter esc", Pane::Incidents),
        ("4 esc", Pane::Containers),
        ("l", Pane::Logs),
        ("enter", Pane::Logs),
        ("2 enter 2", Pane::Incidents),
        ("2 enter 3", Pane::Fixes),
        ("2 enter 1 5", Pane::Inspector),
    ];
    for (keys, expected) in cases {
        let mut session = session();
        session.keys(keys);
        assert_eq!(session.state.focus, expected, "after `{keys}`");
    }
}

#[test]
fn the_worst_container_is_first_and_the_selection_stays_with_it() {
    let mut session = session();
    assert_eq!(selected(&session), "shop-api-1");
    session.keys("j j");
    let chosen = selected(&session);
    session.keys("s s S");
    assert_eq!(session.state.sort, Sort::Cpu);
    assert_eq!(selected(&session), chosen);
    session.snapshot(healthy());
    assert_eq!(selected(&session), chosen);
    session.keys("G");
    assert_ne!(selected(&session), chosen);
}

#[test]
fn another_container_means_another_log() {
    let mut session = session();
    session.keys("j");
    let wanted = session.state.containers.item.clone().unwrap();
    assert!(
        session.effects.iter().any(
            |e| matches!(e, Effect::ReadLogs { container, last: 0, .. } if *container == wanted)
        )
    );
    let stale = session.state.logs.generation - 1;
    session.send(Msg::Logs { container: wanted, generation: stale, page: page(), whole: true });
    assert_eq!(session.state.logs.total(), 0, "a late page of another container is dropped");
}

#[test]
fn lists_are_filtered_while_typing() {
    let mut session = session();
    session.keys("/");
    session.types("db|work");
    assert_eq!(selected(&session), "shop-db-1");
    session.keys("enter j");
    assert_eq!(selected(&session), "shop-worker-1");
    session.keys("esc");
    assert!(session.state.containers.filter.is_none());
    session.keys("/");
    session.types("!shop-");
    assert_eq!(selected(&session), "", "nothing is left");
    assert!(session.screen().contains("No container matches the filter"));
    session.keys("esc");
    assert!(session.state.containers.filter.is_none(), "escape undoes what was typed");
}

#[test]
fn the_log_is_searched_filtered_and_walked() {
    let mut session = session();
    session.keys("4 /");
    session.types("cache");
    assert!(session.state.logs.current().unwrap().line.text.contains("cache"));
    session.keys("enter esc");
    assert!(session.state.logs.search.is_none());
    session.keys("&");
    session.types("WARN");
    session.keys("enter");
    assert_eq!(session.state.logs.shown().len(), 2);
    session.keys("esc G");
    assert!(session.state.logs.follow);
    session.keys("E");
    assert_eq!(session.state.logs.current().unwrap().line.seq, 18);
    session.keys("v v v");
    assert_eq!(session.state.logs.shown().len(), 2, "the error and the mark");
    session.keys("v k");
    assert!(!session.state.logs.follow);
    session.keys("w t t");
    assert!(session.screen().contains("wrap"));
}

#[test]
fn a_line_is_copied_whole() {
    let mut session = session();
    session.keys("4 E y");
    assert!(
        session
            .effects
            .contains(&Effect::Copy("ERROR allocation of 4194304 bytes failed".to_owned()))
    );
}

#[test]
fn evidence_leads_to_its_line() {
    for keys in ["2 enter ] ] enter", "2 enter [ enter", "2 enter enter"] {
        let mut session = session();
        session.keys("j");
        session.keys(keys);
        session.logs(page());
        assert_eq!(session.state.focus, Pane::Logs, "after `{keys}`");
        assert_eq!(session.state.logs.container, Some(id("shop-api-1")));
        assert_eq!(session.state.logs.current().unwrap().line.seq, 18);
        session.keys("esc");
        assert_eq!(session.state.focus, Pane::Inspector, "back leads to the evidence");
    }
}

#[test]
fn evidence_whose_line_is_gone_is_said_not_shown_wrongly() {
    let mut session = session();
    let mut emptied = page();
    emptied.entries.retain(|e| e.line.seq < 10);
    session.keys("2 enter enter");
    session.logs(emptied);
    assert!(session.screen().contains("That line is not kept any more"));
    assert_eq!(session.state.focus, Pane::Inspector, "the evidence is what there is of it");
    session.effects.clear();
    session.keys("y");
    assert!(
        matches!(&session.effects[..], [Effect::Copy(text)] if text.contains("allocation of")),
        "what is copied is the evidence, not a foreign line: {:?}",
        session.effects
    );
}

#[test]
fn evidence_of_a_container_that_is_gone_moves_nothing() {
    let mut session = session();
    let mut without = awaiting(Risk::R1);
    without.containers.remove(0);
    session.snapshot(without);
    session.keys("2 enter enter");
    assert_eq!(session.state.focus, Pane::Inspector);
    assert!(session.screen().contains("is gone, and its log with it"));
}

#[test]
fn the_log_is_read_when_it_comes_into_view_and_not_before() {
    let mut session = Session::new(healthy(), 60, 15);
    let reads = |session: &Session| {
        session.effects.iter().filter(|e| matches!(e, Effect::ReadLogs { .. })).count()
    };
    session.snapshot(healthy());
    assert_eq!(reads(&session), 0, "one pane at a time: the log is out of sight");
    session.keys("4");
    assert_eq!(reads(&session), 1);
    session.snapshot(healthy());
    assert_eq!(reads(&session), 2);
}

#[test]
fn the_cursor_of_the_fixes_stays_with_its_incident_when_it_is_planned_anew() {
    let second = |planned: Option<u32>| {
        let mut snapshot = awaiting(Risk::R1);
        let mut other = (*snapshot.incidents[0]).clone();
        other.id = "INC-20261124-031503-AAAA".into();
        other.plan = planned.map(|number| {
            let mut plan = tui_common::plan(Risk::R2);
            plan.incident = other.id.clone();
            plan.expires_at += jiff::SignedDuration::from_secs(60 + i64::from(number));
            for step in &mut plan.steps {
                step.id = format!("{}/{number}", other.id).as_str().into();
            }
            plan.freeze()
        });
        snapshot.incidents.push(std::sync::Arc::new(other));
        snapshot
    };
    let mut session = Session::new(second(Some(1)), 120, 40);
    session.keys("3 j");
    let chosen = session.state.fixes.item.clone();
    assert_eq!(chosen, Some("INC-20261124-031503-AAAA".into()));
    session.snapshot(second(None));
    assert_eq!(session.state.fixes.item, chosen, "nothing else takes its place meanwhile");
    session.keys("A");
    assert!(session.state.modal.is_none(), "there is nothing to approve");
    session.snapshot(second(Some(2)));
    assert_eq!(session.state.fixes.item, chosen);
    session.keys("A");
    let open = session.state.modal.as_ref().map(|o| format!("{:?}", o.modal)).unwrap_or_default();
    assert!(open.contains("INC-20261124-031503-AAAA/2"), "{open}");
}

#[test]
fn the_inspector_shows_a_container_too() {
    let mut session = session();
    session.keys("i");
    assert_eq!(
        session.state.inspector.as_ref().unwrap().subject,
        Subject::Container(id("shop-api-1"))
    );
    let screen = session.screen();
    assert!(screen.contains("registry.example/shop/api:2.14.3") && screen.contains("Health check"));
    session.keys("esc");
    assert!(session.state.inspector.is_none());
}

#[test]
fn leaving_asks_only_when_something_would_end() {
    let mut session = session();
    session.keys("q");
    assert!(session.state.quit);
    let mut healing = healthy();
    healing.mode = Mode::AutoHeal;
    let mut session = Session::new(healing, 120, 40);
    session.keys("q");
    assert!(!session.state.quit);
    session.drawn();
    session.wait(300);
    session.keys("enter");
    assert!(!session.state.quit, "the focus is on staying");
    session.keys("q");
    session.drawn();
    session.wait(300);
    session.keys("y");
    assert!(session.state.quit);
    let mut session = Session::new(verifying(), 120, 40);
    session.keys("4 q q");
    assert!(!session.state.quit && session.state.modal.is_some());
    session.keys("ctrl-c");
    assert!(session.state.quit, "ctrl-c needs no question");
}

#[test]
fn the_extra_menu_runs_an_item() {
    let mut session = session();
    session.keys("F");
    assert!(session.state.modal.is_none(), "there is none");
    session.state.menu = Some(sentinel_tui::tui::state::MenuText {
        title: "Break something".to_owned(),
        items: vec!["one".to_owned(), "two".to_owned()],
    });
    session.keys("F");
    session.drawn();
    session.wait(300);
    session.keys("j enter");
    assert!(session.effects.contains(&Effect::Pick(1)));
    session.send(Msg::Said { ok: true, text: "now two".to_owned() });
    assert!(session.screen().contains("now two"));
}

#[test]
fn nothing_visible_means_no_frame() {
    let mut session = Session::new(healthy(), 120, 40);
    session.state.dirty = false;
    let mut again = healthy();
    again.version = 9;
    session.snapshot(again);
    assert!(!session.state.dirty);
    session.send(Msg::Tick {
        now: tui_common::now() + jiff::SignedDuration::from_secs(1),
        at: session.at,
    });
    assert!(!session.state.dirty, "no countdown, no young age, the same minute");
    let mut busier = healthy();
    busier.containers[0].usage.as_mut().unwrap().cpu_pct += 1.0;
    session.snapshot(busier);
    assert!(!session.state.dirty && session.state.readings, "a reading waits for a calm frame");
    session.snapshot(awaiting(Risk::R1));
    assert!(session.state.dirty);
}

#[test]
fn a_message_goes_soon_where_it_covers_a_line_and_counts_from_when_it_was_seen() {
    for (size, lasts) in [((60, 15), 2), ((120, 40), 6)] {
        let mut session = Session::new(healthy(), size.0, size.1);
        session.wait(90_000);
        session.send(Msg::Said { ok: true, text: "one\ntwo three ".repeat(30) });
        session.drawn();
        let rows = session.screen().lines().filter(|l| l.contains("two three")).count();
        assert_eq!(rows == 1, size.0 == 60, "{}", session.screen());
        session.wait(lasts * 1000 - 1);
        session.send(Msg::Tick { now: tui_common::now(), at: session.at });
        assert_eq!(session.state.toasts.len(), 1);
        session.wait(1);
        session.send(Msg::Tick { now: tui_common::now(), at: session.at });
        assert!(session.state.toasts.is_empty());
    }
}

#[test]
fn an_applied_fix_is_taken_back_after_a_question() {
    for keys in ["2 U", "2 enter U"] {
        let mut session = Session::new(resolved(), 120, 40);
        session.keys(keys);
        session.keys("y");
        assert!(session.commands().is_empty(), "before it could be read");
        session.drawn();
        session.wait(300);
        assert!(session.screen().contains("Take back a change of shop-api-1?"));
        session.keys("y");
        let sha256 = &session.state.snapshot.incidents[0].plan.as_ref().unwrap().sha256;
        let asked = session.commands();
        assert!(
            matches!(asked.as_slice(), [Command::Undo { sha256: named, .. }] if named == sha256),
            "{asked:?}"
        );
    }
    // What is only staged cannot be taken back, and where nothing may be changed nothing can.
    let mut staged = session();
    staged.keys("2 U");
    assert!(staged.state.modal.is_none());
    let mut read_only = resolved();
    read_only.mode = Mode::ReadOnly;
    let mut session = Session::new(read_only, 120, 40);
    session.keys("2 U");
    assert!(session.state.modal.is_none() && session.screen().contains("read-only"));
}

#[test]
fn the_kill_switch_is_thrown_and_released_with_a_reason() {
    let mut session = Session::new(healthy(), 120, 40);
    silencing(&mut session, "K");
    session.types("migration");
    session.keys("enter");
    let mut on = Session::new(halted(), 120, 40);
    assert!(on.screen().contains(" HALTED "), "{}", on.screen());
    silencing(&mut on, "K");
    on.keys("enter");
    let reason = |text: &str| text.to_owned();
    assert_eq!(session.commands(), [&Command::Halt { reason: reason("migration") }]);
    assert_eq!(on.commands(), [&Command::Resume { reason: reason("") }]);
}

/// Opens the dialog and waits until it hears.
fn silencing(session: &mut Session, keys: &str) {
    session.keys(keys);
    session.drawn();
    session.wait(300);
}

fn asked(session: &Session) -> Vec<(&str, u64, &str)> {
    let silences = session.commands().into_iter().filter_map(|c| match c {
        Command::Silence { service, seconds, reason } => {
            Some((service.as_str(), *seconds, reason.as_str()))
        }
        _ => None,
    });
    silences.collect()
}

#[test]
fn a_service_is_silenced_from_wherever_it_is_shown() {
    for keys in ["Z", "i Z", "2 Z", "2 enter Z", "3 Z", "4 Z"] {
        let mut session = session();
        silencing(&mut session, keys);
        session.keys("enter");
        assert_eq!(asked(&session), [("api", 1800, "")], "after `{keys}`");
        assert!(session.state.modal.is_none());
    }
    let mut nothing = Session::new(healthy(), 120, 40);
    nothing.keys("2 Z");
    assert!(nothing.state.modal.is_none() && nothing.screen().contains("Select the container"));
}

#[test]
fn duration_and_reason_are_typed_and_mistakes_stay_on_the_screen() {
    let mut session = session();
    silencing(&mut session, "Z");
    session.types("soon");
    session.keys("enter");
    assert!(asked(&session).is_empty() && session.screen().contains("no time: try 30m"));
    session.keys("backspace backspace backspace backspace");
    session.types("1h30m");
    assert!(session.screen().contains("until 07:30:00"), "{}", session.screen());
    session.keys("tab");
    session.types("new disk");
    session.send(Msg::Paste { text: " in\nnode-7".to_owned(), at: session.at });
    session.keys("enter");
    assert_eq!(asked(&session), [("api", 5400, "new disk innode-7")]);
}

#[test]
fn zero_ends_a_silence_and_only_one_that_lasts() {
    let mut session = Session::new(healthy(), 120, 40);
    silencing(&mut session, "Z");
    session.types("0");
    session.keys("enter");
    assert!(asked(&session).is_empty() && session.screen().contains("it is not silenced now"));
    let mut session = Session::new(silenced(), 120, 40);
    silencing(&mut session, "Z");
    session.types("0");
    assert!(session.screen().contains("ends the silence now"));
    session.keys("enter");
    assert_eq!(asked(&session), [("api", 0, "new disk")], "its reason stays unless it is changed");
}

#[test]
fn no_key_silences_before_the_dialog_could_be_read() {
    let mut session = session();
    session.keys("Z enter");
    session.drawn();
    session.wait(299);
    session.keys("enter");
    assert!(asked(&session).is_empty() && session.state.modal.is_some());
}

#[test]
fn a_silence_of_one_container_is_ended_by_its_own_name() {
    let mut snapshot = silenced();
    snapshot.silences[0].service = "shop-api-1".to_owned();
    let mut session = Session::new(snapshot, 120, 40);
    silencing(&mut session, "Z");
    session.types("0");
    session.keys("enter");
    assert_eq!(asked(&session), [("shop-api-1", 0, "new disk")]);
}

#[test]
fn silences_are_allowed_where_nothing_else_is_and_the_dialog_says_why() {
    let mut snapshot = healthy();
    snapshot.mode = Mode::ReadOnly;
    let mut session = Session::new(snapshot.clone(), 120, 40);
    silencing(&mut session, "Z");
    assert!(session.screen().contains("changes only what is told"), "{}", session.screen());
    session.keys("enter");
    assert_eq!(asked(&session).len(), 1);
    snapshot.mode = Mode::Approve;
    snapshot.watching = Some("another sentinel-tui on this machine acts on this engine".to_owned());
    let mut session = Session::new(snapshot, 120, 40);
    silencing(&mut session, "Z");
    assert!(session.screen().contains("It counts here only: another"), "{}", session.screen());
}

#[test]
fn the_page_of_what_was_left_alone_leads_to_containers_and_ends_silences() {
    let mut session = Session::new(silenced(), 120, 40);
    session.keys("2 L Z");
    assert!(session.state.modal.is_none(), "there are two silences and none is chosen");
    session.keys("j j");
    silencing(&mut session, "Z");
    session.types("0");
    session.keys("enter");
    assert_eq!(asked(&session), [("billing", 0, "")], "no container of it is left");
    session.keys("j j enter");
    let shown = session.state.inspector.as_ref().map(|i| i.subject.clone());
    assert_eq!(shown, Some(Subject::Container(id("shop-api-1"))));
    session.keys("esc");
    assert_eq!(session.state.focus, Pane::Incidents);
    session.keys("L G [ enter");
    assert!(session.screen().contains("That container is gone"), "{}", session.screen());
}

#[test]
fn the_time_that_is_left_of_a_silence_is_kept_true() {
    let mut session = Session::new(silenced(), 120, 40);
    session.state.dirty = false;
    let later = |seconds| tui_common::now() + jiff::SignedDuration::from_secs(seconds);
    session.send(Msg::Tick { now: later(1700), at: session.at });
    assert!(session.state.dirty && session.screen().contains("⊘ 45s"), "{}", session.screen());
    session.state.dirty = false;
    session.send(Msg::Tick { now: later(1701), at: session.at });
    assert!(session.state.dirty && session.screen().contains("⊘ 44s"));
    session.send(Msg::Tick { now: later(1745), at: session.at });
    assert!(!session.screen().contains("⊘ 0s"), "it is over, whatever the engine says later");
    session.state.dirty = false;
    session.snapshot(healthy());
    assert!(session.state.dirty);
}

#[test]
fn the_footer_names_only_keys_that_do_something_here() {
    let footer = |session: &Session| session.screen().lines().last().unwrap_or_default().to_owned();
    let mut session = session();
    assert!(footer(&session).contains("l logs") && !footer(&session).contains("approve"));
    session.keys("3");
    assert!(footer(&session).contains("A approve"));
    session.keys("4");
    assert!(footer(&session).contains("/ search") && !footer(&session).contains("n next"));
    let mut calm = Session::new(healthy(), 120, 40);
    calm.keys("3");
    assert!(!footer(&calm).contains("approve"));
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9/&?!]",
        2 => prop::sample::select(vec![
            "up", "down", "left", "right", "enter", "esc", "tab", "shift-tab", "pgup", "pgdn",
            "home", "end", "backspace", "ctrl-d", "ctrl-u", "ctrl-l", "f1", "space", "del",
        ]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_key_and_no_size_breaks_it(
        keys in prop::collection::vec(any_key(), 0..40),
        sizes in prop::collection::vec((0_u16..220, 0_u16..70), 1..5),
        which in 0_usize..7,
        ascii in any::<bool>(),
    ) {
        let snapshots = [
            empty(), healthy(), awaiting(Risk::R3), resolved(), long_names(), degraded(), silenced(),
        ];
        let mut session = Session::new(snapshots[which].clone(), 120, 40);
        session.state.ascii = ascii;
        let theme = theme("mono");
        let each = keys.len() / sizes.len() + 1;
        for (size, keys) in sizes.iter().zip(keys.chunks(each).chain(std::iter::repeat(&[][..]))) {
            session.send(Msg::Resize { width: size.0, height: size.1 });
            for key in keys {
                session.keys(key);
                session.drawn();
                session.wait(301);
            }
            session.logs(page());
            session.buffer(&theme);
            session.snapshot(snapshots[(which + 1) % 7].clone());
            session.buffer(&theme);
        }
    }
}
