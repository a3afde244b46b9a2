//! The log pane: what stands out, records, filters, several logs at once, bookmarks, saving.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use jiff::SignedDuration;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::log::{LogEntry, LogLine, Stream};
use sentinel_tui::runtime::rings::LogPage;
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::modal::Modal;
use tui_common::{Session, ago, cell_of, healthy, id, theme};

const TRACE: &[&str] = &[
    "2026-11-24T03:14:50Z INFO GET /orders/11 200 in 12.5ms user=ada from 10.0.0.4:5432",
    "Exception in thread \"main\" java.lang.IllegalStateException: pool is empty",
    "\tat shop.Pool.take(Pool.java:42)",
    "\tat shop.Api.get(Api.java:17)",
    "\tat shop.Main.main(Main.java:3)",
    r#"{"time":"2026-11-24T03:15:02Z","level":"warn","msg":"slow query","ms":930,"table":"orders"}"#,
    "level=info msg=\"cache is warm\" entries=512",
];

fn entries(container: &str, texts: &[&str], from: i64, every: i64) -> Vec<Arc<LogEntry>> {
    let mut reader = Reader::default();
    let numbered = (1..).zip(texts);
    numbered
        .map(|(seq, text)| {
            let passed = i64::try_from(seq).unwrap_or(i64::MAX) * every;
            Arc::new(LogEntry {
                line: LogLine {
                    container: id(container),
                    seq,
                    at: ago(from) + SignedDuration::from_secs(passed),
                    stream: Stream::Stdout,
                    text: Arc::from(*text),
                    reading: reader.read(Stream::Stdout, text),
                    styles: None,
                    history: false,
                },
                anomaly: None,
                mark: false,
            })
        })
        .collect()
}

fn page_of(entries: Vec<Arc<LogEntry>>) -> LogPage {
    let last = entries.last().map_or(0, |e| e.line.seq);
    LogPage { first_kept: 1, last, revision: 1, entries }
}

fn session(width: u16, height: u16) -> Session {
    let mut session = Session::new(healthy(), width, height);
    let selected = session.state.containers.item.as_ref();
    let selected = selected.and_then(|id| session.state.container(id));
    let name = selected.map(|v| v.container.of.name.clone()).unwrap_or_default();
    session.keys("4");
    session.logs(page_of(entries(&name, TRACE, 600, 60)));
    session.effects.clear();
    session
}

fn shown(session: &Session) -> Vec<String> {
    let logs = &session.state.logs;
    logs.shown().iter().filter_map(|n| logs.entry(*n)).map(|e| e.line.text.to_string()).collect()
}

#[test]
fn a_trace_takes_one_row_until_it_is_opened() {
    let mut session = session(120, 40);
    assert_eq!(shown(&session).len(), 4);
    assert!(session.screen().contains("pool is empty (+3 lines)"), "{}", session.screen());
    session.keys("k k enter");
    assert_eq!(shown(&session).len(), 7);
    assert!(session.screen().contains("shop.Pool.take") && !session.screen().contains("(+3"));
    session.keys("j enter");
    assert_eq!(shown(&session).len(), 4, "a frame folds its trace too");
    assert!(session.state.logs.current().unwrap().line.text.contains("pool is empty"));
}

#[test]
fn what_is_folded_is_shown_once_its_first_line_fell_away() {
    let mut session = session(120, 40);
    let mut rest = page_of(Vec::new());
    rest.first_kept = 3;
    let generation = session.state.logs.generation;
    let container = session.state.logs.container.clone().unwrap();
    session.send(Msg::Logs { container, generation, page: rest, whole: false });
    assert_eq!(shown(&session).len(), 5, "three frames, and two lines behind them");
    assert!(session.screen().contains("shop.Pool.take"));
}

#[test]
fn a_search_finds_what_is_folded_and_opens_it() {
    let mut session = session(120, 40);
    session.keys("/");
    session.types("Api.java");
    session.keys("enter");
    assert!(session.state.logs.current().unwrap().line.text.contains("Api.java:17"));
    assert!(session.screen().contains("shop.Api.get"));
}

