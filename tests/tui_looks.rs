//! How the screen looks: groups, columns, filters, themes tried out, the tour, odd characters, and
//! what is drawn in which style.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use sentinel_core::domain::container::{Health, RunState};
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};
use sentinel_tui::tui::columns::Column;
use sentinel_tui::tui::fleet::{self, Slice};
use sentinel_tui::tui::looks::Looks;
use sentinel_tui::tui::message::Effect;
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use tui_common::{
    Session, ago, awaiting, container, degraded, empty, healthy, incident, long_names, resolved,
    text, theme, view,
};

/// The shop with three replicas of its api, one of them ill, and a container of no project.
fn replicas() -> Snapshot {
    let mut snapshot = healthy();
    for number in [2, 3] {
        let mut more = container(&format!("shop-api-{number}"), "api");
        if number == 3 {
            more.health = Health::Unhealthy;
        }
        snapshot.containers.push(view(more, 10.0, 20.0));
    }
    let mut alone = container("watchdog", "watchdog");
    alone.of.project = None;
    snapshot.containers.push(view(alone, 1.0, 5.0));
    snapshot
}

fn names(session: &Session) -> Vec<String> {
    let rows = sentinel_tui::tui::lists::containers(&session.state);
    rows.iter().map(|v| v.container.of.name.clone()).collect()
}

fn typed(session: &mut Session, filter: &str) {
    session.keys("/");
    session.types(filter);
    session.keys("enter");
}

#[test]
fn services_are_one_line_each_until_they_are_unfolded() {
    let mut session = Session::new(replicas(), 120, 40);
    session.keys("o o");
    let screen = session.screen();
    assert!(screen.contains("▸ 3 up") && screen.contains("shop/api"), "{screen}");
    assert!(!screen.contains("shop-api-2"), "{screen}");
    // The ill one stands for all: the group is as bad as its worst, and first.
    assert_eq!(names(&session).first().map(String::as_str), Some("shop-api-3"));
    session.keys("g -");
    let screen = session.screen();
    assert!(screen.contains("▾ shop/api  2 of 3 well"), "{screen}");
    assert!(screen.contains("shop-api-2"), "{screen}");
    session.keys("o");
    assert!(!session.screen().contains("by service"));
}

#[test]
fn projects_are_headings_that_fold_and_are_never_selected() {
    let mut session = Session::new(replicas(), 120, 40);
    session.keys("o g");
    let screen = session.screen();
    assert!(screen.contains("▾ shop  7 of 8 well") && screen.contains("no project"), "{screen}");
    let all = names(&session);
    for name in &all {
        let selected = session.state.containers.item.clone().unwrap();
        assert_eq!(&session.state.container(&selected).unwrap().container.of.name, name);
        session.keys("j");
    }
    session.keys("g -");
    assert_eq!(names(&session).len(), 2, "one line for the project, one for the rest");
    session.keys("-");
    assert_eq!(names(&session), all);
}

#[test]
fn a_click_on_a_heading_selects_nothing_and_below_it_the_right_one() {
    use sentinel_tui::tui::hit::{Hit, at};
    let mut session = Session::new(replicas(), 120, 40);
    session.keys("o");
    let top = sentinel_tui::tui::layout::layout(&session.state).pane(Pane::Containers).unwrap();
    let hit = |line: u16| at(&session.state, 5, top.y + 2 + line);
    assert_eq!(hit(0), Some(Hit::Pane(Pane::Containers, None)));
    assert_eq!(hit(1), Some(Hit::Pane(Pane::Containers, Some(0))));
}

#[test]
fn only_what_ended_well_is_hidden() {
    let mut snapshot = awaiting(Risk::R1);
    let mut paused = container("shop-queue-1", "queue");
    paused.state = RunState::Paused;
    snapshot.containers.push(view(paused, 0.0, 10.0));
    let mut session = Session::new(snapshot, 120, 40);
    session.keys("a");
    let left = names(&session);
    assert!(!left.contains(&"shop-migrate-1".to_owned()), "{left:?}");
    assert!(left.contains(&"shop-api-1".to_owned()), "what was killed stays: {left:?}");
    assert!(left.contains(&"shop-queue-1".to_owned()), "{left:?}");
    assert!(session.screen().contains("1 ended hidden"), "{}", session.screen());
    session.keys("a");
    assert!(names(&session).contains(&"shop-migrate-1".to_owned()));
}

#[test]
fn lists_are_filtered_by_letters_and_by_labels() {
    let mut snapshot = healthy();
    let mut labelled = container("shop-db-1", "db");
    labelled.labels.insert("com.docker.compose.project".to_owned(), "shop".to_owned());
    snapshot.containers[2] = view(labelled, 12.0, 40.0);
    let mut session = Session::new(snapshot, 120, 40);
    for (filter, expected) in [
        ("-f gtwy", vec!["shop-gateway-1"]),
        ("-l project=shop", vec!["shop-db-1"]),
        ("-l project=other", vec![]),
        ("!shop-[a-d]", vec!["shop-gateway-1", "shop-worker-1", "shop-migrate-1"]),
    ] {
        typed(&mut session, filter);
        assert_eq!(names(&session), expected, "{filter}");
        session.keys("esc");
    }
    assert_eq!(names(&session).len(), 6);
}

