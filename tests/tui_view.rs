//! What the screen looks like: text snapshots by state and size, and styles of single cells.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use ratatui::style::{Color, Modifier};
use sentinel_core::domain::incident::{IncidentState, TimelineEntry};
use sentinel_core::domain::plan::{Actor, Risk};
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::domain::topology::{Edge, EdgeSource};
use tui_common::{
    Session, awaiting, cell_of, degraded, empty, halted, healthy, long_names, opined, page,
    resolved, silenced, text, theme, verifying,
};

const SIZES: [(u16, u16); 5] = [(40, 12), (60, 15), (80, 24), (120, 40), (200, 60)];

fn snap(name: &str, snapshot: &Snapshot, keys: &str) {
    for (width, height) in SIZES {
        let mut session = Session::new(snapshot.clone(), width, height);
        session.keys(keys);
        session.logs(tui_common::page());
        session.drawn();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
    }
}

#[test]
fn not_connected() {
    snap("empty", &empty(), "");
}

#[test]
fn all_is_well() {
    snap("healthy", &healthy(), "");
}

#[test]
fn an_incident_waits_for_approval() {
    snap("awaiting", &awaiting(Risk::R1), "2 enter");
}

#[test]
fn a_fix_is_verified() {
    snap("verifying", &verifying(), "2 enter");
}

#[test]
fn an_incident_is_resolved() {
    snap("resolved", &resolved(), "2 enter");
}

#[test]
fn names_are_long_and_wide() {
    snap("long_names", &long_names(), "");
}

#[test]
fn docker_does_not_answer() {
    snap("degraded", &degraded(), "4");
}

#[test]
fn a_service_is_silenced() {
    snap("silenced", &silenced(), "");
}

#[test]
fn a_silence_is_asked_for() {
    snap("silence", &healthy(), "Z");
}

#[test]
fn a_silence_can_be_changed_and_ended() {
    snap("silence_again", &silenced(), "Z");
}

#[test]
fn an_analyst_sees_it_otherwise() {
    snap("opined", &opined(), "2 enter z G");
}

#[test]
fn how_the_models_fare_is_listed() {
    snap("models", &opined(), "L z G");
}

#[test]
fn what_was_left_alone_is_listed() {
    snap("left_alone", &silenced(), "L j j");
}

#[test]
fn a_fix_is_to_be_taken_back() {
    snap("undo", &resolved(), "2 U");
}

#[test]
fn the_kill_switch_is_on() {
    snap("halted", &halted(), "L");
}

#[test]
fn the_kill_switch_is_to_be_thrown() {
    snap("halt", &healthy(), "K");
}

#[test]
fn a_silenced_container_says_so_first() {
    snap("silenced_container", &silenced(), "i");
}

#[test]
fn marks_of_silence_need_no_unicode() {
    let mut session = Session::new(silenced(), 120, 40);
    session.state.ascii = true;
    for keys in ["", "Z", "esc L", "?"] {
        session.keys(keys);
        session.drawn();
        session.wait(300);
        let screen = session.screen();
        let mut ours = screen.lines().filter(|l| !l.contains("缓存"));
        let marked = ["z 30m", "30m left", "z 29m"].iter().any(|mark| screen.contains(mark));
        assert!(marked, "{screen}");
        assert!(ours.all(str::is_ascii), "{screen}");
    }
}

#[test]
fn help_is_complete() {
    snap("help", &healthy(), "?");
}

#[test]
fn a_change_is_to_be_approved() {
    snap("approval", &awaiting(Risk::R2), "3 A");
}

#[test]
fn a_risky_change_is_to_be_approved() {
    snap("approval_risky", &awaiting(Risk::R3), "3 A");
}

#[test]
fn a_container_is_inspected() {
    snap("container", &healthy(), "i");
}

#[test]
fn an_unclear_verdict_says_what_else_it_may_be() {
    let mut snapshot = awaiting(Risk::R1);
    let mut incident = (*snapshot.incidents[0]).clone();
    let rival = "memory leak of shop-api-1 explains it nearly as well";
    if let Some(diagnosis) = &mut incident.diagnosis {
        diagnosis.near_tie = Some(rival.to_owned());
    }
    snapshot.incidents[0] = incident.into();
    let mut session = Session::new(snapshot, 200, 50);
    session.keys("2 enter");
    assert!(session.screen().contains(&format!("Not clear: {rival}")), "{}", session.screen());
}

