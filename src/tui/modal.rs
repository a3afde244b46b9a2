//! Dialogs over the screen. What changes something is guarded: keys do nothing until the dialog
//! was drawn and a moment has passed, so that typing meant for something else decides nothing.

use std::time::Duration;

use ratatui::layout::Rect;
use sentinel_core::domain::ids::{FixId, IncidentId};
use sentinel_core::domain::plan::{Plan, Risk};
use tui_textarea::TextArea;

use crate::cli;
use crate::tui::field::{one_line, typed};
use crate::tui::looks::Looks;
use crate::tui::record::Record;
use crate::tui::shaping::{Editing, Granting, Rehearsing, Snoozing};

/// How long keys are ignored after a guarded dialog was first drawn.
pub const GRACE: Duration = Duration::from_millis(300);
/// Typed text is cut to this many characters.
pub const TYPED_LIMIT: usize = 400;
/// How long a silence is unless somebody says otherwise.
const PROPOSED: &str = "30m";

/// An open dialog.
#[derive(Clone, Debug)]
pub struct Open {
    /// What it is.
    pub modal: Modal,
    /// When its first frame was on the screen, by the runner's clock; `None` until then.
    pub drawn: Option<Duration>,
}

impl Open {
    /// A dialog that was not drawn yet.
    pub fn new(modal: Modal) -> Self {
        Self { modal, drawn: None }
    }

    /// Whether a key in it can change something. Nothing in the help or in a conversation does,
    /// what the palette runs asks for itself, and a form calls only what reads.
    pub fn is_guarded(&self) -> bool {
        match self.modal {
            Modal::Help { .. }
            | Modal::Palette(_)
            | Modal::Record { .. }
            | Modal::Range { .. }
            | Modal::Looks(_)
            | Modal::Rehearsal(_)
            | Modal::Talk
            | Modal::Form => false,
            Modal::Approve(_)
            | Modal::Reason(_)
            | Modal::Silence(_)
            | Modal::Edit(_)
            | Modal::Snooze(_)
            | Modal::Grant(_)
            | Modal::Quit { .. }
            | Modal::Menu { .. } => true,
        }
    }

    /// Whether a key read at `at` may do something.
    pub fn hears(&self, at: Duration) -> bool {
        !self.is_guarded() || self.drawn.is_some_and(|drawn| at >= drawn + GRACE)
    }
}

/// The kinds of dialog.
#[derive(Clone, Debug)]
pub enum Modal {
    /// All keys.
    Help {
        /// First line in view.
        scroll: usize,
    },
    /// A line of a log, whole.
    Record {
        /// Which.
        record: Box<Record>,
        /// First line in view.
        scroll: usize,
    },
    /// Since when a log is shown.
    Range {
        /// The current choice.
        cursor: usize,
    },
    /// The extra menu.
    Menu {
        /// The current item.
        cursor: usize,
    },
    /// Approve a plan.
    Approve(Box<Approval>),
    /// A reason for the timeline.
    Reason(Box<Reason>),
    /// Silence a service for a while.
    Silence(Box<Silencing>),
    /// Change what a plan calls.
    Edit(Box<Editing>),
    /// Put a plan off.
    Snooze(Box<Snoozing>),
    /// Allow plans like one beforehand.
    Grant(Box<Granting>),
    /// What a plan would do now.
    Rehearsal(Box<Rehearsing>),
    /// The command palette.
    Palette(Box<Palette>),
    /// The conversation in [`crate::tui::state::State::talk`].
    Talk,
    /// How the screen looks, and the tour.
    Looks(Looks),
    /// The arguments of a tool that only reads, in
    /// [`crate::tui::listing::Listings::form`].
    Form,
    /// Really quit?
    Quit {
        /// What would end with it.
        why: String,
        /// Whether the button "Quit" has the focus.
        yes: bool,
    },
}

/// What has the focus in an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The button that does nothing: the default.
    Cancel,
    /// The field for the container's name, where one is asked for.
    Name,
    /// The button that approves.
    Approve,
}

/// What is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To run the plan.
    Apply,
    /// To take back what was applied of it.
    Undo,
}

