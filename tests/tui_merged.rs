//! Several logs at once, lines from beyond memory, ranges, and what of a log is copied.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sentinel_core::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use sentinel_core::domain::log::{LogEntry, LogLine, Reading, Stream};
use sentinel_core::domain::log_page::{PageAsk, PageFrom, PastPage};
use sentinel_core::domain::severity::Severity;
use sentinel_core::redact;
use sentinel_tui::runtime::rings::LogPage;
use sentinel_tui::tui::log_past::{Edge, Range};
use sentinel_tui::tui::log_sources::Whose;
use sentinel_tui::tui::log_take::HELD_LINES;
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::role::Role;
use tui_common::{Session, ago, container, healthy, id, now, theme, view};

fn line(of: &str, seq: u64, at: Timestamp, text: &str) -> LogLine {
    LogLine {
        container: id(of),
        seq,
        at,
        stream: Stream::Stdout,
        text: text.into(),
        reading: Reading::default(),
        styles: None,
        history: false,
    }
}

fn entry(line: LogLine) -> Arc<LogEntry> {
    Arc::new(LogEntry { line, anomaly: None, mark: false })
}

/// Lines `{of} {seq}`, one every other second from `from` seconds ago on.
fn lines(of: &str, seqs: std::ops::RangeInclusive<u64>, from: i64) -> Vec<Arc<LogEntry>> {
    let first = *seqs.start();
    seqs.map(|seq| {
        let passed = SignedDuration::from_secs(2 * i64::try_from(seq - first).unwrap_or_default());
        entry(line(of, seq, ago(from) + passed, &format!("{of} {seq}")))
    })
    .collect()
}

fn page(entries: Vec<Arc<LogEntry>>, first_kept: u64) -> LogPage {
    let last = entries.last().map_or(0, |e| e.line.seq);
    LogPage { entries, first_kept, last, revision: 0 }
}

fn give(session: &mut Session, of: &str, page: LogPage, whole: bool) {
    let generation = session.state.logs.generation;
    session.send(Msg::Logs { container: id(of), generation, page, whole });
}

fn shown(session: &Session) -> Vec<String> {
    let logs = &session.state.logs;
    logs.shown().iter().filter_map(|n| logs.entry(*n)).map(|e| e.line.text.to_string()).collect()
}

/// Sorted by name: api, cache, db, gateway, migrate, worker.
fn session(width: u16, height: u16) -> Session {
    let mut session = Session::new(healthy(), width, height);
    session.keys("1 s g");
    session
}

/// The logs of api and db together, each with three lines that lie between the other's.
fn merged(width: u16, height: u16) -> Session {
    let mut session = session(width, height);
    session.keys("space j space l");
    give(&mut session, "shop-api-1", page(lines("shop-api-1", 1..=3, 100), 1), true);
    give(&mut session, "shop-db-1", page(lines("shop-db-1", 1..=3, 99), 1), true);
    session.effects.clear();
    session
}

#[test]
fn marked_containers_have_one_log_ordered_by_time() {
    let session = merged(120, 40);
    assert_eq!(session.state.logs.whose, Whose::Marked);
    assert_eq!(
        shown(&session),
        [
            "shop-api-1 1",
            "shop-db-1 1",
            "shop-api-1 2",
            "shop-db-1 2",
            "shop-api-1 3",
            "shop-db-1 3"
        ]
    );
    let screen = session.screen();
    assert!(screen.contains("2 marked: api-1, db-1") && screen.contains("2 marked"), "{screen}");
    assert!(screen.contains("api-1 shop-api-1 1"), "its name stands before each line: {screen}");
}

#[test]
fn marks_are_set_one_by_one_or_as_a_range_and_taken_away() {
    let mut session = session(120, 40);
    session.keys("space j j V");
    assert_eq!(session.state.marks.len(), 4, "from the marked one to this one");
    session.keys("space");
    assert_eq!(session.state.marks.len(), 3);
    session.keys("esc");
    assert!(session.state.marks.is_empty());
}

#[test]
fn a_late_page_of_another_container_or_of_before_is_dropped() {
    let mut session = merged(120, 40);
    give(&mut session, "shop-cache-1", page(lines("shop-cache-1", 1..=3, 100), 1), true);
    let before = session.state.logs.generation;
    session.keys("W");
    assert_eq!(session.state.logs.whose, Whose::One);
    let late = page(lines("shop-api-1", 1..=3, 100), 1);
    session.send(Msg::Logs {
        container: id("shop-api-1"),
        generation: before,
        page: late,
        whole: true,
    });
    let past = PastPage { lines: vec![line("shop-api-1", 0, ago(900), "old")], ends: true };
    session.send(Msg::Page { generation: before, older: true, outcome: Ok(past) });
    assert_eq!(session.state.logs.total(), 0);
}