#[test]
fn mere_neighbours_are_named_up_to_a_bound() {
    let mut snapshot = healthy();
    let beside = |number: u32| Edge {
        from: "shop-api-1".to_owned(),
        to: format!("job-{number}"),
        source: EdgeSource::Network,
        confidence: 0.2,
        why: "both are on shop_default".to_owned(),
    };
    snapshot.edges = std::sync::Arc::new((0..30).map(beside).collect());
    let mut session = Session::new(snapshot, 200, 50);
    session.keys("i");
    let screen = session.screen();
    assert!(screen.contains("job-7, 22 more (shared network)"), "{screen}");
    assert!(!screen.contains("job-8"), "{screen}");
}

#[test]
fn ascii_has_nothing_else() {
    for (width, height) in SIZES {
        let mut session = Session::new(awaiting(Risk::R1), width, height);
        session.state.ascii = true;
        session.keys("2 enter");
        let buffer = session.buffer(&theme("mono"));
        let screen = text(&buffer);
        let outside = |line: &str| line.contains("缓存");
        let ours: Vec<&str> = screen.lines().filter(|l| !outside(l)).collect();
        assert!(ours.iter().all(|l| l.is_ascii()), "{}", ours.join("\n"));
        insta::assert_snapshot!(format!("ascii_mono_{width}x{height}"), screen);
    }
}

#[test]
fn too_small_is_a_sentence() {
    let session = Session::new(awaiting(Risk::R1), 30, 6);
    insta::assert_snapshot!("too_small_30x6", session.screen());
}

#[test]
fn dark_and_light_give_severity_its_colour() {
    let session = Session::new(awaiting(Risk::R1), 120, 40);
    let dark = session.buffer(&theme("dark"));
    assert_eq!(cell_of(&dark, "CRIT").bg, Color::Indexed(160));
    assert_eq!(cell_of(&dark, "WARN cache").fg, Color::Yellow);
    assert_eq!(cell_of(&dark, "ERROR allocation").fg, Color::Indexed(222));
    assert_eq!(cell_of(&dark, "OOM killed").bg, Color::Indexed(24), "the selected row");
    let light = session.buffer(&theme("light"));
    assert_eq!(cell_of(&light, "CRIT").bg, Color::Indexed(124));
    assert_eq!(cell_of(&light, "healthy").fg, Color::Indexed(28));
}

#[test]
fn mono_uses_modifiers_only() {
    for keys in ["", "2 enter", "3 A", "?"] {
        let mut session = Session::new(awaiting(Risk::R1), 120, 40);
        session.keys(keys);
        let buffer = session.buffer(&theme("mono"));
        assert!(
            buffer.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset),
            "after `{keys}`"
        );
    }
    let session = Session::new(awaiting(Risk::R1), 120, 40);
    let buffer = session.buffer(&theme("mono"));
    assert!(cell_of(&buffer, "OOM killed").modifier.contains(Modifier::REVERSED));
    assert!(cell_of(&buffer, "CRIT").modifier.contains(Modifier::BOLD));
}

#[test]
fn the_whole_selected_row_is_marked_with_and_without_the_focus() {
    for name in ["dark", "light"] {
        for keys in ["", "4"] {
            for snapshot in [awaiting(Risk::R1), degraded(), healthy()] {
                let mut session = Session::new(snapshot, 120, 40);
                session.keys(keys);
                let buffer = session.buffer(&theme(name));
                let row = (0..buffer.area.height)
                    .find(|y| (0..40).any(|x| buffer[(x, *y)].symbol() == "▌"))
                    .unwrap();
                let width = sentinel_tui::tui::layout::layout(&session.state)
                    .pane(sentinel_tui::tui::pane::Pane::Containers)
                    .unwrap()
                    .width;
                let marked = buffer[(width - 1, row)].bg;
                assert_ne!(marked, Color::Reset);
                for x in 0..width {
                    assert_eq!(buffer[(x, row)].bg, marked, "{name} after `{keys}`: column {x}");
                }
            }
        }
    }
}

#[test]
fn while_the_engine_is_gone_nothing_is_said_to_be_well() {
    let mut snapshot = degraded();
    snapshot.degraded[0].detail = "cannot reach the Docker engine at \
        unix:///run/user/1000/docker.sock (a context): connection refused\nit is tried again"
        .to_owned();
    for (width, height) in SIZES {
        let session = Session::new(snapshot.clone(), width, height);
        let screen = session.screen();
        let head: Vec<&str> = screen.lines().take(2).collect();
        assert!(head[1].contains("connection"), "{}", head[1]);
        let counted = if width >= 120 { 2 } else { 0 };
        let line = screen.lines().nth(counted).unwrap_or_default();
        assert!(line.contains("● ?/6"), "{line}");
    }
}

