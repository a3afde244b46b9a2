//! Who may decide about a plan, on what, and how often.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{Container, Health, LABEL_AUTO_HEAL, RunState};
use sentinel_core::domain::event::Event;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::plan::{Actor, FixState};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolResult;
use sentinel_core::engine::Settings;

use crate::support::{SECOND, Story, Tools, begin_at, container, healthy, seconds, settings, tool};

fn ann() -> Actor {
    Actor::Person("ann".to_owned())
}

/// A story in which a plan waits for approval.
fn staged(mode: Mode) -> Story {
    let mut story = Story::new(mode, vec![container("api"), container("db")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story
}

#[test]
fn an_approval_is_spent_once() {
    let mut story = staged(Mode::Approve);
    let plan = story.plan().unwrap();
    let approve = Command::Approve { fix: plan.steps[0].id.clone(), sha256: plan.sha256.clone() };
    story.ask(ann(), approve.clone()).unwrap();
    let again = story.ask(ann(), approve.clone()).unwrap_err();
    assert!(again.contains("not staged any more"), "{again}");
    story.pass(seconds(3));
    assert!(story.ask(ann(), approve).is_err());
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn an_approval_names_what_was_seen() {
    let mut story = staged(Mode::Approve);
    let plan = story.plan().unwrap();
    let fix = plan.steps[0].id.clone();
    for sha256 in [String::new(), "0".repeat(64), plan.sha256.to_uppercase()] {
        let refused = story.ask(ann(), Command::Approve { fix: fix.clone(), sha256 }).unwrap_err();
        assert!(refused.contains("changed since it was shown"), "{refused}");
    }
    let unknown = Command::Approve { fix: "INC-0-F1.1".into(), sha256: plan.sha256 };
    assert!(story.ask(ann(), unknown).unwrap_err().contains("no fix"));
    assert!(story.applied.is_empty());
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
}

#[test]
fn nobody_passes_for_the_policy() {
    let mut story = staged(Mode::Approve);
    let plan = story.plan().unwrap();
    let approve = Command::Approve { fix: plan.steps[0].id.clone(), sha256: plan.sha256 };
    for actor in [Actor::Policy, Actor::System] {
        assert!(story.ask(actor, approve.clone()).is_err());
    }
    assert!(story.applied.is_empty());
}

#[test]
fn read_only_and_not_elected_refuse_people_too() {
    let cases = [
        (settings(Mode::ReadOnly), "read_only"),
        (Settings { elected: false, ..settings(Mode::Approve) }, "not_elected"),
        (Settings { elected: false, ..settings(Mode::AutoHeal) }, "not_elected"),
    ];
    for (settings, code) in cases {
        let mut story = Story::with(settings, Vec::new(), vec![container("api")]);
        story.dies("api", 1);
        story.pass(SECOND);
        assert!(story.reasons().contains(&code), "{:?}", story.reasons());
        assert!(story.approve().is_err());
        story.pass(seconds(60));
        assert!(story.applied.is_empty());
    }
}

#[test]
fn a_rejection_goes_to_a_person_and_stays_with_them() {
    let mut story = staged(Mode::Approve);
    let reply = story.reject("we are debugging it").unwrap();
    assert!(reply.contains("debugging"));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.count("fix_rejected"), 1);
    assert_eq!(story.audited(), ["staged", "rejected"]);
    assert!(story.reject("again").is_err());
    assert!(story.approve().is_err());
    story.pass(seconds(60));
    assert_eq!(story.incident().plans, 1, "nothing new is proposed for the same evidence");
}

#[test]
fn what_a_person_rejected_the_policy_does_not_do() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api"), container("db")]);
    // Held up by another plan, so that a person can be first.
    story.tools = Tools::Silent;
    story.dies("db", 1);
    story.pass(SECOND);
    story.dies("api", 1);
    story.pass(SECOND);
    assert!(story.reasons().contains(&"in_flight"));
    story.reject("not now").unwrap();
    // New evidence leads to a new plan, but not to a call.
    story.starts("api");
    story.pass(SECOND);
    story.becomes("api", sentinel_core::domain::container::Health::Unhealthy);
    story.pass(seconds(900));
    assert!(story.applied.iter().all(|p| p.steps[0].target.name == "db"));
}

#[test]
fn a_dismissal_ends_an_incident_but_not_in_the_middle_of_a_call() {
    let mut story = staged(Mode::Approve);
    let incident = story.incident().id;
    let dismiss = Command::Dismiss { incident: incident.clone(), reason: "known".to_owned() };
    story.tools = Tools::Silent;
    story.approve().unwrap();
    assert!(story.ask(ann(), dismiss.clone()).unwrap_err().contains("being fixed"));
    let mut story = staged(Mode::Approve);
    let dismiss = Command::Dismiss { incident: story.incident().id, reason: "known".to_owned() };
    story.ask(ann(), dismiss.clone()).unwrap();
    let closed = story.incident();
    assert_eq!(closed.state, IncidentState::Dismissed);
    assert_eq!(closed.plan.unwrap().steps[0].state, FixState::Stale);
    assert!(closed.explanation.unwrap().contains("known"));
    assert!(story.ask(ann(), dismiss).unwrap_err().contains("closed already"));
    assert!(story.approve().is_err());
}

#[test]
fn a_plan_lapses_and_is_made_anew_when_somebody_still_wants_it() {
    let mut story = staged(Mode::Approve);
    let old = story.plan().unwrap();
    story.pass(seconds(15 * 60 - 2));
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    story.pass(seconds(3));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.count("fix_expired"), 1);
    let approve = Command::Approve { fix: old.steps[0].id.clone(), sha256: old.sha256.clone() };
    let refused = story.ask(ann(), approve).unwrap_err();
    assert!(refused.contains("expired") && refused.contains("new plan"), "{refused}");
    assert!(story.applied.is_empty());
    let new = story.plan().unwrap();
    assert_ne!(new.sha256, old.sha256);
    assert_ne!(new.steps[0].id, old.steps[0].id);
    story.approve().unwrap();
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn an_approval_in_the_very_moment_of_the_expiry_is_late() {
    let mut story = staged(Mode::Approve);
    let plan = story.plan().unwrap();
    // No tick in between: the command is the first thing that the engine hears.
    story.now = plan.expires_at;
    assert!(story.approve().is_err());
    assert!(story.applied.is_empty());
}

#[test]
fn a_stale_plan_is_looked_at_again_and_staged_anew() {
    let mut story = staged(Mode::Approve);
    story.tools = Tools::Stale;
    story.approve().unwrap();
    story.pass(seconds(2));
    assert_eq!(story.count("fix_stale"), 1);
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    assert_eq!(story.incident().plans, 2);
    assert!(story.audit.iter().any(|r| r.reason.contains("nothing was called")));
    story.tools = Tools::Work;
    story.approve().unwrap();
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_plan_that_went_stale_because_somebody_started_it_is_not_repeated() {
    let mut story = staged(Mode::Approve);
    story.tools = Tools::Stale;
    story.approve().unwrap();
    story.starts("api");
    story.pass(seconds(2));
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(35));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert_eq!(story.count("fix_staged"), 1);
}

#[test]
fn after_three_attempts_a_person_takes_over() {
    let mut story = staged(Mode::Approve);
    story.tools = Tools::Stale;
    for _ in 0..3 {
        story.approve().unwrap();
        story.pass(seconds(3));
    }
    assert_eq!(story.state(), IncidentState::Escalated);
    assert!(story.approve().is_err());
    assert!(story.incident().timeline.iter().any(|e| e.what.contains("3 plans did not mend it")));
    assert_eq!(story.applied.len(), 3);
}

#[test]
fn a_failed_step_leaves_the_rest_unmade() {
    let mut api = container("api");
    api.memory_limit = Some(64 << 20);
    let mut story = Story::new(Mode::AutoHeal, vec![api]);
    story.tools = Tools::FailAt(1);
    story.life("api", sentinel_core::domain::life::LifeKind::Oom);
    story.dies("api", 137);
    story.pass(seconds(2));
    let incident = story.incident();
    assert_eq!(incident.state, IncidentState::Escalated);
    let states: Vec<FixState> = incident.plan.unwrap().steps.iter().map(|s| s.state).collect();
    assert_eq!(states, [FixState::Failed, FixState::Skipped]);
    assert_eq!(story.count("fix_failed"), 1);
    assert_eq!(story.count("fix_applied"), 0);
}

#[test]
fn a_call_that_never_comes_back_is_given_up_and_not_repeated() {
    let mut story = staged(Mode::AutoHeal);
    story = {
        let mut silent = Story::new(Mode::AutoHeal, story.truth.into_values().map(up).collect());
        silent.tools = Tools::Silent;
        silent.dies("api", 1);
        silent
    };
    story.pass(seconds(599));
    assert_eq!(story.state(), IncidentState::Fixing);
    story.pass(seconds(3));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.incident().plan.unwrap().steps[0].state, FixState::Failed);
    story.pass(seconds(1200));
    assert_eq!(story.applied.len(), 1);
}

