//! Everything that the screen shows, and where the operator stands in it. One owner, no locks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use sentinel_core::domain::finding::Finding;
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::snapshot::{ContainerView, Mode, Snapshot};
use sentinel_core::runbook::Runbooks;
use tui_textarea::TextArea;

use crate::tui::keymap::{Context, Keymap};
use crate::tui::listing::{Listing, Listings};
use crate::tui::log_view::LogView;
use crate::tui::look::Look;
use crate::tui::modal::Open;
use crate::tui::notice::Notices;
use crate::tui::pane::Pane;
use crate::tui::pattern::Pattern;
use crate::tui::talk::Talk;
use crate::tui::trends::Trends;

/// How long a message stays.
pub const TOAST_LASTS: Duration = Duration::from_secs(6);
/// The same where one line is all the room there is.
pub const TOAST_LASTS_SMALL: Duration = Duration::from_secs(2);
/// Messages shown at once; older ones give way.
pub const TOASTS: usize = 3;
/// From this size on there is room for several panes, and for messages of several lines.
pub const ROOMY: (u16, u16) = (80, 20);
/// Why a read-only instance decides nothing.
const READ_ONLY: &str =
    "read-only: nothing is changed. Start sentinel-tui without --read-only to act.";

/// Orders of the list of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// What needs attention first.
    Worst,
    /// By name.
    Name,
    /// Most CPU first.
    Cpu,
    /// Most memory first.
    Memory,
    /// Most restarts and deaths first.
    Restarts,
}

impl Sort {
    /// The next order.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Worst => Self::Name,
            Self::Name => Self::Cpu,
            Self::Cpu => Self::Memory,
            Self::Memory => Self::Restarts,
            Self::Restarts => Self::Worst,
        }
    }

    /// Its words for the title.
    pub fn words(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Name => "by name",
            Self::Cpu => "by CPU",
            Self::Memory => "by memory",
            Self::Restarts => "by restarts",
        }
    }
}

/// A list with a selection that stays with its item while the order changes.
#[derive(Clone, Debug)]
pub struct Selection<T> {
    /// The selected item.
    pub item: Option<T>,
    /// Its row when it was last seen, to stay near when it goes.
    pub row: usize,
    /// What is shown.
    pub filter: Option<Pattern>,
}

impl<T> Default for Selection<T> {
    fn default() -> Self {
        Self { item: None, row: 0, filter: None }
    }
}

/// What the inspector shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An incident.
    Incident(IncidentId),
    /// A container.
    Container(ContainerId),
    /// What is silenced and what was left alone.
    Quiet,
    /// One of the further lists.
    Listing(Listing),
    /// A row of one of them in full.
    Row(Listing, u64),
    /// Whether all is set up.
    Doctor,
}

/// What was examined, and when.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// The number of the examination under way.
    pub running: Option<u64>,
    /// When the last one came.
    pub at: Option<Timestamp>,
    /// What it found.
    pub findings: Arc<Vec<Finding>>,
}

/// The inspector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspector {
    /// Of what.
    pub subject: Subject,
    /// First line in view.
    pub scroll: usize,
    /// The chosen evidence, from 0.
    pub chosen: Option<usize>,
    /// Where "back" leads.
    pub from: Pane,
}

/// What the inspector showed before something else took its place.
#[derive(Clone, Debug)]
pub struct Behind {
    /// It, with where it was scrolled to; `None`: nothing was inspected.
    pub inspector: Option<Inspector>,
    /// Where the focus was.
    pub focus: Pane,
    /// What stands before it.
    pub front: Subject,
}

/// What a line that is being typed in the footer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Search the log.
    Search,
    /// Show only matching lines of the log.
    Filter,
    /// Show only matching rows of a list.
    List(Pane),
}

/// A line that is being typed in the footer; it acts while it is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// The field.
    pub typed: TextArea<'static>,
    /// What was set before, as it was typed, for Escape.
    pub before: String,
}

/// A passing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// Whether something worked.
    pub ok: bool,
    /// When it goes, by the runner's clock; [`Duration::MAX`] until it was drawn.
    pub until: Duration,
}

/// The extra menu's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuText {
    /// Its title.
    pub title: String,
    /// Its items.
    pub items: Vec<String>,
}

/// A jump into a log that waits for the lines to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Number of the line, if the evidence has one.
    pub seq: Option<u64>,
    /// Its time.
    pub at: Timestamp,
    /// Its text.
    pub excerpt: String,
}