#[test]
fn a_column_is_taken_away_and_comes_back() {
    let mut session = Session::new(healthy(), 200, 60);
    assert!(session.screen().contains("RST/DIED"));
    session.keys("c G k space esc");
    assert!(!session.state.look.shows(Column::Restarts));
    assert!(!session.screen().contains("RST/DIED"), "{}", session.screen());
    session.keys("c 0 esc");
    assert!(session.screen().contains("RST/DIED"));
    assert_eq!(session.state.look.columns, None);
}

#[test]
fn a_theme_is_in_force_while_the_cursor_is_on_it() {
    let mut session = Session::new(healthy(), 80, 24);
    session.keys("ctrl-t j");
    assert_eq!(session.effects.last(), Some(&Effect::Preview("light".to_owned())));
    session.keys("j esc");
    assert_eq!(session.effects.last(), Some(&Effect::Preview("dark".to_owned())), "as before");
    assert!(session.state.modal.is_none() && session.state.look.theme == "dark");
    session.keys("ctrl-t G enter");
    assert_eq!(session.effects.last(), Some(&Effect::Preview("high-contrast".to_owned())));
    assert_eq!(session.state.look.theme, "high-contrast");
    session.keys("ctrl-t");
    let open = session.state.modal.as_ref().map(|o| o.modal.clone());
    assert!(matches!(open, Some(Modal::Looks(Looks::Themes { cursor: 4 }))), "{open:?}");
}

fn tour(session: &mut Session) {
    session.keys(":");
    session.types("tour");
    session.keys("enter");
    session.drawn();
}

#[test]
fn the_tour_has_four_cards_with_the_keys_as_they_are_bound() {
    for (width, height) in [(40, 12), (80, 24)] {
        let mut session = Session::new(healthy(), width, height);
        tour(&mut session);
        for (card, word) in ["what you see", "an incident", "a decision", "help"].iter().enumerate()
        {
            let screen = session.screen();
            assert!(screen.contains(&format!("{} of 4: {word}", card + 1)), "{screen}");
            session.keys("enter");
        }
        assert!(session.state.modal.is_none());
    }
}

#[test]
fn the_tour_keeps_no_key_from_what_it_means() {
    let mut session = Session::new(healthy(), 120, 40);
    tour(&mut session);
    session.snapshot(awaiting(Risk::R1));
    assert!(session.state.modal.is_none(), "it gives way to an incident");
    tour(&mut session);
    session.keys("3 A");
    let open = session.state.modal.as_ref().map(|o| o.modal.clone());
    assert!(matches!(open, Some(Modal::Approve(_))), "{open:?}");
    assert!(session.commands().is_empty());
}

#[test]
fn the_ribbon_shows_when_incidents_opened_and_ended() {
    let mut snapshot = resolved();
    let mut past = (*snapshot.incidents[0]).clone();
    (past.observed_at, past.closed_at) = (ago(3000), Some(ago(1800)));
    past.severity = Severity::Medium;
    let mut gone = past.clone();
    (gone.observed_at, gone.closed_at) = (ago(9000), Some(ago(8000)));
    let mut open = incident(None, IncidentState::Escalated);
    open.observed_at = ago(120);
    snapshot.incidents = [past, gone, open].map(Arc::new).into();
    let session = Session::new(snapshot, 200, 60);
    let slices = fleet::ribbon(&session.state, 60);
    assert_eq!(slices[0], Slice::default(), "what was over before the hour is not in it");
    assert_eq!(slices[10], Slice { open: Some(Severity::Medium), began: true, ended: false });
    assert_eq!(slices[20].open, Some(Severity::Medium));
    assert!(slices[30].ended && slices[31] == Slice::default());
    assert_eq!(slices[59].open, Some(Severity::Critical));
    let screen = session.screen();
    assert!(screen.contains("▲▄▄▄") && screen.contains("▲█ now"), "{screen}");
}

#[test]
fn a_container_of_a_lost_engine_says_how_old_its_readings_are() {
    let mut session = Session::new(degraded(), 120, 40);
    session.keys("i");
    let screen = session.screen();
    assert!(screen.contains("as of 1m ago: the engine does not answer"), "{screen}");
}

/// Each row of a buffer as runs of one style: `columns style`, so that a change of a theme or of
/// a meaning shows.
fn styles(buffer: &Buffer) -> String {
    let color = |color: Color| match color {
        Color::Reset => "-".to_owned(),
        Color::Indexed(number) => number.to_string(),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(usize, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let letters = [
                (Modifier::BOLD, 'b'),
                (Modifier::DIM, 'd'),
                (Modifier::ITALIC, 'i'),
                (Modifier::UNDERLINED, 'u'),
                (Modifier::REVERSED, 'r'),
            ];
            let modifiers: String = letters
                .iter()
                .filter(|(m, _)| cell.modifier.contains(*m))
                .map(|(_, c)| c)
                .collect();
            let style = format!("{}/{}{modifiers}", color(cell.fg), color(cell.bg));
            match runs.last_mut() {
                Some((count, last)) if *last == style => *count += 1,
                _ => runs.push((1, style)),
            }
        }
        let row: Vec<String> =
            runs.into_iter().map(|(count, style)| format!("{count} {style}")).collect();
        out.push_str(&row.join(", "));
        out.push('\n');
    }
    out
}

