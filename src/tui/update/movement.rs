//! Moving: within lists and pages, between panes, and from evidence to its line.

use std::sync::Arc;

use sentinel_core::domain::evidence::{Evidence, EvidenceKind};
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::Incident;

use crate::tui::layout::{Form, layout, room};
use crate::tui::lists;
use crate::tui::log_sources::Whose;
use crate::tui::message::Effect;
use crate::tui::pages;
use crate::tui::pane::Pane;
use crate::tui::state::{Jump, Selection, State, Subject};
use crate::tui::update::{logs, whose};

pub(super) fn step(state: &mut State, by: isize) -> Vec<Effect> {
    match state.focus {
        Pane::Logs => {
            let (rows, columns) = room(state, Pane::Logs);
            state.logs.step(by, rows, columns);
            Vec::new()
        }
        Pane::Inspector => {
            inspector_step(state, by);
            Vec::new()
        }
        Pane::Containers | Pane::Incidents | Pane::Fixes => {
            list(state, |row, _| row.saturating_add_signed(by))
        }
    }
}

/// Moves by a page, or by a part of it.
pub(super) fn page(state: &mut State, direction: isize, part: usize) -> Vec<Effect> {
    let (rows, columns) = room(state, state.focus);
    let by = direction * isize::try_from((rows / part).max(1)).unwrap_or(1);
    match state.focus {
        Pane::Logs => {
            state.logs.step(by, rows, columns);
            Vec::new()
        }
        Pane::Inspector => {
            scroll(state, by);
            Vec::new()
        }
        Pane::Containers | Pane::Incidents | Pane::Fixes => {
            list(state, |row, _| row.saturating_add_signed(by))
        }
    }
}

/// To the first or the last.
pub(super) fn end(state: &mut State, last: bool) -> Vec<Effect> {
    match state.focus {
        Pane::Logs if last => state.logs.stick(),
        Pane::Logs => {
            let (rows, columns) = room(state, Pane::Logs);
            state.logs.jump(0, rows, columns);
        }
        Pane::Inspector => {
            let far = isize::try_from(u32::MAX).unwrap_or(isize::MAX);
            scroll(state, if last { far } else { -far });
            if let Some(inspector) = state.inspector.as_mut() {
                inspector.chosen = None;
            }
        }
        Pane::Containers | Pane::Incidents | Pane::Fixes => {
            return list(state, |_, count| if last { count } else { 0 });
        }
    }
    Vec::new()
}

/// Moves the selection of the list with the focus.
fn list(state: &mut State, to: impl Fn(usize, usize) -> usize) -> Vec<Effect> {
    match state.focus {
        Pane::Containers => {
            let ids = container_ids(state);
            choose(&mut state.containers, &ids, to);
            follow_selection(state)
        }
        Pane::Incidents => {
            let ids = incident_ids(state);
            choose(&mut state.incidents, &ids, to);
            if let (Some(id), Some(inspector)) =
                (state.incidents.item.clone(), state.inspector.as_mut())
                && matches!(inspector.subject, Subject::Incident(_))
                && inspector.subject != Subject::Incident(id.clone())
            {
                // The inspector beside the list shows what the operator walks over.
                inspector.subject = Subject::Incident(id.clone());
                inspector.scroll = 0;
                inspector.chosen = None;
                return select_root(state, &id);
            }
            Vec::new()
        }
        Pane::Fixes => {
            let ids = fix_ids(state);
            choose(&mut state.fixes, &ids, to);
            Vec::new()
        }
        Pane::Logs | Pane::Inspector => Vec::new(),
    }
}

/// To a row of the list with the focus.
pub(super) fn select_row(state: &mut State, to: usize) -> Vec<Effect> {
    list(state, |_, _| to)
}

fn choose<T: Clone + PartialEq>(
    selection: &mut Selection<T>,
    ids: &[T],
    to: impl Fn(usize, usize) -> usize,
) {
    let last = ids.len().saturating_sub(1);
    selection.row = match selection.item.as_ref().and_then(|i| ids.iter().position(|x| x == i)) {
        Some(row) => to(row, last).min(last),
        // What was selected is not listed: the first press goes to its place.
        None => selection.row.min(last),
    };
    selection.item = ids.get(selection.row).cloned();
}

fn keep<T: Clone + PartialEq>(selection: &mut Selection<T>, ids: &[T]) {
    if let Some(row) = selection.item.as_ref().and_then(|i| ids.iter().position(|x| x == i)) {
        selection.row = row;
    } else {
        selection.row = selection.row.min(ids.len().saturating_sub(1));
        selection.item = ids.get(selection.row).cloned();
    }
}

