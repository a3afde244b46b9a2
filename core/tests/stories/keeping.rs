//! Who keeps the record, who may decide, and what is on disk before anything happens.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{Health, LABEL_DEPENDS_ON};
use sentinel_core::domain::incident::{IncidentState, MAX_TIMELINE};
use sentinel_core::domain::plan::{Actor, FixState};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolResult;
use sentinel_core::engine::Settings;

use crate::support::{SECOND, Story, Tools, container, healthy, seconds, settings};

fn ann() -> Actor {
    Actor::Person("ann".to_owned())
}

/// A story in which a plan waits for approval.
fn staged(settings: Settings) -> Story {
    let mut story = Story::with(settings, Vec::new(), vec![container("api"), container("db")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story
}

/// What the engine answers to each thing that a person can ask about the staged plan of `story`.
fn answers(story: &mut Story, from: &Story) -> Result<Vec<String>, &'static str> {
    let plan = from.plan().ok_or("there is no plan")?;
    let fix = plan.steps[0].id.clone();
    let reason = String::new();
    let asked = [
        Command::Reject { fix: fix.clone(), reason: reason.clone() },
        Command::Dismiss { incident: plan.incident.clone(), reason },
        Command::Approve { fix, sha256: plan.sha256 },
    ];
    let answer = |c| story.ask(ann(), c).err().unwrap_or_else(|| "done".to_owned());
    Ok(asked.map(answer).to_vec())
}

#[test]
fn who_does_not_keep_the_record_shows_it_and_leaves_it_alone() {
    let keeper = staged(settings(Mode::Approve));
    let own = Settings { keeps: false, ..settings(Mode::AutoHeal) };
    let mut story = keeper.restarted(own);
    let before = story.saved.clone();
    for answer in answers(&mut story, &keeper).unwrap() {
        assert!(answer.contains("keeps the record of this state folder"), "{answer}");
    }
    // Whatever happens: it is seen, and neither saved, audited nor acted upon.
    story.dies("db", 1);
    story.starts("api");
    story.pass(seconds(3600));
    assert_eq!(story.saved, before);
    assert!(story.audit.is_empty());
    assert!(story.applied.is_empty());
    let now = story.now;
    let shown = story.engine.snapshot(now).incidents;
    assert_eq!(shown.len(), 2);
    let earlier = shown.iter().find(|i| before.contains_key(&i.id)).unwrap();
    assert_eq!(Some(&**earlier), before.get(&earlier.id));
    assert!(shown.iter().any(|i| i.container.name == "db"));
    assert!(story.reasons().contains(&"not_elected"));
}

#[test]
fn who_only_watches_decides_nothing() {
    let cases = [
        (settings(Mode::ReadOnly), "read-only"),
        (Settings { elected: false, ..settings(Mode::Approve) }, "another sentinel-tui"),
    ];
    for (settings, words) in cases {
        let keeper = staged(crate::support::settings(Mode::Approve));
        let mut story = keeper.restarted(settings);
        for answer in answers(&mut story, &keeper).unwrap() {
            assert!(answer.contains(words), "{answer}");
        }
        assert_eq!(story.state(), IncidentState::AwaitingApproval);
        assert!(story.audit.is_empty());
    }
}

#[test]
fn nothing_new_is_begun_once_it_stands_down() {
    let mut story = staged(settings(Mode::Approve));
    story.engine.stand_down();
    assert_eq!(story.approve().unwrap_err(), "sentinel-tui is shutting down");
    assert!(story.reject("not today").is_ok(), "a word is still heard");
    let mut story =
        Story::with(settings(Mode::AutoHeal), Vec::new(), vec![container("api"), container("db")]);
    story.dies("api", 1);
    story.engine.stand_down();
    story.pass(seconds(60));
    assert!(story.applied.is_empty());
    assert!(story.plan().is_some(), "it waits for the next run");
}

#[test]
fn what_is_under_way_comes_back_while_it_stands_down() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(crate::support::millis(50));
    assert_eq!(story.state(), IncidentState::Fixing);
    story.engine.stand_down();
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
}

#[test]
fn a_refusal_is_not_forgotten_when_the_timeline_is_full() {
    let mut story = staged(settings(Mode::Approve));
    let mut incident = story.incident();
    for _ in 0..MAX_TIMELINE {
        incident.note(story.now, Actor::System, "something else");
    }
    story.saved.insert(incident.id.clone(), incident);
    let mut story = story.restarted(settings(Mode::Approve));
    story.reject("we are debugging it").unwrap();
    let incident = story.incident();
    assert!(!incident.timeline.iter().any(|e| e.what.contains("debugging")), "it is full");
    assert!(incident.is_refused_by_person());
}

