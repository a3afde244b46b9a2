//! Where the header walk is in its line, and what it has found so far.

use crate::detect::reader::shape::spaces;
use crate::domain::log::Level;

/// What the walk found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// The level, if the header has one.
    pub(super) level: Option<Level>,
    /// Where the message begins.
    pub(super) start: usize,
    /// A timestamp or a level stands before the message.
    pub(super) headed: bool,
    /// The time of an access line stands before the message.
    pub(super) access: bool,
    /// Where the first timestamp with a time of day begins, or else a date.
    pub(super) stamp: Option<usize>,
}

/// Elements that a header may have; no known one has more than ten.
pub(super) const MOST_ELEMENTS: usize = 14;

/// A walk over one header.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the line")]
pub(super) struct Walk<'t> {
    /// The line.
    pub(super) b: &'t [u8],
    /// The next element.
    pub(super) at: usize,
    /// Behind what is surely header.
    pub(super) start: usize,
    /// The level, once found.
    pub(super) level: Option<Level>,
    /// A timestamp was found.
    pub(super) stamped: bool,
    /// It was that of an access line.
    pub(super) access: bool,
    /// The header ends at `start`, whatever follows.
    pub(super) done: bool,
    /// Nothing but white space lies between `start` and the next element.
    pub(super) adjacent: bool,
    /// Plain words since `start`.
    pub(super) plain: usize,
    /// Tokens since the last timestamp that may name the writer.
    pub(super) names: usize,
    /// The line begins with an address: a user name may follow.
    pub(super) address: bool,
    /// Where the first timestamp with a time of day begins, or else a date.
    pub(super) stamp: Option<usize>,
    /// That timestamp is a date only.
    pub(super) date_only: bool,
}

/// Walks the header that begins at `from`.
pub(super) fn walk(b: &[u8], from: usize) -> Head {
    let mut walk = Walk {
        b,
        at: from,
        start: from,
        level: None,
        stamped: false,
        access: false,
        done: false,
        adjacent: true,
        plain: 0,
        names: 0,
        address: false,
        stamp: None,
        date_only: false,
    };
    walk.before_level();
    Head {
        level: walk.level,
        start: walk.start + spaces(b, walk.start),
        headed: walk.stamped || walk.level.is_some(),
        access: walk.access,
        stamp: walk.stamp,
    }
}

impl Walk<'_> {
    /// The byte at `at`; 0 behind the end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.b.get(at).copied().unwrap_or(0)
    }

    /// The token at `at`: up to white space.
    pub(super) fn text(&self, from: usize, to: usize) -> &[u8] {
        self.b.get(from..to).unwrap_or_default()
    }

    /// Everything up to `at` is header.
    pub(super) fn commit(&mut self, at: usize) {
        self.at = at;
        self.start = at;
        self.plain = 0;
    }

    /// Goes on to the next element.
    pub(super) fn advance(&mut self) {
        self.adjacent = self.at == self.start;
        self.at += spaces(self.b, self.at);
    }

    /// The level, which ends at `end`.
    pub(super) fn found_level(&mut self, level: Level, end: usize) {
        self.level = Some(level);
        self.commit(end);
    }
}
