//! Asks the instances of a host for something, over Redis, and waits for what they answer.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::command::Command;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::bus::keys::{COMMANDS_AGE, COMMANDS_KEPT, Keys};
use crate::bus::place::{Place, RedisFailure};
use crate::bus::publish::ms;

/// A command that nobody took up for so long is void.
pub const VALID: Duration = Duration::from_mins(1);
/// One read of the answers waits so long.
const WAIT: Duration = Duration::from_secs(1);

/// What became of a command at one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not, and the message says why.
    Refused,
    /// What it names is not known to this instance.
    Unknown,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// To which command.
    pub id: String,
    /// The instance that answers.
    pub instance: String,
    /// What became of it.
    pub outcome: Outcome,
    /// In one sentence.
    pub message: String,
}

/// A request as it stands in the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// Names it among all.
    pub(super) id: String,
    /// The host that it is for.
    pub(super) host: String,
    /// The person who asks.
    pub(super) by: String,
    /// From then on it is void.
    pub(super) expires_at: Timestamp,
    /// What.
    pub(super) command: Command,
}

/// Asks a host in the name of a person. The first instance that did it, or refused to, answers for
/// all; those that do not know what it is about do only if nobody else does. `None`: nobody
/// answered in time.
pub async fn ask(
    place: &Arc<Place>,
    host: &str,
    by: &str,
    command: &Command,
    patience: Duration,
) -> Result<Option<Answer>, RedisFailure> {
    let keys = Keys::of(host);
    let deadline = Instant::now() + patience;
    let mut link = place.connect().await?;
    let failed = |error| place.failure(&error);
    let expires_at = Timestamp::now().saturating_add(VALID).unwrap_or(Timestamp::MAX);
    let id = format!("{:016x}", fastrand::u64(..));
    let (by, command) = (by.to_owned(), command.clone());
    let ask = Ask { id: id.clone(), host: host.to_owned(), by, expires_at, command };
    let json = serde_json::to_string(&ask).unwrap_or_default();
    // Answers to this command come behind what is there now.
    let mut newest = redis::cmd("XREVRANGE");
    newest.arg(keys.answers()).arg("+").arg("-").arg("COUNT").arg(1);
    let found: redis::streams::StreamRangeReply =
        newest.query_async(&mut link).await.map_err(failed)?;
    let mut after = found.ids.first().map_or_else(|| "0".to_owned(), |last| last.id.clone());
    let mut pipeline = redis::pipe();
    let add = pipeline.cmd("XADD").arg(keys.commands());
    add.arg("MAXLEN").arg("~").arg(COMMANDS_KEPT).arg("*").arg("ask").arg(json).ignore();
    pipeline.cmd("PEXPIRE").arg(keys.commands()).arg(ms(COMMANDS_AGE)).ignore();
    pipeline.query_async::<()>(&mut link).await.map_err(failed)?;
    let mut unknown = None;
    loop {
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(100).arg("BLOCK").arg(ms(WAIT));
        read.arg("STREAMS").arg(keys.answers()).arg(&after);
        let reading = read.query_async::<Option<redis::streams::StreamReadReply>>(&mut link);
        let Ok(reply) = timeout_at(deadline, reading).await else { return Ok(unknown) };
        let entries = reply.map_err(failed)?.into_iter().flat_map(|r| r.keys).flat_map(|k| k.ids);
        for entry in entries {
            after.clone_from(&entry.id);
            let Some(text) = entry.get::<String>("answer") else { continue };
            match serde_json::from_str::<Answer>(&text) {
                Ok(answer) if answer.id != id => {}
                Ok(answer) if answer.outcome == Outcome::Unknown => unknown = Some(answer),
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => tracing::debug!("an answer is none: {error}"),
            }
        }
    }
}
