//! The terminal while the UI has it, and giving it back: on return, on error, on a panic.

use std::io::{BufWriter, IsTerminal, Stdout, Write, stdin, stdout};
use std::mem::ManuallyDrop;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::{Attribute, ResetColor, SetAttribute, force_color_output};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::SIGTSTP;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// The terminal as drawn to. Output is gathered, so that a frame is one write.
///
/// It is never dropped: ratatui's own drop shows the cursor and, where the terminal has gone, says
/// on standard error that it could not, which panics because that has gone, too. [`Guard`] shows
/// the cursor; the memory goes with the process.
pub type Screen = ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>;

/// Bytes of output that are gathered.
const GATHERED: usize = 64 * 1024;

/// Whether the terminal is taken: it is given back exactly once, whoever comes first.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether the terminal was asked to tell what the mouse does.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Why the terminal UI could not start or go on.
#[derive(Debug, Error)]
pub enum TuiError {
    /// Input or output is a pipe or a file.
    #[error(
        "the terminal UI needs a terminal on standard input and output; use --headless instead"
    )]
    NoTerminal,
    /// The terminal refused something.
    #[error("the terminal could not {what}: {source}")]
    Terminal {
        /// What was asked of it.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Some part of the program panicked; the report is on standard error.
    #[error("a part of sentinel-tui crashed; the report above says where")]
    Crashed,
}

impl TuiError {
    /// For `map_err`: names what was asked of the terminal.
    pub(super) fn on(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Terminal { what, source }
    }
}

/// Empties the terminal, so that the next frame is drawn whole. Unlike ratatui's own `clear` it
/// asks the terminal nothing: the answer would come in through the input, which is being read as
/// keys.
pub(super) fn wipe(screen: &mut Screen) -> std::io::Result<()> {
    // What is thought to be on the screen is forgotten with it.
    screen.swap_buffers();
    let out = screen.backend_mut();
    queue!(out, SetAttribute(Attribute::Reset), ResetColor, Clear(ClearType::All))?;
    Write::flush(out)
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static;

/// Whether there is a terminal to draw on; asked before anything else is set in motion.
pub fn check() -> Result<(), TuiError> {
    if stdin().is_terminal() && stdout().is_terminal() { Ok(()) } else { Err(TuiError::NoTerminal) }
}

/// Columns and rows of the terminal.
pub fn size() -> std::io::Result<(u16, u16)> {
    crossterm::terminal::size()
}

/// Holds the terminal; gives it back when dropped.
pub struct Guard {
    before: Arc<Hook>,
}

impl Guard {
    /// Takes the terminal. `crashed` is cancelled by a panic anywhere in the program: the report
    /// of it has to be readable, so the terminal is given back first and the UI ends.
    pub fn take(crashed: CancellationToken) -> Result<Self, TuiError> {
        check()?;
        let before: Arc<Hook> = Arc::from(take_hook());
        let then = Arc::clone(&before);
        set_hook(Box::new(move |report| {
            give_back();
            crashed.cancel();
            then(report);
        }));
        let guard = Self { before };
        // From here on a failure drops the guard, which undoes what was done so far.
        begin()?;
        Ok(guard)
    }

    /// What is drawn to.
    pub fn screen(&self) -> Result<Screen, TuiError> {
        let out = BufWriter::with_capacity(GATHERED, stdout());
        Terminal::new(CrosstermBackend::new(out))
            .map(ManuallyDrop::new)
            .map_err(TuiError::on("tell its size"))
    }
}

fn begin() -> Result<(), TuiError> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode().map_err(TuiError::on("be put into raw mode"))?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
        .map_err(TuiError::on("open its alternate screen"))
}

/// Lets a theme's colours through: it was asked for by name. Without this, NO_COLOR would turn
/// each colour into a reset that takes bold and reverse with it.
pub(super) fn allow_colors() {
    force_color_output(true);
}

/// Asks the terminal to tell what the mouse does, or not to.
pub(super) fn listen_to_mouse(on: bool) -> std::io::Result<()> {
    if on {
        MOUSE.store(true, Ordering::SeqCst);
        execute!(stdout(), EnableMouseCapture)
    } else if MOUSE.swap(false, Ordering::SeqCst) {
        execute!(stdout(), DisableMouseCapture)
    } else {
        Ok(())
    }
}

/// Gives the terminal back and stops this process; takes it again once the shell goes on with
/// this job. Where nobody could go on with it (there is no job control) it does not stop.
pub(super) fn suspend() -> Result<(), TuiError> {
    let mouse = MOUSE.load(Ordering::SeqCst);
    give_back();
    // To this thread: it stops within this call, and with it the whole process.
    signal_hook::low_level::raise(SIGTSTP).map_err(TuiError::on("be given back to the shell"))?;
    begin()?;
    listen_to_mouse(mouse).map_err(TuiError::on("tell of its mouse"))
}

impl Drop for Guard {
    fn drop(&mut self) {
        // After a panic elsewhere it was given back while a frame may have been on its way, which
        // hides the cursor.
        if !give_back()
            && let Err(error) = execute!(stdout(), Show)
        {
            tracing::warn!("the cursor could not be shown again: {error}");
        }
        if !std::thread::panicking() {
            let before = Arc::clone(&self.before);
            set_hook(Box::new(move |report| before(report)));
        }
    }
}

/// Columns of the terminal that standard output is; `None` if it is none.
pub fn columns() -> Option<usize> {
    let size = stdout().is_terminal().then(crossterm::terminal::size)?;
    size.ok().map(|(columns, _)| usize::from(columns))
}

/// Undoes everything that [`Guard::take`] did to the terminal, once. False: that was done before.
fn give_back() -> bool {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return false;
    }
    let mut out = stdout();
    let mouse = listen_to_mouse(false);
    let screen = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, ResetColor, Show);
    let flushed = out.flush();
    let raw = disable_raw_mode();
    for result in [mouse, screen, flushed, raw] {
        if let Err(error) = result {
            tracing::warn!("the terminal could not be restored completely: {error}");
        }
    }
    true
}
