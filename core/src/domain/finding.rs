//! What an examination of the surroundings found: does each part that is needed work?

use serde::{Deserialize, Serialize};

/// How a part fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Fine,
    /// It is not set up, and nothing needs it.
    Absent,
    /// It works, with something worth knowing.
    Doubtful,
    /// It does not work.
    Broken,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Absent => "not set up",
            Self::Doubtful => "look",
            Self::Broken => "broken",
        }
    }
}

/// One part that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which: `engine`, `clock`, `state folder`, …
    pub part: String,
    /// How it fares.
    pub verdict: Verdict,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Finding {
    /// A part that works.
    pub fn fine(part: &str, detail: impl Into<String>) -> Self {
        Self::of(part, Verdict::Fine, detail, None)
    }

    /// A part that is not set up; the remedy says how it would be.
    pub fn absent(part: &str, detail: impl Into<String>, remedy: &str) -> Self {
        Self::of(part, Verdict::Absent, detail, Some(remedy))
    }

    /// A part that works in a way worth knowing.
    pub fn doubtful(part: &str, detail: impl Into<String>, remedy: &str) -> Self {
        Self::of(part, Verdict::Doubtful, detail, Some(remedy))
    }

    /// A part that does not work.
    pub fn broken(part: &str, detail: impl Into<String>, remedy: &str) -> Self {
        Self::of(part, Verdict::Broken, detail, Some(remedy))
    }

    fn of(part: &str, verdict: Verdict, detail: impl Into<String>, remedy: Option<&str>) -> Self {
        let remedy = remedy.filter(|r| !r.is_empty()).map(str::to_owned);
        Self { part: part.to_owned(), verdict, detail: detail.into(), remedy }
    }
}
