//! The four lists: opening and leaving them, moving in them, going deeper, and what comes for them.

use std::time::Duration;

use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::ids::ContainerId;

use crate::tui::action::Action;
use crate::tui::glyphs::Glyphs;
use crate::tui::layout::room;
use crate::tui::listing::Listing;
use crate::tui::listing::look::{Look, Seen};
use crate::tui::listing::patterns::MOST_CONTAINERS;
use crate::tui::listing::tools::Outcome;
use crate::tui::message::Effect;
use crate::tui::pages::listing as page;
use crate::tui::pane::Pane;
use crate::tui::state::{State, Subject};
use crate::tui::terms::Terms;
use crate::tui::update::{doctor, earlier, movement};

/// A list in view whose data is in no snapshot is asked for again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// What an action means for the lists; `None`: nothing.
pub(super) fn act(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Patterns => return Some(open(state, Listing::Patterns)),
        Action::Events => return Some(open(state, Listing::Events)),
        Action::Audit => return Some(open(state, Listing::Audit)),
        Action::Tools => return Some(open(state, Listing::Tools)),
        Action::Doctor => return Some(doctor::open(state)),
        Action::WholeFleet => return Some(whole_fleet(state)),
        _ => {}
    }
    if state.focus != Pane::Inspector {
        return None;
    }
    let listing = state.listing().or_else(|| state.listing_row().map(|(listing, _)| listing));
    let Some(listing) = listing else {
        if action == Action::Sort {
            state.toast(false, "Sorting works in Containers and in the list of patterns.");
            return Some(Vec::new());
        }
        return None;
    };
    if let Some(of) = state.listing() {
        let rows = room(state, Pane::Inspector).0;
        let step = |part: usize| isize::try_from((rows / part).max(1)).unwrap_or(1);
        let by = match action {
            Action::Up => Some(-1),
            Action::Down => Some(1),
            Action::HalfUp => Some(-step(2)),
            Action::HalfDown => Some(step(2)),
            Action::PageUp => Some(-step(1)),
            Action::PageDown => Some(step(1)),
            Action::Top => return Some(move_to(state, of, |_, _| 0)),
            Action::Bottom => return Some(move_to(state, of, |_, last| last)),
            _ => None,
        };
        if let Some(by) = by {
            return Some(move_to(state, of, |row, _| row.saturating_add_signed(by)));
        }
    }
    match action {
        Action::Sort if listing == Listing::Patterns => {
            state.listings.patterns.order = state.listings.patterns.order.next();
            keep(state, listing);
            Some(Vec::new())
        }
        // Orders of containers are of no matter here.
        Action::Sort => Some(Vec::new()),
        Action::Open => Some(enter(state)),
        Action::Logs => Some(logs(state)),
        _ => None,
    }
}

/// To a list, with the focus; what was inspected comes back with Escape.
fn open(state: &mut State, listing: Listing) -> Vec<Effect> {
    if state.listing() == Some(listing) {
        state.focus = Pane::Inspector;
        return ask(state, listing);
    }
    if listing == Listing::Patterns {
        state.listings.patterns.only.clone_from(&state.containers.item);
        let snapshot = &state.snapshot;
        let there = |id: &ContainerId| snapshot.containers.iter().any(|v| v.container.of.id == *id);
        state.listings.patterns.of.retain(|p| there(&p.of.id));
    }
    state.cover(Subject::Listing(listing));
    let effects = ask(state, listing);
    keep(state, listing);
    effects
}

/// Kinds of line of all containers, or of the chosen one.
fn whole_fleet(state: &mut State) -> Vec<Effect> {
    if state.listing() != Some(Listing::Patterns) {
        state.toast(false, "That chooses between one container and all in the list of patterns.");
        return Vec::new();
    }
    let list = &mut state.listings.patterns;
    list.only = match list.only {
        Some(_) => None,
        None => state.containers.item.clone(),
    };
    let effects = ask(state, Listing::Patterns);
    keep(state, Listing::Patterns);
    effects
}

/// Asks for what the list shows.
fn ask(state: &mut State, listing: Listing) -> Vec<Effect> {
    state.listings.asked_at = state.at;
    match listing {
        Listing::Patterns => {
            let mut all: Vec<ContainerId> = match &state.listings.patterns.only {
                Some(id) => vec![id.clone()],
                None => {
                    state.snapshot.containers.iter().map(|v| v.container.of.id.clone()).collect()
                }
            };
            all.truncate(MOST_CONTAINERS);
            let generation = state.listings.number();
            state.listings.patterns.running = Some(generation);
            vec![Effect::Look { generation, look: Look::Patterns(all) }]
        }
        Listing::Events => {
            let generation = state.listings.number();
            let look = Look::Events(state.listings.events.last());
            vec![Effect::Look { generation, look }]
        }
        Listing::Audit => {
            let first = !state.listings.audit.read;
            let mut effects = read_audit(state, None);
            if first || state.listings.audit.checking.is_none() {
                effects.extend(check_audit(state));
            }
            effects
        }
        Listing::Tools => Vec::new(),
    }
}

