//! What the runner looks at beside the engine: the theme's file, what this program itself takes,
//! and whether the tour was shown already.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::tui::looks::Looks;
use crate::tui::message::Msg;
use crate::tui::modal::{Modal, Open};
use crate::tui::run::Runner;
use crate::tui::terminal;
use crate::tui::theme::Theme;

/// How often the file of a theme is looked at, where one is used.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// The time between two measures of what this program takes, at least.
const MEASURED_EVERY: Duration = Duration::from_secs(10);
/// Linux counts the time that a process takes in hundredths of a second, on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// The file of the theme in force.
pub(super) struct ThemeFile {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    /// When it is looked at again.
    pub(super) next: Instant,
}

impl ThemeFile {
    /// The file of a theme, if that is one.
    pub(super) fn of(name: &str) -> Option<Self> {
        let path = Theme::is_file(name).then(|| PathBuf::from(name))?;
        let stamp = stamp(&path);
        Some(Self { path, stamp, next: Instant::now() + LOOKS_EVERY })
    }
}

/// What changes when a file is written.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// What this program took of the processor, as last measured.
pub(super) struct OwnCpu {
    at: Instant,
    ticks: Option<u64>,
}

impl OwnCpu {
    /// The first measure.
    pub(super) fn begin() -> Self {
        Self { at: Instant::now(), ticks: ticks() }
    }

    /// Percent of one core since the last measure, if that is long enough ago.
    pub(super) fn measure(&mut self) -> Option<f64> {
        let passed = self.at.elapsed();
        if passed < MEASURED_EVERY {
            return None;
        }
        let now = ticks();
        let took = now?.checked_sub(self.ticks?)?;
        (self.at, self.ticks) = (Instant::now(), now);
        Some(took as f64 / TICKS_PER_SECOND / passed.as_secs_f64() * 100.0)
    }
}

/// User and system time of this process; `None` where the kernel does not tell.
fn ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; counted from behind it these are 12 and 13.
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

impl Runner {
    /// Takes a theme while it is looked at.
    pub(super) fn preview(&mut self, name: &str) -> Option<Msg> {
        match Theme::load(name, false) {
            Ok(theme) => {
                self.put_on(theme);
                self.theme_file = ThemeFile::of(name);
                None
            }
            Err(error) => Some(Msg::Said { ok: false, text: error.to_string() }),
        }
    }

    pub(super) fn put_on(&mut self, theme: Theme) {
        if theme.has_colors() {
            terminal::allow_colors();
        }
        self.theme = theme;
        self.state.dirty = true;
    }

    /// Reads the theme's file again if it was written since. With a mistake in it the theme stays
    /// as it was.
    pub(super) fn look_at_theme(&mut self) -> Option<Msg> {
        let file = self.theme_file.as_mut()?;
        file.next = Instant::now() + LOOKS_EVERY;
        let now = stamp(&file.path);
        if now.is_none() || std::mem::replace(&mut file.stamp, now) == now {
            return None;
        }
        let name = file.path.display().to_string();
        match Theme::load(&name, false) {
            Ok(theme) => {
                self.put_on(theme);
                Some(Msg::Said { ok: true, text: format!("{name} was read again.") })
            }
            Err(error) => {
                let text = format!("{error}. The theme stays as it was.");
                Some(Msg::Said { ok: false, text })
            }
        }
    }

    /// Opens the tour, once on each machine: `shown` is the file that remembers it. Where an
    /// incident is open already there are better things to look at.
    pub(super) fn first_run(&mut self, shown: &Path) {
        if shown.exists() || self.state.snapshot.incidents.iter().any(|i| !i.state.is_closed()) {
            return;
        }
        if let Err(error) = std::fs::write(shown, "") {
            // It would come again and again.
            tracing::info!("{} cannot be written, so no tour is shown: {error}", shown.display());
            return;
        }
        self.state.modal = Some(Open::new(Modal::Looks(Looks::Tour { card: 0 })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_a_measure_waits_its_turn() {
        if cfg!(target_os = "linux") {
            assert!(ticks().is_some());
        }
        assert_eq!(OwnCpu::begin().measure(), None);
    }

    #[test]
    fn only_a_file_has_to_be_looked_at() {
        assert!(ThemeFile::of("dark").is_none());
        assert!(ThemeFile::of("/no/such/theme.toml").is_some_and(|f| f.stamp.is_none()));
    }
}
