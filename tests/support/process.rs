//! The built binary, headless, against real containers.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Corner, Fallible};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A command of the built binary with folders and an engine of the test's own.
pub fn command(corner: &Corner, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        // Each test elects its own acting instance.
        .env("SENTINEL_LOCK_DIR", folder)
        .env("USER", "tester")
        .env("DOCKER_HOST", &corner.host)
        .env("SENTINEL_VERIFY_SECONDS", "1")
        .current_dir(folder)
        .arg("--state-dir")
        .arg(folder.join("state"));
    command
}

/// A headless instance that watches a corner of the engine.
pub struct Headless {
    child: Child,
    lines: Receiver<Value>,
    /// Everything it said so far.
    pub events: Vec<Value>,
}

impl Headless {
    /// Starts one with further variables, and waits until it watches.
    pub fn start_with(
        corner: &Corner,
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Fallible<Self> {
        let mut command = command(corner, folder);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut headless = Self::spawned(command, &corner.filter(), arguments)?;
        headless.until("monitor_started", |_| true)?;
        Ok(headless)
    }

    /// Starts one and waits until it watches.
    pub fn start(corner: &Corner, folder: &Path, arguments: &[&str]) -> Fallible<Self> {
        let mut headless = Self::spawn(corner, folder, arguments)?;
        headless.until("monitor_started", |_| true)?;
        Ok(headless)
    }

    /// Starts one.
    pub fn spawn(corner: &Corner, folder: &Path, arguments: &[&str]) -> Fallible<Self> {
        Self::spawned(command(corner, folder), &corner.filter(), arguments)
    }

    /// Starts one that watches what a filter admits, and waits until it watches.
    pub fn start_over(
        corner: &Corner,
        folder: &Path,
        filter: &str,
        arguments: &[&str],
    ) -> Fallible<Self> {
        let mut headless = Self::spawned(command(corner, folder), filter, arguments)?;
        headless.until("monitor_started", |_| true)?;
        Ok(headless)
    }

    fn spawned(mut command: Command, filter: &str, arguments: &[&str]) -> Fallible<Self> {
        let mut child = command
            .args(["--headless", "--output", "jsonl", "--filter", filter])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let (sender, lines) = sync_channel(4096);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { break };
                let Ok(value) = serde_json::from_str::<Value>(&line) else {
                    eprintln!("no JSON: {line}");
                    break;
                };
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, events: Vec::new() })
    }

    /// Waits for an event of a type that meets a condition; gives it.
    pub fn until(&mut self, kind: &str, holds: impl Fn(&Value) -> bool) -> Fallible<Value> {
        let wanted = |event: &Value| event["type"] == kind && holds(event);
        if let Some(found) = self.events.iter().find(|e| wanted(e)) {
            return Ok(found.clone());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(event) => {
                    let found = wanted(&event);
                    self.events.push(event.clone());
                    if found {
                        return Ok(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("no {kind} within {PATIENCE:?}: {}", self.said()).into());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("it ended without {kind}: {}", self.said()).into());
                }
            }
        }
    }

    /// Waits a while and gives everything that was said; for what must not happen.
    pub fn after(&mut self, pause: Duration) -> &[Value] {
        let deadline = Instant::now() + pause;
        while let Ok(event) =
            self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.events.push(event);
        }
        &self.events
    }

    /// Everything of a type.
    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|e| e["type"] == kind).collect()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Fallible<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends it as an operator would; gives its exit status.
    pub fn stop(&mut self) -> Fallible<i32> {
        self.signal("TERM")?;
        self.status()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Fallible {
        self.signal("KILL")?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its end; gives its exit status.
    pub fn status(&mut self) -> Fallible<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.after(Duration::from_millis(200));
                return Ok(status.code().unwrap_or(-1));
            }
            if Instant::now() > deadline {
                return Err("it did not end".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) -> Fallible {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()?;
        if status.success() { Ok(()) } else { Err("it has ended already".into()) }
    }

    fn said(&self) -> String {
        let lines: Vec<String> = self.events.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

impl Drop for Headless {
    fn drop(&mut self) {
        // A test that failed leaves it running.
        if let Ok(None) = self.child.try_wait()
            && (self.child.kill().is_err() || self.child.wait().is_err())
        {
            eprintln!("an instance goes on running");
        }
    }
}
