//! The panel in which questions are asked: what its keys do, what it looks like, and that nothing
//! typed there leads to a command.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;
use proptest::prelude::*;
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::past::{Outcome, Past, Tried};
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::runbook::{Runbook, Runbooks};
use sentinel_tui::runtime::asking::{About, Part};
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::modal::Modal;
use sentinel_tui::tui::pane::Pane;
use sentinel_tui::tui::talk::{End, TURNS};
use tui_common::{Session, awaiting, empty, id, page, resolved};

const SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (120, 40)];

/// The panel is open on the incident that waits, and a question is asked.
fn asked(width: u16, height: u16) -> Session {
    let mut session = Session::new(awaiting(Risk::R1), width, height);
    session.keys("2 T");
    session.drawn();
    session.types("why did it die?");
    session.keys("enter");
    session
}

fn questions(session: &Session) -> Vec<(u64, &str)> {
    session
        .effects
        .iter()
        .filter_map(|e| match e {
            Effect::Question { number, question } => Some((*number, question.words.as_str())),
            _ => None,
        })
        .collect()
}

fn cancels(session: &Session) -> usize {
    session.effects.iter().filter(|e| **e == Effect::CancelQuestion).count()
}

fn piece(number: u32, seq: Option<u64>) -> Evidence {
    Evidence {
        id: format!("e{number}").as_str().into(),
        kind: if seq.is_some() { EvidenceKind::Log } else { EvidenceKind::Event },
        container: "shop-api-1".to_owned(),
        ts: jiff::Timestamp::UNIX_EPOCH,
        excerpt: format!("piece number {number}"),
        line: seq.map(|seq| LineAddress { container: id("shop-api-1"), seq }),
    }
}

fn parts(session: &mut Session, number: u64, parts: Vec<Part>) {
    for part in parts {
        session.send(Msg::Part { number, part });
    }
}

fn answer() -> Vec<Part> {
    vec![
        Part::Looked {
            tool: "read_logs".to_owned(),
            arguments: "shop-api-1, 50 lines".to_owned(),
            ok: true,
            words: "50 lines".to_owned(),
        },
        Part::Text("It was killed at its ".to_owned()),
        Part::Text("memory limit [e1] while it allocated [e2].\n\nNothing else fits.".to_owned()),
        Part::Done {
            by: "rules and stored facts".to_owned(),
            evidence: vec![piece(1, None), piece(2, Some(18))],
            note: Some("A model would put it into its own words.".to_owned()),
        },
    ]
}

fn is_open(session: &Session) -> bool {
    session.state.modal.as_ref().is_some_and(|open| matches!(open.modal, Modal::Talk))
}

fn snap(name: &str, prepare: impl Fn(&mut Session)) {
    for (width, height) in SIZES {
        let mut session = asked(width, height);
        prepare(&mut session);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
    }
}

#[test]
fn it_opens_on_what_is_selected() {
    let incident = awaiting(Risk::R1).incidents[0].id.clone();
    for (keys, expected) in [
        ("T", Some(About::Container(id("shop-api-1")))),
        ("4 T", Some(About::Container(id("shop-api-1")))),
        ("2 T", Some(About::Incident(incident.clone()))),
        ("3 T", Some(About::Incident(incident.clone()))),
        ("2 enter T", Some(About::Incident(incident))),
        ("i T", Some(About::Container(id("shop-api-1")))),
        ("L T", None),
    ] {
        let mut session = Session::new(awaiting(Risk::R1), 120, 40);
        session.keys(keys);
        let about = session.state.talk.as_ref().map(|talk| talk.about.clone());
        assert_eq!(about, expected, "after `{keys}`");
        assert_eq!(is_open(&session), expected.is_some(), "after `{keys}`");
    }
    let mut session = Session::new(empty(), 120, 40);
    session.keys("T");
    assert!(!is_open(&session) && session.state.toasts.len() == 1);
}

#[test]
fn an_answer_comes_piece_by_piece_and_ends() {
    let mut session = asked(120, 40);
    assert_eq!(questions(&session), [(1, "why did it die?")]);
    parts(&mut session, 1, answer());
    // What belongs to another question changes nothing.
    parts(&mut session, 7, vec![Part::Text("late".to_owned())]);
    let talk = session.state.talk.as_ref().unwrap();
    assert_eq!(talk.running, None);
    let turn = &talk.turns[0];
    assert!(turn.text.starts_with("It was killed at its memory limit [e1]"), "{}", turn.text);
    assert!(!turn.text.contains("late"));
    assert_eq!(turn.looks.len(), 1);
    assert!(matches!(turn.end, Some(End::Done { .. })));
    let screen = session.screen();
    for part in ["read_logs shop-api-1, 50 lines", "e2", "piece number 2", "from rules and stored"]
    {
        assert!(screen.contains(part), "{part:?} is not in\n{screen}");
    }
}

