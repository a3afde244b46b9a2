//! The outside on one page: what adapters implement and the runtime uses.
//!
//! Every channel here is bounded. Container life waits and is never dropped; log lines wait a
//! moment, then are dropped, counted and the count is shown; usage is sent only if there is room,
//! because the next reading replaces it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use sentinel_core::consult::brief::Brief;
use sentinel_core::consult::triage::Batch;
use sentinel_core::domain::audit::{AuditCheck, AuditPage, AuditRecord};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::log::LogLine;
use sentinel_core::domain::log_page::{PageAsk, PastPage};
use sentinel_core::domain::opinion::{Answered, Looked, ModelWord};
use sentinel_core::domain::plan::{Actor, Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{ReadCall, Tool, ToolCall, ToolResult};
use sentinel_core::domain::usage::UsageSample;
use sentinel_core::session::input::Start;
use sentinel_core::session::wire::Given;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Signals of container life that may wait.
pub const LIFE_QUEUE: usize = 256;
/// Batches of log lines that may wait.
pub const LOG_QUEUE: usize = 1024;
/// Readings that may wait.
pub const USAGE_QUEUE: usize = 256;
/// How long a batch of lines waits for room before it is dropped and counted.
pub const LOG_PATIENCE: Duration = Duration::from_secs(2);

/// What an adapter says when something failed: a sentence with what, on what and what to do.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// The monitor's way to the engine.
#[derive(Clone, Debug)]
pub struct Inbox {
    life: mpsc::Sender<Signal>,
    logs: mpsc::Sender<Signal>,
    usage: mpsc::Sender<Signal>,
}

/// The runtime's end of an [`Inbox`].
#[derive(Debug)]
pub struct Outlet {
    /// Container life and everything else that must not be lost.
    pub life: mpsc::Receiver<Signal>,
    /// Log batches, stream ends and losses, in order per container.
    pub logs: mpsc::Receiver<Signal>,
    /// Readings.
    pub usage: mpsc::Receiver<Signal>,
}

/// Makes the bounded queues between the monitor and the runtime.
pub fn inbox() -> (Inbox, Outlet) {
    let (life, life_out) = mpsc::channel(LIFE_QUEUE);
    let (logs, logs_out) = mpsc::channel(LOG_QUEUE);
    let (usage, usage_out) = mpsc::channel(USAGE_QUEUE);
    (Inbox { life, logs, usage }, Outlet { life: life_out, logs: logs_out, usage: usage_out })
}

impl Inbox {
    /// Sends a signal of container life; waits for room. False once the runtime has gone.
    pub async fn life(&self, signal: Signal) -> bool {
        self.life.send(signal).await.is_ok()
    }

    /// Sends lines of one container; waits [`LOG_PATIENCE`] for room. Returns how many lines had
    /// to be dropped; the caller owes a [`Signal::LogLost`] for them (see [`Inbox::log_word`]).
    pub async fn lines(&self, lines: Vec<LogLine>) -> usize {
        let count = lines.len();
        match self.logs.send_timeout(Signal::Logs { lines }, LOG_PATIENCE).await {
            Ok(()) => 0,
            Err(_) => count,
        }
    }

    /// Sends a stream's end or a loss, behind the lines before it; waits for room.
    pub async fn log_word(&self, signal: Signal) -> bool {
        self.logs.send(signal).await.is_ok()
    }

    /// Sends a reading if there is room: the next one replaces it anyway.
    pub fn usage(&self, sample: UsageSample) {
        drop(self.usage.try_send(Signal::Usage { sample }));
    }
}

/// Watches an engine. Has no way to change anything.
pub trait Monitor: Send + Sync {
    /// Runs until cancelled; reconnects by itself. Sends `Attached` once events and logs of all
    /// watched containers flow. Returns an error only if the engine could never be reached.
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>>;

    /// Looks at one container now. `None`: there is no such container.
    fn inspect(
        &self,
        container: ContainerId,
    ) -> BoxFuture<'_, Result<Option<Container>, PortError>>;

    /// Reads lines of a log that are not kept in memory. What has no such log says so.
    fn page(&self, ask: PageAsk) -> BoxFuture<'_, Result<PastPage, PortError>> {
        let why = format!("no older lines of {} can be read here", ask.container.short());
        Box::pin(async move { Err(PortError(why)) })
    }
}

