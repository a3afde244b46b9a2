//! What reaches `update`, and what it asks of the runner.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::ids::{ContainerId, FixId, IncidentId};
use sentinel_core::domain::log_page::{PageAsk, PastPage};
use sentinel_core::domain::snapshot::Snapshot;

use crate::runtime::asking::{Part, Question};
use crate::runtime::rings::LogPage;
use crate::tui::listing::look::{Look, Seen};

/// One input of `update`. Times are of the runner's monotonic clock unless they are timestamps.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was read.
    Key {
        /// Which.
        key: KeyEvent,
        /// When it was read.
        at: Duration,
    },
    /// Text was pasted. It never counts as keys.
    Paste {
        /// The text.
        text: String,
        /// When it was read.
        at: Duration,
    },
    /// The mouse did something.
    Mouse {
        /// What.
        event: MouseEvent,
        /// When it was read.
        at: Duration,
    },
    /// The terminal has another size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The engine's state changed.
    Snapshot(Arc<Snapshot>),
    /// Lines of a container's log.
    Logs {
        /// Whose.
        container: ContainerId,
        /// The request's [`Effect::ReadLogs::generation`].
        generation: u64,
        /// The lines.
        page: LogPage,
        /// They are all that is kept.
        whole: bool,
    },
    /// A page of a log from beyond what is in memory.
    Page {
        /// The request's [`Effect::ReadPage::generation`].
        generation: u64,
        /// Before what is there, or behind it.
        older: bool,
        /// The page, or why there is none.
        outcome: Result<PastPage, String>,
    },
    /// Time passed.
    Tick {
        /// Wall clock.
        now: Timestamp,
        /// The runner's clock.
        at: Duration,
    },
    /// A frame with the state as it stands is on the screen.
    Drawn {
        /// When that was done.
        at: Duration,
    },
    /// A piece of an answer.
    Part {
        /// The number of the question.
        number: u64,
        /// The piece.
        part: Part,
    },
    /// What this program itself takes of one core, in percent.
    OwnCpu(f64),
    /// What was looked up for a list.
    Seen {
        /// The request's [`Effect::Look::generation`].
        generation: u64,
        /// What was found.
        seen: Seen,
    },
    /// What a plan would do now.
    Rehearsed {
        /// The step that was asked about.
        fix: FixId,
        /// The report, or why there is none.
        outcome: Result<String, String>,
    },
    /// What came of a command, a menu item or a copy.
    Said {
        /// Whether it worked.
        ok: bool,
        /// A sentence.
        text: String,
    },
}

/// Work asked of the runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the engine, in the operator's name; the answer comes back as [`Msg::Said`].
    Ask(Command),
    /// Ask what the plan of a fix would do now; the answer comes back as [`Msg::Rehearsed`].
    Rehearse(FixId),
    /// Ask a question in words; the answer comes back as [`Msg::Part`], piece by piece.
    Question {
        /// Comes back with each piece.
        number: u64,
        /// What is asked.
        question: Question,
    },
    /// The answer under way is not wanted any more.
    CancelQuestion,
    /// Read lines of a log: those from number `last` on, or all if `last` is 0 or the ring's
    /// revision is another than `revision`.
    ReadLogs {
        /// Whose.
        container: ContainerId,
        /// Comes back with the lines.
        generation: u64,
        /// Newest number that is there already.
        last: u64,
        /// Revision of what is there.
        revision: u64,
    },
    /// Read lines of a log that are not in memory; they come back as [`Msg::Page`].
    ReadPage {
        /// Comes back with the page.
        generation: u64,
        /// Before what is there, or behind it.
        older: bool,
        /// Which lines.
        ask: PageAsk,
    },
    /// Write the postmortem of an incident into the state folder; where it is comes back as
    /// [`Msg::Said`].
    Keep {
        /// Of which.
        incident: IncidentId,
        /// As Markdown.
        document: String,
    },
    /// Take another theme, one that is built in.
    Theme(&'static str),
    /// Take a theme while it is looked at: one that is built in, or a file.
    Preview(String),
    /// Listen to the mouse, or do not.
    Mouse(bool),
    /// Give the terminal back and stop, until the shell goes on with this job.
    Suspend,
    /// Tell a new incident outside of the screen.
    Notify(String),
    /// Write lines of a log into the state folder; where they are comes back as [`Msg::Said`].
    SaveLines {
        /// Of what and when: the name of the file.
        name: String,
        /// The lines.
        document: String,
    },
    /// Look something up for a list; it comes back as [`Msg::Seen`].
    Look {
        /// Comes back with it.
        generation: u64,
        /// What.
        look: Look,
    },
    /// Put text on the clipboard.
    Copy(String),
    /// Run an item of the extra menu; what came of it comes back as [`Msg::Said`].
    Pick(usize),
}
