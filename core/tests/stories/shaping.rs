//! What people do with a plan besides yes and no: edit it, look what it would do, put it off,
//! allow it beforehand.

use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{LABEL_AUTO_HEAL, LABEL_MAX_MEMORY};
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::{Actor, FixState, Plan, Risk};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::engine::Settings;
use serde_json::{Map, Value, json};

use crate::support::{SECOND, Story, container, healthy, seconds, settings};

fn ann() -> Actor {
    Actor::Person("ann".to_owned())
}

/// A container with a memory limit was killed at it; a plan to raise it waits.
fn at_its_limit(mode: Mode) -> Story {
    let mut api = container("api");
    api.memory_limit = Some(64 << 20);
    api.labels.insert(LABEL_MAX_MEMORY.to_owned(), "256m".to_owned());
    let mut story = Story::new(mode, vec![api]);
    story.uses_memory("api", 63 << 20, 64 << 20);
    story.life("api", LifeKind::Oom);
    story.dies("api", 137);
    story.pass(SECOND);
    story
}

/// A container died; a plan to start it waits.
fn down(mode: Mode) -> Story {
    let mut story = Story::new(mode, vec![container("api"), container("db")]);
    story.dies("api", 1);
    story.pass(SECOND);
    story
}

fn edit_of(plan: &Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Command {
    let step = &plan.steps[0];
    let mut arguments = step.call.arguments.clone();
    change(&mut arguments);
    Command::Edit { fix: step.id.clone(), sha256: plan.sha256.clone(), arguments }
}

fn grant_of(plan: &Plan, seconds: u64, uses: u32) -> Command {
    let (fix, sha256) = (plan.steps[0].id.clone(), plan.sha256.clone());
    Command::Grant { fix, sha256, seconds, uses }
}

fn snooze(story: &mut Story, seconds: u64) -> Result<String, String> {
    let fix = story.plan().ok_or("no plan")?.steps[0].id.clone();
    story.ask(ann(), Command::Snooze { fix, seconds })
}

#[test]
fn an_edit_makes_a_new_plan_that_only_its_own_hash_approves() {
    let mut story = at_its_limit(Mode::Approve);
    let old = story.plan().unwrap();
    assert_eq!(old.steps[0].call.tool, "update_resources");
    let to = |memory: &'static str| {
        edit_of(&old, |a| drop(a.insert("resources".to_owned(), json!({ "memory": memory }))))
    };
    let reply = story.ask(ann(), to("160m")).unwrap();
    assert!(reply.contains("→ 160m") && reply.contains("R1"), "{reply}");
    let new = story.plan().unwrap();
    assert_ne!(new.sha256, old.sha256);
    assert_eq!(new.sha256, new.digest());
    let step = &new.steps[0];
    assert_eq!(step.call.arguments["resources"], json!({"memory": "160m"}));
    assert_eq!(step.diff, "memory 64 MiB → 160 MiB");
    assert!(step.docker_line.contains("--memory 160m"), "{}", step.docker_line);
    assert_eq!(
        step.inverse.as_ref().unwrap().arguments["resources"],
        json!({"memory": "64m"}),
        "undo leads back to what there is"
    );
    assert_eq!(
        step.call.arguments.get("container_name"),
        old.steps[0].call.arguments.get("container_name")
    );
    // Whoever saw the old plan approves nothing.
    let fix = old.steps[0].id.clone();
    let stale = Command::Approve { fix, sha256: old.sha256.clone() };
    assert!(story.ask(ann(), stale).unwrap_err().contains("no fix"));
    let mixed = Command::Approve { fix: step.id.clone(), sha256: old.sha256.clone() };
    assert!(story.ask(ann(), mixed).unwrap_err().contains("changed since it was shown"));
    assert!(story.ask(ann(), to("200m")).is_err(), "nor does an edit of the old one count");
    assert_eq!(story.count("fix_edited"), 1);
    assert!(story.audited().contains(&"edited"));
    let told = story.incident().timeline;
    assert!(told.iter().any(|e| e.actor == ann() && e.what.contains("→ 160m")), "{told:#?}");
    story.approve().unwrap();
    story.pass(SECOND);
    assert_eq!(story.applied[0].steps[0].call.arguments["resources"], json!({"memory": "160m"}));
}

