//! All keys, made from the keymap, so that it cannot be wrong.

use crate::tui::keymap::Context;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::text;

/// Columns of a key.
const KEYS: usize = 14;

/// The lines of the help, in as many columns as fit.
pub fn lines(state: &State, columns: usize) -> Vec<Styled> {
    let blocks: Vec<Vec<Styled>> = Context::ALL.iter().map(|c| block(state, *c)).collect();
    let each = 40;
    let across = (columns / each).clamp(1, 3);
    let mut stacks: Vec<Vec<Styled>> = vec![Vec::new(); across];
    for block in blocks {
        // The shortest column takes the next block.
        if let Some(stack) = stacks.iter_mut().min_by_key(|s| s.len()) {
            if !stack.is_empty() {
                stack.push(Styled::new());
            }
            stack.extend(block);
        }
    }
    let rows = stacks.iter().map(Vec::len).max().unwrap_or(0);
    let mut lines = vec![
        Styled::of(Role::Dim, "A new incident or fix never takes the focus: go to it with 2 or 3."),
        Styled::new(),
    ];
    for row in 0..rows {
        let mut line = Styled::new();
        for stack in &stacks {
            let cell = stack.get(row).cloned().unwrap_or_default();
            let fill = each.saturating_sub(cell.width());
            line.pieces.extend(cell.pieces);
            line.push(Role::Text, " ".repeat(fill));
        }
        lines.push(line);
    }
    lines
}

fn block(state: &State, context: Context) -> Vec<Styled> {
    let mut lines = vec![Styled::of(Role::Heading, context.title())];
    for binding in state.keymap.bindings().iter().filter(|b| b.context == context) {
        if binding.action.evidence().is_some_and(|n| n > 1) {
            continue;
        }
        let mut keys = binding.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut what = binding.action.describe();
        if binding.action.evidence() == Some(1) {
            keys.push_str("…9");
            what = "jump to that evidence";
        }
        lines.push(Styled::of(Role::Key, text::left(&keys, KEYS, "…")).and(Role::KeyText, what));
    }
    lines
}
