//! Patterns, events, audit trail, tools, and incidents beyond the snapshot: what is asked for, what
//! is shown, and where keys lead.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use sentinel_core::domain::audit::{AuditAction, AuditCheck, AuditEntry, AuditPage, AuditRecord};
use sentinel_core::domain::brakes::Held;
use sentinel_core::domain::event::Event;
use sentinel_core::domain::happened::Happened;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::log::Level;
use sentinel_core::domain::log_pattern::{LogPattern, LogPatterns};
use sentinel_core::domain::not_acting::NotActing;
use sentinel_core::domain::plan::{Actor, Risk};
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolHints, ToolResult};
use sentinel_tui::runtime::events::Numbered;
use sentinel_tui::tui::listing::Listing;
use sentinel_tui::tui::listing::look::{Look, Seen};
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use sentinel_tui::tui::state::Subject;
use serde_json::{Value, json};
use tui_common::{Session, ago, awaiting, container, empty, healthy, id, incident, now};

const SIZES: [(u16, u16); 5] = [(40, 12), (60, 15), (80, 24), (120, 40), (200, 60)];

/// What was looked up last, with its generation.
fn looked(session: &Session, wanted: impl Fn(&Look) -> bool) -> (u64, Look) {
    let looks = session.effects.iter().rev().filter_map(|e| match e {
        Effect::Look { generation, look } => Some((*generation, look.clone())),
        _ => None,
    });
    let found = looks.into_iter().find(|(_, look)| wanted(look));
    found.unwrap_or_else(|| unreachable!("nothing of the kind was looked up"))
}

fn looks(session: &Session) -> usize {
    session.effects.iter().filter(|e| matches!(e, Effect::Look { .. })).count()
}

fn seen(session: &mut Session, generation: u64, seen: Seen) {
    session.send(Msg::Seen { generation, seen });
}

fn subject(session: &Session) -> Option<&Subject> {
    session.state.inspector.as_ref().map(|i| &i.subject)
}

fn kind(number: u32, text: &str, count: u64, level: Option<Level>) -> LogPattern {
    let samples = tui_common::page().entries.into_iter().filter(|e| !e.mark).skip(15);
    LogPattern {
        id: number,
        text: text.to_owned(),
        count,
        first_seen: ago(9000),
        last_seen: ago(3),
        usual: 12.0,
        now: u32::try_from(count / 100).unwrap_or_default(),
        bursting: false,
        is_new: false,
        level,
        recent: (0..20_u32).map(|n| (n > 4).then_some(n % 7)).collect(),
        samples: samples.collect(),
    }
}

fn kinds(name: &str) -> LogPatterns {
    let mut burst = kind(2, "cache grew to <*> MiB", 420, Some(Level::Warn));
    burst.bursting = true;
    let mut new = kind(3, "allocation of <*> bytes failed", 3, Some(Level::Error));
    (new.is_new, new.first_seen) = (true, ago(40));
    LogPatterns {
        of: container(name, "api").of,
        until: now(),
        patterns: vec![kind(1, "GET /orders/<*> 200 <*>", 9000, Some(Level::Info)), burst, new],
        left_out: 2,
        lines: 9500,
        other: 0,
        is_known: true,
    }
}

fn patterns() -> Session {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    fill_patterns(&mut session);
    session
}

fn fill_patterns(session: &mut Session) {
    session.keys("6");
    let (generation, _) = looked(session, |l| matches!(l, Look::Patterns(_)));
    let found = Seen::Patterns(Ok(Some(Box::new(kinds("shop-api-1")))));
    seen(session, generation, found);
    seen(session, generation, Seen::PatternsEnd);
}

fn happened() -> Vec<Arc<Numbered>> {
    let life = |name: &str, kind: LifeKind, seconds| Happened::life(name, &kind, ago(seconds));
    let opened = incident(None, IncidentState::Detected);
    let opened = Event::IncidentOpened { incident: (&opened).into() };
    let circuit =
        Event::CircuitOpened { server: "docker-control".to_owned(), failures: 5, until: now() };
    let mut list = vec![
        life("shop-api-1", LifeKind::Start, 9000),
        life("shop-cache-1", LifeKind::Connect { network: "shop_default".to_owned() }, 400),
        life("shop-api-1", LifeKind::Oom, 32),
        life("shop-api-1", LifeKind::Die { exit_code: 137 }, 31),
    ];
    list.extend(Happened::told(&opened, ago(31)));
    list.extend(Happened::told(&circuit, ago(5)));
    (1..).zip(list).map(|(number, happened)| Arc::new(Numbered { number, happened })).collect()
}

