//! The panes of the screen.

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// All watched containers.
    Containers,
    /// Incidents, open ones first.
    Incidents,
    /// Plans that wait for a decision.
    Fixes,
    /// The log of the selected container.
    Logs,
    /// One incident or one container in full.
    Inspector,
}

impl Pane {
    /// In the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Containers, Self::Incidents, Self::Fixes, Self::Logs, Self::Inspector];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Containers => "Containers",
            Self::Incidents => "Incidents",
            Self::Fixes => "Fixes",
            Self::Logs => "Logs",
            Self::Inspector => "Inspector",
        }
    }

    /// The digit that jumps to it.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|p| *p == self).map_or(0, |at| at + 1)
    }
}
