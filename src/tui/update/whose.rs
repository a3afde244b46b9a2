//! Whose logs are shown: one container's, those of the marked ones, a service's.

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::log_merge::MOST_MERGED;
use crate::tui::log_sources::Whose;
use crate::tui::message::Effect;
use crate::tui::state::State;
use crate::tui::update::logs;

/// The log from the list: that of the marked containers, if there are any.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let marked = marked(state);
    if marked.is_empty() {
        return if state.logs.whose == Whose::Marked { alone(state) } else { Vec::new() };
    }
    state.logs.merge(Whose::Marked, marked);
    logs::read(state)
}

/// One, marked, service: the next of them that there is.
pub(super) fn cycle(state: &mut State) -> Vec<Effect> {
    let marked = marked(state);
    let service = service_here(state);
    let together = service.as_ref().map(|s| of_service(state, s)).unwrap_or_default();
    let was = state.logs.whose.clone();
    state.jump = None;
    if was == Whose::One && !marked.is_empty() {
        state.logs.merge(Whose::Marked, marked);
    } else if !matches!(was, Whose::Service(_))
        && together.len() > 1
        && let Some(service) = service
    {
        state.logs.merge(Whose::Service(service), together);
    } else if was == Whose::One {
        state.toast(
            true,
            "Nothing to show together: mark containers with space, or choose a service of several.",
        );
        return Vec::new();
    } else {
        return alone(state);
    }
    logs::read(state)
}

/// Back to the log of the selected container.
fn alone(state: &mut State) -> Vec<Effect> {
    state.logs.turn_to(state.containers.item.clone());
    logs::read(state)
}

/// Containers of the service that came since join its log.
pub(super) fn join(state: &mut State) -> Vec<Effect> {
    let Whose::Service(service) = state.logs.whose.clone() else { return Vec::new() };
    let mut all: Vec<(ContainerId, String)> =
        state.logs.merged.iter().map(|n| (n.id.clone(), n.name.clone())).collect();
    let before = all.len();
    for (id, name) in of_service(state, &service) {
        if !all.iter().any(|(known, _)| known == &id) {
            all.push((id, name));
        }
    }
    if all.len() == before || before >= MOST_MERGED {
        return Vec::new();
    }
    state.logs.merge(Whose::Service(service), all);
    logs::read(state)
}

fn marked(state: &State) -> Vec<(ContainerId, String)> {
    named(state, |v| state.marks.contains(&v.container.of.id))
}

fn of_service(state: &State, service: &str) -> Vec<(ContainerId, String)> {
    named(state, |v| v.container.of.service == service)
}

fn named(state: &State, wanted: impl Fn(&ContainerView) -> bool) -> Vec<(ContainerId, String)> {
    let views = state.snapshot.containers.iter().filter(|v| wanted(v));
    views.map(|v| (v.container.of.id.clone(), v.container.of.name.clone())).collect()
}

fn service_here(state: &State) -> Option<String> {
    let id = container_here(state)?;
    Some(state.container(&id)?.container.of.service.clone())
}

/// The container that the log is about here: of several that of the current line.
pub(super) fn container_here(state: &State) -> Option<ContainerId> {
    if state.logs.merged.is_empty() {
        return state.logs.container.clone();
    }
    let line = state.logs.current().map(|e| e.line.container.clone());
    line.or_else(|| state.logs.container.clone())
}
