//! The hints of the last line: keys that do something here and now, and where each stands; asked
//! by the view that draws them and by the mouse that clicks them.

use std::ops::Range;

use sentinel_core::domain::plan::Plan;
use sentinel_core::domain::snapshot::Mode;

use crate::tui::action::Action;
use crate::tui::listing::Listing;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::rows::tools;
use crate::tui::state::State;
use crate::tui::styled::Styled;

/// What can be done with a plan besides yes and no.
const SHAPES: [(Action, &str); 2] = [(Action::EditFix, "edit"), (Action::Grant, "allow")];

/// A hint at its place.
#[derive(Clone, Debug)]
pub struct Hint {
    /// What it does.
    pub action: Action,
    /// Its columns, from the left edge.
    pub columns: Range<usize>,
    /// How it is written.
    pub line: Styled,
}

/// As many hints as fit, and the help's at the right edge.
pub fn placed(state: &State, width: usize) -> Vec<Hint> {
    let place = |action, line: Styled, start: usize| {
        let columns = start..start + line.width();
        Hint { action, columns, line }
    };
    let help = hint(state, Action::Help, "help");
    let room = width.saturating_sub(help.width() + 2);
    let mut list = Vec::new();
    let mut at = 1;
    for (action, word) in hints(state) {
        let line = hint(state, action, word);
        if at + line.width() + 2 > room {
            break;
        }
        let next = at + line.width() + 2;
        list.push(place(action, line, at));
        at = next;
    }
    let at = at.max(width.saturating_sub(help.width() + 1));
    list.push(place(Action::Help, help, at));
    list
}

fn hint(state: &State, action: Action, word: &str) -> Styled {
    match state.keymap.key_for(state.context(), action) {
        Some(key) => Styled::of(Role::Key, key.to_string()).and(Role::KeyText, format!(" {word}")),
        None => Styled::new(),
    }
}

/// Only what does something where the operator stands, most useful first.
fn hints(state: &State) -> Vec<(Action, &'static str)> {
    let mut list = Vec::new();
    if matches!(state.focus, Pane::Containers | Pane::Logs) {
        list.extend(trouble(state));
    }
    match state.focus {
        Pane::Containers => {
            if !state.snapshot.containers.is_empty() {
                list.extend([
                    (Action::Logs, "logs"),
                    (Action::Inspect, "inspect"),
                    (Action::Ask, "ask"),
                    (Action::Sort, "sort"),
                ]);
            }
            list.push((Action::Search, "filter"));
        }
        Pane::Incidents => {
            if let Some(incident) = state.incidents.item.as_ref().and_then(|i| state.incident(i)) {
                list.extend([
                    (Action::Open, "inspect"),
                    (Action::Ask, "ask"),
                    (Action::Logs, "logs of root"),
                ]);
                if !incident.state.is_closed() && !state.is_read_only() {
                    list.push((Action::Dismiss, "dismiss"));
                }
            }
            list.push((Action::Search, "filter"));
        }
        Pane::Fixes => {
            if !lists::fixes(state).is_empty() {
                if lists::to_approve(state) > 0 {
                    list.extend([(Action::Approve, "approve"), (Action::Reject, "reject")]);
                }
                list.push((Action::Open, "inspect"));
                if lists::to_approve(state) > 0 {
                    list.extend(SHAPES);
                    list.push((Action::DryRun, "dry run"));
                }
                if state.why_no_approval().is_none() {
                    list.push((Action::SnoozeFix, "put off"));
                }
            }
        }
        Pane::Logs => {
            list.extend([(Action::Search, "search"), (Action::Filter, "filter")]);
            if state.logs.search.is_some() {
                list.extend([(Action::NextMatch, "next"), (Action::PreviousMatch, "previous")]);
            }
            list.extend([(Action::NextError, "error"), (Action::LevelFilter, "level")]);
            list.push((Action::LogRange, "since"));
            if !state.logs.follow {
                list.push((Action::Bottom, "follow"));
            }
            list.extend([(Action::Wrap, "wrap"), (Action::Times, "time"), (Action::Copy, "copy")]);
            list.push((Action::WhoseLog, "whose"));
        }
        Pane::Inspector => list = inspector(state),
    }
    let top = state.focus == Pane::Containers && state.inspector.is_none() && !state.zoom;
    if !top {
        list.push((Action::Back, "back"));
    }
    list.extend([
        (Action::NextPane, "pane"),
        (Action::Zoom, if state.zoom { "unzoom" } else { "zoom" }),
    ]);
    if state.menu.is_some() {
        list.push((Action::Menu, "faults"));
    }
    if top {
        list.push((Action::Leave, "quit"));
    }
    if state.snapshot.brakes.halt.is_some() {
        list.push((Action::Halt, "release kill switch"));
    } else if state.snapshot.mode == Mode::AutoHeal {
        list.push((Action::Halt, "kill switch"));
    }
    if quiet::service(state).is_some() && !state.shows_quiet() {
        list.push((Action::Silence, "silence"));
    }
    if !state.snapshot.suppressed.is_empty() && !state.shows_quiet() {
        list.push((Action::Quiet, "left alone"));
    }
    if state.focus == Pane::Incidents && !state.listings.past.ended {
        list.push((Action::Bottom, "earlier"));
    }
    list
}