fn container_ids(state: &State) -> Vec<ContainerId> {
    lists::containers(state).iter().map(|v| v.container.of.id.clone()).collect()
}

fn incident_ids(state: &State) -> Vec<IncidentId> {
    lists::incidents(state).iter().map(|i| i.id.clone()).collect()
}

fn fix_ids(state: &State) -> Vec<IncidentId> {
    lists::fixes(state).iter().map(|(i, _)| i.id.clone()).collect()
}

/// Every selection stays with its item; where that is gone, with its place.
pub(super) fn keep_selections(state: &mut State) -> Vec<Effect> {
    let ids = container_ids(state);
    keep(&mut state.containers, &ids);
    let ids = incident_ids(state);
    keep(&mut state.incidents, &ids);
    let waits = state.fixes.item.as_ref().and_then(|id| state.incident(id));
    // While it is planned anew there is nothing to select, but nothing else takes its place.
    let waits = waits.is_some_and(|i| !i.state.is_closed()) && state.fixes.filter.is_none();
    let ids = fix_ids(state);
    if !waits || state.fixes.item.as_ref().is_some_and(|id| ids.contains(id)) {
        keep(&mut state.fixes, &ids);
    }
    follow_selection(state)
}

/// The log pane shows the selected container.
fn follow_selection(state: &mut State) -> Vec<Effect> {
    if state.logs.container == state.containers.item {
        return whose::join(state);
    }
    if state.logs.whose == Whose::Marked {
        // What was marked stays in view while the operator looks around.
        state.logs.container = state.containers.item.clone();
        return Vec::new();
    }
    state.logs.turn_to(state.containers.item.clone());
    state.jump = None;
    logs::read(state)
}

/// The log beside an incident is that of its root.
pub(super) fn select_root(state: &mut State, id: &IncidentId) -> Vec<Effect> {
    let root = state.incident(id).map(|i| i.root.clone());
    let view =
        root.and_then(|name| state.container_named(&name).map(|v| v.container.of.id.clone()));
    match view {
        Some(id) => select_container(state, id),
        None => Vec::new(),
    }
}

/// Selects a container, past a filter that hides it.
pub(super) fn select_container(state: &mut State, id: ContainerId) -> Vec<Effect> {
    state.containers.item = Some(id);
    let ids = container_ids(state);
    if !state.containers.item.as_ref().is_some_and(|i| ids.contains(i)) {
        state.containers.filter = None;
    }
    keep_selections(state)
}

pub(super) fn go(state: &mut State, pane: Pane) -> Vec<Effect> {
    if pane == Pane::Inspector && state.inspector.is_none() {
        state.toast(false, "Nothing is being inspected yet: select something and press i.");
        return Vec::new();
    }
    state.focus = pane;
    settle(state);
    Vec::new()
}

pub(super) fn cycle(state: &mut State, forward: bool) -> Vec<Effect> {
    let panes: Vec<Pane> = Pane::ALL
        .into_iter()
        .filter(|p| *p != Pane::Inspector || state.inspector.is_some())
        .collect();
    let at = panes.iter().position(|p| *p == state.focus).unwrap_or(0);
    let next = if forward { at + 1 } else { at + panes.len() - 1 } % panes.len();
    if let Some(pane) = panes.get(next) {
        state.focus = *pane;
    }
    settle(state);
    Vec::new()
}

/// After the geometry changed: what is scrolled stays within its bounds.
pub(super) fn settle(state: &mut State) {
    if layout(state).form == Form::TooSmall {
        return;
    }
    let (rows, columns) = room(state, Pane::Logs);
    state.logs.reveal(rows, columns);
    scroll(state, 0);
}

/// The incident of the selected fix.
pub(super) fn fix_incident(state: &State) -> Option<IncidentId> {
    let id = state.fixes.item.as_ref()?;
    lists::fixes(state).into_iter().find(|(i, _)| &i.id == id).map(|(i, _)| i.id.clone())
}

fn scroll(state: &mut State, by: isize) {
    if state.inspector.is_none() {
        return;
    }
    let (rows, columns) = room(state, Pane::Inspector);
    let lines = pages::inspected(state, columns).lines.len();
    if let Some(inspector) = state.inspector.as_mut() {
        let most = lines.saturating_sub(rows);
        inspector.scroll = inspector.scroll.saturating_add_signed(by).min(most);
    }
}

