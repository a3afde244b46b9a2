//! The built program as a child: verbs that end, and servers that go on.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use serde_json::{Value, json};

use crate::{Fallible, LONG};

/// The token of every gateway here.
pub const TOKEN: &str = "a token for tests only";

/// A folder of its own, and the program in it.
pub struct Place {
    pub folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Fallible<Self> {
        let folder = tempfile::Builder::new().prefix("gw").tempdir()?;
        Ok(Self { folder, variables: Vec::new() })
    }

    /// The same with a variable for every command.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a catalogue of entries in this order and uses it.
    pub fn catalogue(self, entries: &[(&str, Value)]) -> Fallible<Self> {
        self.write_catalogue(entries)?;
        let path = self.catalogue_path().display().to_string();
        Ok(self.with("SENTINEL_CATALOG", &path))
    }

    pub fn write_catalogue(&self, entries: &[(&str, Value)]) -> Fallible {
        let lines: Vec<String> = entries.iter().map(|(n, e)| format!("  {n}: {e}\n")).collect();
        std::fs::write(self.catalogue_path(), format!("registry:\n{}", lines.concat()))?;
        Ok(())
    }

    fn catalogue_path(&self) -> PathBuf {
        self.folder.path().join("catalog.yaml")
    }

    /// An entry that starts the fixture in a role.
    pub fn fixture(&self, role: &str) -> Fallible<Value> {
        Ok(json!({"x-sentinel": {"exec": [fixture()?, role, self.calls_path()]}}))
    }

    fn calls_path(&self) -> PathBuf {
        self.folder.path().join("calls")
    }

    /// What the fixtures were asked so far.
    pub fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.calls_path()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-tui"));
        let host = std::env::var("SENTINEL_TEST_DOCKER_HOST")
            .unwrap_or_else(|_| format!("unix://{}/no.sock", self.folder.path().display()));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("SENTINEL_STATE_DIR", self.folder.path().join("state"))
            .env("DOCKER_HOST", host)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs a verb to its end.
    pub fn run(&self, arguments: &[&str]) -> Fallible<Ran> {
        Ok(self.command(arguments).output()?.into())
    }

    /// Starts a gateway and waits until it serves.
    pub fn gateway(&self, arguments: &[&str]) -> Fallible<Running> {
        let mut all = vec!["gateway", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut command = self.command(&all);
        command.env("MCP_GATEWAY_AUTH_TOKEN", TOKEN);
        let running = Running::start(&mut command)?;
        Ok(running)
    }
}

pub fn fixture() -> Fallible<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let path = target.join("examples/fixture_server");
    if !path.is_file() {
        return Err("examples/fixture_server is not built: run `cargo build --examples`".into());
    }
    Ok(path)
}

/// A verb that has ended.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    pub fn json(&self) -> Fallible<Value> {
        serde_json::from_str(&self.out).map_err(|e| format!("{e}: {self:?}").into())
    }
}

/// A server that runs. Dropping it ends it.
pub struct Running {
    pub child: Child,
    /// `http://ADDRESS`, without a path; or what stands for it.
    pub address: String,
    said: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait()
            && (self.child.kill().is_err() || self.child.wait().is_err())
        {
            eprintln!("a server goes on running");
        }
    }
}

impl Running {
    /// Starts it and waits for the line that says where it serves, on either output.
    pub fn start(command: &mut Command) -> Fallible<Self> {
        let mut child = command.spawn()?;
        let (sender, said) = sync_channel(1024);
        let out = child.stdout.take().ok_or("no standard output")?;
        let err = child.stderr.take().ok_or("no standard error")?;
        for pipe in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe.take(1 << 20)).lines().map_while(Result::ok) {
                    if sender.try_send(line).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut running = Self { child, address: String::new(), said };
        let line = running.until("serving ")?;
        let at = line.rsplit(" at ").next().unwrap_or_default();
        at.trim_end_matches("/mcp").clone_into(&mut running.address);
        Ok(running)
    }

    /// Waits for a line with `part` in it.
    pub fn until(&self, part: &str) -> Fallible<String> {
        let deadline = Instant::now() + LONG;
        let mut all = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) if line.contains(part) => return Ok(line),
                Ok(line) => all.push(line),
                Err(error) => return Err(format!("no {part:?}: {error}: {all:?}").into()),
            }
        }
    }

    pub fn signal(&self, name: &str) -> Fallible {
        let id = self.child.id().to_string();
        let status = Command::new("kill").arg(format!("-{name}")).arg(id).status()?;
        if status.success() { Ok(()) } else { Err("it has ended already".into()) }
    }

    /// Ends it as an operator would; gives its exit status.
    pub fn end(mut self) -> Fallible<i32> {
        self.signal("TERM")?;
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            if Instant::now() > deadline {
                return Err("it did not end".into());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