/// The state of the terminal UI.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of the operator that are independent of each other"
)]
pub struct State {
    /// Size of the terminal.
    pub area: Rect,
    /// Wall clock, as last told.
    pub now: Timestamp,
    /// The runner's clock, as last told.
    pub at: Duration,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// What the engine knows.
    pub snapshot: Arc<Snapshot>,
    /// The pane with the focus.
    pub focus: Pane,
    /// Only the pane with the focus is shown.
    pub zoom: bool,
    /// Containers.
    pub containers: Selection<ContainerId>,
    /// Containers that are marked, for a log of them together.
    pub marks: BTreeSet<ContainerId>,
    /// The container that was marked last, where a range begins.
    pub marked_last: Option<ContainerId>,
    /// Their order.
    pub sort: Sort,
    /// Backwards.
    pub reverse: bool,
    /// Incidents.
    pub incidents: Selection<IncidentId>,
    /// Fixes; a plan goes by its incident, so that the cursor stays when it is planned anew.
    pub fixes: Selection<IncidentId>,
    /// The log.
    pub logs: LogView,
    /// A jump under way.
    pub jump: Option<Jump>,
    /// The inspector, if open.
    pub inspector: Option<Inspector>,
    /// What it showed before, at most a few levels deep.
    pub behind: Vec<Behind>,
    /// Whether all is set up, once somebody asked.
    pub examined: Examined,
    /// The further lists, and what was read for them.
    pub listings: Box<Listings>,
    /// The dialog, if open.
    pub modal: Option<Open>,
    /// The conversation, once there was one; it outlives its panel.
    pub talk: Option<Talk>,
    /// Questions asked so far.
    pub questions: u64,
    /// What people wrote down for kinds of failure.
    pub runbooks: Arc<Runbooks>,
    /// The line being typed, if any.
    pub prompt: Option<Prompt>,
    /// Messages, oldest first.
    pub toasts: Vec<Toast>,
    /// Keys.
    pub keymap: Keymap,
    /// Plain symbols.
    pub ascii: bool,
    /// The mouse is listened to.
    pub mouse: bool,
    /// New incidents that are told outside of the screen.
    pub notices: Notices,
    /// Who decides, for the record.
    pub operator: String,
    /// The extra menu.
    pub menu: Option<MenuText>,
    /// How the operator wants the screen to look.
    pub look: Look,
    /// Readings of the last minutes.
    pub trends: Trends,
    /// Something visible changed since the last frame.
    pub dirty: bool,
    /// Readings changed since the last frame: they can wait for a calm frame.
    pub readings: bool,
    /// The terminal should be cleared before the next frame.
    pub redraw: bool,
    /// The end was asked for.
    pub quit: bool,
}

impl State {
    /// The state before anything was heard.
    pub fn new(snapshot: Arc<Snapshot>, zone: TimeZone) -> Self {
        Self {
            area: Rect::new(0, 0, 80, 24),
            now: snapshot.at,
            at: Duration::ZERO,
            zone,
            snapshot,
            focus: Pane::Containers,
            zoom: false,
            containers: Selection::default(),
            marks: BTreeSet::new(),
            marked_last: None,
            sort: Sort::Worst,
            reverse: false,
            incidents: Selection::default(),
            fixes: Selection::default(),
            logs: LogView::default(),
            jump: None,
            inspector: None,
            behind: Vec::new(),
            examined: Examined::default(),
            listings: Box::default(),
            modal: None,
            talk: None,
            questions: 0,
            runbooks: Arc::default(),
            prompt: None,
            toasts: Vec::new(),
            keymap: Keymap::default(),
            ascii: false,
            mouse: false,
            notices: Notices::default(),
            operator: "operator".to_owned(),
            menu: None,
            look: Look { theme: "dark".to_owned(), ..Look::default() },
            trends: Trends::default(),
            dirty: true,
            readings: false,
            redraw: false,
            quit: false,
        }
    }

    /// A container by its id.
    pub fn container(&self, id: &ContainerId) -> Option<&ContainerView> {
        self.snapshot.containers.iter().find(|v| &v.container.of.id == id)
    }

    /// A container by its name.
    pub fn container_named(&self, name: &str) -> Option<&ContainerView> {
        self.snapshot.containers.iter().find(|v| v.container.of.name == name)
    }

    /// An incident by its id.
    pub fn incident(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        let known = self.snapshot.incidents.iter().find(|i| &i.id == id);
        known.or_else(|| self.listings.past.kept.iter().find(|i| &i.id == id))
    }

    /// The incident that the inspector shows.
    pub fn inspected_incident(&self) -> Option<&Arc<Incident>> {
        match self.inspector.as_ref().map(|i| &i.subject) {
            Some(Subject::Incident(id)) => self.incident(id),
            Some(_) | None => None,
        }
    }

    /// Whether the inspector shows what is silenced and left alone.
    pub fn shows_quiet(&self) -> bool {
        self.inspector.as_ref().is_some_and(|i| i.subject == Subject::Quiet)
    }

    /// Where the keys of the pane with the focus are looked up.
    pub fn context(&self) -> Context {
        match self.focus {
            Pane::Containers => Context::Containers,
            Pane::Incidents => Context::Incidents,
            Pane::Fixes => Context::Fixes,
            Pane::Logs => Context::Logs,
            Pane::Inspector => Context::Inspector,
        }
    }

    /// Whether nothing may be changed.
    pub fn is_read_only(&self) -> bool {
        self.snapshot.mode == Mode::ReadOnly
    }

    /// Why a plan cannot be approved or rejected here, if so.
    pub fn why_no_approval(&self) -> Option<String> {
        if self.is_read_only() {
            return Some(READ_ONLY.to_owned());
        }
        let why = self.snapshot.watching.as_ref()?;
        Some(format!("Only watching: {why}. Decide there."))
    }

    /// Whether messages get one line only.
    pub fn is_small(&self) -> bool {
        self.area.width < ROOMY.0 || self.area.height < ROOMY.1
    }

    /// Shows a message.
    pub fn toast(&mut self, ok: bool, text: impl Into<String>) {
        if self.toasts.len() == TOASTS {
            self.toasts.remove(0);
        }
        self.toasts.push(Toast { text: text.into(), ok, until: Duration::MAX });
        self.dirty = true;
    }
}
