//! Editing, rehearsing, putting off and allowing a plan: opening the dialogs, and their keys.

use crossterm::event::{KeyCode, KeyEvent};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::grant::Grant;
use sentinel_core::domain::ids::FixId;
use sentinel_core::domain::plan::Plan;

use crate::tui::action::Action;
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open, ReasonFor};
use crate::tui::quiet;
use crate::tui::shaping::{Editing, Granting, Rehearsing, Snoozing};
use crate::tui::state::State;
use crate::tui::update::decide;
use crate::tui::update::prompts::type_into;

/// The staged plan here, or nothing after it was said why there is none.
fn staged(state: &mut State, changes: bool) -> Option<Plan> {
    if let Some(why) = state.why_no_approval().filter(|_| changes) {
        state.toast(false, why);
        return None;
    }
    let plan = decide::plan_here(state).map(|(_, plan)| plan).filter(Plan::is_staged);
    if plan.is_none() {
        state.toast(false, "No fix is staged here.");
    }
    plan
}

fn open(state: &mut State, modal: Modal) {
    state.modal = Some(Open::new(modal));
    state.dirty = true;
}

/// Does what an action means for the plan here. `None`: it means nothing for a plan.
pub(super) fn act(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::DryRun | Action::DryRunInspected => return Some(rehearse(state)),
        Action::EditFix => edit(state),
        Action::SnoozeFix => snooze(state),
        Action::Grant => grant(state),
        _ => return None,
    }
    Some(Vec::new())
}

/// Opens the arguments of the first step of the plan here.
fn edit(state: &mut State) {
    if let Some(plan) = staged(state, true) {
        edit_plan(state, plan);
    }
}

pub(super) fn edit_plan(state: &mut State, plan: Plan) {
    match Editing::of(&state.snapshot, plan, 0) {
        Some(editing) => open(state, Modal::Edit(Box::new(editing))),
        None => state.toast(false, "The container of this fix is gone."),
    }
}

/// Asks what the plan here would do now.
fn rehearse(state: &mut State) -> Vec<Effect> {
    match staged(state, false) {
        Some(plan) => rehearse_plan(state, &plan),
        None => Vec::new(),
    }
}

pub(super) fn rehearse_plan(state: &mut State, plan: &Plan) -> Vec<Effect> {
    let Some(fix) = plan.steps.first().map(|s| s.id.clone()) else { return Vec::new() };
    let rehearsing = Rehearsing { fix: fix.clone(), outcome: None, scroll: 0 };
    open(state, Modal::Rehearsal(Box::new(rehearsing)));
    vec![Effect::Rehearse(fix)]
}

/// The answer of a dry run, if it is still wanted.
pub(super) fn rehearsed(state: &mut State, fix: &FixId, outcome: Result<String, String>) {
    if let Some(Open { modal: Modal::Rehearsal(rehearsing), .. }) = state.modal.as_mut()
        && &rehearsing.fix == fix
    {
        rehearsing.outcome = Some(outcome);
        state.dirty = true;
    }
}

/// Asks for how long the plan here is put off.
fn snooze(state: &mut State) {
    if let Some(plan) = staged(state, true) {
        snooze_plan(state, &plan);
    }
}

pub(super) fn snooze_plan(state: &mut State, plan: &Plan) {
    let Some(step) = plan.steps.first() else { return };
    let runs = state.incident(&plan.incident).is_some_and(|i| i.snoozed_until().is_some());
    let about = format!("{}: {}", step.target.name, step.docker_line);
    let snoozing = Snoozing { fix: step.id.clone(), about, runs, cursor: 0 };
    open(state, Modal::Snooze(Box::new(snoozing)));
}

/// Asks how long and how often plans like the one here are allowed; where grants are listed, ends
/// the chosen one.
fn grant(state: &mut State) {
    if state.shows_quiet() {
        match quiet::chosen(state).and_then(|row| row.grant) {
            Some(id) => {
                let grant = state.snapshot.brakes.grants.iter().find(|g| g.id == id);
                let words = grant.map_or_else(String::new, Grant::words);
                let about = format!("Take this grant back: {words}");
                decide::ask_reason(state, ReasonFor::Revoke(id), about);
            }
            None => state.toast(false, "Choose a grant: ] and [ do that."),
        }
        return;
    }
    if let Some(plan) = staged(state, true) {
        grant_plan(state, plan);
    }
}