fn fill_events(session: &mut Session) {
    session.keys("7");
    let (generation, _) = looked(session, |l| matches!(l, Look::Events(_)));
    seen(session, generation, Seen::Events(happened()));
}

fn record(n: u64) -> AuditEntry {
    let action = match n % 4 {
        1 => AuditAction::Staged,
        2 => AuditAction::Approved,
        3 => AuditAction::Applying,
        _ => AuditAction::Applied,
    };
    let done = action == AuditAction::Applied;
    AuditEntry {
        n,
        hash: format!("{n:064}"),
        record: Some(AuditRecord {
            at: ago(1000 - i64::try_from(n).unwrap_or_default()),
            actor: Actor::Person("ana".to_owned()),
            action,
            incident: "INC-20261124-031502-7KQ4".into(),
            fix: Some("INC-1/1".into()),
            target: "shop-api-1".to_owned(),
            target_id: id("shop-api-1").0,
            call: Some(ToolCall::new("start_container", [("container_name", json!("a1"))])),
            reason: "the kernel killed it".to_owned(),
            plan_sha256: Some("ab".repeat(32)),
            result: done.then(|| ToolResult {
                ok: true,
                message: "started".to_owned(),
                duration_ms: 214,
            }),
        }),
    }
}

fn trail(numbers: std::ops::RangeInclusive<u64>) -> AuditPage {
    let more = *numbers.start() > 1;
    let path = "/home/ana/.local/state/sentinel-tui/audit.jsonl".to_owned();
    AuditPage { entries: numbers.rev().map(record).collect(), more, path }
}

fn fill_audit(session: &mut Session, page: AuditPage) {
    session.keys("8");
    let count = page.entries.first().map_or(0, |e| e.n);
    let (generation, _) = looked(session, |l| matches!(l, Look::Audit(_)));
    seen(session, generation, Seen::Audit(Ok(page)));
    let (generation, _) = looked(session, |l| matches!(l, Look::CheckAudit));
    let check = AuditCheck { count, head: "3f".repeat(32), problem: None };
    seen(session, generation, Seen::AuditChecked(Ok(check)));
}

fn tool(name: &str, reads: bool, schema: Value) -> Tool {
    Tool {
        server: "docker-control".to_owned(),
        name: name.to_owned(),
        description: format!("What {name} does, in the words of its server."),
        input_schema: schema,
        foreign: false,
        hints: ToolHints {
            read_only: Some(reads),
            destructive: Some(!reads),
            idempotent: Some(true),
            open_world: None,
        },
    }
}

fn with_tools() -> Snapshot {
    let target = json!({"type": "string", "description": "Full id or name."});
    let logs = json!({
        "type": "object",
        "properties": {
            "container_name": target,
            "tail": {"type": ["integer", "null"], "minimum": 1, "description": "Lines."},
            "stderr": {"type": "boolean"}
        },
        "required": ["container_name"]
    });
    let one = json!({
        "type": "object", "properties": {"container_name": target}, "required": ["container_name"]
    });
    let mut foreign = tool("search_web", true, json!({"type": "object"}));
    (foreign.foreign, foreign.server) = (true, "websearch".to_owned());
    let mut snapshot = awaiting(Risk::R1);
    snapshot.tools = Arc::new(vec![
        foreign,
        tool("restart_container", false, one),
        tool("get_logs", true, logs),
    ]);
    snapshot.brakes.held = vec![Held {
        name: "websearch".to_owned(),
        code: NotActing::CircuitOpen,
        until: now() + SignedDuration::from_secs(120),
    }];
    snapshot
}

fn snap(name: &str, snapshot: &Snapshot, fill: impl Fn(&mut Session)) {
    for (width, height) in SIZES {
        let mut session = Session::new(snapshot.clone(), width, height);
        fill(&mut session);
        session.drawn();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
    }
}