fn up(mut container: Container) -> Container {
    container.state = sentinel_core::domain::container::RunState::Running;
    "start-0".clone_into(&mut container.started_at_raw);
    container
}

#[test]
fn opting_in_and_out() {
    let unlabelled = {
        let mut c = container("api");
        c.labels.clear();
        c
    };
    let mut opted_out = container("api");
    opted_out.labels.insert(LABEL_AUTO_HEAL.to_owned(), "false".to_owned());
    let mut opted_in = unlabelled.clone();
    opted_in.labels.insert(LABEL_AUTO_HEAL.to_owned(), "true".to_owned());
    let all = Settings { watch_all: true, ..settings(Mode::AutoHeal) };
    let own = settings(Mode::AutoHeal);
    let cases = [
        (own.clone(), container("api"), true),
        (own.clone(), opted_out.clone(), false),
        (own, unlabelled.clone(), false),
        (all.clone(), container("api"), false),
        (all.clone(), opted_in, true),
        (all, opted_out, false),
    ];
    for (settings, api, heals) in cases {
        let labels = api.labels.clone();
        let mut story = Story::with(settings, Vec::new(), vec![api]);
        story.dies("api", 1);
        story.pass(SECOND);
        assert_eq!(!story.applied.is_empty(), heals, "{labels:?}");
        assert_eq!(story.reasons().contains(&"not_opted_in"), !heals);
    }
}

