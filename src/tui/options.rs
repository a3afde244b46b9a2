//! What the terminal UI is told when it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use sentinel_core::domain::finding::Finding;

use crate::config::ui::{Display, Notify};
use crate::tui::columns::Column;
use crate::tui::keymap::Keymap;
use crate::tui::theme::Theme;

/// Runs an item of a [`Menu`] by its place; answers with a sentence either way.
pub type Pick = Arc<dyn Fn(usize) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// Settings of one run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How it looks.
    pub theme: Theme,
    /// Plain ASCII symbols.
    pub ascii: bool,
    /// Who decides, for the record: a name or login.
    pub operator: String,
    /// Where postmortems are written.
    pub postmortems: PathBuf,
    /// Where lines of logs are saved.
    pub saved_logs: PathBuf,
    /// An extra menu on `F`.
    pub menu: Option<Menu>,
    /// Which key means what.
    pub keymap: Keymap,
    /// The mouse is listened to.
    pub mouse: bool,
    /// How a new incident is told outside of the screen.
    pub notify: Notify,
    /// The terminal is one of tmux, which has to be asked to hand things on.
    pub tmux: bool,
    /// Looks whether all is set up.
    pub examine: Option<Examine>,
    /// Takes down how long input waits for its frame.
    pub frames: Option<Frames>,
    /// The display whose clipboard can be reached.
    pub display: Display,
    /// Columns of the list of containers; `None`: all that fit.
    pub columns: Option<Vec<Column>>,
    /// The file that remembers that the tour was shown; `None`: it is not shown by itself.
    pub tour: Option<PathBuf>,
}

/// Looks whether all is set up, in bounded time.
#[derive(Clone)]
pub struct Examine(pub Arc<dyn Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync>);

impl fmt::Debug for Examine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examine").finish_non_exhaustive()
    }
}

/// How long each input waited until the frame that shows it was on its way to the terminal: the
/// first [`Frames::MOST`] of them.
#[derive(Clone, Debug, Default)]
pub struct Frames(Arc<Mutex<Vec<Duration>>>);

impl Frames {
    /// As many are taken down.
    pub const MOST: usize = 100_000;

    pub(crate) fn shown(&self, waited: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < Self::MOST {
            all.push(waited);
        }
    }

    /// What was taken down.
    pub fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An extra menu: the demo offers its faults with it.
#[derive(Clone)]
pub struct Menu {
    /// Its title.
    pub title: String,
    /// Its items.
    pub items: Vec<String>,
    /// What an item does.
    pub pick: Pick,
}

impl fmt::Debug for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Menu")
            .field("title", &self.title)
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}