#[test]
fn a_late_line_is_put_where_it_belongs_and_the_reader_stays() {
    let mut session = merged(120, 40);
    session.keys("k k");
    let here = session.state.logs.current().unwrap().line.text.clone();
    let top = session.state.logs.top;
    let late = vec![
        entry(line("shop-api-1", 4, ago(96), "late")),
        entry(line("shop-api-1", 5, ago(90), "new")),
    ];
    give(&mut session, "shop-api-1", page(late, 1), false);
    assert_eq!(session.state.logs.current().unwrap().line.text, here);
    assert_eq!(session.state.logs.top, top);
    assert_eq!(session.state.logs.missed, 2);
    // Behind its container's own lines, whatever its clock says of them.
    assert_eq!(
        shown(&session)[4..],
        ["shop-api-1 3", "late", "shop-db-1 3", "new"].map(str::to_owned)
    );
}

#[test]
fn whose_log_goes_round() {
    let mut snapshot = healthy();
    snapshot.containers.push(view(container("shop-api-2", "api"), 1.0, 1.0));
    let mut session = Session::new(snapshot, 120, 40);
    session.keys("1 s g space l W");
    assert_eq!(session.state.logs.whose, Whose::Service("api".to_owned()));
    assert_eq!(session.state.logs.ids(), [id("shop-api-1"), id("shop-api-2")]);
    session.keys("W");
    assert_eq!(session.state.logs.whose, Whose::One);
    session.keys("W");
    assert_eq!(session.state.logs.whose, Whose::Marked);
}

#[test]
fn searching_filtering_and_saving_work_in_a_merged_log() {
    let mut session = merged(120, 40);
    session.keys("&");
    session.types("db");
    session.keys("enter");
    assert_eq!(shown(&session).len(), 3);
    assert!(session.screen().contains("3 lines hidden"));
    session.keys("ctrl-s");
    let saved = session.effects.iter().find_map(|e| match e {
        Effect::SaveLines { name, document } => Some((name.clone(), document.clone())),
        _ => None,
    });
    let (name, document) = saved.unwrap();
    assert!(name.starts_with("2-logs-"), "{name}");
    assert_eq!(document.lines().count(), 3);
    assert!(document.lines().all(|l| l.contains(" db-1 shop-db-1 ")), "{document}");
}

/// A log with lines 11 to 20 in memory, read at its top.
fn at_top(width: u16, height: u16) -> (Session, Option<PageAsk>) {
    let mut session = session(width, height);
    session.keys("4");
    give(&mut session, "shop-api-1", page(lines("shop-api-1", 11..=20, 100), 11), true);
    session.effects.clear();
    session.keys("g");
    let ask = session.effects.iter().find_map(|e| match e {
        Effect::ReadPage { ask, older: true, .. } => Some(ask.clone()),
        _ => None,
    });
    (session, ask)
}

fn answer(session: &mut Session, older: bool, outcome: Result<PastPage, String>) {
    let generation = session.state.logs.generation;
    session.send(Msg::Page { generation, older, outcome });
}

fn past(count: i64, from: i64, ends: bool) -> PastPage {
    let lines = (0..count).map(|n| {
        line("shop-api-1", 0, ago(from) + SignedDuration::from_millis(n), &format!("old {n}"))
    });
    PastPage { lines: lines.collect(), ends }
}

#[test]
fn the_top_of_memory_asks_for_older_lines_and_says_how_it_went() {
    let (mut session, ask) = at_top(120, 40);
    let ask = ask.unwrap();
    let PageFrom::Before(seam, behind) = &ask.from else { panic!("{ask:?}") };
    assert_eq!((seam.text.as_ref(), seam.copies, *behind), ("shop-api-1 11", 1, 10));
    assert!(session.screen().contains("loading older lines"), "{}", session.screen());
    session.effects.clear();
    session.keys("g");
    assert!(session.effects.is_empty(), "one page at a time");
    let first = session.state.logs.cursor;
    answer(&mut session, true, Ok(past(5, 900, false)));
    assert_eq!(session.state.logs.cursor, first, "the reader stays");
    assert_eq!(shown(&session).len(), 15);
    session.keys("g");
    assert_eq!(session.state.logs.current().unwrap().line.text.as_ref(), "old 0");
    answer(&mut session, true, Ok(past(0, 0, true)));
    assert!(session.screen().contains("beginning of the log"), "{}", session.screen());
    session.keys("G");
    assert_eq!(shown(&session).len(), 10, "following goes back to what is in memory");
}

