//! What is written about an incident: its explanation, its postmortem, and what was seen before.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::past::{Outcome, Past, Tried};
use sentinel_core::domain::plan::{Actor, FixState};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::report::phases::Phases;
use sentinel_core::report::postmortem::{self, BY_RULES};
use sentinel_core::report::similar::{self, Fingerprint, seen_before};
use sentinel_core::report::{explanation, markdown};

use crate::support::{SECOND, Story, Tools, begin_at, container, millis, seconds};

/// A crash that ann had mended after a minute.
fn mended() -> Incident {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.pass(seconds(5));
    story.says("api", "ERROR cannot parse the answer");
    story.dies("api", 1);
    story.pass(seconds(60));
    let approved = story.approve();
    assert!(approved.is_ok(), "{approved:?}");
    story.pass(seconds(40));
    story.incident()
}

fn paragraphs(incident: &Incident) -> (String, String) {
    let words = incident.explanation.clone().unwrap_or_default();
    let (broke, done) = words.split_once(explanation::BETWEEN).unwrap_or_default();
    (broke.to_owned(), done.to_owned())
}

#[test]
fn phases_follow_one_another_and_add_up_to_the_impact() {
    let incident = mended();
    let phases = Phases::of(&incident);
    let names: Vec<&str> = phases.each().iter().map(|p| p.name).collect();
    assert_eq!(
        names,
        [
            "until it was noticed",
            "until its diagnosis",
            "until a decision",
            "until it was applied",
            "until it was verified"
        ]
    );
    let sum = phases.each().iter().fold(SignedDuration::ZERO, |sum, p| sum + p.lasted);
    assert_eq!(Some(sum), phases.impact());
    let longest = phases.longest().unwrap();
    assert_eq!(longest.name, "until a decision");
    assert!(longest.lasted > seconds(59) && longest.lasted < seconds(61), "{longest:?}");
}

#[test]
fn a_fix_that_failed_leaves_phases_out_and_the_words_say_so() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.tools = Tools::FailAt(1);
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Escalated);
    let phases = Phases::of(&story.incident());
    assert!(phases.approved.is_some() && phases.applied.is_none() && phases.impact().is_none());
    let id = story.incident().id;
    let dismiss = Command::Dismiss { incident: id, reason: "a drill".to_owned() };
    story.ask(Actor::Person("eve".to_owned()), dismiss).unwrap();
    let (broke, done) = paragraphs(&story.incident());
    assert!(broke.starts_with("api was affected (transient crash)."), "{broke}");
    for part in [
        "Tried without a known success (approved by ann): docker start api.",
        "After it: a step of the plan failed",
        "Closed by eve: dismissed: a drill.",
    ] {
        assert!(done.contains(part), "{part:?} is not in {done:?}");
    }
}

#[test]
fn what_is_taken_back_after_the_end_changes_the_words() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
    story.pass(seconds(40));
    assert!(paragraphs(&story.incident()).1.contains("Verified by"));
    story.undo().unwrap();
    story.pass(SECOND);
    let (_, done) = paragraphs(&story.incident());
    assert!(done.contains("Done (approved by ann) and taken back: docker start api."), "{done}");
    assert!(done.contains("look whether the fault returns"), "{done}");
    assert!(!done.contains("Verified by"), "{done}");
}

#[test]
fn what_recovers_by_itself_is_not_claimed() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.starts("api");
    story.pass(seconds(90));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    let (broke, done) = paragraphs(&story.incident());
    assert!(broke.contains("From the first signal to the end it took 31 s. Cause: "), "{broke}");
    assert!(done.starts_with("Nothing was changed by sentinel-tui."), "{done}");
    assert!(done.ends_with("It recovered without our doing."), "{done}");
}

#[test]
fn an_earlier_plan_is_kept_and_told() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
    story.pass(seconds(5));
    // It dies again while it is verified: the fix is taken back, and another plan is made.
    story.dies("api", 1);
    story.pass(seconds(20));
    let incident = story.incident();
    let told: Vec<FixState> =
        incident.carried_out().flat_map(|p| p.steps.iter().map(|s| s.state)).collect();
    assert!(told.iter().all(|s| s.was_called()) && !told.is_empty(), "{told:?}");
    let written = postmortem::write(&incident, &[]);
    assert!(written.fixes.iter().any(|f| f.state == told[0].as_str()), "{:?}", written.fixes);
}

