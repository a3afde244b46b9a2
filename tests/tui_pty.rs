//! The terminal is taken and given back in a real pseudo-terminal: on quit, on SIGTERM, on a
//! panic in another part. Runs the example `tui_preview`, which cargo builds with the tests.

use std::error::Error;
use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Everything is waited for at most this long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        drop(self.child.kill());
    }
}

fn preview() -> Outcome<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(|p| p.parent()).ok_or("no target folder")?;
    let path = folder.join("examples/tui_preview");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: cargo build --example tui_preview", path.display()).into())
    }
}

fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome<Session> {
    let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size)?;
    let mut command = CommandBuilder::new(preview()?);
    command.args(arguments);
    command.env("TERM", "xterm-256color");
    command.env_remove("NO_COLOR");
    for (name, value) in environment {
        command.env(name, value);
    }
    let child = pair.slave.spawn_command(command)?;
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader()?;
    let writer = pair.master.take_writer()?;
    let (send, output) = sync_channel(1024);
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count) = reader.read(&mut buffer) {
            let part = buffer.get(..count).unwrap_or_default().to_vec();
            if count == 0 || send.send(part).is_err() {
                break;
            }
        }
    });
    let parser = vt100::Parser::new(
        30.try_into().map_err(|_| "rows")?,
        100.try_into().map_err(|_| "columns")?,
        0,
    );
    Ok(Session { child, master: pair.master, writer, output, parser })
}

impl Session {
    /// Reads until the screen is as wanted; the screen comes in the error if it never is.
    fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self.parser.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(part) => {
                    self.parser.process(&part);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let screen = self.parser.screen().contents();
                    return Err(format!("{what} never came; the screen:\n{screen}").into());
                }
            }
        }
        Ok(())
    }

    fn until_text(&mut self, text: &str) -> Outcome<()> {
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Presses a key again and again until a text is there: a dialog ignores the first ones.
    fn press_until(&mut self, keys: &str, text: &str) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.parser.screen().contents().contains(text) {
            if Instant::now() > deadline {
                return self.until_text(text);
            }
            self.type_in(keys)?;
            let next = Instant::now() + Duration::from_millis(200);
            while let Ok(part) =
                self.output.recv_timeout(next.saturating_duration_since(Instant::now()))
            {
                self.parser.process(&part);
            }
        }
        Ok(())
    }

    /// Reads what is left until the process has ended.
    fn until_end(&mut self) -> Outcome<u32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Ok(part) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.parser.process(&part);
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.exit_code());
            }
            if Instant::now() > deadline {
                return Err("it never ended".into());
            }
        }
    }

    fn type_in(&mut self, keys: &str) -> Outcome<()> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    fn is_given_back(&self) -> bool {
        let screen = self.parser.screen();
        // Line editing and echo are on again.
        let canonical = self.master.get_termios().is_some_and(|t| {
            let flags = format!("{:?}", t.local_flags);
            flags.contains("ICANON") && flags.contains("ECHO")
        });
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && canonical
    }
}

#[test]
fn quitting_gives_the_terminal_back() -> Outcome<()> {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    assert!(
        session.parser.screen().alternate_screen() && session.parser.screen().bracketed_paste()
    );
    assert!(!session.is_given_back());
    session.type_in("q")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn ctrl_c_needs_no_question() -> Outcome<()> {
    let mut session = start(&["--auto-heal"], &[])?;
    session.until_text("AUTO-HEAL")?;
    session.type_in("q")?;
    session.until_text("Nothing will be healed")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn sigterm_gives_the_terminal_back() -> Outcome<()> {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    let pid = session.child.process_id().ok_or("no process")?;
    let killed = std::process::Command::new("kill").arg(pid.to_string()).status()?;
    assert!(killed.success());
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn a_panic_elsewhere_gives_the_terminal_back_and_is_readable() -> Outcome<()> {
    let mut session = start(&["--panic"], &[])?;
    session.until_text("node-7")?;
    assert_ne!(session.until_end()?, 0);
    assert!(session.is_given_back());
    let screen = session.parser.screen().contents();
    assert!(screen.contains("Crashed"), "{screen}");
    Ok(())
}

#[test]
fn a_fix_is_approved_by_hand_from_end_to_end() -> Outcome<()> {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.type_in("F")?;
    session.until_text("Break something")?;
    session.press_until("\r", "▲ 1")?;
    session.until_text("◆ 1")?;
    session.type_in("3A")?;
    session.until_text("Approve a change of shop-api-1?")?;
    session.press_until("y", "verifying")?;
    session.until_text("resolved")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn no_color_sends_no_colour_and_keeps_the_selection() -> Outcome<()> {
    let mut session = start(&[], &[("NO_COLOR", "1")])?;
    session.until_text("node-7")?;
    session.until_text("shop-api-1")?;
    let screen = session.parser.screen();
    let (rows, columns) = screen.size();
    let mut inverse = 0;
    for row in 0..rows.into() {
        for column in 0..columns.into() {
            let Some(cell) = screen.cell(row, column) else { continue };
            assert_eq!(cell.fgcolor(), vt100::Color::Default);
            assert_eq!(cell.bgcolor(), vt100::Color::Default);
            inverse += usize::from(cell.inverse());
        }
    }
    assert!(inverse > 20, "the selected row is inverse: {inverse}");
    session.type_in("\u{3}")?;
    session.until_end()?;
    Ok(())
}
