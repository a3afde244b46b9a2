//! What a front end holds: it can look, listen and ask, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sentinel_core::domain::command::Command;
use sentinel_core::domain::event::{ContainerWire, Envelope, Event, IncidentWire};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::log_page::{PageAsk, PastPage};
use sentinel_core::domain::log_pattern::LogPatterns;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::redact;
use sentinel_core::runbook::Runbooks;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::runtime::asking::{self, Asking, Material, Question};
use crate::runtime::consulting::Asked;
use crate::runtime::looks::Looks;
use crate::runtime::rings::{LogPage, LogRings, Range};
use crate::runtime::sources::Sources;

/// How long a front end waits for the engine's answer.
pub const COMMAND_PATIENCE: Duration = Duration::from_secs(2);

/// The same where something has to be looked at first.
const LOOKING_PATIENCE: Duration = Duration::from_secs(9);

/// Newest lines of a log among which an answer looks for errors.
const LINES_LOOKED_AT: usize = 2_000;
/// Bytes of a reason that a person gives.
const REASON: usize = 1024;

/// A request on its way to the run loop.
#[derive(Debug)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// Who asks.
    pub actor: Actor,
    /// What.
    pub command: Command,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<String, String>>,
}

/// What may reach the run loop from a front end.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Something is to be done.
    Command(Request),
    /// The kinds of line of a container are to be told.
    Patterns {
        /// Which.
        container: ContainerId,
        /// Where the answer goes; `None`: it is not watched.
        reply: oneshot::Sender<Option<LogPatterns>>,
    },
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The engine refused it.
    #[error("{0}")]
    Refused(String),
    /// The run loop did not answer in time.
    #[error("sentinel-tui is busy and did not answer within 2 s; try again")]
    Busy,
    /// The run loop has ended.
    #[error("sentinel-tui is shutting down")]
    Closed,
}

/// What a person typed is text from outside, too: a secret that is pasted into a reason is in no
/// timeline, audit trail or recording.
fn safe(command: Command) -> Command {
    let clean = |text: String| redact::clean(text.as_bytes(), REASON);
    match command {
        Command::Reject { fix, reason } => Command::Reject { fix, reason: clean(reason) },
        Command::Silence { service, seconds, reason } => {
            Command::Silence { service: clean(service), seconds, reason: clean(reason) }
        }
        Command::Dismiss { incident, reason } => {
            Command::Dismiss { incident, reason: clean(reason) }
        }
        Command::Halt { reason } => Command::Halt { reason: clean(reason) },
        Command::Resume { reason } => Command::Resume { reason: clean(reason) },
        Command::Edit { fix, sha256, mut arguments } => {
            // All the rest must be what the plan has, or is read as a number.
            if let Some(Value::String(why)) = arguments.get_mut("reason") {
                *why = clean(std::mem::take(why));
            }
            Command::Edit { fix, sha256, arguments }
        }
        Command::Revoke { grant, reason } => Command::Revoke { grant, reason: clean(reason) },
        Command::Approve { .. }
        | Command::Undo { .. }
        | Command::DryRun { .. }
        | Command::Snooze { .. }
        | Command::Grant { .. } => command,
    }
}

/// A cloneable sender of commands and source of facts.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::Sender<Wanted>,
    events: broadcast::Sender<Arc<Envelope>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    rings: Arc<Mutex<LogRings>>,
    counter: Arc<AtomicU64>,
    asked: Asked,
    pub(super) sources: Sources,
    /// Whose logs were read, where they have to be fetched from elsewhere.
    looks: Option<Arc<Looks>>,
}

impl Handle {
    /// Joins the ends; made by the run loop only.
    pub(crate) fn new(
        requests: mpsc::Sender<Wanted>,
        events: broadcast::Sender<Arc<Envelope>>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        rings: Arc<Mutex<LogRings>>,
        asked: Asked,
        sources: Sources,
    ) -> Self {
        let counter = Arc::new(AtomicU64::new(1));
        Self { requests, events, snapshots, rings, counter, asked, sources, looks: None }
    }

