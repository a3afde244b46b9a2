//! Pages of a log that is not in memory any more: what is asked for and what comes.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::ids::ContainerId;
use crate::domain::log::{LogLine, Stream};

/// A line at the edge of what a reader has, by which a page joins it: nothing is shown twice and
/// nothing is lost between, also among lines of the same nanosecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seam {
    /// Its time.
    pub at: Timestamp,
    /// Its stream.
    pub stream: Stream,
    /// Its text as it is shown.
    pub text: Arc<str>,
    /// How many lines like it the reader has.
    pub copies: usize,
}

/// Where a page lies in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageFrom {
    /// The first lines of the log.
    Start,
    /// The lines before one; so many of the log's newest lines lie behind that.
    Before(Seam, u64),
    /// The lines behind one.
    After(Seam),
}

/// A page of a log that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAsk {
    /// Whose log.
    pub container: ContainerId,
    /// Where in it.
    pub from: PageFrom,
    /// How many lines at most.
    pub limit: usize,
}

/// Lines of a log that were not kept in memory, made safe and read like all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastPage {
    /// The lines, oldest first; none has a number.
    pub lines: Vec<LogLine>,
    /// Nothing lies beyond them: the log begins here, or ends.
    pub ends: bool,
}
