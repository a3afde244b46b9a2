//! Change memory: how services are configured, with which configuration they last ran well, and
//! what changed since.

use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::domain::container::{Attachment, Container, RestartPolicy};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::spec::{History, SpecChange};
use sentinel_core::domain::tool::ToolResult;
use sentinel_core::engine::Settings;

use crate::support::{SECOND, Story, Tools, begin_at, container, seconds, settings, tool};

/// It began to run when the story begins.
fn api(peer: &str) -> Container {
    let mut api = container("api");
    api.created_at = Some(begin_at());
    api.started_at = Some(begin_at());
    let peer = Variable { hash: peer.to_owned(), value: Some(peer.to_owned()), hosts: Vec::new() };
    api.env.insert("PEER".to_owned(), peer);
    api
}

/// Time passes, and the run loop wakes the engine each second.
fn ticks(story: &mut Story, count: u32) {
    for _ in 0..count {
        story.pass(SECOND);
        story.feed(Signal::Tick);
    }
}

fn kept(story: &Story) -> History {
    let service = ServiceKey::of(&story.truth["api"].of);
    story.histories.get(&service).cloned().unwrap_or_default()
}

fn words(history: &History) -> Vec<String> {
    history.changes.iter().map(SpecChange::words).collect()
}

fn good_peer(history: &History) -> Option<String> {
    history.good.as_ref()?.env.get("PEER")?.value.clone()
}

/// The container is made anew with another setting.
fn remade(story: &mut Story, peer: &str) {
    story.removed("api");
    let mut new = api(peer);
    new.of.id = ContainerId(format!("{peer:-<64}"));
    new.created_at = Some(story.now);
    new.started_at = Some(story.now);
    story.truth.insert("api".to_owned(), new);
    story.life("api", LifeKind::Create);
    story.inspected("api", false);
    story.starts("api");
}

#[test]
fn what_ran_well_for_a_minute_is_good_and_a_new_container_has_to_prove_itself() {
    let mut story = Story::new(Mode::Approve, vec![api("data")]);
    ticks(&mut story, 50);
    assert_eq!(good_peer(&kept(&story)), None, "a minute has not passed");
    ticks(&mut story, 15);
    assert_eq!(good_peer(&kept(&story)).as_deref(), Some("data"));
    remade(&mut story, "dtaa");
    ticks(&mut story, 50);
    let history = kept(&story);
    assert_eq!(words(&history), ["env PEER data → dtaa"]);
    assert_eq!(history.changes[0].at, story.truth["api"].created_at.unwrap());
    assert_eq!(good_peer(&history).as_deref(), Some("data"));
    ticks(&mut story, 15);
    assert_eq!(good_peer(&kept(&story)).as_deref(), Some("dtaa"), "it has run for a minute");
}

#[test]
fn a_running_container_that_was_changed_has_to_prove_itself_anew() {
    let mut story = Story::new(Mode::Approve, vec![api("data")]);
    ticks(&mut story, 70);
    let networks = std::mem::take(&mut story.truth.get_mut("api").unwrap().networks);
    story.life("api", LifeKind::Disconnect { network: "net".to_owned() });
    story.inspected("api", false);
    ticks(&mut story, 50);
    let history = kept(&story);
    assert_eq!(words(&history), ["network net attached → (missing)"]);
    let had = |h: &History| h.good.as_ref().unwrap().networks.contains_key("net");
    assert!(had(&history), "the minute before says nothing of what came after");
    // It comes back with a name of its own.
    let aliases = vec!["store".to_owned()];
    let again = networks.into_iter().map(|n| Attachment { aliases: aliases.clone(), ..n });
    story.edit("api", |c| c.networks = again.collect());
    story.inspected("api", false);
    let last = words(&kept(&story)).pop();
    assert_eq!(last.as_deref(), Some("network net (missing) → attached as store"));
}

#[test]
fn nothing_is_proved_while_an_incident_is_open() {
    let mut story = Story::new(Mode::Approve, vec![api("data")]);
    story.pass(seconds(10));
    // The kernel killed a child of it: it runs on, and its incident waits for a person.
    story.edit("api", |c| c.memory_limit = Some(64 << 20));
    story.inspected("api", false);
    story.life("api", LifeKind::Oom);
    ticks(&mut story, 90);
    assert_eq!(story.open().len(), 1);
    assert_eq!(kept(&story).good, None);
}