/// One line on, or to the next piece of evidence if that is in view: as in a text browser.
fn inspector_step(state: &mut State, by: isize) {
    let (rows, columns) = room(state, Pane::Inspector);
    let page = pages::inspected(state, columns);
    let Some(inspector) = state.inspector.as_mut() else { return };
    let view = inspector.scroll..inspector.scroll + rows;
    let next = match inspector.chosen {
        Some(at) => at.checked_add_signed(by),
        None if by > 0 => page.stops.iter().position(|l| view.contains(l)),
        None => page.stops.iter().rposition(|l| view.contains(l)),
    };
    if let Some(at) = next
        && page.stops.get(at).is_some_and(|line| view.contains(line))
    {
        inspector.chosen = Some(at);
        return;
    }
    let most = page.lines.len().saturating_sub(rows);
    let before = inspector.scroll;
    inspector.scroll = before.saturating_add_signed(by).min(most);
    let view = inspector.scroll..inspector.scroll + rows;
    if let Some(at) = inspector.chosen
        && (!page.stops.get(at).is_some_and(|line| view.contains(line))
            || before == inspector.scroll)
    {
        inspector.chosen = None;
    }
}

fn pieces(state: &State) -> Vec<Evidence> {
    state
        .inspected_incident()
        .and_then(|i| i.diagnosis.as_ref())
        .map(|d| d.evidence.clone())
        .unwrap_or_default()
}

/// The first piece of evidence that is a log line.
pub(super) fn first_log_evidence(state: &mut State) -> Vec<Effect> {
    match pieces(state).iter().position(|e| e.kind == EvidenceKind::Log) {
        Some(at) => evidence(state, at),
        None => Vec::new(),
    }
}

/// To the piece of evidence at a place of the page.
pub(super) fn evidence(state: &mut State, at: usize) -> Vec<Effect> {
    let Some(piece) = pieces(state).into_iter().nth(at) else { return Vec::new() };
    if let Some(inspector) = state.inspector.as_mut() {
        inspector.chosen = Some(at);
    }
    to_evidence(state, piece)
}

/// To the log line that a piece is, or to its words.
pub(super) fn to_evidence(state: &mut State, piece: Evidence) -> Vec<Effect> {
    if piece.kind != EvidenceKind::Log {
        state.toast(true, format!("{}: {}", piece.container, piece.excerpt));
        return Vec::new();
    }
    let by_address = piece.line.as_ref().map(|l| l.container.clone());
    let target = by_address
        .filter(|id| state.container(id).is_some())
        .or_else(|| state.container_named(&piece.container).map(|v| v.container.of.id.clone()));
    let Some(container) = target else {
        state.toast(false, format!("{} is gone, and its log with it.", piece.container));
        return Vec::new();
    };
    if !state.logs.merged.is_empty() || state.logs.past.detached {
        // The line is in the log of its container, as it is in memory.
        state.logs.turn_to(None);
    }
    let mut effects = select_container(state, container);
    state.jump =
        Some(Jump { seq: piece.line.map(|l| l.seq), at: piece.ts, excerpt: piece.excerpt });
    state.focus = Pane::Logs;
    if effects.is_empty() {
        // What came while the log was out of sight is read first.
        effects = logs::read(state);
    }
    effects
}

/// Chooses the next or previous piece of evidence and scrolls to it.
pub(super) fn choose_evidence(state: &mut State, by: isize) {
    if state.listing().is_some() {
        // Rows are chosen by moving.
        return;
    }
    let (rows, columns) = room(state, Pane::Inspector);
    let page = pages::inspected(state, columns);
    let Some(inspector) = state.inspector.as_mut() else { return };
    let last = page.stops.len().saturating_sub(1);
    let next = match inspector.chosen {
        Some(at) => at.saturating_add_signed(by).min(last),
        None if by > 0 => 0,
        None => last,
    };
    let Some(line) = page.stops.get(next).copied() else {
        state.toast(false, "There is no evidence here.");
        return;
    };
    inspector.chosen = Some(next);
    if line < inspector.scroll || line >= inspector.scroll + rows {
        let most = page.lines.len().saturating_sub(rows);
        inspector.scroll = line.saturating_sub(rows / 3).min(most);
    }
}

/// The incident that the pane with the focus is about.
pub(super) fn incident_here(state: &State) -> Option<Arc<Incident>> {
    let incident = match state.focus {
        Pane::Incidents => state.incidents.item.as_ref().and_then(|id| state.incident(id)),
        Pane::Inspector => state.inspected_incident(),
        Pane::Fixes => return fix_incident(state).and_then(|id| state.incident(&id).cloned()),
        Pane::Containers | Pane::Logs => None,
    };
    incident.cloned()
}
