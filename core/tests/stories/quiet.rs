//! What is left alone on purpose is counted and told with its reason; what is still broken when a
//! silence ends is judged then.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{LABEL_DEPENDS_ON, LABEL_QUIET};
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::quiet::QuietReason;
use sentinel_core::domain::snapshot::Mode;

use crate::support::{SECOND, Story, container, seconds};

fn person() -> Actor {
    Actor::Person("kim".to_owned())
}

fn silence(story: &mut Story, service: &str, seconds: u64) -> Result<String, String> {
    let service = service.to_owned();
    story.ask(person(), Command::Silence { service, seconds, reason: "upgrade".to_owned() })
}

fn reasons(story: &mut Story) -> Vec<(String, QuietReason, u64)> {
    let suppressed = story.engine.snapshot(story.now).suppressed;
    suppressed.into_iter().map(|s| (s.container, s.reason, s.count)).collect()
}

#[test]
fn a_silenced_service_opens_nothing_and_what_happened_is_counted() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    let answer = silence(&mut story, "api", 60).unwrap();
    assert!(answer.contains("silenced until"), "{answer}");
    story.dies("api", 1);
    story.dies("db", 1);
    story.pass(seconds(5));
    assert_eq!(story.open().len() + usize::from(story.state() == IncidentState::Resolved), 1);
    assert_eq!(story.last().unwrap().container.name, "db", "others are healed as ever");
    assert_eq!(reasons(&mut story), [("api".to_owned(), QuietReason::Silenced, 1)]);
    assert_eq!(story.count("suppressed"), 1);
    assert_eq!(story.count("anomaly"), 2, "it is seen all the same");
}

#[test]
fn what_is_still_down_when_the_silence_ends_is_judged_then() {
    for by_hand in [false, true] {
        let mut story = Story::new(Mode::Approve, vec![container("api")]);
        silence(&mut story, "api", 30).unwrap();
        story.dies("api", 1);
        story.pass(seconds(10));
        assert_eq!(story.count("incident_opened"), 0);
        if by_hand {
            silence(&mut story, "api", 0).unwrap();
        }
        story.pass(seconds(25));
        assert_eq!(story.count("silence_ended"), 1);
        assert_eq!(story.count("incident_opened"), 1);
        assert_eq!(story.incident().plan.unwrap().steps[0].call.tool, "start_container");
    }
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    silence(&mut story, "api", 30).unwrap();
    story.dies("api", 1);
    story.pass(seconds(10));
    story.starts("api");
    story.pass(seconds(30));
    assert_eq!(story.count("incident_opened"), 0, "it was mended meanwhile");
}

#[test]
fn who_complains_about_a_service_in_maintenance_is_left_alone_too() {
    let mut api = container("api");
    api.labels.insert(LABEL_DEPENDS_ON.to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::Approve, vec![api, container("db")]);
    story.pass(seconds(60));
    silence(&mut story, "db", 600).unwrap();
    story.operator_stops("db");
    for _ in 0..6 {
        story.says("api", "ERROR dial tcp db:5432: connect: connection refused");
        story.pass(SECOND);
    }
    story.pass(seconds(30));
    assert_eq!(story.count("incident_opened"), 0, "{:#?}", story.told());
    let told = reasons(&mut story);
    assert!(
        told.iter().any(|(name, why, _)| name == "api" && *why == QuietReason::Silenced),
        "{told:?} {:#?}",
        story.told()
    );
    assert!(told.iter().any(|(name, why, _)| name == "db" && *why == QuietReason::OperatorIntent));
}

#[test]
fn a_quiet_label_keeps_a_container_watched_and_out_of_the_incidents() {
    let mut api = container("api");
    api.labels.insert(LABEL_QUIET.to_owned(), "true".to_owned());
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.count("incident_opened"), 0);
    assert!(story.applied.is_empty());
    assert_eq!(reasons(&mut story), [("api".to_owned(), QuietReason::QuietLabel, 1)]);
}

#[test]
fn what_operators_and_jobs_do_is_counted_with_its_reason() {
    let mut job = container("job");
    job.labels.insert("com.docker.compose.oneoff".to_owned(), "True".to_owned());
    let mut story =
        Story::new(Mode::Approve, vec![container("api"), job, container("cron"), container("db")]);
    story.operator_stops("api");
    story.dies("job", 0);
    story.dies("cron", 0);
    story.life("db", LifeKind::Pause);
    story.pass(seconds(5));
    let mut told = reasons(&mut story);
    told.sort();
    let expected = [
        ("api", QuietReason::OperatorIntent),
        ("cron", QuietReason::CleanExit),
        ("db", QuietReason::OperatorIntent),
        ("job", QuietReason::OneOff),
    ];
    assert_eq!(told, expected.map(|(name, why)| (name.to_owned(), why, 1)));
    assert_eq!(story.count("incident_opened"), 0);
}

#[test]
fn silences_are_bounded_kept_and_recalled() {
    let mut story = Story::new(Mode::ReadOnly, vec![container("api")]);
    assert!(silence(&mut story, "api", 8 * 24 * 3600).unwrap_err().contains("a week"));
    assert!(silence(&mut story, " ", 5).is_err());
    assert!(silence(&mut story, "api", 0).unwrap_err().contains("not silenced"));
    for number in 0..64 {
        silence(&mut story, &format!("s{number}"), 60).unwrap();
    }
    assert!(silence(&mut story, "one-more", 60).unwrap_err().contains("64"));
    assert_eq!(story.silences.len(), 64, "kept");
    silence(&mut story, "s1", 120).unwrap();
    assert_eq!(story.silences.len(), 64, "the same again is none more");

    let kept = story.silences.clone();
    let mut next = Story::new(Mode::Approve, vec![container("s1")]);
    next.engine.recall_silences(kept, story.now);
    next.dies("s1", 1);
    next.pass(SECOND);
    assert_eq!(next.count("incident_opened"), 0);
}

#[test]
fn only_a_person_can_silence() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    let command = Command::Silence { service: "api".to_owned(), seconds: 5, reason: String::new() };
    assert!(story.ask(Actor::Policy, command).is_err());
}