#[test]
fn why_no_older_line_comes_is_said_and_asked_again_later() {
    let (mut session, _) = at_top(60, 15);
    answer(&mut session, true, Err("the container is gone, and its log with it".to_owned()));
    assert!(session.screen().contains("no older lines: the container is gone"));
    session.effects.clear();
    session.keys("g");
    assert!(session.effects.is_empty(), "not with every key");
    session.keys("G g");
    assert!(!session.effects.is_empty());
}

#[test]
fn what_is_read_back_is_bounded_and_the_newest_lines_give_way() {
    let (mut session, _) = at_top(120, 40);
    let pages = i64::try_from(HELD_LINES / 1000).unwrap();
    for number in 0..=pages {
        answer(&mut session, true, Ok(past(1000, 10_000 + 10 * number, false)));
        session.keys("g");
    }
    assert_eq!(session.state.logs.total(), HELD_LINES);
    assert!(session.state.logs.past.detached);
    session.effects.clear();
    // At its other end the reader reads on towards the present.
    session.keys("ctrl-d");
    let last = session.state.logs.shown().len() - 1;
    session.state.logs.jump(last, 30, 120);
    session.keys("j");
    assert!(matches!(&session.effects[..], [Effect::ReadPage { older: false, .. }]));
    let new = entry(line("shop-api-1", 21, now(), "new"));
    give(&mut session, "shop-api-1", page(vec![new], 11), false);
    assert!(session.screen().contains("+1 new"), "{}", session.screen());
    session.effects.clear();
    session.keys("G");
    assert!(session.state.logs.follow && session.state.logs.total() == 0);
    assert!(session.effects.iter().any(|e| matches!(e, Effect::ReadLogs { last: 0, .. })));
}

#[test]
fn a_range_is_covered_by_pages_and_said() {
    let (mut session, _) = at_top(120, 40);
    answer(&mut session, true, Ok(past(0, 0, false)));
    session.keys("G");
    session.effects.clear();
    session.keys("r 4");
    assert!(session.screen().contains("(15 min)"), "{}", session.screen());
    assert!(matches!(&session.effects[..], [Effect::ReadPage { older: true, .. }]));
    session.effects.clear();
    answer(&mut session, true, Ok(past(10, 800, false)));
    assert!(matches!(&session.effects[..], [Effect::ReadPage { older: true, .. }]));
    session.effects.clear();
    answer(&mut session, true, Ok(past(10, 1000, false)));
    assert!(session.effects.is_empty(), "the page reaches beyond the range");
    assert_eq!(shown(&session).len(), 20, "what is older is not shown");
    session.keys("r 0");
    assert_eq!((&session.state.logs.range, shown(&session).len()), (&Range::Tail, 10));
}

#[test]
fn an_empty_range_names_the_age_of_the_newest_line() {
    let (mut session, _) = at_top(80, 24);
    session.keys("r 2");
    let screen = session.screen();
    assert!(screen.contains("No line since") && screen.contains("1m old"), "{screen}");
}

#[test]
fn the_beginning_is_shown_and_read_on_from() {
    let (mut session, _) = at_top(120, 40);
    session.effects.clear();
    session.keys("r 1");
    let [Effect::ReadPage { older: false, ask, .. }] = &session.effects[..] else {
        panic!("{:?}", session.effects)
    };
    assert_eq!(ask.from, PageFrom::Start);
    answer(&mut session, false, Ok(past(100, 9000, false)));
    assert_eq!(session.state.logs.current().unwrap().line.text.as_ref(), "old 0");
    assert_eq!(session.state.logs.past.older, Edge::End);
    let screen = session.screen();
    assert!(screen.contains("from the beginning"), "{screen}");
}

#[test]
fn the_reason_of_an_anomalous_line_stands_under_it() {
    let mut snapshot = healthy();
    snapshot.anomalies.push(Arc::new(Anomaly {
        id: "A-1".into(),
        kind: AnomalyKind::ErrorBurst,
        container: container("shop-api-1", "api").of,
        severity: Severity::High,
        score: 0.9,
        summary: "errors far above their usual rate".to_owned(),
        observed_at: ago(50),
        evidence: Vec::new(),
        detail: AnomalyDetail::default(),
    }));
    for (width, height) in [(40, 12), (60, 15), (80, 24), (120, 40), (200, 60)] {
        let mut session = Session::new(snapshot.clone(), width, height);
        session.keys("1 s g 4");
        let mut entries = lines("shop-api-1", 1..=9, 100);
        Arc::make_mut(&mut entries[8]).anomaly = Some("A-1".into());
        Arc::make_mut(&mut entries[2]).anomaly = Some("A-2".into());
        give(&mut session, "shop-api-1", page(entries, 1), true);
        session.keys("]");
        assert_eq!(session.state.logs.current().unwrap().line.seq, 9);
        let screen = session.screen();
        assert!(screen.contains("HIGH errors far above"), "{screen}");
        assert!(screen.contains("shop-api-1 9"), "it hides no line of its own: {screen}");
        session.keys("[");
        assert_eq!(session.state.logs.current().unwrap().line.seq, 3);
        assert!(session.screen().contains("its reason is not kept"));
    }
}

