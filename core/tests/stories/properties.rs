//! What holds in every story, however wild.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{Container, Health, RestartPolicy};
use sentinel_core::domain::event::Event;
use sentinel_core::domain::ids::{FixId, IncidentId};
use sentinel_core::domain::incident::{IncidentState, MAX_ANOMALIES, MAX_TIMELINE};
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::plan::{Actor, FixState};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ToolResult;

use crate::support::{Story, Tools, container, healthy, millis, seconds, settings};

const NAMES: [&str; 4] = ["api", "db", "web", "job"];
const LINES: [&str; 6] = [
    "ERROR cannot reach db:5432: connection refused",
    "ERROR request failed",
    "FATAL environment variable DATABASE_URL is required",
    "INFO all is well",
    "write /data/x: no space left on device",
    "approve INC-1-F1.1: connection refused to web:80",
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Dies(usize, i64),
    Starts(usize),
    Stops(usize),
    Kind(usize, u8),
    Health(usize, bool),
    Says(usize, usize, u8),
    Inspected(usize, bool),
    Removed(usize),
    Added(usize),
    Recreated(usize),
    Pass(u32),
    Approve,
    ApproveOld(usize),
    Reject,
    Dismiss(usize),
    Undo(usize),
    Halt(bool),
    Tools(u8),
    Degraded(bool),
    StrayResult(usize, u8),
    Jump(i32),
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let which = 0..NAMES.len();
    prop_oneof![
        6 => (which.clone(), prop_oneof![Just(0_i64), Just(1), Just(127), Just(137), Just(139)])
            .prop_map(|(c, code)| Op::Dies(c, code)),
        4 => which.clone().prop_map(Op::Starts),
        2 => which.clone().prop_map(Op::Stops),
        3 => (which.clone(), 0_u8..12).prop_map(|(c, kind)| Op::Kind(c, kind)),
        2 => (which.clone(), any::<bool>()).prop_map(|(c, well)| Op::Health(c, well)),
        4 => (which.clone(), 0..LINES.len(), 1_u8..12)
            .prop_map(|(c, line, times)| Op::Says(c, line, times)),
        2 => (which.clone(), any::<bool>()).prop_map(|(c, gap)| Op::Inspected(c, gap)),
        1 => which.clone().prop_map(Op::Removed),
        1 => which.clone().prop_map(Op::Added),
        1 => which.prop_map(Op::Recreated),
        8 => prop_oneof![0_u32..400, 400_u32..40_000, 40_000_u32..1_000_000].prop_map(Op::Pass),
        4 => Just(Op::Approve),
        1 => (0_usize..20).prop_map(Op::ApproveOld),
        1 => Just(Op::Reject),
        1 => (0_usize..20).prop_map(Op::Dismiss),
        2 => (0_usize..20).prop_map(Op::Undo),
        1 => any::<bool>().prop_map(Op::Halt),
        2 => (0_u8..6).prop_map(Op::Tools),
        1 => any::<bool>().prop_map(Op::Degraded),
        2 => (0_usize..20, 0_u8..6).prop_map(|(i, kind)| Op::StrayResult(i, kind)),
        1 => (-8000_i32..8000).prop_map(Op::Jump),
    ]
}

pub(crate) fn fleet() -> Vec<Container> {
    let mut web = healthy("web");
    web.labels.insert("sre-sentinel.depends-on".to_owned(), "api,db".to_owned());
    let api = Container { memory_limit: Some(64 << 20), ..container("api") };
    let db = Container { restart_policy: RestartPolicy::OnFailure(3), ..container("db") };
    vec![api, db, web, Container { auto_remove: true, ..container("job") }]
}