/// Calls tools over MCP.
pub trait Remediator: Send + Sync {
    /// Connects and discovers. Reports changes of the tool list and degraded servers as signals
    /// until stopped.
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()>;

    /// Runs an approved plan exactly as it stands, once: re-checks the preconditions by
    /// `inspect`, validates each call against the tool's schema, calls step by step, stops at
    /// the first failure. Reports through `out`: `PlanStale`, or one `StepDone` per step called
    /// and a `PlanDone`. A later step takes the new id from the result of an earlier one.
    fn apply(
        &self,
        plan: Approved<Plan>,
        monitor: Arc<dyn Monitor>,
        out: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()>;

    /// Whether a plan could run as it stands: its preconditions by `inspect`, each call against
    /// the tool's schema. Calls nothing. `Err` says why it could not.
    fn rehearse<'a>(
        &'a self,
        plan: &'a Plan,
        monitor: Arc<dyn Monitor>,
    ) -> BoxFuture<'a, Result<(), String>>;

    /// Runs the inverses of a plan's applied steps, last first, covered by the same approval.
    fn undo(&self, plan: Approved<Undo>, out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()>;

    /// Calls one tool by hand (`tools call`).
    fn call(
        &self,
        call: ToolCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>>;

    /// The tools discovered so far.
    fn tools(&self) -> Vec<Tool>;
}

/// Looks further: calls tools that only read, and has no way to call another.
pub trait ReadTools: Send + Sync {
    /// Calls one.
    fn read(
        &self,
        call: ReadCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>>;
}

/// Asks language models. Every answer is bounded in time, size and cost, and is a word that the
/// core checks; a failure is a word, too.
pub trait Models: Send + Sync {
    /// Finds out which models there are, and reports how they fare until stopped.
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()>;

    /// Has anomalies judged.
    fn triage(&self, batch: Batch, stop: CancellationToken) -> BoxFuture<'_, ModelWord>;

    /// Has an incident analysed; the model may look further by `reads`.
    fn analyze(
        &self,
        incident: IncidentId,
        brief: Arc<Brief>,
        reads: Arc<dyn ReadTools>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, ModelWord>;

    /// Has a closed incident explained. `None`: the words written from the facts stay.
    fn explain(
        &self,
        incident: Arc<Incident>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Option<ModelWord>>;

    /// Has a person's question answered, piece by piece, from a brief; the model may look further
    /// by `reads`. Nothing that is said here can change anything.
    fn answer(
        &self,
        question: Inquiry,
        reads: Arc<dyn ReadTools>,
        stop: CancellationToken,
        said: mpsc::Sender<Said>,
    ) -> BoxFuture<'_, Result<Answered, PortError>>;
}

/// A person's question with what the answer may rest on.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// What is known.
    pub brief: Arc<Brief>,
    /// Question and answer of what was asked before, oldest first, redacted.
    pub before: Vec<(String, String)>,
    /// The question, redacted.
    pub words: String,
}

/// What is heard while a question is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The next piece of the answer, safe to show.
    Piece(String),
    /// The answer begins anew: the pieces so far are void.
    Anew,
    /// The model looked further.
    Looked(Looked),
}

/// What an instance may do beside others on the same machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// It is the one that acts on the engine.
    pub acts: bool,
    /// It is the one that writes to the state folder.
    pub keeps: bool,
}

/// The roles that only one instance can have.
pub trait Role: Send + Sync {
    /// Tries for what this instance does not have yet; gives what it has now. Never loses a role.
    fn claim(&self) -> Claim;
}

/// Keeps what must survive a restart.
pub trait Store: Send + Sync {
    /// Writes an incident; returns when it is durable.
    fn save(&self, incident: Arc<Incident>) -> BoxFuture<'_, Result<(), PortError>>;

    /// Appends an audit record; returns when it is on disk.
    fn audit(&self, record: AuditRecord) -> BoxFuture<'_, Result<(), PortError>>;

    /// All open incidents and the last `closed` closed ones, oldest first.
    fn load(&self, closed: usize) -> BoxFuture<'_, Result<Vec<Incident>, PortError>>;

    /// One incident.
    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Incident>, PortError>>;

    /// Remembers up to where a container's log was judged (`at`: the timestamp of the last
    /// line; `digests`: hashes of the lines at that instant), so that a restart judges no line twice.
    fn save_cursors(&self, cursors: Vec<LogCursor>) -> BoxFuture<'_, Result<(), PortError>>;

    /// The cursors as last saved.
    fn load_cursors(&self) -> BoxFuture<'_, Result<Vec<LogCursor>, PortError>>;

    /// Remembers what was learned of one service, in place of what was known under that key.
    fn save_learned(&self, learned: LearnedLog) -> BoxFuture<'_, Result<(), PortError>>;

    /// What was learned of all services whose key begins with `prefix`, bounded.
    fn load_learned(&self, prefix: String) -> BoxFuture<'_, Result<Vec<LearnedLog>, PortError>>;

    /// At most `limit` audit records before a number (`None`: the newest), newest first.
    fn audit_page(
        &self,
        _before: Option<u64>,
        _limit: usize,
    ) -> BoxFuture<'_, Result<AuditPage, PortError>> {
        ready(Err(not_kept("audit trail"))).boxed()
    }

    /// Checks the whole audit trail, chain and file.
    fn check_audit(&self) -> BoxFuture<'_, Result<AuditCheck, PortError>> {
        ready(Err(not_kept("audit trail"))).boxed()
    }

