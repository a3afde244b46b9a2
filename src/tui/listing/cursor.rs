//! Where the operator stands in a list, and what of it is shown.

use crate::tui::terms::Terms;

/// The chosen row of a list, and what of it is shown.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The key of the chosen row.
    pub item: Option<u64>,
    /// Its place when it was last seen.
    pub row: usize,
    /// What is shown.
    pub terms: Option<Terms>,
}