#[test]
fn json_is_a_message_with_pairs_and_as_written_on_demand() {
    let mut session = session(120, 40);
    assert!(session.screen().contains("slow query ms=930 table=orders"), "{}", session.screen());
    session.keys("/");
    session.types("ms=930");
    session.keys("enter");
    assert!(session.state.logs.current().unwrap().line.text.contains("slow query"));
    session.keys("esc J");
    assert!(session.screen().contains(r#""msg":"slow query""#) && session.screen().contains("raw"));
}

#[test]
fn a_line_is_shown_whole_scrolled_copied_and_closed() {
    let mut session = session(80, 24);
    session.keys("k enter");
    assert!(matches!(session.state.modal.as_ref().unwrap().modal, Modal::Record { .. }));
    let screen = session.screen();
    assert!(
        screen.contains("ms") && screen.contains("930") && screen.contains("As written"),
        "{screen}"
    );
    session.keys("y");
    assert!(
        matches!(&session.effects[..], [.., Effect::Copy(text)] if text.starts_with("{\"time\""))
    );
    session.keys("j esc");
    assert!(session.state.modal.is_none());
}

#[test]
fn terms_are_combined_and_what_they_hide_is_counted() {
    let mut session = session(120, 40);
    for (typed, left) in [
        ("pool", 1),
        ("-pool -orders", 1),
        ("cache entries=\\d+", 1),
        ("\"slow query\"", 1),
        ("ms=930", 1),
        ("since:4m", 2),
        ("since:4m -cache", 1),
    ] {
        session.keys("&");
        session.types(typed);
        session.keys("enter");
        assert_eq!(shown(&session).len(), left, "{typed}: {:?}", shown(&session));
        session.keys("esc");
    }
    session.keys("&");
    session.types("cache");
    session.keys("enter");
    assert!(session.screen().contains("6 lines hidden"), "{}", session.screen());
}

#[test]
fn escape_takes_back_what_was_typed_into_a_filter() {
    let mut session = session(120, 40);
    session.keys("&");
    session.types("pool");
    session.keys("enter &");
    session.types(" -pool");
    assert!(shown(&session).is_empty());
    session.keys("esc");
    assert_eq!(session.state.logs.filter.as_ref().unwrap().text(), "pool");
    assert_eq!(shown(&session).len(), 1);
}

#[test]
fn what_stands_out_has_its_colours_and_a_match_is_above_them() {
    let mut session = session(120, 40);
    let dark = theme("dark");
    session.keys("1");
    let buffer = session.buffer(&dark);
    for (text, role) in
        [("12.5ms", "117"), ("10.0.0.4:5432", "140"), ("/orders/11", "109"), ("user=", "245")]
    {
        assert_eq!(cell_of(&buffer, text).fg.to_string(), role, "{text}");
    }
    session.keys("4 /");
    session.types("12.5");
    session.keys("enter");
    assert_eq!(cell_of(&session.buffer(&dark), "12.5ms").bg.to_string(), "220");
}

#[test]
fn lines_are_marked_and_come_back_to() {
    let mut session = session(120, 40);
    session.keys("'");
    assert!(session.screen().contains("m marks one"));
    session.keys("k m");
    assert!(session.screen().contains('■') && !session.state.logs.follow);
    let marked = session.state.logs.current().unwrap().line.seq;
    session.keys("g '");
    assert_eq!(session.state.logs.current().unwrap().line.seq, marked);
    session.keys("m g '");
    assert_ne!(session.state.logs.current().unwrap().line.seq, marked, "the mark is off again");
}

#[test]
fn what_is_shown_is_saved_with_what_is_folded() {
    let mut session = session(120, 40);
    session.keys("&");
    session.types("-cache");
    session.keys("enter ctrl-s");
    let [Effect::SaveLines { name, document }] = &session.effects[..] else {
        panic!("{:?}", session.effects)
    };
    assert!(name.contains("shop-"), "{name}");
    assert_eq!(document.lines().count(), 6);
    assert!(document.contains("Api.java:17") && !document.contains("cache"));
    assert!(document.starts_with("2026-"), "each line has its time: {document}");
}

#[test]
fn logs_as_they_look() {
    for (width, height) in [(60, 15), (80, 24), (120, 40)] {
        let mut session = session(width, height);
        session.drawn();
        insta::assert_snapshot!(format!("logs_{width}x{height}"), session.screen());
        session.keys("k enter");
        insta::assert_snapshot!(format!("record_{width}x{height}"), session.screen());
    }
}