#[test]
fn kinds_of_line_are_listed() {
    snap("patterns", &awaiting(Risk::R1), fill_patterns);
}

#[test]
fn one_kind_has_its_newest_lines() {
    snap("pattern", &awaiting(Risk::R1), |session| {
        fill_patterns(session);
        session.keys("j enter G");
    });
}

#[test]
fn what_happened_is_listed() {
    snap("events", &awaiting(Risk::R1), fill_events);
}

#[test]
fn the_audit_trail_is_listed() {
    snap("audit", &awaiting(Risk::R1), |session| fill_audit(session, trail(1..=12)));
}

#[test]
fn a_record_is_shown_whole() {
    snap("audit_record", &awaiting(Risk::R1), |session| {
        fill_audit(session, trail(1..=12));
        session.keys("enter");
    });
}

#[test]
fn tools_are_listed_by_server() {
    snap("tools", &with_tools(), |session| session.keys("9"));
}

#[test]
fn a_tool_tells_of_its_arguments() {
    snap("tool", &with_tools(), |session| session.keys("9 enter"));
}

#[test]
fn a_reading_tool_has_a_form() {
    snap("tool_form", &with_tools(), |session| {
        session.keys("9 enter enter tab tab");
        session.types("x");
    });
}

#[test]
fn every_list_says_why_it_is_empty() {
    for (key, why) in [
        ("6", "No container is watched yet"),
        ("7", "Nothing has happened since"),
        ("9", "No MCP server has told"),
    ] {
        let mut session = Session::new(empty(), 120, 40);
        session.keys(key);
        for generation in 1..=session.state.listings.generation {
            seen(&mut session, generation, Seen::PatternsEnd);
        }
        let screen = session.screen();
        assert!(screen.contains(why), "{key}\n{screen}");
    }
    let mut session = Session::new(empty(), 120, 40);
    session.keys("8");
    assert!(session.screen().contains("The audit trail is being read."), "{}", session.screen());
    fill_audit(&mut session, AuditPage::default());
    assert!(session.screen().contains("No record yet"), "{}", session.screen());
    session.keys("6");
    let (generation, _) = looked(&session, |l| matches!(l, Look::Patterns(_)));
    seen(&mut session, generation, Seen::Patterns(Err("busy".to_owned())));
    assert!(session.screen().contains("busy"), "{}", session.screen());
}

#[test]
fn escape_brings_back_what_was_inspected() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    session.keys("2 enter");
    let before = subject(&session).cloned();
    assert!(matches!(before, Some(Subject::Incident(_))));
    fill_patterns(&mut session);
    session.keys("j enter");
    assert!(matches!(subject(&session), Some(Subject::Row(Listing::Patterns, _))));
    session.keys("esc");
    assert_eq!(subject(&session), Some(&Subject::Listing(Listing::Patterns)));
    assert_eq!(session.state.listings.patterns.cursor.row, 1);
    session.keys("8 esc");
    assert_eq!(subject(&session), Some(&Subject::Listing(Listing::Patterns)));
    session.keys("esc");
    assert_eq!(subject(&session).cloned(), before);
    assert_eq!(session.state.focus, Pane::Inspector);
    session.keys("esc");
    assert_eq!((subject(&session), session.state.focus), (None, Pane::Incidents));
}

#[test]
fn without_an_inspector_escape_leads_to_the_pane() {
    let mut session = Session::new(healthy(), 120, 40);
    session.keys("4 7 esc");
    assert_eq!((subject(&session), session.state.focus), (None, Pane::Logs));
}

#[test]
fn what_took_the_place_of_a_list_is_not_undone_by_it() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    session.keys("7 2 enter esc");
    assert_eq!(session.state.focus, Pane::Incidents);
    assert_eq!(subject(&session), None, "the list was left behind");
}

#[test]
fn the_palette_opens_each_list() {
    for (word, listing) in [
        ("patterns", Listing::Patterns),
        ("events", Listing::Events),
        ("audit", Listing::Audit),
        ("tools", Listing::Tools),
    ] {
        let mut session = Session::new(healthy(), 80, 24);
        session.keys(":");
        session.types(word);
        session.keys("enter");
        assert_eq!(session.state.listing(), Some(listing), "{word}");
    }
}

