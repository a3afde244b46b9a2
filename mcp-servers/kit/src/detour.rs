//! A socket in front of a real engine that cuts off what a test tells it to.
//!
//! The engine behind it is real and answers everything else. Every request of [`crate::raw`] has a
//! connection of its own, so a rule sees each of them; of a connection that is kept it sees the
//! first request only.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::endpoint::Endpoint;
use crate::settings::Settings;
use crate::testing::{Bench, Outcome, PATIENCE};

/// The longest first line of a request that is read, in bytes.
const LINE_MAX: usize = 16 * 1024;
/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The engine gets it and answers.
    Through,
    /// The engine never sees it; the connection ends without an answer.
    Cut,
}

/// The socket; it is gone when this is dropped.
#[derive(Debug)]
pub struct Detour {
    socket: PathBuf,
    seen: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Detour {
    /// A socket in front of the bench's engine. For every request `rule` gets all that came so
    /// far, as `METHOD PATH`, the one in question last.
    pub fn new(
        bench: &Bench,
        rule: impl Fn(&[String]) -> Way + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let Ok(Endpoint::Unix(engine)) = bench.engine.endpoint() else {
            return Err("a detour needs an engine behind unix://".to_owned());
        };
        let socket = std::env::temp_dir().join(format!("{}.sock", bench.prefix));
        let listener = UnixListener::bind(&socket).map_err(|e| e.to_string())?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, rule) = (seen.clone(), Arc::new(rule));
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (engine, noted, rule) = (engine.clone(), noted.clone(), rule.clone());
                tokio::spawn(async move {
                    let passing = pass(near, engine, |line| {
                        let mut all = noted.lock().unwrap_or_else(PoisonError::into_inner);
                        all.push(line);
                        rule(&all)
                    });
                    if let Err(error) = passing.await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                });
            }
        });
        Ok(Self { socket, seen, listening })
    }

    /// The settings of a server that reaches the engine this way only.
    pub fn settings(&self, of: &Settings) -> Settings {
        let host = Some(format!("unix://{}", self.socket.display()));
        Settings { docker_host: host, ..of.clone() }
    }

    /// Every request so far, as `METHOD PATH`.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `holds` is true of the requests so far.
    pub async fn until(&self, holds: impl Fn(&[String]) -> bool) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.seen()) {
            if Instant::now() > deadline {
                return Err(format!("it did not come to that: {:?}", self.seen()));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.listening.abort();
        if let Err(error) = std::fs::remove_file(&self.socket) {
            tracing::error!(%error, "a detour's socket is left");
        }
    }
}

async fn pass(
    mut near: UnixStream,
    engine: PathBuf,
    way: impl FnOnce(String) -> Way,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(end) = head.iter().position(|byte| *byte == b'\r') {
            break end;
        }
        if head.len() > LINE_MAX || near.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let line = String::from_utf8_lossy(head.get(..end).unwrap_or_default());
    let line = line.strip_suffix(" HTTP/1.1").unwrap_or(&line).to_owned();
    if way(line) == Way::Cut {
        return Ok(());
    }
    let mut far = UnixStream::connect(engine).await?;
    far.write_all(&head).await?;
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}