#[test]
fn what_changed_while_nobody_watched_is_seen_at_the_next_start() {
    let mut story = Story::new(Mode::Approve, vec![api("data")]);
    ticks(&mut story, 70);
    let mut changed = api("dtaa");
    changed.of.id = ContainerId("f".repeat(64));
    changed.created_at = Some(story.now);
    changed.started_at = Some(story.now);
    let now = story.now + seconds(5);
    let mut next =
        Story::before_attach(settings(Mode::Approve), Vec::new(), now, vec![changed.clone()]);
    next.engine.recall_histories(story.histories.clone().into_iter().collect());
    next.attach();
    let history = kept(&next);
    assert_eq!(words(&history), ["env PEER data → dtaa"]);
    assert_eq!(history.changes[0].at, changed.created_at.unwrap(), "not when it was noticed");
    assert_eq!(good_peer(&history).as_deref(), Some("data"));
    // What an incident says of it.
    next.dies("api", 1);
    next.pass(SECOND);
    let diagnosis = next.incident().diagnosis.unwrap();
    assert_eq!(diagnosis.recent_changes, ["env PEER data → dtaa"]);
}

#[test]
fn an_instance_that_keeps_no_record_has_nothing_kept() {
    let guest = Settings { keeps: false, ..settings(Mode::Approve) };
    let mut story = Story::with(guest, Vec::new(), vec![api("data")]);
    ticks(&mut story, 70);
    assert!(story.histories.is_empty());
}

#[test]
fn what_is_kept_is_written_seldom_while_nothing_changes() {
    let mut story = Story::new(Mode::Approve, vec![api("data")]);
    ticks(&mut story, 70);
    story.histories.clear();
    ticks(&mut story, 3000);
    assert!(story.histories.is_empty(), "nothing is new");
    ticks(&mut story, 700);
    assert_eq!(story.histories.len(), 1, "an hour later it is fresh again");
}

/// The plan that gives the setting back runs: the old one is stopped and set aside, and another
/// container stands in its place when the result comes.
#[test]
fn a_container_that_our_fix_made_anew_is_followed_and_verified() {
    for order in ["events first", "result first"] {
        let mut story = Story::new(Mode::Approve, vec![api("data")]);
        story.feed(Signal::Tools { tools: vec![tool("update_env_vars")] });
        ticks(&mut story, 70);
        remade(&mut story, "dtaa");
        story.edit("api", |c| c.restart_policy = RestartPolicy::Always);
        story.inspected("api", false);
        for _ in 0..6 {
            story.pass(SECOND);
            story.says("api", "FATAL configuration error: PEER names no host");
            story.dies("api", 1);
            story.starts_by_policy("api");
        }
        story.pass(seconds(2));
        story.tools = Tools::Silent;
        let plan = story.plan().expect("a plan");
        assert_eq!(plan.steps[0].call.tool, "update_env_vars");
        story.approve().expect("approved");
        let (incident, fix) = (plan.incident.clone(), plan.steps[0].id.clone());
        let new = ContainerId("e".repeat(64));
        let result = ToolResult { ok: true, message: "made anew".to_owned(), duration_ms: 9 };
        let done = Signal::StepDone {
            incident: incident.clone(),
            fix,
            result,
            replaced_by: Some(new.clone()),
            began_at: story.now,
        };
        story.operator_stops("api");
        story.pass(seconds(1));
        let old = story.id("api");
        let mut successor = api("data");
        successor.of.id = new.clone();
        successor.started_at_raw = "anew".to_owned();
        story.truth.insert("api".to_owned(), successor);
        let events = |story: &mut Story| {
            story.feed(Signal::Gone { container: old.clone() });
            story.inspected("api", false);
            story.life("api", LifeKind::Start);
        };
        let results = |story: &mut Story| {
            story.feed(done.clone());
            story.feed(Signal::PlanDone { incident: incident.clone(), ok: true });
        };
        if order == "events first" {
            events(&mut story);
            results(&mut story);
        } else {
            results(&mut story);
            story.pass(seconds(1));
            events(&mut story);
        }
        story.pass(seconds(60));
        let closed = story.incident();
        assert_eq!(closed.state, IncidentState::Resolved, "{order}: {:#?}", closed.timeline);
        assert_eq!(closed.container.id, new);
        assert_eq!(closed.plan.unwrap().steps[0].replaced_by.as_ref(), Some(&new));
    }
}