#[test]
fn a_postmortem_is_complete_without_a_model() {
    let incident = mended();
    let written = postmortem::write(&incident, &[]);
    assert_eq!(written.summary_by, BY_RULES);
    assert_eq!(written.impact.to, incident.closed_at);
    assert_eq!(written.impact.containers, ["api"]);
    assert!(written.cause.as_ref().unwrap().sentence.contains("cannot parse the answer"));
    assert!(!written.evidence.is_empty() && !written.signs.is_empty());
    assert_eq!(written.fixes.len(), 1);
    assert!(written.verification.iter().all(|c| c.passed) && !written.verification.is_empty());
    assert_eq!(written.timeline, incident.timeline);
    assert!(!written.not_found_earlier.is_empty() && !written.action_items.is_empty());
    let json = serde_json::to_value(&written).unwrap();
    for key in ["summary", "impact", "phases", "cause", "evidence", "fixes", "verification"] {
        assert!(json.get(key).is_some_and(|v| !v.is_null()), "{key} is missing");
    }
    let document = markdown::write(&written);
    assert_eq!(headings(&document), usual_headings());
    for part in ["` docker start api `", "Verified by", "until a decision: 59 s"] {
        assert!(document.contains(part), "{part:?} is not in\n{document}");
    }
}

#[test]
fn an_open_incident_has_a_postmortem_that_says_so() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(SECOND);
    let document = markdown::write(&postmortem::write(&story.incident(), &[]));
    for part in ["it has not ended", "It is still open.", "still awaiting approval"] {
        assert!(document.contains(part), "{part:?} is not in\n{document}");
    }
}

fn usual_headings() -> Vec<String> {
    [
        "Summary",
        "Impact",
        "Cause",
        "Evidence",
        "Signs",
        "Fixes",
        "Verification",
        "What prevented it from being found earlier",
        "Action items",
        "Seen before",
        "Timeline",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The headings below the title, as a reader of Markdown sees them.
fn headings(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for event in Parser::new_ext(document, Options::all()) {
        match event {
            Event::Start(Tag::Heading { level, .. }) if level as usize > 1 => {
                found.push(String::new());
                inside = true;
            }
            Event::End(pulldown_cmark::TagEnd::Heading(_)) => inside = false,
            Event::Text(words) if inside => {
                if let Some(last) = found.last_mut() {
                    last.push_str(&words);
                }
            }
            _ => {}
        }
    }
    found
}

/// What a reader of Markdown makes of it, beyond plain words.
fn kinds(document: &str) -> BTreeSet<&'static str> {
    Parser::new_ext(document, Options::all())
        .filter_map(|event| match event {
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => Some("html"),
            Event::Start(Tag::Link { .. }) => Some("link"),
            Event::Start(Tag::Image { .. }) => Some("image"),
            Event::Start(Tag::Table(_)) => Some("table"),
            Event::Start(Tag::BlockQuote(_)) => Some("quote"),
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough) => Some("emphasis"),
            Event::Start(Tag::FootnoteDefinition(_)) | Event::FootnoteReference(_) => Some("note"),
            Event::Start(Tag::CodeBlock(_)) => Some("block"),
            Event::Rule => Some("rule"),
            Event::InlineMath(_) | Event::DisplayMath(_) => Some("math"),
            _ => None,
        })
        .collect()
}

/// Puts a text into every place where text from outside stands.
fn poisoned(text: &str) -> Incident {
    let mut incident = mended();
    text.clone_into(&mut incident.title);
    text.clone_into(&mut incident.root);
    incident.affected = vec![text.to_owned()];
    incident.explanation = Some(format!("{text}{}{text}", explanation::BETWEEN));
    incident.explanation_by = Some(text.to_owned());
    for anomaly in &mut incident.anomalies {
        text.clone_into(&mut anomaly.summary);
    }
    for check in &mut incident.checks {
        text.clone_into(&mut check.detail);
    }
    for entry in &mut incident.timeline {
        text.clone_into(&mut entry.what);
        entry.actor = Actor::Person(text.to_owned());
    }
    if let Some(diagnosis) = &mut incident.diagnosis {
        text.clone_into(&mut diagnosis.cause);
        diagnosis.advice = Some(text.to_owned());
        diagnosis.recent_changes = vec![text.to_owned()];
        for piece in &mut diagnosis.evidence {
            text.clone_into(&mut piece.excerpt);
            text.clone_into(&mut piece.container);
        }
    }
    for step in incident.plan.iter_mut().flat_map(|p| &mut p.steps) {
        text.clone_into(&mut step.docker_line);
        text.clone_into(&mut step.reason);
        text.clone_into(&mut step.diff);
    }
    incident
}

#[test]
fn hostile_text_stays_text() {
    for text in [
        "# Approved",
        "x\n# Approved\n\n---\n",
        "x\r\n\r\n## Action items",
        "<script>alert(1)</script>",
        "<img src=x>",
        "[click](http://evil.example)",
        "![x](http://evil.example/p.png)",
        "<http://evil.example>",
        "`code` ``more`` ```",
        "- item",
        "1. item",
        "2) item",
        "+ item",
        "> quote",
        "===",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "***bold*** __bold__ ~~gone~~",
        "&lt;b&gt; &#35;",
        "[^1]: note",
        "$x$ $$y$$",
        "    code by indentation",
        "\u{2028}# line",
        "\\",
        "",
    ] {
        check_hostile(text);
    }
}