fn check_audit(state: &mut State) -> Vec<Effect> {
    let generation = state.listings.number();
    state.listings.audit.checking = Some(generation);
    state.dirty = true;
    vec![Effect::Look { generation, look: Look::CheckAudit }]
}

fn read_audit(state: &mut State, before: Option<u64>) -> Vec<Effect> {
    if state.listings.audit.running.is_some() {
        return Vec::new();
    }
    let generation = state.listings.number();
    state.listings.audit.running = Some(generation);
    vec![Effect::Look { generation, look: Look::Audit(before) }]
}

/// Time passed: a list in view is kept fresh.
pub(super) fn tick(state: &mut State) -> Vec<Effect> {
    if state.at < state.listings.asked_at + AGAIN {
        return Vec::new();
    }
    match state.listing() {
        Some(Listing::Patterns) if state.listings.patterns.running.is_none() => {
            ask(state, Listing::Patterns)
        }
        // Whoever reads further down is not moved, and the whole chain is checked once.
        Some(Listing::Audit) if state.listings.audit.cursor.row == 0 => {
            state.listings.asked_at = state.at;
            read_audit(state, None)
        }
        _ => Vec::new(),
    }
}

/// A new snapshot: what happened since is read, if that can be seen.
pub(super) fn news(state: &mut State) -> Vec<Effect> {
    match state.listing() {
        Some(Listing::Events) => ask(state, Listing::Events),
        Some(Listing::Tools) => {
            keep(state, Listing::Tools);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Sets the filter of the list in view.
pub(super) fn filter(state: &mut State, text: &str) {
    let Some(listing) = state.listing() else { return };
    state.listings.cursor_mut(listing).terms = Terms::parse(text, listing.fields());
    keep(state, listing);
}

/// Moves the selection; at the end of what was read, more is read.
pub(super) fn move_to(
    state: &mut State,
    listing: Listing,
    to: impl Fn(usize, usize) -> usize,
) -> Vec<Effect> {
    let rows = state.listing_rows(listing);
    let last = rows.len().saturating_sub(1);
    let selection = state.listings.cursor_mut(listing);
    let row = to(selection.row, last).min(last);
    (selection.row, selection.item) = (row, rows.get(row).copied());
    show(state, listing);
    let audit = &state.listings.audit;
    if listing != Listing::Audit {
        return Vec::new();
    }
    match audit.oldest() {
        Some(oldest) if row == last && audit.more => read_audit(state, Some(oldest)),
        Some(_) if row == 0 && audit.cut => {
            state.listings.audit.kept.clear();
            read_audit(state, None)
        }
        _ => Vec::new(),
    }
}

/// After rows came or went: the selection stays with its row, and the view with it. The newest
/// event stays chosen as long as the operator stands on it.
pub(super) fn keep(state: &mut State, listing: Listing) {
    if state.listing() != Some(listing) {
        return;
    }
    let rows = state.listing_rows(listing);
    let selection = state.listings.cursor_mut(listing);
    let follows = matches!(listing, Listing::Events | Listing::Audit) && selection.row == 0;
    let before = selection.row;
    let place = selection.item.and_then(|key| rows.iter().position(|k| *k == key));
    selection.row = match place {
        Some(_) if follows => 0,
        Some(at) => at,
        None => before.min(rows.len().saturating_sub(1)),
    };
    selection.item = rows.get(selection.row).copied();
    let moved = selection.row;
    if let Some(inspector) = state.inspector.as_mut() {
        // What is being read stays where it is on the screen.
        inspector.scroll = (inspector.scroll + moved).saturating_sub(before);
    }
    show(state, listing);
}

/// Marks the chosen row and scrolls to it.
fn show(state: &mut State, listing: Listing) {
    let (height, columns) = room(state, Pane::Inspector);
    let page = page::page(state, listing, Glyphs::of(state.ascii), columns.saturating_sub(2));
    let row = state.listings.cursor(listing).row;
    let line = page.stops.get(row).copied();
    let Some(inspector) = state.inspector.as_mut() else { return };
    inspector.chosen = line.map(|_| row);
    let most = page.lines.len().saturating_sub(height);
    let line = line.unwrap_or(0);
    if row == 0 {
        inspector.scroll = 0;
    }
    if line < inspector.scroll {
        inspector.scroll = line;
    } else if line >= inspector.scroll + height {
        inspector.scroll = line + 1 - height;
    }
    inspector.scroll = inspector.scroll.min(most);
}

/// Enter: a level deeper.
fn enter(state: &mut State) -> Vec<Effect> {
    if let Some((listing, key)) = state.listing_row() {
        return match listing {
            Listing::Patterns => sample(state, key),
            // The form of a tool is opened where keys are told apart.
            Listing::Tools | Listing::Audit | Listing::Events => Vec::new(),
        };
    }
    let Some(listing) = state.listing() else { return Vec::new() };
    let Some(key) = state.listings.cursor(listing).item else { return Vec::new() };
    if listing == Listing::Events {
        return of_event(state, key);
    }
    state.cover(Subject::Row(listing, key));
    Vec::new()
}

/// To the chosen line of a kind, in its log; the newest without a choice.
fn sample(state: &mut State, key: u64) -> Vec<Effect> {
    let chosen = state.inspector.as_ref().and_then(|i| i.chosen).unwrap_or(0);
    let Some((of, pattern)) = state.listings.patterns.at(key) else { return Vec::new() };
    let Some(entry) = pattern.samples.iter().rev().nth(chosen) else { return Vec::new() };
    let line = &entry.line;
    let piece = Evidence {
        id: "e1".into(),
        kind: EvidenceKind::Log,
        container: of.of.name.clone(),
        ts: line.at,
        excerpt: line.text.to_string(),
        line: Some(LineAddress { container: line.container.clone(), seq: line.seq }),
    };
    movement::to_evidence(state, piece)
}

/// To the incident of an event, else to its container.
fn of_event(state: &mut State, number: u64) -> Vec<Effect> {
    let Some(happened) = state.listings.events.at(number).map(|n| n.happened.clone()) else {
        return Vec::new();
    };
    if let Some(id) = happened.incident.filter(|id| state.incident(id).is_some()) {
        state.incidents.item = Some(id.clone());
        state.cover(Subject::Incident(id.clone()));
        return movement::select_root(state, &id);
    }
    let named = happened.container.as_deref().and_then(|name| state.container_named(name));
    match named.map(|v| v.container.of.id.clone()) {
        Some(id) => {
            state.cover(Subject::Container(id.clone()));
            movement::select_container(state, id)
        }
        None if happened.container.is_some() => {
            state.toast(false, "What it is about is gone.");
            Vec::new()
        }
        None => {
            state.toast(true, happened.words);
            Vec::new()
        }
    }
}

/// To the log of the chosen row's container.
fn logs(state: &mut State) -> Vec<Effect> {
    let name = match (state.listing(), state.listing_row()) {
        (Some(Listing::Patterns), _) | (_, Some((Listing::Patterns, _))) => {
            let key = state.listing_row().map(|(_, key)| key);
            let key = key.or(state.listings.patterns.cursor.item);
            key.and_then(|key| state.listings.patterns.at(key)).map(|(of, _)| of.of.name.clone())
        }
        (Some(Listing::Events), _) => {
            let key = state.listings.events.cursor.item;
            let event = key.and_then(|number| state.listings.events.at(number));
            event.and_then(|n| n.happened.container.clone())
        }
        _ => None,
    };
    let id = name.and_then(|n| state.container_named(&n).map(|v| v.container.of.id.clone()));
    state.focus = Pane::Logs;
    id.map(|id| movement::select_container(state, id)).unwrap_or_default()
}

/// Something that was asked for came.
pub(super) fn take(state: &mut State, generation: u64, seen: Seen) -> Vec<Effect> {
    let now = Some(generation);
    match seen {
        Seen::Patterns(found) if state.listings.patterns.running == now => match found {
            Ok(Some(patterns)) => {
                state.listings.patterns.trouble = None;
                state.listings.patterns.take(*patterns);
                keep(state, Listing::Patterns);
            }
            Ok(None) => {}
            Err(why) => state.listings.patterns.trouble = Some(why),
        },
        Seen::PatternsEnd if state.listings.patterns.running == now => {
            state.listings.patterns.running = None;
        }
        Seen::Events(new) => {
            if !state.listings.events.take(new) {
                return Vec::new();
            }
            keep(state, Listing::Events);
        }
        Seen::Audit(page) if state.listings.audit.running == now => {
            state.listings.audit.running = None;
            match page {
                Ok(page) => state.listings.audit.take(page),
                Err(why) => state.listings.audit.trouble = Some(why),
            }
            keep(state, Listing::Audit);
            if state.listings.audit.outgrew_its_check() {
                return check_audit(state);
            }
        }
        Seen::AuditChecked(found) if state.listings.audit.checking == now => {
            state.listings.audit.checking = None;
            state.listings.audit.checked = Some(found);
        }
        Seen::Doctor(findings) => doctor::take(state, generation, findings),
        Seen::Tool(answer) => {
            let called = state.listings.tools.called.as_mut();
            let called =
                called.filter(|c| matches!(c.outcome, Outcome::Running(n) if Some(n) == now));
            if let Some(called) = called {
                called.outcome = match answer {
                    Ok(answer) => Outcome::Answered(answer),
                    Err(why) => Outcome::Failed(why),
                };
            }
        }
        Seen::Past(page) if state.listings.past.running == now => {
            state.listings.past.running = None;
            state.dirty = true;
            return earlier::came(state, page);
        }
        // It comes late: something newer was asked for.
        _ => return Vec::new(),
    }
    state.dirty = true;
    movement::settle(state);
    Vec::new()
}

/// Whether a list in view has to be asked for again by the clock.
pub(super) fn is_kept_fresh(state: &State) -> bool {
    matches!(state.listing(), Some(Listing::Patterns | Listing::Audit))
}
