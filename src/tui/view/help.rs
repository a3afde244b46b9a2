//! All keys, made from the keymap, so that it cannot be wrong.

use crate::tui::glyphs::Glyphs;
use crate::tui::keymap::Context;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;

/// Columns of a key.
const KEYS: usize = 10;
/// Columns of a key with what it does: two stand side by side at 80 columns, three at 120.
const EACH: usize = 36;

/// The lines of the help, in as many columns as fit.
pub fn lines(state: &State, columns: usize) -> Vec<Styled> {
    let blocks: Vec<Vec<Styled>> = Context::ALL.iter().map(|c| block(state, *c)).collect();
    let across = (columns / EACH).clamp(1, 3);
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
    let quiet = Glyphs::of(state.ascii).silenced;
    let words = format!(
        "A new incident or fix never takes the focus: go to it with 2 or 3. RST/DIED: restarts by \
         the restart policy / deaths that nobody asked for. {quiet} 29m: silenced for 29 more \
         minutes; {quiet}: quiet by its label; no incident opens."
    );
    let mut lines = paragraph(&Styled::new(), 0, Role::Dim, &words, columns);
    lines.push(Styled::new());
    for row in 0..rows {
        let mut line = Styled::new();
        for stack in &stacks {
            let cell = stack.get(row).cloned().unwrap_or_default();
            let fill = EACH.saturating_sub(cell.width());
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
        let keys = binding.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let what = binding.action.describe();
        lines.push(Styled::of(Role::Key, text::left(&keys, KEYS, "…")).and(Role::KeyText, what));
    }
    lines
}