    /// At most `limit` closed incidents that were opened before this one (`None`: the newest),
    /// newest first.
    fn closed_before(
        &self,
        _before: Option<(Timestamp, IncidentId)>,
        _limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        ready(Err(not_kept("past incidents"))).boxed()
    }
}

fn not_kept(what: &str) -> PortError {
    PortError(format!("this store gives no {what} back"))
}

/// What was learned of one service: the usual of its log, or how it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedLog {
    /// What kind, engine, project, service and container name.
    pub key: String,
    /// As the detector or the engine wrote it.
    pub content: String,
}

/// Up to where a container's log was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCursor {
    /// Whose log.
    pub container: ContainerId,
    /// The engine's timestamp of the last judged line.
    pub at: jiff::Timestamp,
}

/// Takes down what the core is given, so that the session can be replayed. Never waits, and never
/// leaves out a line: where it cannot go on, the recording ends there.
pub trait Recorder: Send + Sync {
    /// How the session begins; before everything else.
    fn begin(&mut self, start: &Start) -> Result<(), PortError>;

    /// One input, in order. After an error nothing more is taken down.
    fn put(&mut self, given: &Given<'_>) -> Result<(), PortError>;

    /// Writes out what is left; returns when all of it is in the file.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<(), PortError>>;
}

/// What the bus sees of the running engine: what a front end sees, and no more.
pub trait Front: Send + Sync {
    /// The state of everything as one event, for readers that missed some.
    fn state(&self, missed: u64) -> Event;

    /// Whether the fix or the incident that a command names is known here; true if it names none.
    fn knows(&self, command: &Command) -> bool;

    /// Asks for something; the answer is a sentence either way.
    fn ask(&self, by: Actor, command: Command) -> BoxFuture<'_, Result<String, PortError>>;
}

/// Tells other machines what happens here, and hears what they ask. Nothing waits for it.
pub trait Bus: Send + Sync {
    /// Hears an event. Never waits: what it has no room for it counts.
    fn hear(&self, event: &Arc<Envelope>);

    /// Runs until stopped, then tells the last events. Reports how it fares through `out`.
    fn run(
        &self,
        front: Arc<dyn Front>,
        out: mpsc::Sender<Signal>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, ()>;
}

/// Leave to act on containers, which only one of the instances that watch an engine has.
pub trait Leases: Send + Sync {
    /// Takes the leave for all of them, or says who has it. What another instance did a moment ago
    /// a person may follow up, and the policy may not.
    fn take(
        &self,
        of: Vec<ContainerId>,
        by_person: bool,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, PortError>>;
}

/// A leave that was taken. It is renewed until it is ended or dropped.
pub trait Lease: Send + Sync {
    /// Whether it still holds: to be asked right before each act.
    fn holds(&self) -> BoxFuture<'_, Result<(), PortError>>;

    /// It is not needed any more. After an act others keep off for a while.
    fn end(self: Box<Self>, acted: bool) -> BoxFuture<'static, ()>;
}