#[test]
fn every_theme_gives_each_meaning_its_style() {
    for name in ["dark", "light", "mono", "colour-blind", "high-contrast"] {
        for (what, snapshot, keys) in
            [("awaiting", awaiting(Risk::R2), "2 enter"), ("degraded", degraded(), "")]
        {
            let mut session = Session::new(snapshot, 120, 40);
            session.keys(keys);
            let buffer = session.buffer(&theme(name));
            insta::assert_snapshot!(format!("styles_{what}_{name}"), styles(&buffer));
        }
        let mut session = Session::new(awaiting(Risk::R3), 80, 24);
        session.keys("3 A");
        let buffer = session.buffer(&theme(name));
        insta::assert_snapshot!(format!("styles_approval_{name}"), styles(&buffer));
    }
}

#[test]
fn dialogs_about_the_look() {
    for (width, height) in [(40, 12), (80, 24), (120, 40)] {
        for (what, keys) in [("themes", "ctrl-t"), ("columns", "c")] {
            let mut session = Session::new(healthy(), width, height);
            session.keys(keys);
            insta::assert_snapshot!(format!("{what}_{width}x{height}"), session.screen());
        }
    }
    for (what, keys) in [("projects", "o"), ("services", "o o")] {
        let mut session = Session::new(replicas(), 120, 40);
        session.keys(keys);
        insta::assert_snapshot!(format!("{what}_120x40"), session.screen());
    }
}

fn with_name(base: &Snapshot, at: usize, name: &str) -> Snapshot {
    let mut snapshot = base.clone();
    let mut own = (*snapshot.containers[at].container).clone();
    name.clone_into(&mut own.of.name);
    name.clone_into(&mut own.of.service);
    let changed = ContainerView { container: own.into(), ..snapshot.containers[at].clone() };
    snapshot.containers[at] = changed;
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No name, however odd, moves what stands behind it or leaves its pane.
    #[test]
    fn odd_names_move_no_column(
        name in "[a-z数é\u{301}🦀\u{1f1e6}-\u{1f1ff}\u{1f44d}\u{1f3fb}\u{200d}\u{fe0f}❤ｶﾞ]{1,60}",
        wide in 40_u16..200,
        high in 12_u16..60,
    ) {
        let base = with_name(&healthy(), 4, &"x".repeat(60));
        let draw = |snapshot: &Snapshot| {
            let mut session = Session::new(snapshot.clone(), wide, high);
            session.keys("s");
            session.buffer(&theme("dark"))
        };
        let plain = draw(&base);
        let odd = draw(&with_name(&base, 0, &name));
        prop_assert_eq!(plain.area, odd.area);
        for y in 0..odd.area.height {
            let columns: usize = (0..odd.area.width)
                .scan(0_usize, |skip, x| {
                    if *skip > 0 { *skip -= 1; return Some(0); }
                    let width = unicode_width::UnicodeWidthStr::width(odd[(x, y)].symbol()).max(1);
                    *skip = width - 1;
                    Some(width)
                })
                .sum();
            prop_assert!(columns <= usize::from(odd.area.width), "row {} is {} wide", y, columns);
        }
        // The headings stand where they stood, and what stands below them.
        let row_of = |buffer: &Buffer, wanted: &str| {
            text(buffer).lines().find(|l| l.contains(wanted)).map(str::to_owned)
        };
        for wanted in ["HEALTH", "shop-gateway-1", "shop-worker-1"] {
            prop_assert_eq!(row_of(&plain, wanted), row_of(&odd, wanted));
        }
    }

    /// Any size can be drawn, in any state, and the last line is the footer.
    #[test]
    fn any_size_can_be_drawn(wide in 1_u16..320, high in 1_u16..90, which in 0_usize..5) {
        let snapshots = [empty(), healthy(), awaiting(Risk::R3), degraded(), long_names()];
        let mut session = Session::new(snapshots[which].clone(), wide, high);
        for keys in ["", "2 enter", "z", "esc 1 o", "c", "esc ctrl-t", "esc ?"] {
            session.keys(keys);
            session.drawn();
            session.wait(400);
            let screen = text(&session.buffer(&theme("mono")));
            prop_assert_eq!(screen.lines().count(), usize::from(high));
        }
    }
}

#[test]
fn a_simulated_engine_is_never_taken_for_a_real_one() {
    for (width, height) in [(40, 12), (80, 24), (120, 40)] {
        let mut snapshot = healthy();
        if let Some(engine) = snapshot.engine.as_mut() {
            engine.simulated = true;
        }
        let screen = Session::new(snapshot, width, height).screen();
        assert!(screen.contains(" SIM "), "{screen}");
        assert!(!Session::new(healthy(), width, height).screen().contains(" SIM "));
    }
}