#[test]
fn a_plan_waits_for_its_tools_and_then_goes_on() {
    let mut story = Story::before_attach(
        settings(Mode::AutoHeal),
        Vec::new(),
        begin_at(),
        vec![container("api")],
    );
    story.attach();
    story.dies("api", 1);
    story.pass(seconds(5));
    assert_eq!(story.state(), IncidentState::Diagnosing);
    assert!(story.reasons().is_empty(), "nobody has said yet what there is");
    story.feed(Signal::Tools { tools: vec![tool("start_container")] });
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_plan_whose_tools_never_come_goes_to_a_person() {
    let mut story = Story::before_attach(
        settings(Mode::AutoHeal),
        Vec::new(),
        begin_at(),
        vec![container("api")],
    );
    story.attach();
    story.dies("api", 1);
    story.pass(seconds(31));
    assert_eq!(story.state(), IncidentState::Escalated);
    assert_eq!(story.reasons(), ["tool_missing"]);
    // Late is better than never: it is staged after all.
    story.feed(Signal::Tools { tools: vec![tool("start_container")] });
    story.pass(SECOND);
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn two_plans_for_one_target_do_not_run_at_the_same_time() {
    let mut story =
        Story::new(Mode::Approve, vec![container("api"), container("web"), container("db")]);
    story.operator_stops("db");
    for _ in 0..40 {
        story.says("api", "ERROR cannot reach db:5432: connection refused");
        story.pass(crate::support::millis(500));
    }
    // A second complaint joins the first one's incident, so there is one plan for the database.
    for _ in 0..10 {
        story.says("web", "ERROR cannot reach db:5432: connection refused");
        story.pass(crate::support::millis(500));
    }
    assert_eq!(story.open().len(), 1);
    assert_eq!(story.open()[0].affected, ["api", "web"]);
}

#[test]
fn incidents_of_one_second_have_their_own_ids() {
    let names: Vec<String> = (0..60).map(|i| format!("c{i}")).collect();
    let mut story = Story::new(Mode::Approve, names.iter().map(|n| healthy(n)).collect());
    for name in &names {
        story.becomes(name, Health::Unhealthy);
    }
    story.pass(SECOND);
    assert_eq!(story.saved.len(), 60);
    assert_eq!(story.count("incident_opened"), 60);
}

fn stale_reasons(story: &Story) -> Vec<String> {
    let words = story.events.iter().filter_map(|(_, e)| match e {
        Event::FixStale(word) => word.reason.clone(),
        _ => None,
    });
    words.collect()
}

#[test]
fn a_start_of_what_somebody_started_meanwhile_is_stale_at_once() {
    let mut story = staged(Mode::Approve);
    story.starts("api");
    assert_eq!(stale_reasons(&story), ["api was started meanwhile"]);
    assert!(story.plan().is_none());
    story.pass(SECOND);
    assert_eq!(story.state(), IncidentState::Verifying);
    story.pass(seconds(35));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert_eq!(story.count("fix_staged"), 1);
    assert!(story.applied.is_empty());
}

#[test]
fn a_restart_of_what_was_restarted_meanwhile_is_stale_at_once() {
    let mut story = Story::new(Mode::Approve, vec![healthy("api")]);
    story.becomes("api", Health::Unhealthy);
    story.pass(SECOND);
    assert!(story.plan().is_some());
    // Seen by an inspect only: its events were lost.
    story.edit("api", |c| {
        c.started_at_raw = "start-of-somebody".to_owned();
        c.health = Health::Starting;
    });
    story.inspected("api", false);
    assert_eq!(stale_reasons(&story), ["api was restarted meanwhile"]);
    story.pass(SECOND);
    story.becomes("api", Health::Healthy);
    story.pass(seconds(40));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
}

#[test]
fn a_plan_for_several_goes_on_for_those_that_are_still_down() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    for name in ["api", "db"] {
        story.edit(name, |c| {
            c.state = RunState::Exited;
            c.exit_code = 1;
        });
        story.inspected(name, true);
    }
    story.pass(seconds(5));
    assert_eq!(story.plan().unwrap().steps.len(), 2);
    story.starts("db");
    story.pass(SECOND);
    let plan = story.plan().unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].target.name, "api");
    assert_eq!(stale_reasons(&story), ["db was started meanwhile"; 2]);
}

