//! The runner: reads keys and snapshots, lets `update` decide, performs what it asks, draws.
//!
//! One turn takes one message and up to `DRAIN` more that are there already, then draws at
//! most once. While nothing changes nothing is drawn and nothing polls.

mod look;
mod pace;
mod perform;
mod surroundings;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::Stream;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::snapshot::Snapshot;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::ui::{Display, Notify};
use crate::runtime::handle::Handle;
use crate::tui::message::Msg;
use crate::tui::modal::{GRACE, Open};
use crate::tui::options::{Examine, Frames, Options, Pick};
use crate::tui::run::pace::Pace;
use crate::tui::run::surroundings::{OwnCpu, ThemeFile};
use crate::tui::state::{MenuText, State};
use crate::tui::terminal::{self, Guard, Screen, TuiError, wipe};
use crate::tui::theme::Theme;
use crate::tui::update::counts_seconds;
use crate::tui::view::root;

/// Messages taken before a frame is drawn.
const DRAIN: usize = 256;
/// The shortest time between two frames where only readings changed.
const CALM: Duration = Duration::from_secs(1);
/// A runner that comes this much later than it wanted was stalled.
const LATE: Duration = Duration::from_millis(50);
/// Answers that may wait; one comes per command, and commands come from keys.
const ANSWERS: usize = 64;

/// Runs the terminal UI until the operator quits, `stop` is cancelled, or the run loop ends.
/// Quitting cancels `stop`. The terminal is given back whatever happens, also on an error or a
/// panic anywhere in the program.
pub async fn run(
    handle: Handle,
    options: Options,
    stop: CancellationToken,
) -> Result<(), TuiError> {
    let crashed = CancellationToken::new();
    if options.theme.has_colors() {
        terminal::allow_colors();
    }
    let guard = Guard::take(crashed.clone())?;
    if options.mouse {
        terminal::listen_to_mouse(true).map_err(TuiError::on("tell of its mouse"))?;
    }
    let screen = guard.screen()?;
    let mut runner = Runner::new(handle, options, screen)?;
    let outcome = runner.run(&stop, &crashed).await;
    runner.tasks.abort_all();
    drop(guard);
    stop.cancel();
    outcome
}

/// What the runner holds.
struct Runner {
    handle: Handle,
    theme: Theme,
    operator: String,
    pick: Option<Pick>,
    postmortems: PathBuf,
    notify: Notify,
    tmux: bool,
    display: Display,
    saved_logs: PathBuf,
    screen: Screen,
    state: State,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    events: EventStream,
    answers: mpsc::Receiver<Msg>,
    answer: mpsc::Sender<Msg>,
    tasks: JoinSet<()>,
    /// The answer under way.
    answering: Option<AbortHandle>,
    /// The page of a log under way.
    paging: Option<AbortHandle>,
    began: Instant,
    pace: Pace,
    /// When the oldest input was read that no frame shows yet.
    input: Option<Instant>,
    frames: Option<Frames>,
    examine: Option<Examine>,
    next_calm: Instant,
    /// When an open dialog begins to hear keys; until then they are dropped.
    opens: Option<Instant>,
    /// To be suspended at the end of this turn.
    suspends: bool,
    /// The file of the theme in force, if it is one.
    theme_file: Option<ThemeFile>,
    own_cpu: OwnCpu,
}