#[test]
fn a_refusal_goes_along_when_incidents_are_merged() {
    let mut web = healthy("web");
    web.labels.insert(LABEL_DEPENDS_ON.to_owned(), "db".to_owned());
    let mut story = Story::new(Mode::Approve, vec![web, container("db")]);
    story.becomes("web", Health::Unhealthy);
    story.pass(SECOND);
    story.reject("we are debugging it").unwrap();
    story.dies("db", 1);
    story.pass(SECOND);
    for _ in 0..10 {
        story.says("web", "ERROR cannot reach db:5432: connection refused");
        story.pass(crate::support::millis(500));
    }
    assert_eq!(story.count("incident_merged"), 1, "{:#?}", story.told());
    let open = story.open();
    assert_eq!(open.len(), 1);
    assert!(open[0].is_refused_by_person(), "{:#?}", open[0]);
}

/// A fix that made it worse, and whose undo stays silent.
fn undoing() -> Story {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.undo_is_silent = true;
    story.dies("api", 1);
    story.pass(seconds(2));
    story.becomes("api", Health::Unhealthy);
    story.pass(crate::support::millis(50));
    assert_eq!(story.undone.len(), 1);
    story
}

#[test]
fn an_undo_is_on_disk_before_its_call_and_never_repeated_after_a_crash() {
    let story = undoing();
    let incident = story.incident();
    assert_eq!(incident.plan.unwrap().steps[0].state, FixState::Undoing);
    assert_eq!(story.audited().last(), Some(&"undoing"));
    let said = story.audit.last().unwrap();
    assert_eq!(said.call.as_ref().unwrap().tool, "stop_container");
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(5));
    let incident = next.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(incident.plan.as_ref().unwrap().steps[0].state, FixState::Failed);
    assert_eq!(next.audited(), ["interrupted"]);
    assert!(incident.timeline.iter().any(|e| e.what.contains("being taken back")));
    next.pass(seconds(3600));
    assert!(next.undone.is_empty());
    assert!(next.applied.is_empty());
    // And once only is it told.
    let again = next.restarted(settings(Mode::AutoHeal));
    assert!(again.audit.is_empty());
}

#[test]
fn an_undo_whose_record_could_not_be_written_leaves_the_fix_applied() {
    let mut story = undoing();
    let message = "the record could not be written, so nothing was called".to_owned();
    let incident = story.incident().id;
    let result = ToolResult { ok: false, message, duration_ms: 0 };
    story.feed(Signal::UndoDone { incident, result, replaced_by: None });
    let incident = story.incident();
    assert_eq!(incident.plan.unwrap().steps[0].state, FixState::Applied);
    assert!(incident.timeline.iter().any(|e| e.what.contains("could not be written")));
    assert_eq!(story.audited().last(), Some(&"failed"));
}

#[test]
fn an_undo_that_never_comes_back_is_given_up() {
    let mut story = undoing();
    story.pass(seconds(601));
    let incident = story.incident();
    assert_eq!(incident.plan.as_ref().unwrap().steps[0].state, FixState::Failed);
    assert!(incident.timeline.iter().any(|e| e.what.contains("did not come back")));
    assert_eq!(story.audited().last(), Some(&"failed"));
    assert_eq!(story.undone.len(), 1);
}

#[test]
fn what_was_told_already_is_not_saved_again() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api"), container("db")]);
    story.tools = crate::support::Tools::Silent;
    story.dies("db", 1);
    story.pass(SECOND);
    story.dies("api", 1);
    story.pass(SECOND);
    assert!(story.reasons().contains(&"in_flight"));
    let saves = story.saves;
    // It is thought over every second, and nothing changes.
    story.pass(seconds(60));
    assert_eq!(story.saves, saves);
}

#[test]
fn a_plan_remembers_whether_its_target_was_up() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api"), container("db")]);
    story.dies("db", 1);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    let plans: Vec<_> = story.saved.values().filter_map(|i| i.plan.clone()).collect();
    assert_eq!(plans.len(), 2);
    for plan in plans {
        assert_eq!(plan.preconditions.running, plan.steps[0].target.name == "api");
    }
}

#[test]
fn a_plan_whose_record_could_not_be_written_is_no_act_and_no_attempt() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.tools = Tools::Unrecorded;
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert_eq!(story.applied.len(), 1, "it is not tried every second");
    assert!(!story.reasons().contains(&"cooldown"), "{:?}", story.reasons());
    let words = "not applied: the record of the call could not be written";
    let incident = story.incident();
    assert!(incident.timeline.iter().any(|e| e.what.starts_with(words)), "{incident:#?}");
    assert_eq!(incident.attempts().count(), 0);
    let shown = format!("not_recorded: {words}");
    assert!(incident.not_acting.iter().any(|r| r.starts_with(&shown)), "{incident:#?}");
    // Not even after a restart.
    let mut next = story.restarted(settings(Mode::AutoHeal));
    next.pass(seconds(2));
    assert!(!next.reasons().contains(&"cooldown"), "{:?}", next.reasons());
    // More often than a plan may fail; then the disk has room again.
    story.pass(seconds(120));
    assert_eq!(story.applied.len(), 5);
    story.tools = Tools::Work;
    story.pass(seconds(70));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.incident().attempts().count(), 1);
}