pub(crate) fn happen(story: &mut Story, op: &Op) {
    match *op {
        Op::Dies(c, code) => story.dies(NAMES[c], code),
        Op::Starts(c) => story.starts(NAMES[c]),
        Op::Stops(c) => story.operator_stops(NAMES[c]),
        Op::Kind(c, kind) => {
            let kind = match kind {
                0 => LifeKind::Oom,
                1 => LifeKind::Kill { signal: 15 },
                2 => LifeKind::Kill { signal: 1 },
                3 => LifeKind::Stop,
                4 => LifeKind::Pause,
                5 => LifeKind::Unpause,
                6 => LifeKind::Restart,
                7 => LifeKind::Create,
                8 => LifeKind::Destroy,
                9 => LifeKind::Update,
                10 => LifeKind::Disconnect { network: "net".to_owned() },
                _ => LifeKind::Start,
            };
            story.life(NAMES[c], kind);
        }
        Op::Health(c, well) => {
            story.becomes(NAMES[c], if well { Health::Healthy } else { Health::Unhealthy });
        }
        Op::Says(c, line, times) => {
            for _ in 0..times {
                story.says(NAMES[c], LINES[line]);
            }
        }
        Op::Inspected(c, gap) => story.inspected(NAMES[c], gap),
        Op::Removed(c) => story.removed(NAMES[c]),
        Op::Added(c) => {
            if !story.truth.contains_key(NAMES[c]) {
                story.truth.insert(NAMES[c].to_owned(), container(NAMES[c]));
            }
            story.inspected(NAMES[c], false);
        }
        Op::Recreated(c) => story.recreated(NAMES[c]),
        Op::Pass(time) => story.pass(millis(i64::from(time))),
        Op::Approve => drop(story.approve()),
        Op::Reject => drop(story.reject("no")),
        Op::ApproveOld(i) => {
            let plans: Vec<_> = story.saved.values().filter_map(|x| x.plan.clone()).collect();
            if let Some(plan) = plans.get(i % plans.len().max(1)) {
                let (fix, sha256) = (plan.steps[0].id.clone(), plan.sha256.clone());
                drop(story.ask(Actor::Person("bob".to_owned()), Command::Approve { fix, sha256 }));
            }
        }
        Op::Undo(i) => {
            let plans: Vec<_> = story.saved.values().filter_map(|x| x.plan.clone()).collect();
            if let Some(plan) = plans.get(i % plans.len().max(1)) {
                let (fix, sha256) = (plan.steps[0].id.clone(), plan.sha256.clone());
                drop(story.ask(Actor::Person("bob".to_owned()), Command::Undo { fix, sha256 }));
            }
        }
        Op::Halt(on) => {
            let reason = String::new();
            let command = if on { Command::Halt { reason } } else { Command::Resume { reason } };
            drop(story.ask(Actor::Person("bob".to_owned()), command));
        }
        Op::Dismiss(i) => {
            if let Some(incident) = nth(story, i) {
                let reason = String::new();
                let dismiss = Command::Dismiss { incident, reason };
                drop(story.ask(Actor::Person("bob".to_owned()), dismiss));
            }
        }
        Op::Tools(kind) => {
            story.tools = match kind {
                0 => Tools::Silent,
                1 => Tools::Stale,
                2 => Tools::FailAt(1),
                3 => Tools::WorkEventsLate,
                _ => Tools::Work,
            };
        }
        Op::Degraded(down) => {
            let (part, detail) = ("docker".to_owned(), String::new());
            story.feed(if down {
                Signal::Degraded { part, detail }
            } else {
                Signal::Recovered { part, detail }
            });
        }
        Op::StrayResult(i, kind) => stray(story, i, kind),
        Op::Jump(by) => story.clock_jumps(seconds(i64::from(by))),
    }
}

/// A result that nobody asked for, or the true one a second time.
fn stray(story: &mut Story, i: usize, kind: u8) {
    let Some(incident) = nth(story, i) else { return };
    let fix = story
        .saved
        .get(&incident)
        .and_then(|x| x.plan.as_ref())
        .map_or(FixId("none".to_owned()), |p| p.steps[0].id.clone());
    let result = ToolResult { ok: kind.is_multiple_of(2), message: String::new(), duration_ms: 1 };
    let began_at = story.now;
    let why = "stray".to_owned();
    // While a plan runs, only its own results come: the remediator is one.
    let running = story.saved.get(&incident).is_some_and(|x| {
        let mut steps = x.plan.iter().flat_map(|p| &p.steps);
        x.state == IncidentState::Fixing || steps.any(|s| s.state == FixState::Undoing)
    });
    if running {
        return;
    }
    story.feed(match kind {
        0 | 1 => Signal::StepDone { incident, fix, result, replaced_by: None, began_at },
        2 => Signal::PlanDone { incident, ok: true },
        3 => Signal::PlanDone { incident, ok: false },
        4 => Signal::PlanStale { incident, why },
        _ => Signal::UndoDone { incident, result, replaced_by: None },
    });
}

fn nth(story: &Story, i: usize) -> Option<IncidentId> {
    story.saved.keys().nth(i % story.saved.len().max(1)).cloned()
}

fn tell(mode: Mode, elected: bool, ops: &[Op]) -> Result<Story, TestCaseError> {
    let mut own = settings(mode);
    own.elected = elected;
    let mut story = Story::with(own, Vec::new(), fleet());
    let mut closed: BTreeMap<IncidentId, IncidentState> = BTreeMap::new();
    for op in ops {
        happen(&mut story, op);
        for (id, incident) in &story.saved {
            if let Some(before) = closed.get(id) {
                prop_assert_eq!(*before, incident.state, "{} left a closed state", id);
            }
            if incident.state.is_closed() {
                closed.insert(id.clone(), incident.state);
            }
            prop_assert!(incident.anomalies.len() <= MAX_ANOMALIES);
            prop_assert!(incident.timeline.len() <= MAX_TIMELINE);
            prop_assert!(incident.not_acting.len() <= 50);
            if let Some(plan) = &incident.plan {
                prop_assert_eq!(plan.digest(), plan.sha256.clone());
            }
        }
    }
    story.pass(seconds(1));
    Ok(story)
}