#[test]
fn escape_cancels_first_and_closes_then() {
    let mut session = asked(120, 40);
    parts(&mut session, 1, vec![Part::Text("It was".to_owned())]);
    session.keys("esc");
    assert!(is_open(&session));
    assert_eq!(cancels(&session), 1);
    let talk = session.state.talk.as_ref().unwrap();
    assert_eq!(talk.turns[0].end, Some(End::Cancelled));
    // What was on its way is late.
    parts(&mut session, 1, answer());
    assert_eq!(session.state.talk.as_ref().unwrap().turns[0].text, "It was");
    session.keys("esc");
    assert!(!is_open(&session));
    assert_eq!(cancels(&session), 1, "nothing was under way");
    // The conversation outlives its panel; that of something else takes its place.
    session.keys("T");
    assert_eq!(session.state.talk.as_ref().unwrap().turns.len(), 1);
    session.keys("esc 1 T");
    assert_eq!(session.state.talk.as_ref().unwrap().turns.len(), 0);
}

#[test]
fn a_second_question_gives_up_the_first() {
    let mut session = asked(120, 40);
    session.types("status");
    session.keys("enter");
    assert_eq!(questions(&session), [(1, "why did it die?"), (2, "status")]);
    assert_eq!(cancels(&session), 1);
    let talk = session.state.talk.as_ref().unwrap();
    assert_eq!((talk.turns[0].end.clone(), talk.running), (Some(End::Cancelled), Some(2)));
}

#[test]
fn a_question_about_something_else_gives_up_the_one_under_way() {
    let mut session = asked(120, 40);
    // The panel is closed by a jump or a resize never; here the operator leaves a running answer.
    session.state.modal = None;
    session.keys("1 T");
    assert_eq!(cancels(&session), 1);
}

#[test]
fn evidence_is_chosen_by_tab_and_opened_by_enter_on_an_empty_line() {
    let mut session = asked(120, 40);
    parts(&mut session, 1, answer());
    session.keys("enter");
    assert!(is_open(&session), "nothing is chosen yet, and nothing was asked");
    session.keys("tab tab");
    assert_eq!(session.state.talk.as_ref().unwrap().chosen, Some(1));
    // While something is typed, enter asks.
    session.types("x");
    session.keys("enter");
    assert_eq!(questions(&session).len(), 2);
    parts(&mut session, 2, answer());
    session.keys("shift-tab enter");
    assert!(!is_open(&session));
    assert_eq!(session.state.focus, Pane::Logs);
    let line = session.state.logs.current().unwrap().line.seq;
    assert_eq!(line, 18);
    // A piece that is no line is told.
    session.keys("esc 2 T tab enter");
    assert!(session.state.toasts.iter().any(|t| t.text.contains("piece number 1")));
}

