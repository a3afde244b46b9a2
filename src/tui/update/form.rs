//! The form for a call of a tool that only reads. What changes something has no form.

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::form::{Form, Kind};
use crate::tui::listing::look::Look;
use crate::tui::listing::tools::{Called, Outcome};
use crate::tui::message::Effect;
use crate::tui::modal::{Modal, Open};
use crate::tui::rows::tools;
use crate::tui::state::State;
use crate::tui::update::prompts::type_into;

/// Opens the form of a tool, or says why it is not called from here.
pub(super) fn open(state: &mut State, key: u64) {
    let Some(tool) = tools::at(state, key).cloned() else { return };
    if !tools::is_callable(&tool) {
        let name = tool.name;
        let why = format!("{name} changes something: it is called only as a step of a staged fix.");
        state.toast(false, why);
        return;
    }
    let containers: Vec<(String, String)> = state
        .snapshot
        .containers
        .iter()
        .map(|v| (v.container.of.name.clone(), v.container.of.id.0.clone()))
        .collect();
    let target = state.containers.item.as_ref().and_then(|id| state.container(id));
    let target = target.map(|v| v.container.of.name.clone());
    state.listings.form = Form::of(key, &tool, &containers, target.as_deref());
    if state.listings.form.is_some() {
        state.modal = Some(Open::new(Modal::Form));
    } else {
        state.toast(false, "Its arguments fit no form: use `sentinel-tui tools call`.");
    }
}

/// A key in it. Whether it stays open.
pub(super) fn key(state: &mut State, event: KeyEvent) -> (bool, Vec<Effect>) {
    let Some(mut form) = state.listings.form.take() else { return (false, Vec::new()) };
    let (open, effects) = typed_in(state, &mut form, event);
    if open {
        state.listings.form = Some(form);
    }
    (open, effects)
}

fn typed_in(state: &mut State, form: &mut Form, event: KeyEvent) -> (bool, Vec<Effect>) {
    match event.code {
        KeyCode::Esc => return (false, Vec::new()),
        KeyCode::Tab | KeyCode::Down => form.go(true),
        KeyCode::BackTab | KeyCode::Up => form.go(false),
        KeyCode::Enter => match form.call() {
            Ok(call) => {
                let generation = state.listings.number();
                state.listings.tools.called = Some(Called {
                    key: form.key,
                    words: form.words(),
                    outcome: Outcome::Running(generation),
                });
                return (false, vec![Effect::Look { generation, look: Look::Tool(call) }]);
            }
            Err((at, _)) => form.at = at,
        },
        code => {
            let Some(field) = form.field() else { return (true, Vec::new()) };
            if matches!(field.kind, Kind::OneOf(_)) {
                match code {
                    KeyCode::Left => field.turn(false),
                    KeyCode::Right | KeyCode::Char(' ') => field.turn(true),
                    _ => {}
                }
            } else {
                type_into(&mut field.typed, event);
            }
        }
    }
    (true, Vec::new())
}
