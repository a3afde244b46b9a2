//! A socket in front of a real engine that cuts off what a test tells it to.
//!
//! The engine behind it is real and answers everything else. Each request gets a connection of its
//! own: the engine is asked to close it behind the answer, so that a rule sees every request.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::endpoint::Endpoint;
use crate::settings::Settings;
use crate::testing::{Bench, Outcome, PATIENCE};

/// The longest head of a request that is read, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// What ends the head of a request.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The engine gets it and answers.
    Through,
    /// The engine never sees it; the connection ends without an answer.
    Cut,
    /// The engine never sees it; the connection stays, and no answer comes.
    Held,
    /// The engine gets it and does it; its answer never comes, and the connection stays.
    Unanswered,
}

/// The socket; it is gone when this is dropped.
#[derive(Debug)]
pub struct Detour {
    socket: PathBuf,
    noted: Arc<Mutex<Noted>>,
    listening: JoinHandle<()>,
}

impl Detour {
    /// A socket in front of the bench's engine. For every request `rule` gets all that came so
    /// far, as `METHOD PATH`, the one in question last.
    pub fn new(
        bench: &Bench,
        rule: impl Fn(&[String]) -> Way + Send + Sync + 'static,
    ) -> Outcome<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let Ok(Endpoint::Unix(engine)) = bench.engine.endpoint() else {
            return Err("a detour needs an engine behind unix://".to_owned());
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("{}-{count}.sock", bench.prefix));
        let listener = UnixListener::bind(&socket).map_err(|e| e.to_string())?;
        let noted = Arc::new(Mutex::new(Noted::default()));
        let (shared, rule) = (noted.clone(), Arc::new(rule));
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (engine, rule) = (engine.clone(), rule.clone());
                let (requests, stuck) = (shared.clone(), shared.clone());
                tokio::spawn(async move {
                    let way = |line| {
                        let mut noted = requests.lock().unwrap_or_else(PoisonError::into_inner);
                        noted.seen.push(line);
                        rule(&noted.seen)
                    };
                    let is_stuck =
                        || stuck.lock().unwrap_or_else(PoisonError::into_inner).stuck += 1;
                    if let Err(error) = pass(near, engine, way, is_stuck).await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                });
            }
        });
        Ok(Self { socket, noted, listening })
    }

    /// The settings of a server that reaches the engine this way only.
    pub fn settings(&self, of: &Settings) -> Settings {
        let host = Some(format!("unix://{}", self.socket.display()));
        Settings { docker_host: host, ..of.clone() }
    }

    /// The socket itself.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Every request so far, as `METHOD PATH`.
    pub fn seen(&self) -> Vec<String> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }

    /// How many requests wait for an answer that never comes, the engine having done with them.
    pub fn stuck(&self) -> usize {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).stuck
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

/// What becomes known of the requests: each as it comes, and those that are stuck.
#[derive(Debug, Default)]
struct Noted {
    seen: Vec<String>,
    /// Requests that nobody will answer, and that the engine has done with.
    stuck: usize,
}

async fn pass(
    mut near: UnixStream,
    engine: PathBuf,
    way: impl FnOnce(String) -> Way,
    stuck: impl FnOnce(),
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let body = loop {
        if let Some(at) = head.windows(HEAD_END.len()).position(|part| part == HEAD_END) {
            break at + HEAD_END.len();
        }
        if head.len() > HEAD_MAX || near.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let line_end = head.iter().position(|byte| *byte == b'\r').unwrap_or(body);
    let line = String::from_utf8_lossy(head.get(..line_end).unwrap_or_default());
    let line = line.strip_suffix(" HTTP/1.1").unwrap_or(&line).to_owned();
    let way = way(line);
    if way == Way::Cut {
        return Ok(());
    }
    if way == Way::Held {
        stuck();
        return until_closed(&mut near).await;
    }
    let mut far = UnixStream::connect(engine).await?;
    // One that upgrades the connection has it for itself anyway.
    let text = head.get(..body).unwrap_or_default().to_ascii_lowercase();
    let upgrades = text.windows(9).any(|part| part == b"\nupgrade:");
    if !upgrades {
        let rest = head.split_off(line_end);
        head.extend_from_slice(b"\r\nConnection: close");
        head.extend_from_slice(&rest);
    }
    far.write_all(&head).await?;
    if way == Way::Unanswered {
        // What is left of the body, and then the answer to its end: the engine has done with it.
        let (mut from, _) = near.split();
        let (mut back, mut on) = far.split();
        let answered = async {
            let mut swallowed = Vec::new();
            back.read_to_end(&mut swallowed).await
        };
        tokio::select! {
            biased;
            ended = answered => drop(ended?),
            sent = copy(&mut from, &mut on) => drop(sent?),
        }
        stuck();
        return until_closed(&mut near).await;
    }
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}

/// Waits until the other side has gone.
async fn until_closed(near: &mut UnixStream) -> std::io::Result<()> {
    let mut more = [0; 1024];
    while near.read(&mut more).await? > 0 {}
    Ok(())
}
