//! What the terminal UI is told when it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::config::ui::Notify;
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
    /// Columns of the list of containers; `None`: all that fit.
    pub columns: Option<Vec<Column>>,
    /// The file that remembers that the tour was shown; `None`: it is not shown by itself.
    pub tour: Option<PathBuf>,
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
