//! What an action does where the operator stands, whether a key, the palette or a click asks.

use sentinel_core::report::{markdown, postmortem};

use crate::tui::action::Action;
use crate::tui::listing::Listing;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::pane::Pane;
use crate::tui::state::{Inspector, PromptKind, State, Subject};
use crate::tui::update::{
    decide, earlier, form, listing, logs, looks, marks, movement, prompts, shaping, silence, talk,
    whose,
};

/// Does what an action means where the operator stands.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let (Action::Open, Pane::Inspector, Some((Listing::Tools, key))) =
        (action, state.focus, state.listing_row())
    {
        form::open(state, key);
        return Vec::new();
    }
    if let Some(effects) = listing::act(state, action) {
        return effects;
    }
    let mut effects = act_in_pane(state, action);
    if action.moves() {
        effects.extend(earlier::earlier_incidents(state));
    }
    effects
}

/// The same where no list is meant.
fn act_in_pane(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Up => movement::step(state, -1),
        Action::Down => movement::step(state, 1),
        Action::HalfUp => movement::page(state, -1, 2),
        Action::HalfDown => movement::page(state, 1, 2),
        Action::PageUp => movement::page(state, -1, 1),
        Action::PageDown => movement::page(state, 1, 1),
        Action::Top => movement::end(state, false),
        Action::Bottom => movement::end(state, true),
        Action::NextPane => movement::cycle(state, true),
        Action::PreviousPane => movement::cycle(state, false),
        Action::GoContainers => movement::go(state, Pane::Containers),
        Action::GoIncidents => movement::go(state, Pane::Incidents),
        Action::GoFixes => movement::go(state, Pane::Fixes),
        Action::GoLogs => movement::go(state, Pane::Logs),
        Action::GoInspector => movement::go(state, Pane::Inspector),
        Action::Open => open(state),
        Action::Inspect => inspect(state),
        Action::Logs => logs_of_this(state),
        Action::Back => back(state).unwrap_or_default(),
        Action::Leave => back(state).unwrap_or_else(|| {
            decide::ask_to_quit(state);
            Vec::new()
        }),
        Action::Quit => {
            state.quit = true;
            Vec::new()
        }
        Action::NextEvidence => {
            movement::choose_evidence(state, 1);
            Vec::new()
        }
        Action::PreviousEvidence => {
            movement::choose_evidence(state, -1);
            Vec::new()
        }
        Action::Suspend => vec![Effect::Suspend],
        Action::Palette => modal(state, Modal::Palette(Box::default())),
        Action::Mouse => toggle_mouse(state),
        Action::Help => modal(state, Modal::Help { scroll: 0 }),
        Action::Zoom => {
            state.zoom = !state.zoom;
            movement::settle(state);
            Vec::new()
        }
        Action::Redraw => {
            state.redraw = true;
            Vec::new()
        }
        Action::Search => {
            prompts::search(state);
            Vec::new()
        }
        Action::Filter => {
            prompts::open(state, PromptKind::Filter);
            Vec::new()
        }
        Action::Menu => match &state.menu {
            Some(_) => modal(state, Modal::Menu { cursor: 0 }),
            None => Vec::new(),
        },
        Action::Sort => {
            state.sort = state.sort.next();
            Vec::new()
        }
        Action::SortReverse => {
            state.reverse = !state.reverse;
            Vec::new()
        }
        Action::Approve => {
            decide::approve(state);
            Vec::new()
        }
        Action::Reject => {
            decide::reject(state);
            Vec::new()
        }
        Action::Dismiss => {
            decide::dismiss(state);
            Vec::new()
        }
        Action::Undo => {
            decide::undo(state);
            Vec::new()
        }
        Action::Ask => talk::open(state),
        Action::Postmortem => postmortem(state),
        Action::Halt => {
            decide::halt(state);
            Vec::new()
        }
        Action::Silence => {
            silence::open(state);
            Vec::new()
        }
        Action::Quiet => silence::show(state),
        other => shaping::act(state, other).unwrap_or_else(|| looks::act(state, other)),
    }
}

fn modal(state: &mut State, modal: Modal) -> Vec<Effect> {
    state.modal = Some(Open::new(modal));
    Vec::new()
}