/// The way to what needs somebody, from where it cannot be seen in full.
fn trouble(state: &State) -> impl Iterator<Item = (Action, &'static str)> {
    let open = state.snapshot.incidents.iter().any(|i| !i.state.is_closed());
    let waits = lists::to_approve(state) > 0;
    let incident = open.then_some((Action::GoIncidents, "incident"));
    incident.into_iter().chain(waits.then_some((Action::GoFixes, "fix")))
}

/// The same on a page of the inspector.
fn inspector(state: &State) -> Vec<(Action, &'static str)> {
    let mut list = Vec::new();
    if let Some(listing) = state.listing() {
        list.extend([(Action::Open, "open"), (Action::Search, "filter")]);
        if listing == Listing::Patterns {
            list.extend([(Action::Sort, "sort"), (Action::WholeFleet, "all, one")]);
        }
        if matches!(listing, Listing::Patterns | Listing::Events) {
            list.push((Action::Logs, "logs"));
        }
        return list;
    }
    if let Some((listing, key)) = state.listing_row() {
        match listing {
            Listing::Patterns => list.extend([(Action::Open, "its line"), (Action::Logs, "logs")]),
            Listing::Tools if tools::at(state, key).is_some_and(tools::is_callable) => {
                list.push((Action::Open, "call"));
            }
            Listing::Tools | Listing::Audit | Listing::Events => {}
        }
        return list;
    }
    if let Some(incident) = state.inspected_incident() {
        let staged = incident.plan.as_ref().is_some_and(Plan::is_staged);
        if staged && lists::to_approve(state) > 0 {
            list.extend([(Action::Approve, "approve"), (Action::Reject, "reject")]);
            list.extend(SHAPES);
            list.push((Action::DryRunInspected, "dry run"));
        }
        let evidence = incident.diagnosis.as_ref().map_or(0, |d| d.evidence.len());
        if evidence > 0 {
            list.push((Action::Open, "evidence"));
        }
        let applied = incident.plan.as_ref().is_some_and(Plan::can_undo);
        if applied && state.why_no_approval().is_none() {
            list.push((Action::Undo, "take back"));
        }
        if !incident.state.is_closed() && !state.is_read_only() {
            list.push((Action::Dismiss, "dismiss"));
        }
    }
    if !state.shows_quiet() {
        list.push((Action::Ask, "ask"));
    }
    if state.shows_quiet() && !quiet::rows(state).is_empty() {
        list.push((Action::Open, "container"));
        if quiet::grants(state).next().is_some() {
            list.push((Action::Grant, "end grant"));
        }
        // What this page is for does not wait behind the rest.
        list.push((Action::Silence, "silence, end"));
    }
    list.extend([(Action::Logs, "logs"), (Action::Copy, "copy")]);
    if state.inspected_incident().is_some() {
        list.push((Action::Postmortem, "postmortem"));
    }
    list
}
