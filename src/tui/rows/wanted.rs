//! Whether the filter of a list lets a row through.

use crate::tui::terms::Terms;

/// Whether a row is wanted: `value` gives what it has in a field, `words` all that is searched.
pub(super) fn wanted(
    terms: Option<&Terms>,
    value: impl Fn(&str) -> Vec<String>,
    words: &str,
) -> bool {
    terms.is_none_or(|t| t.accepts(value, words))
}