#[test]
fn a_person_may_approve_again_when_the_record_could_not_be_written() {
    let mut story = staged(settings(Mode::Approve));
    story.tools = Tools::Unrecorded;
    story.approve().unwrap();
    story.pass(seconds(2));
    assert!(story.reasons().contains(&"not_recorded"));
    story.tools = Tools::Work;
    story.approve().unwrap();
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_plan_whose_target_another_instance_has_is_stale_and_tried_again_when_it_is_free() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("api")]);
    story.tools = Tools::Leased;
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert_eq!(story.applied.len(), 1, "it is not tried every second");
    let incident = story.incident();
    let shown = "not_elected: not applied: there is no lease to act: the instance web-2 has it";
    assert!(incident.not_acting.iter().any(|r| r.starts_with(shown)), "{incident:#?}");
    assert_eq!(incident.attempts().count(), 0);
    // Its holder died, and the lease lapsed.
    story.tools = Tools::Work;
    story.pass(seconds(70));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.incident().attempts().count(), 1);
}

/// Two instances on one engine: one keeps and acts, the other watches.
fn pair(mode: Mode, names: &[&str]) -> (Story, Story) {
    let containers = || names.iter().map(|n| container(n)).collect::<Vec<_>>();
    let watching = Settings { keeps: false, elected: false, ..settings(mode) };
    (Story::new(mode, containers()), Story::with(watching, Vec::new(), containers()))
}

#[test]
fn a_watcher_takes_over_in_the_middle_of_a_fix_and_repeats_nothing() {
    let (mut keeper, mut watcher) = pair(Mode::AutoHeal, &["api", "db"]);
    keeper.tools = Tools::Silent;
    for story in [&mut keeper, &mut watcher] {
        story.dies("api", 1);
        story.pass(SECOND);
    }
    assert_eq!(keeper.state(), IncidentState::Fixing);
    assert!(watcher.reasons().contains(&"not_elected"));
    assert!(watcher.saved.is_empty());
    // The acting one is gone; whether its call was made, nobody knows.
    watcher.adopts(&keeper);
    let incident = watcher.incident();
    assert_eq!(incident.id, keeper.incident().id);
    assert_eq!(incident.state, IncidentState::Escalated);
    assert_eq!(incident.plan.unwrap().steps[0].state, FixState::Failed);
    assert_eq!(watcher.audited(), ["interrupted"]);
    let now = watcher.now;
    let shown = watcher.engine.snapshot(now).incidents;
    assert_eq!(shown.len(), 1, "its own incident gave way");
    watcher.pass(seconds(30));
    assert!(watcher.applied.is_empty());
    // It runs again, so it recovered; and the brakes know what the other one did.
    watcher.starts("api");
    watcher.pass(seconds(60));
    assert_eq!(watcher.state(), IncidentState::ResolvedExternally);
    watcher.dies("api", 1);
    watcher.pass(seconds(2));
    assert!(watcher.reasons().contains(&"cooldown"), "{:?}", watcher.reasons());
    assert!(watcher.applied.is_empty());
    // Elsewhere it acts.
    watcher.dies("db", 1);
    watcher.pass(seconds(40));
    assert_eq!(watcher.applied.len(), 1);
}

#[test]
fn a_fault_that_only_the_watcher_saw_is_not_lost_with_the_keeper() {
    let (keeper, mut watcher) = pair(Mode::Approve, &["api"]);
    // The keeper is gone already when it dies.
    watcher.dies("api", 1);
    watcher.pass(seconds(5));
    assert!(watcher.saved.is_empty());
    watcher.adopts(&keeper);
    watcher.pass(SECOND);
    assert_eq!(watcher.state(), IncidentState::AwaitingApproval);
    watcher.approve().unwrap();
    watcher.pass(seconds(40));
    assert_eq!(watcher.state(), IncidentState::Resolved);
}

#[test]
fn who_is_elected_decides_anew_about_what_waits() {
    let own = Settings { elected: false, ..settings(Mode::AutoHeal) };
    let mut story = Story::with(own, Vec::new(), vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.reasons(), ["not_elected"]);
    story.engine.elect(true);
    assert!(story.engine.wake_at().is_some_and(|at| at <= story.now), "it is due at once");
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
    assert!(story.incident().not_acting.is_empty());
    story.engine.elect(false);
    story.starts("api");
    story.dies("api", 1);
    story.pass(seconds(400));
    assert_eq!(story.applied.len(), 1);
}
