//! What the screen looks like: text snapshots by state and size, and styles of single cells.

#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::snapshot::Snapshot;
use tui_common::{
    Session, awaiting, degraded, empty, healthy, long_names, resolved, text, theme, verifying,
};

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 50)];

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
fn ascii_has_nothing_else() {
    for (width, height) in SIZES {
        let mut session = Session::new(awaiting(Risk::R1), width, height);
        session.state.ascii = true;
        session.keys("2 enter");
        let buffer = session.buffer(&theme("mono"));
        insta::assert_snapshot!(format!("ascii_mono_{width}x{height}"), text(&buffer));
    }
}

#[test]
fn too_small_is_a_sentence() {
    let session = Session::new(awaiting(Risk::R1), 30, 6);
    insta::assert_snapshot!("too_small_30x6", session.screen());
}

/// The cell where a text begins.
fn cell_of(buffer: &Buffer, wanted: &str) -> Cell {
    for y in 0..buffer.area.height {
        let cells: Vec<&str> = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        for x in 0..cells.len() {
            if cells[x..].concat().starts_with(wanted) {
                return buffer[(u16::try_from(x).unwrap(), y)].clone();
            }
        }
    }
    panic!("`{wanted}` is not on the screen:\n{}", text(buffer));
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