impl Runner {
    fn new(handle: Handle, options: Options, screen: Screen) -> Result<Self, TuiError> {
        let mut snapshots = handle.snapshots();
        // Where a run is joined that goes on already, the containers come as news: what is news is
        // sorted and selected.
        let mut first = (**snapshots.borrow_and_update()).clone();
        first.containers.clear();
        let mut state = State::new(Arc::new(first), TimeZone::system());
        state.now = Timestamp::now();
        state.ascii = options.ascii;
        state.runbooks = handle.runbooks();
        state.operator.clone_from(&options.operator);
        state.mouse = options.mouse;
        state.notices.on = options.notify != Notify::Off;
        let Options {
            theme,
            operator,
            menu,
            postmortems,
            saved_logs,
            keymap,
            notify,
            tmux,
            frames,
            examine,
            display,
            columns,
            tour,
            ..
        } = options;
        state.keymap = keymap;
        theme.name().clone_into(&mut state.look.theme);
        state.look.theme_file = Theme::is_file(theme.name()).then(|| theme.name().to_owned());
        state.look.columns = columns;
        let theme_file = ThemeFile::of(theme.name());
        let pick = menu.as_ref().map(|m| Arc::clone(&m.pick));
        state.menu = menu.map(|m| MenuText { title: m.title, items: m.items });
        let size = screen.size().map_err(TuiError::on("tell its size"))?;
        let (answer, answers) = mpsc::channel(ANSWERS);
        let mut runner = Self {
            handle,
            theme,
            operator,
            pick,
            postmortems,
            notify,
            tmux,
            display,
            saved_logs,
            screen,
            state,
            snapshots,
            events: EventStream::new(),
            answers,
            answer,
            tasks: JoinSet::new(),
            answering: None,
            paging: None,
            began: Instant::now(),
            pace: Pace::new(Instant::now()),
            input: None,
            frames,
            examine,
            next_calm: Instant::now(),
            opens: None,
            suspends: false,
            theme_file,
            own_cpu: OwnCpu::begin(),
        };
        runner.take(Msg::Resize { width: size.width, height: size.height });
        runner.take(Msg::Snapshot(runner.handle.snapshot()));
        if let Some(shown) = tour {
            runner.first_run(&shown);
        }
        Ok(runner)
    }