#[test]
fn the_state_of_the_log_is_the_last_thing_to_go() {
    let mut session = Session::new(long_names(), 60, 15);
    session.keys("4 &");
    session.types("a rather long filter that takes the room");
    session.keys("enter");
    assert!(session.screen().contains("following"), "{}", session.screen());
    session.keys("esc k");
    assert!(session.screen().contains("paused"), "{}", session.screen());
}

#[test]
fn a_log_that_goes_on_to_a_side_says_so() {
    let mut session = Session::new(healthy(), 80, 24);
    session.keys("4 right");
    let screen = session.screen();
    assert!(screen.contains('‹') && screen.contains('›'), "{screen}");
    session.keys(&"right ".repeat(40));
    let screen = session.screen();
    assert!(screen.contains("wrapped") && !screen.contains('›'), "{screen}");
    let most = session.state.logs.left;
    session.keys("right");
    assert_eq!(session.state.logs.left, most);
}

#[test]
fn the_end_of_a_very_long_line_fills_the_pane_when_wrapped() {
    let mut session = Session::new(healthy(), 80, 24);
    let mut long = page();
    let mut entry = (*long.entries[0]).clone();
    entry.line.seq = 19;
    entry.line.text = format!("{}END", "x".repeat(1 << 20)).into();
    long.entries.push(std::sync::Arc::new(entry.clone()));
    entry.line.seq = 20;
    entry.line.text = "and one more".into();
    long.entries.push(std::sync::Arc::new(entry));
    long.last = 20;
    session.keys("4 w z");
    session.logs(long);
    let screen = session.screen();
    let rows = screen.lines().filter(|l| l.contains("xxxx")).count();
    assert_eq!(rows, 19, "{screen}");
    assert!(screen.contains("END") && screen.contains("and one more"), "{screen}");
}

#[test]
fn a_paused_log_says_that_older_lines_fell_away() {
    let mut session = Session::new(healthy(), 80, 24);
    session.keys("4 k k k k k k");
    let mut newer = page();
    newer.entries.retain(|e| e.line.seq > 15);
    newer.first_kept = 16;
    session.logs(newer);
    let screen = session.screen();
    assert!(screen.contains("older lines dropped"), "{screen}");
    assert_eq!(session.state.logs.current().unwrap().line.seq, 16);
    session.keys("G");
    assert!(!session.screen().contains("older lines dropped"));
}

#[test]
fn emoji_that_terminals_disagree_about_are_drawn_plainly() {
    let mut session = Session::new(healthy(), 80, 24);
    let mut flags = page();
    let mut entry = (*flags.entries[0]).clone();
    entry.line.seq = 19;
    entry.line.text =
        "to \u{1f1e9}\u{1f1ea} \u{1f44d}\u{1f3fd} \u{1f468}\u{200d}\u{1f469} ok".into();
    flags.entries.push(std::sync::Arc::new(entry));
    flags.last = 19;
    session.logs(flags);
    let screen = session.screen();
    assert!(screen.contains("to DE \u{1f44d} \u{1f468}\u{1f469} ok"), "{screen}");
}

#[test]
fn an_incident_of_a_removed_container_did_not_recover() {
    let mut snapshot = resolved();
    let mut gone = (*snapshot.incidents[0]).clone();
    gone.state = IncidentState::ResolvedExternally;
    gone.timeline.push(TimelineEntry {
        at: tui_common::now(),
        actor: Actor::System,
        what: "the container was removed or replaced".to_owned(),
        state: Some(IncidentState::ResolvedExternally),
    });
    snapshot.incidents = vec![std::sync::Arc::new(gone)];
    let mut session = Session::new(snapshot, 120, 40);
    session.keys("2 enter");
    let screen = session.screen();
    assert!(screen.contains("○ removed"), "{screen}");
    assert!(screen.contains("○ the container was removed or replaced"), "{screen}");
    assert!(!screen.contains("recovered"), "{screen}");
}

#[test]
fn the_reason_for_an_empty_log_is_said() {
    let mut none = healthy();
    let mut silent = (*none.containers[0].container).clone();
    silent.log_driver = "none".to_owned();
    none.containers[0].container = std::sync::Arc::new(silent);
    let mut session = Session::new(none, 120, 40);
    session.logs(sentinel_tui::runtime::rings::LogPage::default());
    assert!(session.screen().contains("log driver `none`"));
    let mut session = Session::new(healthy(), 120, 40);
    session.logs(sentinel_tui::runtime::rings::LogPage::default());
    assert!(session.screen().contains("has written no line yet"));
}