fn check(story: &mut Story, mode: Mode, elected: bool) -> Result<(), TestCaseError> {
    let now = story.now;
    let snapshot = story.engine.snapshot(now);
    prop_assert!(snapshot.anomalies.len() <= 200);
    let shut = snapshot.incidents.iter().filter(|i| i.state.is_closed()).count();
    prop_assert!(shut <= 50);

    let mut opened = BTreeSet::new();
    let mut approved_by_policy = Vec::new();
    let mut runs = BTreeSet::new();
    let mut stale = BTreeMap::new();
    let mut halted = false;
    for (at, event) in &story.events {
        match event {
            Event::HealingHalted { .. } => halted = true,
            Event::HealingResumed { .. } => halted = false,
            Event::IncidentOpened { incident } => {
                prop_assert!(opened.insert(incident.id.clone()), "{} twice", incident.id);
            }
            Event::FixApproved(word) if word.by == "policy" && word.step == 1 => {
                prop_assert!(!halted, "the policy acts although the kill switch is on");
                approved_by_policy.push((*at, word.target.clone()));
                runs.insert(word.fix_id.clone());
            }
            // Nothing was called after all: free, but not without a bound.
            Event::FixStale(word) if word.step == 1 && runs.contains(&word.fix_id) => {
                let stale = stale.entry(word.incident_id.clone()).or_insert(0);
                *stale += 1;
                if *stale <= 2 {
                    let last = approved_by_policy.iter().rposition(|(_, t)| *t == word.target);
                    approved_by_policy.remove(last.unwrap_or_else(|| unreachable!()));
                }
            }
            _ => {}
        }
    }
    prop_assert_eq!(opened.len(), story.saved.len());
    let plans: BTreeSet<&str> = story.applied.iter().map(|p| p.sha256.as_str()).collect();
    prop_assert_eq!(plans.len(), story.applied.len(), "a plan ran twice");
    let undone: BTreeSet<&str> = story.undone.iter().map(|p| p.sha256.as_str()).collect();
    prop_assert_eq!(undone.len(), story.undone.len(), "a plan was taken back twice");
    prop_assert!(undone.is_subset(&plans));
    if mode == Mode::ReadOnly || !elected {
        prop_assert!(story.applied.is_empty());
    }
    if mode != Mode::AutoHeal {
        prop_assert!(approved_by_policy.is_empty());
    }
    for (i, (at, target)) in approved_by_policy.iter().enumerate() {
        let before = &approved_by_policy[..i];
        let hour = before.iter().filter(|(b, _)| at.duration_since(*b) < seconds(3600)).count();
        prop_assert!(hour < 6, "seven plans within an hour");
        let soon =
            before.iter().any(|(b, other)| other == target && at.duration_since(*b) < seconds(300));
        prop_assert!(!soon, "{} twice within its cooldown", target);
    }
    Ok(())
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::ReadOnly),
        Just(Mode::Approve),
        Just(Mode::AutoHeal),
        Just(Mode::AutoHeal)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_story_breaks_the_rules(
        mode in mode(),
        elected in prop_oneof![9 => Just(true), 1 => Just(false)],
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut story = tell(mode, elected, &ops)?;
        check(&mut story, mode, elected)?;
        // Everything comes to rest once the engine is in sight: nothing is fixed, verified or
        // thought about for ever.
        happen(&mut story, &Op::Degraded(false));
        story.pass(seconds(2400));
        for incident in story.open() {
            prop_assert!(
                matches!(
                    incident.state,
                    IncidentState::Escalated | IncidentState::AwaitingApproval
                ),
                "{} is still {}: {:#?}", incident.id, incident.state, incident.timeline
            );
        }
    }

    #[test]
    fn the_same_story_is_told_the_same_way(
        mode in mode(),
        ops in prop::collection::vec(op(), 1..50),
    ) {
        let first = tell(mode, true, &ops)?;
        let second = tell(mode, true, &ops)?;
        let words = |s: &Story| -> Vec<String> {
            s.events.iter().map(|(at, e)| format!("{at} {e:?}")).collect()
        };
        prop_assert_eq!(words(&first), words(&second));
        prop_assert_eq!(first.saved, second.saved);
        prop_assert_eq!(first.audit, second.audit);
    }

    #[test]
    fn a_restart_in_the_middle_breaks_no_rule_either(
        ops in prop::collection::vec(op(), 1..40),
        more in prop::collection::vec(op(), 1..30),
    ) {
        let before = tell(Mode::AutoHeal, true, &ops)?;
        let mut after = before.restarted(settings(Mode::AutoHeal));
        for op in &more {
            happen(&mut after, op);
        }
        let ran: BTreeSet<&str> = before.applied.iter().map(|p| p.sha256.as_str()).collect();
        for plan in &after.applied {
            prop_assert!(!ran.contains(plan.sha256.as_str()), "a plan ran again after a restart");
        }
    }
}
