//! The asking end.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::control::path;
use crate::control::words::{Answer, Ask};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// Why nobody answered.
#[derive(Debug, Error)]
pub enum ControlError {
    /// There is no socket, or nobody listens there.
    #[error(
        "no sentinel-tui runs with the state folder {}: start one, or name its folder with --state-dir",
        .0.display()
    )]
    Nobody(PathBuf),
    /// The conversation broke.
    #[error("the running sentinel-tui did not answer: {0}")]
    Broken(#[from] io::Error),
    /// The answer makes no sense.
    #[error("the running sentinel-tui answered in a form that this version does not know: {0}")]
    Strange(#[from] serde_json::Error),
}

/// Asks the instance that runs with a state folder.
pub async fn ask(state_dir: &Path, ask: &Ask) -> Result<Answer, ControlError> {
    let stream = match UnixStream::connect(path(state_dir)).await {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Err(ControlError::Nobody(state_dir.to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_string(ask)?;
    line.push('\n');
    writer.write_all(line.as_bytes()).await?;
    let mut reply = String::new();
    let mut reader = BufReader::new(reader.take(LONGEST));
    timeout(PATIENCE, reader.read_line(&mut reply)).await.map_err(io::Error::from)??;
    if reply.is_empty() {
        let closed = "it closed the connection";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed).into());
    }
    Ok(serde_json::from_str(&reply)?)
}
