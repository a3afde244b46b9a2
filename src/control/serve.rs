//! The listening end: only the same user (or root) is heard, few at a time, not for long.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::plan::{Actor, Plan};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::control::path;
use crate::control::words::{Answer, Ask, LONGEST};
use crate::runtime::handle::Handle;

/// Connections at a time; another one waits.
const MOST: usize = 8;
/// How long a connection may stay without asking.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest name of who asks, in bytes.
const ACTOR_MAX: usize = 128;

/// Listens until `stop`. The socket of an instance that has ended is replaced; one that answers is
/// somebody else's, and an error.
pub fn listen(handle: Handle, state_dir: &Path, stop: CancellationToken) -> io::Result<()> {
    let socket = path(state_dir);
    if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another instance listens there"));
    }
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    let owner = std::fs::metadata(&socket)?.uid();
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(MOST));
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!("the control socket: {error}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let handle = handle.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, owner, &handle).await {
                    tracing::debug!("a control connection ended: {error}");
                }
                drop(place);
            });
        }
        if let Err(error) = std::fs::remove_file(&socket) {
            tracing::debug!("the control socket stays: {error}");
        }
    });
    Ok(())
}

/// Answers line by line.
async fn converse(stream: UnixStream, owner: u32, handle: &Handle) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.into_split();
    if peer != owner && peer != 0 {
        let error = "only the user who runs sentinel-tui may ask".to_owned();
        return say(&mut writer, &Answer::Refused { error }).await;
    }
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = String::new();
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let mut bounded = (&mut reader).take(limit);
        let read = timeout(PATIENCE, bounded.read_line(&mut line)).await??;
        if read == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(ask) => answer(ask, handle).await,
            Err(error) => Answer::Refused { error: format!("not understood: {error}") },
        };
        say(&mut writer, &answer).await?;
    }
}

async fn answer(ask: Ask, handle: &Handle) -> Answer {
    match ask {
        Ask::State => {
            let snapshot = handle.snapshot();
            Answer::State {
                incidents: snapshot
                    .incidents
                    .iter()
                    .filter(|i| !i.state.is_closed() || i.plan.as_ref().is_some_and(Plan::can_undo))
                    .cloned()
                    .collect(),
                silences: snapshot.silences.clone(),
                suppressed: snapshot.suppressed.clone(),
                grants: snapshot.brakes.grants.clone(),
            }
        }
        Ask::Do { actor, .. } if actor.trim().is_empty() || actor.len() > ACTOR_MAX => {
            Answer::Refused { error: "who asks? give a name".to_owned() }
        }
        Ask::Do { actor, command } => {
            let actor = sentinel_core::redact::clean(actor.as_bytes(), ACTOR_MAX);
            match handle.command(Actor::Person(actor), command).await {
                Ok(message) => Answer::Done { message },
                Err(error) => Answer::Refused { error: error.to_string() },
            }
        }
    }
}

async fn say(writer: &mut tokio::net::unix::OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_string(answer)?;
    line.push('\n');
    timeout(PATIENCE, writer.write_all(line.as_bytes())).await?
}