pub(super) fn grant_plan(state: &mut State, plan: Plan) {
    match Granting::refusal(&plan) {
        Some(why) => state.toast(false, why),
        None => open(state, Modal::Grant(Box::new(Granting::of(plan)))),
    }
}

pub(super) fn edit_key(
    state: &State,
    editing: &mut Editing,
    event: KeyEvent,
) -> (bool, Vec<Effect>) {
    if editing.void.is_some() {
        return (!matches!(event.code, KeyCode::Esc | KeyCode::Enter), Vec::new());
    }
    let count = editing.fields.len().max(1);
    match event.code {
        KeyCode::Esc => return (false, Vec::new()),
        KeyCode::Tab | KeyCode::Down => editing.cursor = (editing.cursor + 1) % count,
        KeyCode::BackTab | KeyCode::Up => editing.cursor = (editing.cursor + count - 1) % count,
        KeyCode::PageDown | KeyCode::PageUp => {
            // The other steps of the plan have arguments of their own.
            let steps = editing.plan.steps.len().max(1);
            let by = if event.code == KeyCode::PageDown { 1 } else { steps - 1 };
            let step = (editing.step + by) % steps;
            if let Some(other) = Editing::of(&state.snapshot, editing.plan.clone(), step) {
                *editing = other;
            }
        }
        // What cannot be done stays on the screen with its mistakes, to be mended.
        KeyCode::Enter => {
            if let Some(command) = editing.command(&state.snapshot) {
                return (false, vec![Effect::Ask(command)]);
            }
        }
        _ => {
            if let Some(edited) = editing.fields.get_mut(editing.cursor) {
                type_into(&mut edited.typed, event);
            }
        }
    }
    (true, Vec::new())
}

pub(super) fn snooze_key(snoozing: &mut Snoozing, event: KeyEvent) -> (bool, Vec<Effect>) {
    let choices = snoozing.choices();
    let last = choices.len().saturating_sub(1);
    match event.code {
        KeyCode::Esc | KeyCode::Char('q' | 'n') => return (false, Vec::new()),
        KeyCode::Up | KeyCode::Char('k') => snoozing.cursor = snoozing.cursor.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => snoozing.cursor = (snoozing.cursor + 1).min(last),
        KeyCode::Char(c @ '1'..='9') => {
            snoozing.cursor = (c as usize - '1' as usize).min(last);
        }
        KeyCode::Enter => {
            let Some((seconds, _)) = choices.get(snoozing.cursor) else {
                return (false, Vec::new());
            };
            let command = Command::Snooze { fix: snoozing.fix.clone(), seconds: *seconds };
            return (false, vec![Effect::Ask(command)]);
        }
        _ => {}
    }
    (true, Vec::new())
}

pub(super) fn grant_key(
    state: &State,
    granting: &mut Granting,
    event: KeyEvent,
) -> (bool, Vec<Effect>) {
    if granting.void.is_some() {
        let closes = matches!(event.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 'n'));
        return (!closes, Vec::new());
    }
    match event.code {
        KeyCode::Esc | KeyCode::Char('n' | 'q') => return (false, Vec::new()),
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down | KeyCode::Enter => {
            granting.in_uses = !granting.in_uses;
        }
        // No time and no number has this letter. What is open may have changed since it was drawn.
        KeyCode::Char('y') => match decide::void_grant(state, &granting.plan) {
            Some(why) => granting.void = Some(why),
            None => {
                if let Some(command) = granting.command() {
                    return (false, vec![Effect::Ask(command)]);
                }
            }
        },
        KeyCode::Char(c) if !c.is_ascii_alphanumeric() => {}
        _ => {
            type_into(granting.field(), event);
        }
    }
    (true, Vec::new())
}

/// A dry run scrolls; any other key closes it.
pub(super) fn rehearsal_key(rehearsing: &mut Rehearsing, event: KeyEvent) -> (bool, Vec<Effect>) {
    if event.code == KeyCode::Char('y') {
        let text = rehearsing.outcome.as_ref().and_then(|o| o.as_ref().ok()).cloned();
        return (true, text.map(Effect::Copy).into_iter().collect());
    }
    (decide::help(&mut rehearsing.scroll, event), Vec::new())
}
