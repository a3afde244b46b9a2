//! How the screen looks: columns, groups, themes; and the tour.

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::action::Action;
use crate::tui::columns::Column;
use crate::tui::groups;
use crate::tui::lists;
use crate::tui::look::Grouping;
use crate::tui::looks::{CARDS, Looks, themes};
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::state::State;
use crate::tui::update::{lines, movement};

/// What an action does to the look of the screen; the log knows the others.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Themes => open(state, Looks::themes(&state.look)),
        Action::Columns => open(state, Looks::Columns { cursor: 0 }),
        Action::RunningOnly => {
            state.look.running_only = !state.look.running_only;
            return movement::keep_selections(state);
        }
        Action::Group => {
            state.look.grouping = state.look.grouping.next();
            state.look.turned.clear();
            return movement::keep_selections(state);
        }
        Action::Fold => return fold(state),
        other => return lines::act(state, other),
    }
    Vec::new()
}

/// Opens a dialog.
pub(super) fn open(state: &mut State, looks: Looks) {
    state.modal = Some(Open::new(Modal::Looks(looks)));
}

/// Folds the group of the selected container, or unfolds it.
fn fold(state: &mut State) -> Vec<Effect> {
    let grouping = state.look.grouping;
    let of = state.containers.item.as_ref().and_then(|id| state.container(id));
    match of.map(|v| groups::name_of(grouping, &v.container.of)) {
        Some(group) if grouping != Grouping::Off => {
            // What is folded is selected by its first container.
            let first = lists::sorted_containers(state)
                .into_iter()
                .find(|v| groups::name_of(grouping, &v.container.of) == group)
                .map(|v| v.container.of.id.clone());
            state.look.turn(group.clone());
            if state.look.is_folded(&group) {
                state.containers.item = first;
            }
            movement::keep_selections(state)
        }
        _ => {
            let key = state.keymap.key_for(state.context(), Action::Group);
            let key = key.map(|k| format!(" ({k})")).unwrap_or_default();
            state.toast(false, format!("Nothing is grouped: group the list first{key}."));
            Vec::new()
        }
    }
}

/// A key in a dialog. Whether it stays open.
pub(super) fn key(state: &mut State, looks: &mut Looks, event: KeyEvent) -> (bool, Vec<Effect>) {
    let last = looks.rows(&state.look).saturating_sub(1);
    let before = *looks.place();
    match event.code {
        KeyCode::Up | KeyCode::Char('k') => *looks.place() = before.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => *looks.place() = (before + 1).min(last),
        KeyCode::Home | KeyCode::Char('g') => *looks.place() = 0,
        KeyCode::End | KeyCode::Char('G') => *looks.place() = last,
        _ => return ended(state, *looks, event),
    }
    let effects = match looks {
        Looks::Themes { cursor } if *cursor != before => preview(state, *cursor),
        _ => Vec::new(),
    };
    (true, effects)
}

/// A theme in force while its row is looked at.
fn preview(state: &State, cursor: usize) -> Vec<Effect> {
    let name = themes(&state.look).into_iter().nth(cursor).map(|(name, _)| name);
    name.map(Effect::Preview).into_iter().collect()
}

fn ended(state: &mut State, looks: Looks, event: KeyEvent) -> (bool, Vec<Effect>) {
    let chooses = matches!(event.code, KeyCode::Enter | KeyCode::Char(' '));
    match looks {
        Looks::Themes { cursor } if event.code == KeyCode::Enter => {
            if let Some((name, _)) = themes(&state.look).into_iter().nth(cursor) {
                state.toast(
                    true,
                    format!("Theme {name}. To keep it: theme = \"{name}\" in the file."),
                );
                state.look.theme = name;
            }
            (false, Vec::new())
        }
        Looks::Themes { .. } if matches!(event.code, KeyCode::Esc | KeyCode::Char('q')) => {
            (false, vec![Effect::Preview(state.look.theme.clone())])
        }
        Looks::Columns { cursor } if chooses => {
            if let Some(column) = Column::ALL.get(cursor) {
                state.look.toggle(*column);
            }
            (true, Vec::new())
        }
        Looks::Columns { .. } if event.code == KeyCode::Char('0') => {
            state.look.columns = None;
            (true, Vec::new())
        }
        Looks::Themes { .. } => (true, Vec::new()),
        Looks::Columns { .. } => {
            let closes = matches!(event.code, KeyCode::Esc | KeyCode::Char('q' | 'c'));
            (!closes, Vec::new())
        }
        // Handled by [`tour`]: it never holds a key back.
        Looks::Tour { .. } => (false, Vec::new()),
    }
}

/// A key while the tour is shown: it turns the cards, ends the tour, or ends it and does what it
/// does anyhow. The tour never swallows a key that decides.
pub(super) fn tour(state: &mut State, card: usize, event: KeyEvent) -> Option<Vec<Effect>> {
    let to = match event.code {
        KeyCode::Enter | KeyCode::Right | KeyCode::Char(' ') => Some(card + 1),
        KeyCode::Left => Some(card.saturating_sub(1)),
        KeyCode::Esc => None,
        _ => {
            state.modal = None;
            return None;
        }
    };
    state.dirty = true;
    match (to.filter(|to| *to < CARDS), state.modal.as_mut()) {
        (Some(card), Some(open)) => open.modal = Modal::Looks(Looks::Tour { card }),
        _ => state.modal = None,
    }
    Some(Vec::new())
}

/// An incident that opens is more important than a tour.
pub(super) fn give_way(state: &mut State) {
    let is_tour = |open: &Open| matches!(open.modal, Modal::Looks(Looks::Tour { .. }));
    if state.modal.as_ref().is_some_and(is_tour) && lists::open_count(state) > 0 {
        state.modal = None;
        state.dirty = true;
        state.toast(true, "The tour gave way to an incident: `:tour` shows it again.");
    }
}
