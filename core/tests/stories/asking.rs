//! Questions about an incident or a container, answered from what is known.

use proptest::prelude::*;
use sentinel_core::answer::facts::{Facts, Subject};
use sentinel_core::answer::{Answer, answer};
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::snapshot::{Mode, Snapshot};
use sentinel_core::runbook::Runbook;

use crate::support::{Story, container, seconds};

/// The api died once an hour ago and was mended; now it died again, and a plan waits.
fn again() -> Story {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.pass(seconds(5));
    story.dies("api", 1);
    story.pass(seconds(1));
    let approved = story.approve();
    assert!(approved.is_ok(), "{approved:?}");
    story.pass(seconds(3600));
    story.says("api", "ERROR cannot parse the answer");
    story.dies("api", 1);
    story.pass(seconds(30));
    story
}

fn error_line(story: &Story) -> Evidence {
    Evidence {
        id: "anything".into(),
        kind: EvidenceKind::Log,
        container: "api".to_owned(),
        ts: story.now,
        excerpt: "ERROR something else".to_owned(),
        line: Some(LineAddress { container: story.id("api"), seq: 999 }),
    }
}

fn ask(story: &mut Story, question: &str) -> Answer {
    let snapshot = story.engine.snapshot(story.now);
    ask_in(story, &snapshot, question)
}

fn ask_in(story: &Story, snapshot: &Snapshot, question: &str) -> Answer {
    let book = Runbook::read("parsing", "services: api\n# Parsing\n1. Look at the peer.\n");
    let books: Vec<&Runbook> = book.iter().collect();
    let facts = Facts {
        subject: Subject::Incident(&snapshot.incidents[0]),
        snapshot,
        runbooks: &books,
        errors: &[error_line(story)],
        now: story.now,
    };
    answer(question, &facts)
}

/// Every mark in the text names a piece that comes with it, and the other way round.
fn check_marks(told: &Answer) {
    let ids: Vec<&str> = told.evidence.iter().map(|e| e.id.as_str()).collect();
    for id in &ids {
        assert!(told.text.contains(&format!("[{id}]")), "{id} is not in {}", told.text);
    }
    for part in told.text.split("[e").skip(1) {
        let id = format!("e{}", part.split(']').next().unwrap_or_default());
        assert!(ids.contains(&id.as_str()), "{id} of {} is not among {ids:?}", told.text);
    }
}

#[test]
fn each_kind_of_question_has_its_answer() {
    let mut story = again();
    for (question, parts) in [
        ("how does it stand?", &["awaiting approval", "It waits for a person's decision"][..]),
        ("status", &["awaiting approval", "api is exited", "exit code 1"]),
        ("why did it die?", &["cannot parse the answer", "% sure", "[e1]"]),
        ("what is the evidence?", &["[e1] ", "[e2] "]),
        ("what changed?", &["No change of api shortly before is known."]),
        (
            "what should I do",
            &[
                "docker start api",
                "Only the dialog on A",
                "Runbook parsing:",
                "1. Look at the peer.",
            ],
        ),
        ("did it happen before?", &["seen once, start_container worked once, last "]),
        ("who needs it?", &["api and db may speak (both are on network net)"]),
        ("memory and cpu", &["No reading of api"]),
        ("last errors in the log", &["Last error lines of api:", "ERROR something else"]),
        ("help", &["Ask about: status", "Nothing that is typed here changes anything"]),
        ("lorem ipsum", &["awaiting approval", "cannot parse the answer", "docker start api"]),
    ] {
        let told = ask(&mut story, question);
        for part in parts {
            assert!(told.text.contains(part), "{question}: {part:?} is not in\n{}", told.text);
        }
        assert!(told.what_a_model_would_add.starts_with("A model would"), "{question}");
        check_marks(&told);
    }
}

#[test]
fn an_order_is_answered_with_the_key_that_does_it() {
    let mut story = again();
    for order in
        ["approve it", "restart api please", "Please restart api", "yes", "how do I approve it?"]
    {
        let told = ask(&mut story, order);
        assert!(told.text.contains("A approves the staged fix"), "{order}: {}", told.text);
        assert!(told.text.contains("Staged now: docker start api."), "{order}: {}", told.text);
    }
    assert_eq!(story.applied.len(), 1, "only the one that ann approved");
}

#[test]
fn a_container_is_answered_for_with_its_newest_incident() {
    let mut story = again();
    let snapshot = story.engine.snapshot(story.now);
    for (name, part) in [("api", "cannot parse the answer"), ("db", "There is no incident of db")] {
        let view = snapshot.containers.iter().find(|v| v.container.of.name == name).unwrap();
        let subject = Subject::Container(view);
        let facts =
            Facts { subject, snapshot: &snapshot, runbooks: &[], errors: &[], now: story.now };
        let told = answer("why?", &facts);
        assert!(told.text.contains(part), "{name}: {}", told.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_words_have_an_answer_with_sound_marks(question in ".{0,80}") {
        // Building the story once is enough: an answer changes nothing.
        thread_local! {
            static STORY: std::cell::RefCell<Option<(Story, Snapshot)>> =
                const { std::cell::RefCell::new(None) };
        }
        STORY.with_borrow_mut(|kept| {
            let (story, snapshot) = kept.get_or_insert_with(|| {
                let mut story = again();
                let snapshot = story.engine.snapshot(story.now);
                (story, snapshot)
            });
            let told = ask_in(story, snapshot, &question);
            assert!(!told.text.is_empty());
            check_marks(&told);
        });
    }
}