#[test]
fn a_dependency_that_somebody_started_is_watched() {
    let mut story = Story::new(Mode::Approve, vec![container("api"), container("db")]);
    story.operator_stops("db");
    for _ in 0..40 {
        story.says("api", "ERROR cannot reach db:5432: connection refused");
        story.pass(crate::support::millis(500));
    }
    assert_eq!(story.state(), IncidentState::AwaitingApproval);
    story.starts("db");
    assert_eq!(stale_reasons(&story), ["db was started meanwhile"]);
    story.pass(seconds(150));
    assert_eq!(story.state(), IncidentState::ResolvedExternally);
    assert_eq!(story.count("incident_escalated"), 0);
}

#[test]
fn how_far_a_call_has_come_is_shown_while_it_is_made_and_not_written_down() {
    let mut story = Story::new(Mode::Approve, vec![container("api")]);
    story.tools = Tools::Silent;
    story.dies("api", 1);
    story.pass(SECOND);
    story.approve().unwrap();
    let incident = story.incident().id;
    let fix = story.incident().plan.unwrap().steps[0].id.clone();
    let saves = story.saves;
    let words = "2 of 5: stopping the old container".to_owned();
    let news = Signal::StepProgress { incident: incident.clone(), fix, words: words.clone() };
    story.feed(news.clone());
    assert_eq!(story.count("fix_progress"), 1);
    assert_eq!(story.saves, saves);
    let shown = |story: &mut Story| {
        let snapshot = story.engine.snapshot(story.now);
        snapshot.incidents[0].plan.as_ref().unwrap().steps[0].progress.clone()
    };
    assert_eq!(shown(&mut story), Some(words));
    let fix = story.incident().plan.unwrap().steps[0].id.clone();
    let result = ToolResult { ok: true, message: "done".to_owned(), duration_ms: 1 };
    let began_at = story.now;
    story.feed(Signal::StepDone { incident, fix, result, replaced_by: None, began_at });
    assert_eq!(shown(&mut story), None);
    story.feed(news);
    assert_eq!(story.count("fix_progress"), 1, "nothing is under way any more");
}