#[test]
fn an_edited_plan_is_never_healed_without_a_person() {
    let mut story = Story::new(Mode::AutoHeal, vec![container("db"), container("api")]);
    story.ask(ann(), Command::Halt { reason: String::new() }).unwrap();
    story.dies("api", 1);
    story.pass(SECOND);
    let plan = story.plan().unwrap();
    let edit = edit_of(&plan, |a| drop(a.insert("reason".to_owned(), json!("as agreed"))));
    story.ask(ann(), edit).unwrap();
    story.ask(ann(), Command::Resume { reason: String::new() }).unwrap();
    story.pass(seconds(120));
    assert!(story.applied.is_empty());
    assert!(story.reasons().contains(&"edited_by_person"), "{:?}", story.reasons());
    let plan = story.plan().unwrap();
    assert!(plan.is_edited());
    assert!(
        story.ask(ann(), grant_of(&plan, 3600, 2)).unwrap_err().contains("only what the rules")
    );
    story.approve().unwrap();
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn an_edit_changes_neither_target_nor_tool_and_numbers_are_clamped() {
    let mut story = at_its_limit(Mode::Approve);
    let plan = story.plan().unwrap();
    let set =
        |key: &'static str, value: Value| edit_of(&plan, |a| drop(a.insert(key.to_owned(), value)));
    let refused = [
        (set("container_name", json!("db")), "cannot be changed"),
        (set("image", json!("evil:1")), "cannot be changed"),
        (set("expect_started_at", json!("2020")), "cannot be changed"),
        (set("resources", json!({"memory": "257m"})), "is possible"),
        (set("resources", json!({"memory": "1m"})), "is possible"),
        (set("resources", json!({"memory": "lots"})), "no amount"),
        (set("resources", json!({"cpu": 2})), "no CPU limit"),
        (set("resources", json!({"pids": 2})), "no such limit"),
        (set("resources", json!({})), "at least one limit"),
        (set("resources", json!("128m")), "at least one limit"),
        (set("reason", json!("")), "say why"),
        (set("reason", plan.steps[0].call.arguments["reason"].clone()), "nothing was changed"),
    ];
    for (command, why) in refused {
        let said = story.ask(ann(), command.clone()).unwrap_err();
        assert!(said.contains(why), "{command:?} -> {said}");
    }
    assert_eq!(story.plan().unwrap().sha256, plan.sha256, "nothing of that left a trace");
    for actor in [Actor::Policy, Actor::System] {
        assert!(story.ask(actor, set("resources", json!({"memory": "128m"}))).is_err());
    }
    // Lower than it is: another risk, told as such.
    let lower = set("resources", json!({"memory": "63m"}));
    assert!(story.ask(ann(), lower).unwrap().contains("R3"));
    assert_eq!(story.plan().unwrap().risk(), Risk::R3);
}

#[test]
fn a_setting_gets_back_what_it_was_or_is_left_alone() {
    use sentinel_core::diagnose::amend::{Room, amended, fields, with};
    let mut api = container("api");
    api.env.insert("PORT".to_owned(), sentinel_core::domain::setup::Variable::default());
    let mut plan = down(Mode::Approve).plan().unwrap();
    let step = &mut plan.steps[0];
    step.call.tool = "update_env_vars".to_owned();
    step.call.arguments.insert("env_updates".to_owned(), json!({"PORT": "80", "DEBUG": null}));
    let room = Room::default();
    let paths: Vec<_> = fields(step, &api, &room).into_iter().map(|f| (f.path, f.value)).collect();
    assert_eq!(paths[0], ("env_updates.DEBUG".to_owned(), "(unset)".to_owned()));
    assert_eq!(paths[1], ("env_updates.PORT".to_owned(), "80".to_owned()));
    let typed = with(step, [("env_updates.PORT", "81")]);
    let mistakes = amended(step, &typed, &api, &room).unwrap_err();
    assert_eq!(mistakes[0].path, "env_updates.PORT");
    let typed = with(step, [("env_updates.PORT", ""), ("env_updates.DEBUG", "(unset)")]);
    let action = amended(step, &typed, &api, &room).unwrap();
    assert_eq!(action.call.arguments["env_updates"], json!({"DEBUG": null}));
    assert!(action.diff.ends_with("DEBUG unset"), "{}", action.diff);
    let typed = with(step, [("env_updates.PORT", ""), ("env_updates.DEBUG", " ")]);
    assert!(amended(step, &typed, &api, &room).is_err());
}

#[test]
fn a_dry_run_tells_all_and_changes_nothing() {
    let mut story = down(Mode::Approve);
    let before = (story.incident(), story.audit.len(), story.told());
    let fix = story.plan().unwrap().steps[0].id.clone();
    let text = story.ask(ann(), Command::DryRun { fix: fix.clone() }).unwrap();
    for part in [
        "nothing was changed",
        "a person decides, because",
        "auto_heal_off",
        "start_container on api",
        "container_name = ",
        "exited → running",
        "$ docker start api",
        "undo: stop_container",
        "runs with the same start for 30 s",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!((story.incident(), story.audit.len(), story.told()), before);
    assert!(story.applied.is_empty());
    let mut readers = Story::with(settings(Mode::ReadOnly), Vec::new(), vec![container("api")]);
    readers.dies("api", 1);
    readers.pass(SECOND);
    let fix = readers.plan().unwrap().steps[0].id.clone();
    let text = readers.ask(ann(), Command::DryRun { fix: fix.clone() }).unwrap();
    assert!(text.contains("nobody may run it here and now"), "{text}");
    assert!(story.ask(ann(), Command::DryRun { fix: "F0".into() }).is_err());
}

#[test]
fn a_plan_that_is_put_off_waits_and_comes_back_checked() {
    let mut story = down(Mode::Approve);
    let old = story.plan().unwrap();
    assert!(snooze(&mut story, 7 * 60).unwrap_err().contains("5, 15 or 60"));
    assert!(snooze(&mut story, 0).unwrap_err().contains("not put off"));
    snooze(&mut story, 60 * 60).unwrap();
    assert!(story.approve().unwrap_err().contains("put off until"));
    story.pass(seconds(59 * 60));
    assert_eq!(story.count("fix_expired"), 0, "nor does it lapse meanwhile");
    assert_eq!(story.plan().unwrap().sha256, old.sha256);
    story.pass(seconds(2 * 60));
    let new = story.plan().unwrap();
    assert_ne!(new.sha256, old.sha256);
    assert_eq!(new.steps[0].call, old.steps[0].call);
    assert_eq!((story.count("fix_snoozed"), story.count("snooze_ended")), (1, 1));
    assert!(story.audited().contains(&"snoozed"));
    story.approve().unwrap();
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn nothing_is_put_off_for_ever() {
    let mut story = down(Mode::Approve);
    for minutes in [5, 15, 5] {
        snooze(&mut story, minutes * 60).unwrap();
        story.pass(seconds(i64::try_from(minutes).unwrap() * 60 + 1));
    }
    assert!(snooze(&mut story, 300).unwrap_err().contains("somebody has to decide"));
    story.pass(seconds(16 * 60));
    assert_eq!(story.state(), IncidentState::Escalated, "it lapses as any other does");
}

#[test]
fn what_is_put_off_is_not_healed_and_a_changed_target_is_planned_anew() {
    let mut story = Story::new(Mode::AutoHeal, vec![healthy("api")]);
    story.ask(ann(), Command::Halt { reason: String::new() }).unwrap();
    story.dies("api", 1);
    story.pass(SECOND);
    snooze(&mut story, 300).unwrap();
    story.ask(ann(), Command::Resume { reason: String::new() }).unwrap();
    story.pass(seconds(120));
    assert!(story.applied.is_empty(), "the policy waits, too");
    assert!(story.reasons().contains(&"snoozed"));
    story.edit("api", |c| c.config_hash = "config-2".to_owned());
    let old = story.plan().unwrap();
    story.pass(seconds(200));
    let stale = story.incident().timeline;
    assert!(stale.iter().any(|e| e.what.contains("not put off any more")), "{stale:#?}");
    assert_ne!(story.incident().plan.unwrap().sha256, old.sha256);
    assert_eq!(story.applied.len(), 1, "and then it is healed");
}

#[test]
fn a_snooze_lasts_over_a_restart() {
    let mut story = down(Mode::Approve);
    snooze(&mut story, 900).unwrap();
    let mut story = story.restarted(settings(Mode::AutoHeal));
    story.pass(seconds(60));
    assert!(story.applied.is_empty());
    assert!(story.incident().snoozed_until().is_some());
    story.pass(seconds(900));
    assert!(story.incident().snoozed_until().is_none());
    assert_eq!(story.count("snooze_ended"), 1);
}

/// `api` hangs in approve mode, with a grant for its restart given at the first plan.
fn granted(lasts: u64, uses: u32) -> Option<Story> {
    let mut story = Story::new(Mode::Approve, vec![healthy("api"), healthy("db")]);
    story.becomes("api", sentinel_core::domain::container::Health::Unhealthy);
    story.pass(seconds(60));
    let plan = story.plan()?;
    assert_eq!(plan.steps[0].call.tool, "restart_container");
    assert!(story.applied.is_empty());
    story.ask(ann(), grant_of(&plan, lasts, uses)).ok()?;
    Some(story)
}

#[test]
fn a_grant_heals_in_approve_mode_until_it_is_used_up() {
    let mut story = granted(3600, 2).unwrap();
    story.pass(SECOND);
    assert_eq!(story.applied.len(), 1, "what was seen runs: {:?}", story.reasons());
    assert_eq!(story.count("grant_used"), 1);
    assert!(["granted", "grant_used"].iter().all(|a| story.audited().contains(a)));
    let grants = story.engine.snapshot(story.now).brakes.grants;
    assert_eq!((grants[0].used, grants[0].uses, grants[0].service.as_str()), (1, 2, "api"));
    story.becomes("api", sentinel_core::domain::container::Health::Healthy);
    story.pass(seconds(600));
    // Another service is another matter.
    story.becomes("db", sentinel_core::domain::container::Health::Unhealthy);
    story.pass(seconds(60));
    assert_eq!(story.applied.len(), 1);
    story.becomes("api", sentinel_core::domain::container::Health::Unhealthy);
    story.pass(seconds(90));
    assert_eq!(story.applied.len(), 2, "{:?}", story.reasons());
    assert_eq!(story.count("grant_ended"), 1);
    assert!(story.engine.snapshot(story.now).brakes.grants.is_empty());
    assert!(story.brakes.grants.is_empty());
}

#[test]
fn a_grant_ends_with_its_time_over_a_restart_too_and_can_be_taken_back() {
    let mut api = healthy("api");
    api.health = sentinel_core::domain::container::Health::Healthy;
    let mut story = Story::new(Mode::Approve, vec![api]);
    story.ask(ann(), Command::Halt { reason: String::new() }).unwrap();
    story.becomes("api", sentinel_core::domain::container::Health::Unhealthy);
    story.pass(seconds(60));
    let plan = story.plan().unwrap();
    story.ask(ann(), grant_of(&plan, 3600, 1)).unwrap();
    story.pass(seconds(10));
    assert!(story.applied.is_empty(), "the kill switch holds: {:?}", story.reasons());
    let mut story = story.restarted(settings(Mode::Approve));
    assert_eq!(story.engine.snapshot(story.now).brakes.grants.len(), 1);
    story.pass(seconds(3600));
    assert_eq!(story.count("grant_ended"), 1);
    assert!(story.brakes.grants.is_empty());
    story.ask(ann(), Command::Resume { reason: String::new() }).unwrap();
    story.pass(seconds(60));
    assert!(story.applied.is_empty(), "its time is over");

    let mut story = granted(3600, 2).unwrap();
    story.pass(SECOND);
    story.ask(ann(), Command::Revoke { grant: 1, reason: "enough".to_owned() }).unwrap();
    assert!(story.ask(ann(), Command::Revoke { grant: 1, reason: String::new() }).is_err());
    assert!(story.engine.snapshot(story.now).brakes.grants.is_empty());
    assert_eq!(story.audited().iter().filter(|a| **a == "grant_ended").count(), 1);
}

#[test]
fn a_grant_answers_nothing_but_the_missing_yes() {
    // A label that opts out, and a class that the configuration took off the list.
    let mut opted_out = healthy("api");
    opted_out.labels.insert(LABEL_AUTO_HEAL.to_owned(), "false".to_owned());
    let rules = sentinel_core::policy::rules::Rules {
        classes: Some(std::collections::BTreeSet::new()),
        ..Default::default()
    };
    let strict = Settings { rules, ..settings(Mode::Approve) };
    let cases = [(settings(Mode::Approve), opted_out), (strict, healthy("api"))];
    for (settings, api) in cases {
        let mut story = Story::with(settings, Vec::new(), vec![api]);
        story.becomes("api", sentinel_core::domain::container::Health::Unhealthy);
        story.pass(seconds(60));
        let plan = story.plan().unwrap();
        story.ask(ann(), grant_of(&plan, 3600, 2)).unwrap();
        story.pass(seconds(120));
        assert!(story.applied.is_empty(), "{:?}", story.reasons());
    }
    // What would be approved each time is never granted, nor for longer than a day.
    let mut story = granted(3600, 2).unwrap();
    let plan = story.applied[0].clone();
    for (seconds, uses) in [(0, 1), (59, 1), (86_401, 1), (3600, 0), (3600, 11)] {
        assert!(story.ask(ann(), grant_of(&plan, seconds, uses)).is_err());
    }
    let mut story = at_its_limit(Mode::Approve);
    let plan = story.plan().unwrap();
    let lower =
        edit_of(&plan, |a| drop(a.insert("resources".to_owned(), json!({"memory": "63m"}))));
    story.ask(ann(), lower).unwrap();
    let risky = story.plan().unwrap();
    assert!(story.ask(ann(), grant_of(&risky, 3600, 1)).unwrap_err().contains("each time"));
    for actor in [Actor::Policy, Actor::System] {
        assert!(story.ask(actor, grant_of(&plan, 3600, 1)).is_err());
    }
}

#[test]
fn read_only_and_who_only_watches_shape_nothing() {
    let cases = [settings(Mode::ReadOnly), Settings { elected: false, ..settings(Mode::Approve) }];
    for settings in cases {
        let mut story = Story::with(settings, Vec::new(), vec![container("api")]);
        story.dies("api", 1);
        story.pass(SECOND);
        let plan = story.plan().unwrap();
        let edit = edit_of(&plan, |a| drop(a.insert("reason".to_owned(), json!("x"))));
        let fix = plan.steps[0].id.clone();
        for command in [edit, grant_of(&plan, 3600, 1), Command::Snooze { fix, seconds: 300 }] {
            assert!(story.ask(ann(), command.clone()).is_err(), "{command:?}");
        }
        assert_eq!(story.plan().unwrap().steps[0].state, FixState::Staged);
    }
}
