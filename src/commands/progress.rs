//! How far reading has come: one line on standard error, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::commands::input::Input;

/// Drawn so often a second at most: enough to see it move.
const FRAMES: u8 = 8;
/// The line itself moves so often while nothing comes.
const TICK: Duration = Duration::from_millis(250);

/// The progress of reading an input.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Begins to show it; without a terminal on standard error nothing is ever shown.
    pub fn of(input: &Input) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES);
        let bar = ProgressBar::with_draw_target(input.size(), target);
        let template = if input.size().is_some() {
            "{msg} {wide_bar} {percent:>3} %  {binary_bytes_per_sec}  {eta}"
        } else {
            "{msg} {spinner} {binary_bytes}  {binary_bytes_per_sec}"
        };
        // A template that does not parse would be our mistake: then the bar has its usual form.
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(input.name().to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Shows how far the input is.
    pub fn at(&self, input: &Input) {
        self.0.set_position(input.read());
    }

    /// Takes the line away while something else is written to the same terminal.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Takes the line away for good.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}