    async fn run(
        &mut self,
        stop: &CancellationToken,
        crashed: &CancellationToken,
    ) -> Result<(), TuiError> {
        self.draw().await?;
        let mut next_tick = self.next_tick();
        while !self.state.quit {
            self.open_up().await?;
            let opens = self.opens.unwrap_or(next_tick);
            let next_frame = self.pace.next(self.input.is_some());
            let looks = self.theme_file.as_ref().map_or(next_tick, |file| file.next);
            let message = tokio::select! {
                biased;
                () = crashed.cancelled() => return Err(TuiError::Crashed),
                () = stop.cancelled() => return Ok(()),
                () = sleep_until(opens), if self.opens.is_some() => None,
                event = self.events.next() => match event {
                    Some(event) => self.read(event)?,
                    // The terminal has gone.
                    None => return Ok(()),
                },
                Some(message) = self.answers.recv() => Some(message),
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => Some(Msg::Snapshot(Arc::clone(&self.snapshots.borrow_and_update()))),
                    // The run loop has ended; whoever started it says why.
                    Err(_) => return Ok(()),
                },
                () = sleep_until(next_frame), if self.state.dirty => None,
                () = sleep_until(self.next_calm), if self.state.readings => None,
                () = sleep_until(looks), if self.theme_file.is_some() => self.look_at_theme(),
                () = sleep_until(next_tick) => {
                    if let Some(percent) = self.own_cpu.measure() {
                        self.take(Msg::OwnCpu(percent));
                    }
                    Some(Msg::Tick { now: Timestamp::now(), at: self.began.elapsed() })
                }
            };
            if let Some(message) = message {
                self.take(message);
                self.drain().await?;
            }
            next_tick = next_tick.min(self.next_tick());
            if next_tick <= Instant::now() {
                next_tick = self.next_tick();
            }
            while self.tasks.try_join_next().is_some() {}
            if std::mem::take(&mut self.suspends) {
                self.suspend().await?;
            }
            let now = Instant::now();
            if !self.state.dirty {
                // It changed nothing that could be seen.
                self.input = None;
            }
            let due = (self.state.dirty && now >= self.pace.next(self.input.is_some()))
                || (self.state.readings && now >= self.next_calm);
            if due && !self.state.quit {
                self.draw().await?;
            }
        }
        Ok(())
    }

    /// The next full second if something on the screen counts seconds, else the next minute.
    fn next_tick(&self) -> Instant {
        let now = Timestamp::now();
        let into_second = u64::from(now.subsec_nanosecond().unsigned_abs());
        let mut left = Duration::from_secs(1).saturating_sub(Duration::from_nanos(into_second));
        if !counts_seconds(&self.state) {
            let second = now.as_second().rem_euclid(60).unsigned_abs();
            left += Duration::from_secs(59_u64.saturating_sub(second));
        }
        let until = self.state.toasts.iter().map(|t| t.until).min().unwrap_or(Duration::MAX);
        let toast = until.saturating_sub(self.began.elapsed());
        Instant::now() + left.min(toast)
    }

    /// What a terminal event means; `None` for nothing, and for what was typed before an open
    /// dialog could be read.
    fn read(&mut self, event: std::io::Result<Event>) -> Result<Option<Msg>, TuiError> {
        let at = self.began.elapsed();
        self.input.get_or_insert_with(Instant::now);
        Ok(match event.map_err(TuiError::on("be read"))? {
            Event::Key(key) if is_interrupt(&key) => Some(Msg::Key { key, at }),
            Event::Resize(width, height) => Some(Msg::Resize { width, height }),
            Event::Key(_) | Event::Paste(_) | Event::Mouse(_) if self.opens.is_some() => None,
            Event::Key(key) => Some(Msg::Key { key, at }),
            Event::Paste(text) => Some(Msg::Paste { text, at }),
            Event::Mouse(event) => Some(Msg::Mouse { event, at }),
            Event::FocusGained | Event::FocusLost => None,
        })
    }

    /// Takes what is there already, up to a bound, so that a burst costs one frame.
    async fn drain(&mut self) -> Result<(), TuiError> {
        for _ in 0..DRAIN {
            if self.state.quit {
                break;
            }
            // A dialog that was just opened is drawn before any further key is looked at.
            if self.state.modal.as_ref().is_some_and(|open| open.drawn.is_none()) {
                break;
            }
            if let Some(event) = self.event_now().await {
                if let Some(message) = self.read(event)? {
                    self.take(message);
                }
            } else if let Ok(message) = self.answers.try_recv() {
                self.take(message);
            } else {
                break;
            }
        }
        Ok(())
    }

    /// An event that has come already. Polled with this task's own waker: the event stream keeps
    /// the first one it is given.
    async fn event_now(&mut self) -> Option<std::io::Result<Event>> {
        let events = &mut self.events;
        std::future::poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut *events).poll_next(context) {
                Poll::Ready(event) => event,
                Poll::Pending => None,
            })
        })
        .await
    }

    async fn draw(&mut self) -> Result<(), TuiError> {
        if std::mem::take(&mut self.state.redraw)
            && let Err(error) = wipe(&mut self.screen)
        {
            // The frame is drawn all the same; if the terminal has gone, that says so.
            tracing::warn!("the terminal could not be cleared: {error}");
        }
        let (state, theme) = (&self.state, &self.theme);
        self.screen
            .draw(|frame| root::draw(frame.buffer_mut(), state, theme))
            .map_err(TuiError::on("be drawn to"))?;
        (self.state.dirty, self.state.readings) = (false, false);
        let now = Instant::now();
        if let (Some(input), Some(frames)) = (self.input.take(), &self.frames) {
            frames.shown(now - input);
        }
        self.pace.drew(now);
        self.next_calm = now + CALM;
        let opened = self.state.modal.as_ref().is_some_and(|open| open.drawn.is_none());
        let drops = self.state.modal.as_ref().is_some_and(Open::is_guarded);
        if opened && drops {
            // What was typed before the dialog could be seen was not meant for it.
            self.opens = Some(Instant::now());
            self.drop_queued().await?;
        }
        self.take(Msg::Drawn { at: self.began.elapsed() });
        if opened {
            let guarded = |open: &Open| open.is_guarded() && open.drawn.is_some();
            let waits = self.state.modal.as_ref().is_some_and(guarded);
            self.opens = waits.then(|| Instant::now() + GRACE);
        }
        Ok(())
    }

    /// Lets an open dialog hear keys once its grace is over. A runner that comes late to that was
    /// stalled: what it would read now may have been typed within the grace, and nobody can tell
    /// any more, so the grace begins again.
    async fn open_up(&mut self) -> Result<(), TuiError> {
        let now = Instant::now();
        let Some(opens) = self.opens.filter(|at| *at <= now) else { return Ok(()) };
        self.drop_queued().await?;
        self.opens = (now - opens > LATE).then(|| now + GRACE);
        Ok(())
    }

    /// Drops the keys that have come already, while [`Runner::opens`] is set.
    async fn drop_queued(&mut self) -> Result<(), TuiError> {
        for _ in 0..DRAIN {
            let Some(event) = self.event_now().await else { break };
            if let Some(message) = self.read(event)? {
                self.take(message);
            }
        }
        Ok(())
    }
}

fn is_interrupt(key: &crossterm::event::KeyEvent) -> bool {
    key.code == crossterm::event::KeyCode::Char('c')
        && key.modifiers.contains(crossterm::event::KeyModifiers::CONTROL)
}