/// Writes down what is known of the incident here.
fn postmortem(state: &mut State) -> Vec<Effect> {
    let Some(incident) = movement::incident_here(state) else {
        state.toast(false, "Choose an incident: its postmortem is written.");
        return Vec::new();
    };
    let written = postmortem::write(&incident, &state.snapshot.past);
    let document = markdown::write(&written);
    vec![Effect::Keep { incident: incident.id.clone(), document }]
}

/// Enter: one level deeper.
fn open(state: &mut State) -> Vec<Effect> {
    match state.focus {
        Pane::Containers => logs_of_this(state),
        Pane::Incidents | Pane::Fixes => inspect(state),
        Pane::Logs => {
            logs::open(state);
            Vec::new()
        }
        Pane::Inspector if state.shows_quiet() => silence::enter(state),
        Pane::Inspector => {
            let chosen = state.inspector.as_ref().and_then(|i| i.chosen);
            match chosen {
                Some(at) => movement::evidence(state, at),
                None => movement::first_log_evidence(state),
            }
        }
    }
}

fn inspect(state: &mut State) -> Vec<Effect> {
    let subject = match state.focus {
        Pane::Containers => state.containers.item.clone().map(Subject::Container),
        Pane::Logs => whose::container_here(state).map(Subject::Container),
        Pane::Incidents => state.incidents.item.clone().map(Subject::Incident),
        Pane::Fixes => movement::fix_incident(state).map(Subject::Incident),
        Pane::Inspector => None,
    };
    let Some(subject) = subject else { return Vec::new() };
    let from = state.focus;
    let effects = match &subject {
        Subject::Incident(id) => movement::select_root(state, id),
        _ => Vec::new(),
    };
    state.inspector = Some(Inspector { subject, scroll: 0, chosen: None, from });
    state.focus = Pane::Inspector;
    effects
}

/// The log of what is selected: a container's own, an incident's root's.
fn logs_of_this(state: &mut State) -> Vec<Effect> {
    let incident = match state.focus {
        Pane::Incidents => state.incidents.item.clone(),
        Pane::Fixes => movement::fix_incident(state),
        Pane::Inspector => match state.inspector.as_ref().map(|i| i.subject.clone()) {
            Some(Subject::Container(id)) => {
                state.focus = Pane::Logs;
                return movement::select_container(state, id);
            }
            Some(Subject::Incident(id)) => Some(id),
            Some(Subject::Quiet | Subject::Doctor | Subject::Listing(_) | Subject::Row(..)) => {
                state.focus = Pane::Logs;
                return Vec::new();
            }
            None => None,
        },
        Pane::Containers => {
            state.focus = Pane::Logs;
            return whose::open(state);
        }
        Pane::Logs => return Vec::new(),
    };
    let root = incident
        .and_then(|id| state.incident(&id).map(|i| i.root.clone()))
        .and_then(|name| state.container_named(&name).map(|v| v.container.of.id.clone()));
    if let Some(id) = root {
        state.focus = Pane::Logs;
        movement::select_container(state, id)
    } else {
        state.toast(false, "That container is gone, and its log with it.");
        Vec::new()
    }
}

/// One level back; `None` if this is the top.
fn back(state: &mut State) -> Option<Vec<Effect>> {
    if let Some(effects) = prompts::clear(state) {
        return Some(effects);
    }
    if marks::clear(state) {
        return Some(Vec::new());
    }
    if state.zoom {
        state.zoom = false;
        movement::settle(state);
        return Some(Vec::new());
    }
    if state.focus == Pane::Inspector && state.uncover() {
        movement::settle(state);
        return Some(Vec::new());
    }
    match state.focus {
        Pane::Inspector => {
            let from = state.inspector.take().map_or(Pane::Containers, |i| i.from);
            state.focus = if from == Pane::Inspector { Pane::Containers } else { from };
        }
        // From a log that was reached through evidence, back to the evidence.
        Pane::Logs if state.inspector.is_some() => state.focus = Pane::Inspector,
        Pane::Containers if state.inspector.is_some() => state.inspector = None,
        Pane::Containers => return None,
        Pane::Incidents | Pane::Fixes | Pane::Logs => state.focus = Pane::Containers,
    }
    Some(Vec::new())
}

/// Listens to the mouse, or does not.
fn toggle_mouse(state: &mut State) -> Vec<Effect> {
    state.mouse = !state.mouse;
    let words = if state.mouse {
        "The mouse is on: hold shift to select text."
    } else {
        "The mouse is off: it selects text."
    };
    state.toast(true, words);
    vec![Effect::Mouse(state.mouse)]
}
