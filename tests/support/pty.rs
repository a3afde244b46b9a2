//! A program in a real pseudo-terminal: what it shows, and keys for it.

use std::io::{Read as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::Fallible;

/// Everything is waited for at most this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running program and the screen that it draws.
pub struct Session {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Option<Box<dyn MasterPty + Send>>,
    pub parser: vt100::Parser,
    /// Every byte that was written to the terminal.
    pub raw: Vec<u8>,
    writer: Option<Box<dyn Write + Send>>,
    output: Receiver<Vec<u8>>,
    /// The reader lets go of the terminal at its next output.
    deaf: Arc<AtomicBool>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        drop(self.child.kill());
    }
}

impl Session {
    /// Starts a program in a terminal of this size.
    pub fn start(mut command: CommandBuilder, rows: u16, cols: u16) -> Fallible<Self> {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let writer = Some(pair.master.take_writer()?);
        let (send, output) = sync_channel(1024);
        let deaf = Arc::new(AtomicBool::new(false));
        let lets_go = Arc::clone(&deaf);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count) = reader.read(&mut buffer) {
                let part = buffer.get(..count).unwrap_or_default().to_vec();
                if count == 0 || lets_go.load(Ordering::SeqCst) || send.send(part).is_err() {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(rows.try_into()?, cols.try_into()?, 0);
        Ok(Self { child, master: Some(pair.master), writer, output, deaf, parser, raw: Vec::new() })
    }

    fn takes(&mut self, part: &[u8]) {
        self.raw.extend_from_slice(part);
        self.parser.process(part);
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads what comes within a time.
    pub fn rest(&mut self, time: Duration) -> Fallible {
        let until = Instant::now() + time;
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(part) => self.takes(&part),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err("it has ended".into()),
            }
        }
    }

    /// Reads until the screen is as wanted; the screen comes in the error if it never is.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Fallible {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self.parser.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(part) => {
                    self.takes(&part);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let screen = self.parser.screen().contents();
                    return Err(format!("{what} never came; the screen:\n{screen}").into());
                }
            }
        }
        Ok(())
    }

    pub fn until_text(&mut self, text: &str) -> Fallible {
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Presses a key again and again until a text is there: a dialog ignores the first ones.
    pub fn press_until(&mut self, keys: &str, text: &str) -> Fallible {
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
                self.takes(&part);
            }
        }
        Ok(())
    }

    /// Reads what is left until the process has ended.
    pub fn until_end(&mut self) -> Fallible<u32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Ok(part) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.takes(&part);
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.exit_code());
            }
            if Instant::now() > deadline {
                return Err("it never ended".into());
            }
        }
    }

    pub fn type_in(&mut self, keys: &str) -> Fallible {
        let writer = self.writer.as_mut().ok_or("the terminal has gone")?;
        writer.write_all(keys.as_bytes())?;
        Ok(writer.flush()?)
    }

    pub fn is_given_back(&self) -> bool {
        let screen = self.parser.screen();
        // Line editing and echo are on again.
        let canonical = self.master.as_ref().and_then(|m| m.get_termios()).is_some_and(|t| {
            let flags = format!("{:?}", t.local_flags);
            flags.contains("ICANON") && flags.contains("ECHO")
        });
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && canonical
    }

    /// Sends the program a signal by name.
    pub fn signal(&self, name: &str) -> Fallible {
        let pid = self.child.process_id().ok_or("no process")?;
        let status = std::process::Command::new("kill")
            .arg(format!("-{name}"))
            .arg(pid.to_string())
            .status()?;
        if status.success() { Ok(()) } else { Err("it has ended already".into()) }
    }

    /// Takes the terminal away, as a lost connection does: `keys` must make the program draw.
    pub fn hang_up(&mut self, keys: &str) -> Fallible {
        self.deaf.store(true, Ordering::SeqCst);
        self.type_in(keys)?;
        self.writer = None;
        self.master = None;
        Ok(())
    }
}
