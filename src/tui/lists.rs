//! What the lists show, in order: the one place that view and update ask.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use sentinel_core::domain::container::{Health, RunState};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{FixState, Plan};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::pattern::Pattern;
use crate::tui::state::{Sort, State};
use crate::tui::status;

/// How an open incident touches a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// It suffers from one elsewhere.
    Affected,
    /// It is the root, or where it was opened.
    Root(Severity),
}

/// Containers that open incidents touch, by name.
pub fn touched(state: &State) -> HashMap<&str, Touched> {
    let mut map: HashMap<&str, Touched> = HashMap::new();
    for incident in state.snapshot.incidents.iter().filter(|i| !i.state.is_closed()) {
        let own = [incident.root.as_str(), incident.container.name.as_str()];
        let entries = own
            .into_iter()
            .map(|n| (n, Touched::Root(incident.severity)))
            .chain(incident.affected.iter().map(|n| (n.as_str(), Touched::Affected)));
        for (name, touch) in entries {
            let slot = map.entry(name).or_insert(touch);
            *slot = (*slot).max(touch);
        }
    }
    map
}

/// Containers as listed.
pub fn containers(state: &State) -> Vec<&ContainerView> {
    let touched = touched(state);
    let mut rows: Vec<&ContainerView> = state
        .snapshot
        .containers
        .iter()
        .filter(|v| wanted(state.containers.filter.as_ref(), &searchable(v)))
        .collect();
    let name =
        |a: &&ContainerView, b: &&ContainerView| a.container.of.name.cmp(&b.container.of.name);
    match state.sort {
        Sort::Name => rows.sort_by(name),
        Sort::Worst => rows.sort_by_key(|v| {
            let touch = touched.get(v.container.of.name.as_str()).copied();
            (trouble(v), Reverse(touch), v.container.of.name.clone())
        }),
        Sort::Cpu => rows.sort_by(|a, b| {
            let cpu = |v: &ContainerView| v.usage.as_ref().map_or(-1.0, |u| u.cpu_pct);
            cpu(b).partial_cmp(&cpu(a)).unwrap_or(Ordering::Equal).then_with(|| name(a, b))
        }),
        Sort::Memory => rows.sort_by(|a, b| {
            let memory = |v: &ContainerView| v.usage.as_ref().map_or(0, |u| u.mem_used);
            memory(b).cmp(&memory(a)).then_with(|| name(a, b))
        }),
        Sort::Restarts => rows.sort_by(|a, b| {
            let count = |v: &ContainerView| v.container.restart_count + v.deaths;
            count(b).cmp(&count(a)).then_with(|| name(a, b))
        }),
    }
    if state.reverse {
        rows.reverse();
    }
    rows
}

/// Lower is worse. Only what changes seldom counts, so that rows do not dance.
fn trouble(view: &ContainerView) -> u8 {
    let container = &view.container;
    if status::is_failed(container) {
        return 0;
    }
    match (container.state, container.health) {
        (RunState::Running, Health::Unhealthy) => 1,
        (RunState::Restarting, _) => 2,
        (RunState::Paused | RunState::Removing, _) | (RunState::Running, Health::Starting) => 3,
        (RunState::Running, Health::None | Health::Healthy) => 4,
        (RunState::Created | RunState::Exited | RunState::Dead, _) => 5,
    }
}

fn searchable(view: &ContainerView) -> String {
    let c = &view.container;
    format!("{} {} {} {} {}", c.of.name, c.of.service, c.image, c.state, c.health.as_str())
}

/// Incidents as listed: open ones first, newest first within each.
pub fn incidents(state: &State) -> Vec<&Arc<Incident>> {
    let mut rows: Vec<&Arc<Incident>> = state
        .snapshot
        .incidents
        .iter()
        .filter(|i| {
            let text = format!("{} {} {} {} {}", i.id, i.service(), i.class, i.state, i.title);
            wanted(state.incidents.filter.as_ref(), &text)
        })
        .collect();
    rows.sort_by(|a, b| {
        (a.state.is_closed(), Reverse(a.opened_at))
            .cmp(&(b.state.is_closed(), Reverse(b.opened_at)))
    });
    rows
}

/// Plans that wait for a decision or are being carried out, the one that lapses first on top.
pub fn fixes(state: &State) -> Vec<(&Arc<Incident>, &Plan)> {
    let mut rows: Vec<(&Arc<Incident>, &Plan)> = state
        .snapshot
        .incidents
        .iter()
        .filter(|i| !i.state.is_closed())
        .filter_map(|i| i.plan.as_ref().map(|p| (i, p)))
        .filter(|(_, p)| !p.steps.iter().all(|s| s.state.is_final()))
        .filter(|(i, p)| {
            let calls: Vec<&str> = p.steps.iter().map(|s| s.docker_line.as_str()).collect();
            let text = format!("{} {} {}", i.id, i.title, calls.join(" "));
            wanted(state.fixes.filter.as_ref(), &text)
        })
        .collect();
    rows.sort_by_key(|(i, p)| (!p.is_staged(), p.expires_at, i.id.clone()));
    rows
}

/// How many plans wait for a decision.
pub fn staged_count(state: &State) -> usize {
    state
        .snapshot
        .incidents
        .iter()
        .filter_map(|i| i.plan.as_ref())
        .filter(|p| p.is_staged())
        .count()
}

/// How many incidents are open.
pub fn open_count(state: &State) -> usize {
    state.snapshot.incidents.iter().filter(|i| !i.state.is_closed()).count()
}

/// Whether a container is as it should be: not broken, not said to be ill. One that ended as it
/// should is well.
pub fn is_well(view: &ContainerView) -> bool {
    let c = &view.container;
    !status::is_failed(c) && c.health != Health::Unhealthy && c.state != RunState::Restarting
}

/// The step of a plan that a row shows: the first that is not done.
pub fn current_step(plan: &Plan) -> usize {
    plan.steps
        .iter()
        .position(|s| !matches!(s.state, FixState::Applied))
        .unwrap_or(plan.steps.len().saturating_sub(1))
}

fn wanted(filter: Option<&Pattern>, text: &str) -> bool {
    filter.is_none_or(|f| f.accepts(text))
}