    /// Notes whose logs are read.
    pub(super) fn noting(self, looks: Arc<Looks>) -> Self {
        Self { looks: Some(looks), ..self }
    }

    /// What people wrote down for kinds of failure.
    pub fn runbooks(&self) -> Arc<Runbooks> {
        Arc::clone(&self.asked.runbooks)
    }

    /// Asks a question. The answer comes piece by piece; dropping it cancels it. Whatever the words
    /// are, they change nothing. Must be called within the async runtime.
    pub fn ask(&self, question: Question) -> Asking {
        let snapshot = self.snapshot();
        let of = question.about.container(&snapshot);
        let lines = of.map(|id| self.logs(&id, Range::Tail(LINES_LOOKED_AT))).unwrap_or_default();
        let material = Material { snapshot, lines, asked: self.asked.clone() };
        asking::begin(question.safe(), material)
    }

    /// Asks for something; the answer is a sentence either way.
    pub async fn command(&self, actor: Actor, command: Command) -> Result<String, CommandError> {
        let looks = matches!(command, Command::DryRun { .. });
        let patience = if looks { LOOKING_PATIENCE } else { COMMAND_PATIENCE };
        let (reply, answer) = oneshot::channel();
        let id = self.counter.fetch_add(1, Ordering::Relaxed);
        let request = Request { id, actor, command: safe(command), reply };
        self.want(Wanted::Command(request)).await?;
        match timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome.map_err(CommandError::Refused),
            Ok(Err(_)) => Err(CommandError::Closed),
            Err(_) => Err(CommandError::Busy),
        }
    }

    /// Sends something to the run loop.
    pub(super) async fn want(&self, wanted: Wanted) -> Result<(), CommandError> {
        match self.requests.send_timeout(wanted, COMMAND_PATIENCE).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(CommandError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(CommandError::Closed),
        }
    }

    /// Every fact from now on. A slow reader is told how many it missed and reads the snapshot.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Envelope>> {
        self.events.subscribe()
    }

    /// The state of everything now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// The state of everything as one event, for a reader that missed some.
    pub fn snapshot_event(&self, missed: u64) -> Event {
        let snapshot = self.snapshot();
        let shown = |i: &&Arc<Incident>| !i.state.is_closed() || i.state == IncidentState::Resolved;
        Event::Snapshot {
            containers: snapshot
                .containers
                .iter()
                .map(|v| ContainerWire::from(v.container.as_ref()))
                .collect(),
            incidents: snapshot
                .incidents
                .iter()
                .filter(shown)
                .map(|i| IncidentWire::from(i.as_ref()))
                .collect(),
            missed,
        }
    }

    /// Whether the run loop has ended: nothing new comes any more.
    pub fn has_ended(&self) -> bool {
        self.requests.is_closed()
    }

    /// Wakes whenever there is a new snapshot (at most ten a second).
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Log lines that are not kept in memory, read back from the engine.
    pub async fn page(&self, ask: PageAsk) -> Result<PastPage, String> {
        self.sources.near()?.pages.read(ask).await.map_err(|error| error.to_string())
    }

    /// Log lines of a container.
    pub fn logs(&self, container: &ContainerId, range: Range) -> LogPage {
        if let Some(looks) = &self.looks {
            looks.note(container);
        }
        // A panic while the lock was held leaves whole entries behind: reading on is right.
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).read(container, range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_reason_is_hidden_and_the_rest_of_a_request_stays() {
        let reason = "wrong: password=hunter2-and-more".to_owned();
        let asked = Command::Dismiss { incident: "INC-1".into(), reason };
        let Command::Dismiss { incident, reason } = safe(asked) else { unreachable!() };
        assert_eq!(incident.as_str(), "INC-1");
        assert!(reason.starts_with("wrong: ") && !reason.contains("hunter2"), "{reason}");
        let asked = Command::Approve { fix: "F1".into(), sha256: "a1b2".repeat(16) };
        assert_eq!(safe(asked.clone()), asked);
    }
}