#[test]
fn patterns_are_sorted_and_filtered_and_of_one_or_all() {
    let mut session = patterns();
    let first = |session: &Session| {
        let key = session.state.listing_rows(Listing::Patterns)[0];
        session.state.listings.patterns.at(key).map(|(_, p)| p.text.clone()).unwrap()
    };
    assert!(first(&session).starts_with("GET"));
    session.keys("s");
    assert!(first(&session).starts_with("cache"));
    session.keys("s");
    assert!(first(&session).starts_with("allocation"));
    session.keys("/");
    session.types("level:warn,info -is:burst");
    session.keys("enter");
    assert_eq!(session.state.listing_rows(Listing::Patterns).len(), 1);
    assert!(session.screen().contains(" /le"), "{}", session.screen());
    session.keys("esc");
    assert_eq!(session.state.listing_rows(Listing::Patterns).len(), 3, "the filter goes first");
    session.keys("a");
    let (generation, look) = looked(&session, |l| matches!(l, Look::Patterns(_)));
    let Look::Patterns(containers) = look else { panic!("not asked for") };
    assert_eq!(containers.len(), session.state.snapshot.containers.len());
    seen(&mut session, generation, Seen::Patterns(Ok(Some(Box::new(kinds("shop-db-1"))))));
    assert_eq!(session.state.listing_rows(Listing::Patterns).len(), 6);
}

#[test]
fn what_comes_late_counts_no_more() {
    let mut session = patterns();
    let before = session.screen();
    let mut late = kinds("shop-api-1");
    late.patterns.clear();
    seen(&mut session, 0, Seen::Patterns(Ok(Some(Box::new(late)))));
    seen(&mut session, 0, Seen::Audit(Ok(trail(1..=3))));
    seen(&mut session, 0, Seen::AuditChecked(Err("late".to_owned())));
    seen(&mut session, 0, Seen::Past(Ok(vec![incident(None, IncidentState::Resolved)])));
    assert_eq!(session.screen(), before);
    assert!(session.state.listings.audit.kept.is_empty());
}

#[test]
fn a_kind_leads_to_its_line_in_the_log() {
    let mut session = patterns();
    session.keys("enter");
    session.keys("] enter");
    assert_eq!(session.state.focus, Pane::Logs);
    assert_eq!(session.state.jump.as_ref().and_then(|j| j.seq), Some(18));
    session.logs(tui_common::page());
    assert_eq!(session.state.logs.current().map(|e| e.line.seq), Some(18));
    session.keys("esc");
    assert!(matches!(subject(&session), Some(Subject::Row(Listing::Patterns, _))), "and back");
}

#[test]
fn a_list_in_view_is_asked_for_again_and_one_out_of_sight_is_not() {
    let mut session = patterns();
    let tick = |session: &mut Session, seconds: u64| {
        session.wait(seconds * 1000);
        session.send(Msg::Tick { now: now(), at: session.at });
    };
    let before = looks(&session);
    tick(&mut session, 1);
    assert_eq!(looks(&session), before, "too soon");
    tick(&mut session, 6);
    assert_eq!(looks(&session), before + 1);
    tick(&mut session, 6);
    assert_eq!(looks(&session), before + 1, "one at a time");
    session.keys("esc");
    let (generation, _) = looked(&session, |l| matches!(l, Look::Patterns(_)));
    seen(&mut session, generation, Seen::PatternsEnd);
    tick(&mut session, 60);
    assert_eq!(looks(&session), before + 1);
}

#[test]
fn events_follow_the_newest_or_stay_with_what_is_read() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    fill_events(&mut session);
    assert_eq!(session.state.listings.events.cursor.item, Some(6), "the newest is on top");
    let more = |number, name: &str| {
        let happened = Happened::life(name, &LifeKind::Healthy, now());
        Seen::Events(vec![Arc::new(Numbered { number, happened })])
    };
    seen(&mut session, 0, more(7, "shop-db-1"));
    assert_eq!(session.state.listings.events.cursor.item, Some(7));
    session.keys("j j");
    assert_eq!(session.state.listings.events.cursor.item, Some(5));
    seen(&mut session, 0, more(8, "shop-db-1"));
    assert_eq!(session.state.listings.events.cursor.item, Some(5));
    // A new snapshot asks for what came since, once.
    session.effects.clear();
    session.snapshot(awaiting(Risk::R1));
    let (_, look) = looked(&session, |l| matches!(l, Look::Events(_)));
    assert_eq!((look, looks(&session)), (Look::Events(8), 1));
}

