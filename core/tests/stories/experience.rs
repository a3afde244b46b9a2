//! The same fault again: what became of it before is known, also after a restart.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::diagnosis::Diagnosis;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::past::{MAX_PAST, Outcome, Past};
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::report::similar;

use crate::support::{SECOND, Story, container, seconds, settings};

/// A container that died once; its start was verified.
fn mended(mut story: Story) -> Story {
    story.dies("api", 1);
    story.pass(SECOND);
    let approved = story.approve();
    assert!(approved.is_ok(), "{approved:?}");
    story.pass(seconds(40));
    assert_eq!(story.last().map(|i| i.state), Some(IncidentState::Resolved));
    story.pass(seconds(3600));
    story
}

/// The same, where the fix did not help: it died again, the fix was taken back, ann closed it.
fn failed(mut story: Story) -> Story {
    story.dies("api", 1);
    story.pass(SECOND);
    let approved = story.approve();
    assert!(approved.is_ok(), "{approved:?}");
    story.pass(seconds(5));
    story.dies("api", 1);
    story.pass(seconds(5));
    let incident = story.open().first().map(|i| i.id.clone());
    let incident = incident.unwrap_or_else(|| "none".into());
    let dismiss = Command::Dismiss { incident, reason: "by hand".to_owned() };
    let dismissed = story.ask(Actor::Person("ann".to_owned()), dismiss);
    assert!(dismissed.is_ok(), "{dismissed:?}");
    story.starts("api");
    story.pass(seconds(3600));
    story
}

fn diagnosed_again(story: &mut Story) -> Option<Diagnosis> {
    story.dies("api", 1);
    story.pass(SECOND);
    story.last().and_then(|i| i.diagnosis)
}

fn begun() -> Story {
    Story::new(Mode::Approve, vec![container("api")])
}

#[test]
fn what_worked_is_known_again_and_costs_no_confidence() {
    let fresh = diagnosed_again(&mut begun()).unwrap();
    assert_eq!((fresh.seen_before.as_ref(), fresh.doubt.as_ref()), (None, None));
    let mut story = mended(begun());
    let again = diagnosed_again(&mut story).unwrap();
    let seen = again.seen_before.unwrap();
    assert_eq!(seen.fixes["start_container"].worked, 1);
    assert_eq!((again.doubt, again.confidence), (None, fresh.confidence));
    let words = similar::words(&seen, story.now).unwrap();
    assert_eq!(words, "seen once, start_container worked once, last an hour ago");
}

#[test]
fn what_failed_lately_makes_less_sure_and_says_so() {
    let fresh = diagnosed_again(&mut begun()).unwrap();
    let mut story = failed(begun());
    let again = diagnosed_again(&mut story).unwrap();
    assert_eq!(again.seen_before.unwrap().fixes["start_container"].failed, 1);
    assert!((again.confidence - fresh.confidence * 0.9).abs() < 1e-9, "{}", again.confidence);
    let doubt = again.doubt.unwrap();
    assert!(doubt.starts_with("start_container did not mend this fault on "), "{doubt}");
    // The plan is the same; what it takes to approve it is, too.
    assert_eq!(again.plan.len(), fresh.plan.len());
    assert!(story.approve().is_ok());
}

#[test]
fn another_container_is_not_blamed_for_it() {
    let mut story = failed(Story::new(Mode::Approve, vec![container("api"), container("db")]));
    story.dies("db", 1);
    story.pass(SECOND);
    let diagnosis = story.last().unwrap().diagnosis.unwrap();
    assert_eq!((diagnosis.seen_before, diagnosis.doubt), (None, None));
}

#[test]
fn it_is_known_after_a_restart_and_from_what_the_store_has() {
    let story = failed(begun());
    let mut next = story.restarted(settings(Mode::Approve));
    assert!(
        diagnosed_again(&mut next).unwrap().doubt.is_some(),
        "from the incidents that are loaded"
    );
    // A story of its own gives the same ids.
    let other = |past| Past { id: "INC-0".into(), ..past };
    let kept: Vec<Past> = story.saved.values().filter_map(Past::of).map(other).collect();
    assert_eq!(kept[0].tried[0].outcome, Outcome::Failed);
    let mut next = begun();
    next.engine.recall_past(kept.clone());
    // Read twice, it still happened once.
    next.engine.recall_past(kept);
    assert_eq!(diagnosed_again(&mut next).unwrap().seen_before.unwrap().times, 1);
}

#[test]
fn what_is_kept_in_mind_is_bounded_and_the_newest_stay() {
    let story = failed(begun());
    let one = story.saved.values().find_map(Past::of).unwrap();
    let many = (0..2 * MAX_PAST).map(|n| Past {
        id: format!("INC-{n:05}").as_str().into(),
        closed_at: one.closed_at + seconds(i64::try_from(n).unwrap()),
        ..one.clone()
    });
    let mut next = begun();
    next.engine.recall_past(many.collect());
    let past = next.engine.snapshot(next.now).past;
    assert_eq!(past.len(), MAX_PAST);
    assert_eq!(past[0].id.as_str(), format!("INC-{MAX_PAST:05}"));
}
