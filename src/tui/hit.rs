//! What stands under the mouse.

use ratatui::layout::{Position, Rect};

use crate::tui::action::Action;
use crate::tui::groups;
use crate::tui::hints;
use crate::tui::layout::{inside, layout};
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::state::State;
use crate::tui::view::brush::first_row;

/// What a place of the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A pane, and of a list the row, where there is one.
    Pane(Pane, Option<usize>),
    /// A hint in the last line.
    Hint(Action),
}

/// What stands at a column and a row of the screen.
pub fn at(state: &State, column: u16, row: u16) -> Option<Hit> {
    let place = Position::new(column, row);
    let layout = layout(state);
    if layout.footer.contains(place) && state.prompt.is_none() {
        let column = usize::from(column - layout.footer.x);
        return hints::placed(state, usize::from(layout.footer.width))
            .into_iter()
            .find(|hint| hint.columns.contains(&column))
            .map(|hint| Hit::Hint(hint.action));
    }
    let (pane, area) = layout.panes.iter().find(|(_, area)| area.contains(place))?;
    Some(Hit::Pane(*pane, list_row(state, *pane, *area, row)))
}

/// The container at a row of the screen: headings of groups stand among them.
fn container_row(state: &State, list: Rect, row: u16) -> Option<usize> {
    let lines = lists::lines(state);
    let selected = groups::line_of(&lines, state.containers.item.as_ref());
    let below = usize::from(row.checked_sub(list.y)?);
    let at = first_row(lines.len(), selected, usize::from(list.height)) + below;
    lines.get(at).and_then(groups::selects)?;
    Some(groups::selectable_before(&lines, at))
}

fn list_row(state: &State, pane: Pane, area: Rect, row: u16) -> Option<usize> {
    let (count, selected, list) = match pane {
        // A line of headings stands above it.
        Pane::Containers => return container_row(state, inside(inside(area)), row),
        Pane::Incidents => (lists::incidents(state).len(), state.incidents.row, inside(area)),
        Pane::Fixes => (lists::fixes(state).len(), state.fixes.row, inside(area)),
        Pane::Logs | Pane::Inspector => return None,
    };
    let below = usize::from(row.checked_sub(list.y)?);
    let at = first_row(count, selected, usize::from(list.height)) + below;
    (at < count).then_some(at)
}