#[test]
fn events_are_filtered_and_lead_to_what_they_are_about() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    fill_events(&mut session);
    session.keys("/");
    session.types("kind:incident,oom container:api");
    session.keys("enter");
    assert_eq!(session.state.listing_rows(Listing::Events), [5, 3]);
    session.keys("enter");
    assert!(matches!(subject(&session), Some(Subject::Incident(_))));
    session.keys("esc j enter");
    assert_eq!(subject(&session), Some(&Subject::Container(id("shop-api-1"))));
    session.keys("esc");
    assert_eq!(session.state.listing(), Some(Listing::Events));
    assert_eq!(session.state.listings.events.cursor.item, Some(3));
}

#[test]
fn the_trail_is_read_page_by_page_and_checked_once() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    fill_audit(&mut session, trail(101..=200));
    let before = looks(&session);
    session.keys("j j k");
    assert_eq!(looks(&session), before, "nothing is read before its time");
    session.keys("G");
    let (generation, look) = looked(&session, |l| matches!(l, Look::Audit(_)));
    assert_eq!(look, Look::Audit(Some(101)));
    session.keys("k j");
    assert_eq!(looks(&session), before + 1, "one page at a time");
    seen(&mut session, generation, Seen::Audit(Ok(trail(1..=100))));
    session.keys("G");
    assert_eq!(session.state.listings.audit.cursor.item, Some(1));
    assert_eq!(looks(&session), before + 1, "that was the first record");
    session.keys("g");
    assert_eq!(session.state.listings.audit.cursor.item, Some(200));
    // Its check was of these records: with one more it is checked anew.
    let checked = |session: &Session| session.state.listings.audit.checking.is_none();
    assert!(checked(&session));
    session.wait(6000);
    session.send(Msg::Tick { now: now(), at: session.at });
    let (generation, _) = looked(&session, |l| matches!(l, Look::Audit(None)));
    seen(&mut session, generation, Seen::Audit(Ok(trail(102..=201))));
    assert!(!checked(&session));
    session.keys("/");
    session.types("what:applied on:api who:ana");
    session.keys("enter");
    assert_eq!(session.state.listing_rows(Listing::Audit).len(), 50);
}

#[test]
fn a_chain_that_does_not_hold_says_so() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    fill_audit(&mut session, trail(1..=12));
    session.keys("esc 8");
    let (generation, _) = looked(&session, |l| matches!(l, Look::CheckAudit));
    let problem = Some("audit record 7: its text was changed after it was written".to_owned());
    let check = AuditCheck { count: 6, head: String::new(), problem };
    seen(&mut session, generation, Seen::AuditChecked(Ok(check)));
    let screen = session.screen();
    assert!(screen.contains("does not hold: audit record 7"), "{screen}");
}

#[test]
fn a_tool_that_changes_something_is_not_called_from_here() {
    let mut session = Session::new(with_tools(), 120, 40);
    session.keys("9 j enter");
    assert!(session.screen().contains("restart_container of docker-control"));
    session.keys("enter");
    assert!(session.state.modal.is_none());
    assert!(session.screen().contains("only as a step of a staged fix"), "{}", session.screen());
    // Nor is one of another's server, whatever it says of itself.
    session.keys("esc j enter enter");
    assert!(session.state.modal.is_none());
    assert_eq!(looks(&session), 0);
}