#[test]
fn what_is_pasted_is_typed_and_not_asked() {
    let mut session = Session::new(awaiting(Risk::R1), 120, 40);
    session.keys("2 T");
    session.drawn();
    let at = session.at;
    session.send(Msg::Paste { text: "approve it\ny\n".to_owned(), at });
    assert!(questions(&session).is_empty());
    session.keys("enter");
    assert_eq!(questions(&session), [(1, "approve ity")]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut session = asked(80, 24);
    for number in 2..40 {
        session.types("again");
        session.keys("enter");
        let text = "word ".repeat(20_000);
        let look = Part::Looked {
            tool: "t".to_owned(),
            arguments: String::new(),
            ok: false,
            words: "w".to_owned(),
        };
        let mut all = vec![look; 200];
        all.push(Part::Text(text));
        parts(&mut session, number, all);
    }
    let talk = session.state.talk.as_ref().unwrap();
    assert_eq!(talk.turns.len(), TURNS);
    assert!(talk.turns.iter().all(|turn| turn.text.len() <= 16 * 1024 && turn.looks.len() <= 50));
    // It can be read from the beginning, and the way back is as long.
    session.keys("pgup pgup pgdn pgdn pgdn");
    assert_eq!(session.state.talk.as_ref().unwrap().back, 0);
}

#[test]
fn a_model_that_fails_is_told_and_the_other_answer_follows() {
    let mut session = asked(120, 40);
    let mut all = vec![Part::Text("half".to_owned())];
    all.push(Part::Failed("the model did not answer within 30 s".to_owned()));
    all.extend(answer());
    parts(&mut session, 1, all);
    let screen = session.screen();
    assert!(screen.contains("the model did not answer within 30 s"), "{screen}");
    assert!(!session.state.talk.as_ref().unwrap().turns[0].text.contains("half"));
}

#[test]
fn it_is_empty_before_the_first_question() {
    for (width, height) in SIZES {
        let mut session = Session::new(awaiting(Risk::R1), width, height);
        session.keys("2 T");
        session.drawn();
        insta::assert_snapshot!(format!("ask_empty_{width}x{height}"), session.screen());
    }
}

#[test]
fn it_shows_an_answer_that_comes() {
    snap("ask_running", |session| {
        parts(session, 1, answer().into_iter().take(2).collect());
    });
}

#[test]
fn it_shows_an_answer_with_its_evidence() {
    snap("ask_done", |session| {
        parts(session, 1, answer());
        session.keys("tab");
    });
}

/// The same incident with a past, and a runbook for it.
fn with_a_past(snapshot: Snapshot) -> Snapshot {
    let incident = Arc::clone(&snapshot.incidents[0]);
    let past = (1..=3).map(|n| Past {
        id: format!("INC-{n}").as_str().into(),
        service: incident.service().to_owned(),
        root: incident.root.clone(),
        class: incident.class,
        state: IncidentState::Resolved,
        closed_at: incident.opened_at - SignedDuration::from_hours(24 * (5 - n)),
        reopens: None,
        tried: (n > 1)
            .then(|| Tried { tool: "restart_container".to_owned(), outcome: Outcome::Worked })
            .into_iter()
            .collect(),
    });
    Snapshot { past: Arc::new(past.collect()), ..snapshot }
}

#[test]
fn the_page_tells_what_was_seen_before_and_what_people_wrote_down() {
    let snapshot = with_a_past(awaiting(Risk::R1));
    assert_eq!(snapshot.incidents[0].class, FailureClass::OomKill);
    let text = "classes: oom_kill\n# Memory\n\nLook first:\n\n1. At the *chart*\n   - a slope is a leak\n```sh\ndocker stats\n```\n";
    let book = Runbook::read("memory", text).unwrap();
    for (width, height) in [(60, 60), (120, 80)] {
        let mut session = Session::new(snapshot.clone(), width, height);
        session.state.runbooks = Arc::new(Runbooks::of(vec![book.clone()]));
        session.keys("2 enter z");
        insta::assert_snapshot!(format!("runbook_{width}x{height}"), session.screen());
        let screen = session.screen();
        for part in ["Before: seen 3 times, restart_container worked twice", "Runbook: memory"] {
            assert!(screen.contains(part), "{part:?} is not in\n{screen}");
        }
    }
}

#[test]
fn a_postmortem_is_written_by_a_key_on_an_incident() {
    for keys in ["2 ctrl-s", "2 enter ctrl-s"] {
        let mut session = Session::new(resolved(), 120, 40);
        session.keys(keys);
        let [Effect::Keep { incident, document }] = session.effects.as_slice() else {
            panic!("{keys}: {:?}", session.effects)
        };
        assert_eq!(incident, &session.state.snapshot.incidents[0].id);
        assert!(document.starts_with(&format!("# {incident}: ")), "{document}");
        assert!(document.contains("## Action items"), "{document}");
    }
    let mut session = Session::new(resolved(), 120, 40);
    session.keys("ctrl-s");
    assert!(session.effects.is_empty(), "a container has none");
}

/// Keys that mean much elsewhere, and letters.
fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select("ARUDZKLFTyYnq123?/ ".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::PageUp,
            KeyCode::Backspace,
            KeyCode::Home,
            KeyCode::F(1),
            KeyCode::Delete,
        ]),
    ];
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::SHIFT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]
    /// Escape and a jump to evidence leave the panel, and what follows is for another place; all
    /// else is typed into it.
    #[test]
    fn nothing_typed_in_the_panel_is_a_command(
        keys in prop::collection::vec(any_key(), 0..60),
        words in ".{0,40}",
        read_only in any::<bool>(),
    ) {
        let mut snapshot = awaiting(Risk::R1);
        if read_only {
            snapshot.mode = sentinel_core::domain::snapshot::Mode::ReadOnly;
        }
        let mut session = Session::new(snapshot, 100, 30);
        session.keys("3 T");
        session.drawn();
        session.wait(1000);
        session.types(&words.replace(|c: char| c.is_control(), ""));
        for key in keys {
            let at = session.at;
            session.send(Msg::Key { key, at });
            if !is_open(&session) {
                break;
            }
            session.drawn();
            session.wait(400);
            prop_assert!(session.state.modal.is_some());
        }
        for effect in &session.effects {
            let harmless = matches!(
                effect,
                Effect::Question { .. }
                    | Effect::CancelQuestion
                    | Effect::ReadLogs { .. }
                    | Effect::Suspend
            );
            prop_assert!(harmless, "{effect:?}");
        }
        prop_assert!(session.commands().is_empty());
    }

    /// Nor is anything that an answer says.
    #[test]
    fn nothing_an_answer_says_is_a_command(text in ".{0,80}", tool in ".{0,20}") {
        let mut session = asked(100, 30);
        let before = session.effects.len();
        let evidence = vec![Evidence { excerpt: text.clone(), ..piece(1, None) }];
        parts(&mut session, 1, vec![
            Part::Text(text.clone()),
            Part::Looked { tool, arguments: text.clone(), ok: true, words: text.clone() },
            Part::Failed(text.clone()),
            Part::Text(text.clone()),
            Part::Done { by: text.clone(), evidence, note: Some(text) },
        ]);
        prop_assert_eq!(session.effects.len(), before);
        prop_assert!(is_open(&session));
        // It can be drawn, whatever it is.
        prop_assert!(!session.screen().is_empty());
        drop(page());
    }
}