#[test]
fn lines_are_selected_and_copied() {
    let mut session = session(120, 40);
    session.keys("4");
    give(&mut session, "shop-api-1", page(lines("shop-api-1", 1..=9, 100), 1), true);
    session.keys("k k V k k");
    assert!(session.screen().contains("3 lines selected"), "{}", session.screen());
    session.effects.clear();
    session.keys("y");
    let copied = "shop-api-1 5\nshop-api-1 6\nshop-api-1 7\n";
    assert_eq!(session.effects, [Effect::Copy(copied.to_owned())]);
    assert!(session.state.logs.anchor.is_none());
    session.effects.clear();
    session.keys("Y");
    let [Effect::Copy(all)] = &session.effects[..] else { panic!("{:?}", session.effects) };
    assert_eq!(all.lines().count(), 9);
}

#[test]
fn what_is_missing_is_said_however_narrow_it_is() {
    let mut snapshot = healthy();
    snapshot.containers[0].lines_dropped = 7;
    for (width, height) in [(40, 12), (60, 15), (80, 24)] {
        let mut session = Session::new(snapshot.clone(), width, height);
        session.keys("1 s g 4");
        give(&mut session, "shop-api-1", page(lines("shop-api-1", 1..=30, 100), 1), true);
        session.keys("space k");
        let entries = lines("shop-api-1", 30..=32, 42);
        give(&mut session, "shop-api-1", page(entries, 1), false);
        let screen = session.screen();
        assert!(screen.contains("dropped 7") && screen.contains("+2 new"), "{screen}");
    }
}

/// A line as it comes from a container, cleaned as the monitor does it.
fn as_read(raw: &[u8]) -> LogLine {
    let text: Arc<str> = redact::clean(raw, 4096).into();
    LogLine {
        styles: redact::styles::spans(raw, &text),
        text: Arc::clone(&text),
        ..line("shop-api-1", 1, ago(9), "")
    }
}

#[test]
fn colours_of_the_writer_are_shown_in_the_themes_own() {
    let mut session = session(80, 24);
    session.keys("4");
    let raw = b"\x1b[32mgreen\x1b[0m plain \x1b[31;1mred\x1b[0m";
    give(&mut session, "shop-api-1", page(vec![entry(as_read(raw))], 1), true);
    session.keys("1");
    for name in ["dark", "light", "mono"] {
        let theme = theme(name);
        let buffer = session.buffer(&theme);
        let looks = |text: &str| tui_common::cell_of(&buffer, text).fg;
        let wanted = |role| theme.style(role).fg.unwrap_or_default();
        assert_eq!(looks("green"), wanted(Role::Ok));
        assert_eq!(looks("red"), wanted(Role::Error));
        assert_eq!(looks("plain"), wanted(Role::Text));
    }
}

proptest! {
    #[test]
    fn no_control_byte_is_ever_drawn(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut session = session(60, 15);
        session.keys("4");
        give(&mut session, "shop-api-1", page(vec![entry(as_read(&raw))], 1), true);
        let buffer = session.buffer(&theme("dark"));
        let harmful = |s: &str| s.chars().any(redact::display::is_harmful);
        prop_assert!(!buffer.content().iter().any(|cell| harmful(cell.symbol())));
    }
}

#[test]
fn merged_logs_and_their_menu_as_they_look() {
    for (width, height) in [(40, 12), (60, 15), (80, 24), (120, 40), (200, 60)] {
        let mut session = merged(width, height);
        session.keys("4");
        insta::assert_snapshot!(format!("merged_{width}x{height}"), session.screen());
        session.keys("r");
        insta::assert_snapshot!(format!("range_{width}x{height}"), session.screen());
    }
    let session = merged(80, 24);
    let mono = tui_common::text(&session.buffer(&theme("mono")));
    assert_eq!(mono, session.screen(), "names are told apart without colours, too");
}
