//! The choices of the menu of ranges.

/// A choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The newest lines.
    Tail,
    /// From the beginning of the log.
    Head,
    /// The last so many seconds.
    Last(i64),
    /// Since the container's last start.
    Start,
    /// Since the open incident began.
    Incident,
}

/// By their digits, with their words.
pub const CHOICES: &[(Choice, &str)] = &[
    (Choice::Tail, "the newest lines"),
    (Choice::Head, "from the beginning"),
    (Choice::Last(60), "1 min"),
    (Choice::Last(300), "5 min"),
    (Choice::Last(900), "15 min"),
    (Choice::Last(3_600), "1 h"),
    (Choice::Last(21_600), "6 h"),
    (Choice::Start, "its last start"),
    (Choice::Incident, "the open incident began"),
];
