//! Why nothing is done without a person.

use crate::domain::not_acting::NotActing;

/// One reason against acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its code.
    pub code: NotActing,
    /// In words.
    pub words: String,
    /// Whether it passes by itself (a cooldown, a plan in flight).
    pub passes: bool,
}

impl Reason {
    /// One that stays until somebody changes something.
    pub fn stays(code: NotActing, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), passes: false }
    }

    /// One that passes by itself.
    pub fn passes(code: NotActing, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), passes: true }
    }
}
