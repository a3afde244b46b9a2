//! What is shown of a log from beyond the rings, and since when lines are shown.

use jiff::Timestamp;

/// Numbers of lines that were read back begin here: no line of a ring has one of them.
pub const PAGED: u64 = 1 << 63;

/// What is known of an end of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// There may be more.
    #[default]
    Open,
    /// More was asked for.
    Loading,
    /// There is no more.
    End,
    /// Why no more can be read.
    Failed(String),
}

/// What is shown from beyond the rings.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The older end.
    pub older: Edge,
    /// The newer end, while the newest lines are not shown.
    pub newer: Edge,
    /// Lines were read back.
    pub paged: bool,
    /// The newest lines are not shown: they gave way to older ones.
    pub detached: bool,
    /// Lines behind the last one that is shown.
    pub(super) cut: u64,
    /// Lines that were read back so far, for their numbers.
    pub(super) read: u64,
    /// Pages are asked for until the range is covered.
    pub(super) fills: bool,
}

/// Since when lines are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// The newest ones, as far as they are in memory.
    #[default]
    Tail,
    /// From the beginning of the log.
    Head,
    /// From a moment on.
    Since {
        /// The moment.
        from: Timestamp,
        /// Its words: `5 min`, `its last start`.
        words: String,
    },
}