#[test]
fn a_reading_tool_is_called_with_what_fits_its_schema() {
    let mut session = Session::new(with_tools(), 120, 40);
    session.keys("9 enter enter");
    assert!(matches!(session.state.modal.as_ref().map(|o| &o.modal), Some(Modal::Form)));
    session.keys("tab tab");
    session.types("0");
    assert!(
        session.screen().contains("tail: 0 is less than the minimum of 1"),
        "{}",
        session.screen()
    );
    session.keys("enter");
    assert_eq!(looks(&session), 0, "what does not fit is not sent");
    session.keys("backspace");
    session.types("50");
    session.keys("enter");
    let (generation, look) = looked(&session, |l| matches!(l, Look::Tool(_)));
    let Look::Tool(call) = look else { panic!("not called") };
    let target = session.state.containers.item.clone().unwrap();
    assert_eq!(call.call().tool, "get_logs");
    assert_eq!(
        Value::Object(call.call().arguments.clone()),
        json!({"container_name": target, "tail": 50})
    );
    assert!(session.screen().contains("The tool is at work."), "{}", session.screen());
    let result = ToolResult { ok: true, message: "2 lines".to_owned(), duration_ms: 7 };
    let answer = json!({"lines": ["first", "second"], "env": {"TOKEN": "x"}});
    seen(&mut session, generation + 1, Seen::Tool(Err("of another call".to_owned())));
    seen(&mut session, generation, Seen::Tool(Ok(Box::new((result, answer)))));
    let screen = session.screen();
    assert!(screen.contains("2 lines (7 ms)") && screen.contains("- second"), "{screen}");
    assert!(!screen.contains("TOKEN: x"), "values of the environment stay hidden: {screen}");
}

#[test]
fn incidents_are_filtered_by_terms() {
    let mut snapshot = awaiting(Risk::R1);
    let mut closed = incident(None, IncidentState::Resolved);
    closed.id = "INC-2".into();
    closed.closed_at = Some(ago(100));
    snapshot.incidents.push(Arc::new(closed));
    let mut session = Session::new(snapshot, 200, 60);
    let shown = |session: &mut Session, typed: &str| {
        session.keys("2 esc 2 /");
        session.types(typed);
        session.keys("enter");
        let rows = sentinel_tui::tui::lists::incidents(&session.state);
        rows.iter().map(|i| i.id.0.len()).collect::<Vec<_>>()
    };
    assert_eq!(shown(&mut session, "state:open class:oom service:api"), [24]);
    assert!(session.screen().contains("state:open class:oom service:api"));
    assert_eq!(shown(&mut session, "state:closed severity:critical"), [5]);
    assert_eq!(shown(&mut session, "severity:low"), [0_usize; 0]);
    assert_eq!(shown(&mut session, "killed at its memory"), [24, 5]);
}

#[test]
fn incidents_that_ended_earlier_are_read_at_the_end_of_the_list() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    let past = |n: u32| {
        let mut past = incident(None, IncidentState::Resolved);
        past.id = format!("INC-PAST-{n}").as_str().into();
        past.title = format!("an old trouble {n}");
        (past.opened_at, past.closed_at) = (ago(100_000 + i64::from(n)), Some(ago(90_000)));
        past
    };
    session.keys("2 G");
    let (generation, look) = looked(&session, |l| matches!(l, Look::Past(_)));
    assert_eq!(look, Look::Past(None));
    // All of the first page is known: the next one is read at once.
    let known = (*session.state.snapshot.incidents[0]).clone();
    let last = (known.opened_at, known.id.clone());
    seen(&mut session, generation, Seen::Past(Ok(vec![known])));
    let (generation, look) = looked(&session, |l| matches!(l, Look::Past(_)));
    assert_eq!(look, Look::Past(Some(last)));
    seen(&mut session, generation, Seen::Past(Ok(vec![past(1), past(2)])));
    session.keys("G enter");
    assert!(session.screen().contains("an old trouble 2"), "{}", session.screen());
    assert_eq!(subject(&session), Some(&Subject::Incident("INC-PAST-2".into())));
    let (generation, _) = looked(&session, |l| matches!(l, Look::Past(_)));
    seen(&mut session, generation, Seen::Past(Ok(Vec::new())));
    let before = looks(&session);
    session.keys("2 G");
    assert_eq!(looks(&session), before, "there are no more");
}

#[test]
fn a_closed_store_is_told_and_asked_no_more() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    session.keys("2 G");
    let (generation, _) = looked(&session, |l| matches!(l, Look::Past(_)));
    seen(&mut session, generation, Seen::Past(Err("no such file".to_owned())));
    assert!(session.screen().contains("no such file"), "{}", session.screen());
    session.send(Msg::Tick { now: now(), at: Duration::from_mins(5) });
    let before = looks(&session);
    session.keys("G");
    assert_eq!(looks(&session), before);
}
