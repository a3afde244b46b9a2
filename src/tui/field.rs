//! Fields of one line.

use tui_textarea::TextArea;

/// An empty field of one line.
pub fn one_line() -> TextArea<'static> {
    let mut field = TextArea::default();
    field.set_max_histories(20);
    field
}

/// What stands in a field of one line.
pub fn typed(field: &TextArea<'_>) -> String {
    field.lines().first().cloned().unwrap_or_default()
}