fn check_hostile(text: &str) {
    let document = markdown::write(&postmortem::write(&poisoned(text), &[]));
    // A model told it, too.
    let mut expected = usual_headings();
    expected.insert(1, "In other words".to_owned());
    assert_eq!(headings(&document), expected, "{text:?} in\n{document}");
    assert_eq!(kinds(&document), BTreeSet::new(), "{text:?} in\n{document}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_from_outside_becomes_markup(text in "[-+#>`*_~<>\\[\\]()!|\\\\$&:;=. \n\t1a]{0,24}") {
        check_hostile(&text);
    }

    #[test]
    fn what_is_escaped_reads_as_it_was(text in "[ -~]{1,40}") {
        let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
        let read: String = Parser::new_ext(&format!("x {}", markdown::text(&text)), options)
            .filter_map(|event| match event {
                Event::Text(words) => Some(words.to_string()),
                Event::SoftBreak | Event::HardBreak => Some(" ".to_owned()),
                _ => None,
            })
            .collect();
        let meant = format!("x {}", text.trim());
        prop_assert_eq!(read.trim(), meant.trim());
    }
}

fn at(second: i64) -> Timestamp {
    begin_at() + seconds(second)
}

fn past(number: i64, state: IncidentState, tried: &[(&str, Outcome)]) -> Past {
    Past {
        id: format!("INC-{number}").as_str().into(),
        service: "api".to_owned(),
        root: "api".to_owned(),
        class: FailureClass::TransientCrash,
        state,
        closed_at: at(number * 86_400),
        reopens: None,
        tried: tried
            .iter()
            .map(|(tool, outcome)| Tried { tool: (*tool).to_owned(), outcome: *outcome })
            .collect(),
    }
}

const API: Fingerprint<'_> =
    Fingerprint { service: "api", class: FailureClass::TransientCrash, root: "api" };

#[test]
fn the_same_fault_is_counted_with_what_worked() {
    let restarted =
        |number, outcome| past(number, IncidentState::Resolved, &[("restart_container", outcome)]);
    let mut all = vec![
        restarted(1, Outcome::Worked),
        restarted(2, Outcome::Worked),
        past(3, IncidentState::Dismissed, &[("start_container", Outcome::Unproven)]),
    ];
    let other = Past { class: FailureClass::OomKill, ..restarted(4, Outcome::Worked) };
    all.push(other);
    let seen = seen_before(API, &"INC-9".into(), &all);
    assert_eq!(
        similar::words(&seen, at(5 * 86_400)).unwrap(),
        "seen 3 times, restart_container worked twice, last 2 days ago"
    );
    assert!(!similar::speaks_against(&seen, "restart_container", at(5 * 86_400)));
    // The incident itself is none before it.
    assert_eq!(seen_before(API, &"INC-3".into(), &all).times, 2);
    assert_eq!(similar::words(&seen_before(API, &"INC-9".into(), &[]), at(0)), None);
}

#[test]
fn a_fix_after_which_it_came_back_did_not_work() {
    let first = past(1, IncidentState::Resolved, &[("start_container", Outcome::Worked)]);
    let mut second = past(2, IncidentState::Resolved, &[("start_container", Outcome::Failed)]);
    second.reopens = Some(first.id.clone());
    let seen = seen_before(API, &"INC-9".into(), &[first, second]);
    assert_eq!(
        similar::words(&seen, at(3 * 86_400)).unwrap(),
        "seen twice, start_container helped for minutes only once and failed once, last a day ago"
    );
    assert!(similar::speaks_against(&seen, "start_container", at(3 * 86_400)));
    assert!(!similar::speaks_against(&seen, "start_container", at(30 * 86_400)), "long ago");
    assert!(!similar::speaks_against(&seen, "restart_container", at(3 * 86_400)));
}

#[test]
fn what_is_kept_of_an_incident_is_what_happened() {
    let incident = mended();
    let kept = Past::of(&incident).unwrap();
    let tried = [Tried { tool: "start_container".to_owned(), outcome: Outcome::Worked }];
    assert_eq!(kept.tried, tried);
    assert_eq!(similar::seen(&incident, std::slice::from_ref(&kept)).times, 0);
    let mut undone = incident.clone();
    for step in undone.plan.iter_mut().flat_map(|p| &mut p.steps) {
        step.state = FixState::Undone;
    }
    assert_eq!(Past::of(&undone).unwrap().tried[0].outcome, Outcome::Failed);
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.dies("api", 1);
    story.pass(millis(100));
    assert_eq!(Past::of(&story.incident()), None, "it is open");
}
