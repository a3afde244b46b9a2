//! What the lists show, in order: the one place that view and update ask.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use sentinel_core::domain::container::{Health, RunState};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{FixState, Plan};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::groups::{self, Line};
use crate::tui::look::Grouping;
use crate::tui::rows::past;
use crate::tui::state::{Sort, State};
use crate::tui::status;
use crate::tui::terms::Terms;

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

/// Containers as listed: those that can be selected, in their order.
pub fn containers(state: &State) -> Vec<&ContainerView> {
    if state.look.grouping == Grouping::Off {
        return sorted_containers(state);
    }
    lines(state).iter().filter_map(groups::selects).collect()
}

/// Containers in the order of the list, before they are put together.
pub fn sorted_containers(state: &State) -> Vec<&ContainerView> {
    let touched = touched(state);
    let mut rows: Vec<&ContainerView> =
        state.snapshot.containers.iter().filter(|v| is_shown(state, v)).collect();
    let name =
        |a: &&ContainerView, b: &&ContainerView| a.container.of.name.cmp(&b.container.of.name);
    match state.sort {
        Sort::Name => rows.sort_by(name),
        Sort::Worst => rows.sort_by_key(|v| {
            let name = v.container.of.name.as_str();
            (trouble(v), Reverse(touched.get(name).copied()), name)
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

/// The lines of the list of containers: these, and what stands above or for them in groups.
pub fn lines(state: &State) -> Vec<Line<'_>> {
    groups::lines(&state.look, sorted_containers(state))
}

/// How many lines the list of containers has.
pub fn count_lines(state: &State) -> usize {
    if state.look.grouping == Grouping::Off {
        return shown_containers(state);
    }
    lines(state).len()
}

/// How many containers are listed, by themselves or in a group.
pub fn shown_containers(state: &State) -> usize {
    state.snapshot.containers.iter().filter(|v| is_shown(state, v)).count()
}

fn is_shown(state: &State, view: &ContainerView) -> bool {
    let labels =
        || view.container.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    !(state.look.running_only && has_ended_well(view))
        && state
            .containers
            .filter
            .as_ref()
            .is_none_or(|f| f.accepts_labelled(&searchable(view), labels()))
}

/// Whether it is down and nothing is wrong with that.
fn has_ended_well(view: &ContainerView) -> bool {
    matches!(view.container.state, RunState::Created | RunState::Exited) && is_well(view)
}

/// How many containers are left out because they ended as they should.
pub fn hidden_ended(state: &State) -> usize {
    let hidden = |v: &&ContainerView| state.look.running_only && has_ended_well(v);
    state.snapshot.containers.iter().filter(hidden).count()
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

/// Fields that a filter of incidents knows.
pub const INCIDENT_FIELDS: &[&str] = &["state", "class", "service", "severity"];

/// Incidents as listed: open ones first, newest first within each.
pub fn incidents(state: &State) -> Vec<&Arc<Incident>> {
    let mut rows: Vec<&Arc<Incident>> = wanted_incidents(state).collect();
    rows.sort_by_key(|i| (i.state.is_closed(), Reverse(i.opened_at)));
    rows
}

/// How many incidents are listed.
pub fn shown_incidents(state: &State) -> usize {
    wanted_incidents(state).count()
}

fn wanted_incidents(state: &State) -> impl Iterator<Item = &Arc<Incident>> {
    let terms = state.listings.incident_terms.as_ref();
    let all = state.snapshot.incidents.iter().chain(past::beyond(state));
    all.filter(move |i| terms.is_none_or(|t| is_wanted(i, t)))
}

fn is_wanted(incident: &Incident, terms: &Terms) -> bool {
    let i = incident;
    let value = |field: &str| match field {
        "state" => {
            let open = if i.state.is_closed() { "closed" } else { "open" };
            vec![open.to_owned(), i.state.to_string()]
        }
        "class" => vec![i.class.to_string()],
        "service" => vec![i.service().to_owned(), i.container.name.clone(), i.root.clone()],
        _ => vec![i.severity.to_string()],
    };
    terms.accepts(value, &format!("{} {} {} {} {}", i.id, i.service(), i.class, i.state, i.title))
}

/// Plans that wait for a decision or are being carried out, the one that lapses first on top.
pub fn fixes(state: &State) -> Vec<(&Arc<Incident>, &Plan)> {
    let mut rows: Vec<(&Arc<Incident>, &Plan)> = wanted_fixes(state).collect();
    rows.sort_by(|(i, a), (j, b)| {
        (!a.is_staged(), a.expires_at, &i.id).cmp(&(!b.is_staged(), b.expires_at, &j.id))
    });
    rows
}

/// How many plans are listed.
pub fn shown_fixes(state: &State) -> usize {
    wanted_fixes(state).count()
}

fn wanted_fixes(state: &State) -> impl Iterator<Item = (&Arc<Incident>, &Plan)> {
    let filter = state.fixes.filter.as_ref();
    let open = state.snapshot.incidents.iter().filter(|i| !i.state.is_closed());
    open.filter_map(|i| i.plan.as_ref().map(|p| (i, p)))
        .filter(|(_, p)| !p.steps.iter().all(|s| s.state.is_final()))
        .filter(move |(i, p)| {
            filter.is_none_or(|f| {
                let calls: Vec<&str> = p.steps.iter().map(|s| s.docker_line.as_str()).collect();
                f.accepts(&format!("{} {} {}", i.id, i.title, calls.join(" ")))
            })
        })
}

/// How many plans are staged.
pub fn staged_count(state: &State) -> usize {
    // What is put off waits for its time.
    let due = state.snapshot.incidents.iter().filter(|i| i.snoozed_until().is_none());
    due.filter_map(|i| i.plan.as_ref()).filter(|p| p.is_staged()).count()
}

/// How many plans wait for a decision that can be made here.
pub fn to_approve(state: &State) -> usize {
    if state.why_no_approval().is_some() { 0 } else { staged_count(state) }
}

/// How many incidents are open.
pub fn open_count(state: &State) -> usize {
    state.snapshot.incidents.iter().filter(|i| !i.state.is_closed()).count()
}

/// How many incidents are open of a service or container.
pub fn open_of(state: &State, name: &str) -> usize {
    let open = state.snapshot.incidents.iter().filter(|i| !i.state.is_closed());
    open.filter(|i| i.service() == name || i.container.name == name).count()
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