/// An approval in the making. It holds the plan that it shows; only that plan can be approved.
#[derive(Clone, Debug)]
pub struct Approval {
    /// What would be done.
    pub deed: Deed,
    /// The plan as shown.
    pub plan: Plan,
    /// What has the focus.
    pub focus: Focus,
    /// The typed name.
    pub typed: TextArea<'static>,
    /// First line in view.
    pub scroll: usize,
    /// So many lines of the card were on the screen, from the first on, in a terminal of this size.
    pub seen: (Rect, usize),
    /// Why this plan cannot be approved any more.
    pub void: Option<String>,
}

impl Approval {
    /// An approval of a plan, with the focus on "Cancel".
    pub fn of(deed: Deed, plan: Plan) -> Self {
        let seen = (Rect::default(), 0);
        Self { deed, plan, focus: Focus::Cancel, typed: one_line(), scroll: 0, seen, void: None }
    }

    /// Any step of the plan: the approval is of all.
    pub fn fix(&self) -> Option<&FixId> {
        self.plan.steps.first().map(|s| &s.id)
    }

    /// Name of the container that the plan acts on.
    pub fn target(&self) -> &str {
        self.plan.steps.first().map_or("", |s| s.target.name.as_str())
    }

    /// Whether the container's name has to be typed.
    pub fn asks_name(&self) -> bool {
        self.plan.risk() >= Risk::R3
    }

    /// Whether it was typed, where it has to be.
    pub fn is_named(&self) -> bool {
        !self.asks_name() || typed(&self.typed) == self.target()
    }
}

/// What a reason is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonFor {
    /// Rejecting a fix.
    Reject(FixId),
    /// Dismissing an incident.
    Dismiss(IncidentId),
    /// Throwing the kill switch.
    Halt,
    /// Releasing it.
    Resume,
    /// Taking a grant back.
    Revoke(u64),
}

/// A reason in the making.
#[derive(Clone, Debug)]
pub struct Reason {
    /// What it is for.
    pub of: ReasonFor,
    /// What is being decided, in words.
    pub about: String,
    /// The typed reason.
    pub typed: TextArea<'static>,
}

/// A silence in the making.
#[derive(Clone, Debug)]
pub struct Silencing {
    /// The service, or the container whose silence is changed.
    pub service: String,
    /// For how long.
    pub duration: TextArea<'static>,
    /// The duration is still the proposed one: what is typed takes its place.
    pub proposed: bool,
    /// Why.
    pub reason: TextArea<'static>,
    /// The field for the reason has the focus.
    pub in_reason: bool,
}

impl Silencing {
    /// A silence of the proposed length; `why` is the reason of the one that it would change.
    pub fn of(service: String, why: &str) -> Self {
        let (mut duration, mut reason) = (one_line(), one_line());
        duration.insert_str(PROPOSED);
        reason.insert_str(why);
        Self { service, duration, proposed: true, reason, in_reason: false }
    }

    /// The field with the focus.
    pub fn field(&mut self) -> &mut TextArea<'static> {
        if self.in_reason {
            return &mut self.reason;
        }
        self.proposed = false;
        &mut self.duration
    }

    /// Text is about to be typed: a proposal makes room for it.
    pub fn begin(&mut self) {
        if self.proposed && !self.in_reason {
            self.duration = one_line();
        }
    }

    /// For how many seconds, or why not; 0 ends a silence that `runs`.
    pub fn seconds(&self, runs: bool) -> Result<u64, String> {
        let text = typed(&self.duration).trim().to_owned();
        if text.is_empty() {
            return Err("write it like 30m, 2h, 90s".to_owned());
        }
        // The reason of the parser fills lines; an example says it sooner.
        let asked = cli::duration(&text).map_err(|_| "no time: try 30m, 2h, 90s".to_owned())?;
        match asked.as_secs() {
            0 if !runs => Err("it is not silenced now".to_owned()),
            seconds => Ok(seconds),
        }
    }

    /// The typed reason.
    pub fn why(&self) -> String {
        typed(&self.reason).trim().to_owned()
    }
}

/// The open command palette.
#[derive(Clone, Debug)]
pub struct Palette {
    /// The line that is typed.
    pub typed: TextArea<'static>,
    /// The chosen one of [`crate::tui::palette::matches`].
    pub cursor: usize,
}

impl Default for Palette {
    fn default() -> Self {
        Self { typed: one_line(), cursor: 0 }
    }
}
