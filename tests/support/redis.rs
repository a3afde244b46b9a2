//! A Redis server of a test's own: own port, own folder, ended with the test.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Fallible;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that can be killed and started again with what it wrote.
pub struct Redis {
    pub folder: tempfile::TempDir,
    pub port: u16,
    arguments: Vec<String>,
    sentinel: bool,
    child: Option<Child>,
}

/// A port that was free a moment ago.
pub fn free_port() -> Fallible<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Redis {
    /// A server that keeps what it acknowledged.
    pub fn start() -> Fallible<Self> {
        Self::with(&["--appendonly", "yes", "--save", ""])
    }

    /// A server with these arguments, and its port and folder.
    pub fn with(arguments: &[&str]) -> Fallible<Self> {
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let mut redis = Self { folder, port, arguments, sentinel: false, child: None };
        redis.run()?;
        Ok(redis)
    }

    /// A Sentinel that watches a server under the name `main`.
    pub fn sentinel(of: &Self) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let conf = format!("sentinel monitor main 127.0.0.1 {} 1\n", of.port);
        std::fs::write(folder.path().join("sentinel.conf"), conf)?;
        let mut redis = Self { folder, port, arguments: Vec::new(), sentinel: true, child: None };
        redis.run()?;
        Ok(redis)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it; returns once it answers.
    pub fn run(&mut self) -> Fallible {
        let mut command = Command::new("redis-server");
        if self.sentinel {
            command.arg(self.path("sentinel.conf")).arg("--sentinel");
        }
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.arg("--dir").arg(self.folder.path()).args(&self.arguments);
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                return Err("the Redis of the test does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends it as a power cut of the process would.
    pub fn kill(&mut self) -> Fallible {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// A connection for looking into it.
    pub fn connection(&self) -> Fallible<redis::Connection> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let opened = redis::Client::open(self.url())?.get_connection();
            match opened.and_then(|mut c| redis::cmd("PING").exec(&mut c).map(|()| c)) {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("a Redis goes on running: {error}");
        }
    }
}
