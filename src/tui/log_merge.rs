//! Several logs shown together: which, and the names before their lines.

use sentinel_core::domain::ids::ContainerId;

use crate::tui::log_sources::{Named, Whose};
use crate::tui::log_view::LogView;
use crate::tui::role::Role;
use crate::tui::text;

/// At most so many logs are shown together.
pub const MOST_MERGED: usize = 100;
/// The widest and the narrowest a name before a line gets.
const NAME: (usize, usize) = (16, 8);
/// In a pane narrower than this names are as short as they may get.
const ROOMY: usize = 80;
/// Names are told apart by these; a name keeps its own.
const COLORS: [Role; 6] =
    [Role::LogName, Role::LogId, Role::LogPath, Role::LogQuoted, Role::LogNumber, Role::LogKey];

impl LogView {
    /// The containers whose logs are shown.
    pub fn ids(&self) -> Vec<ContainerId> {
        if self.merged.is_empty() {
            self.container.iter().cloned().collect()
        } else {
            self.merged.iter().map(|n| n.id.clone()).collect()
        }
    }

    /// Whether a container's log is shown.
    pub fn is_of(&self, id: &ContainerId) -> bool {
        if self.merged.is_empty() {
            self.container.as_ref() == Some(id)
        } else {
            self.merged.iter().any(|n| &n.id == id)
        }
    }

    /// Shows several logs together, ordered by time. Those that are shown already stay.
    pub fn merge(&mut self, whose: Whose, mut of: Vec<(ContainerId, String)>) {
        of.truncate(MOST_MERGED);
        let names: Vec<&str> = of.iter().map(|(_, name)| name.as_str()).collect();
        let shared = shared(&names);
        let short = |name: &str| name.get(shared..).unwrap_or(name).to_owned();
        let named: Vec<Named> = of
            .iter()
            .map(|(id, name)| Named { id: id.clone(), name: name.clone(), short: short(name) })
            .collect();
        let grows = !self.merged.is_empty() && self.merged.iter().all(|n| named.contains(n));
        if (&self.whose, &self.merged) == (&whose, &named) {
            return;
        }
        (self.whose, self.merged) = (whose, named);
        if !grows {
            self.empty();
        }
    }

    /// Columns of the names before the lines, with the space behind them.
    pub fn name_columns(&self, columns: usize) -> usize {
        let longest = self.merged.iter().map(|n| text::width(&n.short)).max().unwrap_or(0);
        let most = if columns < ROOMY { NAME.1 } else { NAME.0 };
        if longest == 0 { 0 } else { longest.min(most) + 1 }
    }

    /// The name before the lines of a container, and how it looks.
    pub fn name_of(&self, id: &ContainerId) -> Option<(Role, &str)> {
        let named = self.merged.iter().find(|n| &n.id == id)?;
        let sum = named
            .name
            .bytes()
            .fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(b)));
        let role = COLORS.get(sum % COLORS.len()).copied().unwrap_or(Role::LogName);
        Some((role, named.short.as_str()))
    }
}

/// Bytes that all names begin with, up to the last dash: the project's name says nothing where
/// all have it.
fn shared(names: &[&str]) -> usize {
    let Some((first, rest)) = names.split_first() else { return 0 };
    if rest.is_empty() {
        return 0;
    }
    let same = |other: &str| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let most = rest.iter().map(|other| same(other)).min().unwrap_or(0);
    let head = first.as_bytes().get(..most).unwrap_or_default();
    head.iter().rposition(|b| matches!(b, b'-' | b'_')).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_names_begin_with_is_left_out() {
        assert_eq!(shared(&["shop-api-1", "shop-db-1"]), 5);
        assert_eq!(shared(&["shop-api-1", "shop-api-2"]), 9);
        assert_eq!(shared(&["shop", "shop-api"]), 0);
        assert_eq!(shared(&["api"]), 0);
        assert_eq!(shared(&["é-a", "è-a"]), 0);
    }
}
