//! What a message does to the state: synchronous, pure, replayable. Start at [`update`].

mod act;
mod card;
mod decide;
mod dialogs;
mod doctor;
mod earlier;
mod form;
mod keys;
mod lines;
mod listing;
mod logs;
mod looks;
mod marks;
mod mouse;
mod movement;
mod palette;
mod past;
mod prompts;
mod range;
mod shaping;
mod silence;
mod snapshot;
mod talk;
mod whose;

use std::time::Duration;

use ratatui::layout::Rect;
use sentinel_core::domain::plan::Plan;

use crate::tui::layout::{Form, layout};
use crate::tui::message::{Effect, Msg};
use crate::tui::modal::Modal;
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::state::{State, TOAST_LASTS, TOAST_LASTS_SMALL};
use crate::tui::times::Times;

/// Takes one message. What it asks of the runner comes back; what it changed on the screen is in
/// [`State::dirty`].
#[must_use]
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key { key, at } => {
            state.at = state.at.max(at);
            reading(state, |state| keys::key(state, key, at))
        }
        Msg::Paste { text, at } => {
            state.at = state.at.max(at);
            prompts::paste(state, &text, at)
        }
        Msg::Mouse { event, at } => {
            state.at = state.at.max(at);
            reading(state, |state| mouse::event(state, event))
        }
        Msg::Resize { width, height } => {
            state.area = Rect::new(0, 0, width, height);
            state.dirty = true;
            movement::settle(state);
            logs::read(state)
        }
        Msg::Snapshot(new) => snapshot::take(state, new),
        Msg::Logs { container, generation, page, whole } => {
            logs::take(state, &container, generation, (&page, whole))
        }
        Msg::Page { generation, older, outcome } => past::take(state, generation, older, outcome),
        Msg::Tick { now, at } => {
            tick(state, now, at);
            let mut effects = snapshot::told_later(state);
            effects.extend(listing::tick(state));
            effects
        }
        Msg::Drawn { at } => {
            drawn(state, at);
            Vec::new()
        }
        Msg::Part { number, part } => {
            talk::part(state, number, part);
            Vec::new()
        }
        Msg::OwnCpu(percent) => {
            let words = |cpu: Option<f64>| cpu.map(crate::tui::words::percent);
            let before = words(state.look.own_cpu);
            state.look.own_cpu = Some(percent);
            state.readings |= before != words(state.look.own_cpu);
            Vec::new()
        }
        Msg::Seen { generation, seen } => listing::take(state, generation, seen),
        Msg::Rehearsed { fix, outcome } => {
            shaping::rehearsed(state, &fix, outcome);
            Vec::new()
        }
        Msg::Said { ok, text } => {
            state.toast(ok, text);
            Vec::new()
        }
    }
}

/// Does something that may bring the log into sight: what came before that was not read.
fn reading(state: &mut State, act: impl FnOnce(&mut State) -> Vec<Effect>) -> Vec<Effect> {
    let read = shows_logs(state);
    let mut effects = act(state);
    let unread = !read || !state.logs.loaded;
    if unread && effects.is_empty() && shows_logs(state) {
        effects = logs::read(state);
    }
    effects.extend(past::more(state));
    effects
}

/// Whether the log can be seen.
fn shows_logs(state: &State) -> bool {
    layout(state).pane(Pane::Logs).is_some()
}

/// Marks the first frame of a dialog, and of a message. A terminal too small for it shows
/// nothing, so nothing was seen.
fn drawn(state: &mut State, at: Duration) {
    if layout(state).form == Form::TooSmall {
        return;
    }
    let lasts = if state.is_small() { TOAST_LASTS_SMALL } else { TOAST_LASTS };
    for toast in state.toasts.iter_mut().filter(|t| t.until == Duration::MAX) {
        toast.until = at + lasts;
    }
    if let Some(open) = state.modal.as_mut()
        && open.drawn.is_none()
    {
        open.drawn = Some(at);
    }
    card::drawn(state);
}

fn tick(state: &mut State, now: jiff::Timestamp, at: Duration) {
    let minute = |t: jiff::Timestamp| t.as_second().div_euclid(60);
    if counts_seconds(state) || minute(now) != minute(state.now) {
        state.dirty = true;
    }
    state.now = now;
    state.at = state.at.max(at);
    let before = state.toasts.len();
    state.toasts.retain(|t| t.until > at);
    state.dirty |= state.toasts.len() != before;
    decide::check(state);
}

/// Whether something on the screen changes every second: a countdown, a young age, a dialog that
/// says when a silence would end.
pub fn counts_seconds(state: &State) -> bool {
    let young = |at: jiff::Timestamp| state.now.duration_since(at).as_secs() < 61;
    let soon = |at: jiff::Timestamp| at.duration_since(state.now).as_secs() < 61;
    let asks = state.modal.as_ref().is_some_and(|o| matches!(o.modal, Modal::Silence(_)));
    asks || listing::is_kept_fresh(state)
        || state.snapshot.degraded.iter().any(|d| young(d.since))
        || quiet::silences(state).any(|s| soon(s.until))
        || (state.logs.times == Times::Relative && layout(state).pane(Pane::Logs).is_some())
        || state.snapshot.incidents.iter().any(|i| {
            i.plan.as_ref().is_some_and(Plan::is_staged)
                || (!i.state.is_closed() && young(i.observed_at))
                || i.closed_at.is_some_and(young)
        })
        || state
            .snapshot
            .containers
            .iter()
            .any(|v| v.container.is_up() && v.container.started_at.is_some_and(young))
}
