//! [`SqliteStore`]: the port, and what the verbs ask beyond it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use sentinel_core::domain::audit::{AuditCheck, AuditPage, AuditRecord};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;
use thiserror::Error;

use crate::ports::{LearnedLog, LogCursor, PortError, Store};
use crate::store::chain::{self, ChainProblem, ChainedRecord, Verified, Walk};
use crate::store::cursors;
use crate::store::incidents::{self, Row, Stored};
use crate::store::learned;
use crate::store::schema::{self, OpenError};
use crate::store::trail::{self, FileError, TRAIL, TrailError, TrailLine};
use crate::store::worker::Worker;

/// How long things are kept. The audit trail is kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Closed incidents.
    pub closed: usize,
    /// Cursors of containers that wrote nothing for this long.
    pub cursor_age: Duration,
    /// What was learned of services that were not heard for this long.
    pub learned_age: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            closed: 10_000,
            cursor_age: Duration::from_hours(7 * 24),
            learned_age: Duration::from_hours(30 * 24),
        }
    }
}

/// Writes after which old rows are swept out.
const SWEEP_EVERY: u32 = 256;

/// Ids named at most when a short form fits several incidents.
const NAMED: usize = 5;

/// Why no incident was found.
#[derive(Debug, Error)]
pub enum FindError {
    /// There is none.
    #[error("no incident {0}: see `sentinel-tui incidents list`")]
    NoSuch(String),
    /// There are several.
    #[error("{asked} fits several incidents, write more of the id: {}", fitting.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// Some that fit.
        fitting: Vec<String>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Why the chain could not be called good.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It does not hold.
    #[error(transparent)]
    Chain(#[from] ChainProblem),
    /// The file beside the store does not hold.
    #[error("{path}: {problem}")]
    File {
        /// Which.
        path: String,
        /// The first bad record.
        problem: ChainProblem,
    },
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// Incidents, audit trail and cursors in one SQLite file. Clones share one connection.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    worker: Worker,
    /// The audit trail as a file beside the store; none for a store in memory.
    trail: Option<Arc<Path>>,
    retention: Retention,
    writes: Arc<AtomicU32>,
}

impl SqliteStore {
    /// Opens the store in `folder`, and makes both if they are not there. Blocks, at most a few
    /// seconds, while another process changes the file's format.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_keeping(folder, Retention::default())
    }

    /// Like [`SqliteStore::open`], with other bounds.
    pub fn open_keeping(folder: &Path, retention: Retention) -> Result<Self, OpenError> {
        let trail = Some(Arc::from(folder.join(TRAIL)));
        Ok(Self { trail, ..Self::start(schema::open(folder)?, retention)? })
    }

    /// A store that is gone with the process.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(schema::open_in_memory()?, Retention::default())
    }

    fn start(
        (connection, path): (Connection, std::path::PathBuf),
        retention: Retention,
    ) -> Result<Self, OpenError> {
        if let Err(error) = sweep(&connection, retention) {
            // Another process may hold the file; the next sweep will do.
            tracing::warn!("{}", schema::sentence(&path, "sweep out old rows", &error));
        }
        let worker = Worker::start(connection, path.clone())
            .map_err(|e| OpenError::Other { path, why: e.to_string() })?;
        Ok(Self { worker, trail: None, retention, writes: Arc::default() })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.worker.path()
    }

    /// The newest `count` incidents, newest first.
    pub async fn list(&self, count: usize) -> Result<Vec<Incident>, PortError> {
        let rows = self
            .worker
            .run("list incidents", move |connection| incidents::list(connection, count))
            .await?;
        Ok(readable(rows))
    }

    /// One incident by its id, or by a beginning or the last block of it, if that is unique.
    /// Upper and lower case are the same.
    pub async fn find(&self, asked: &str) -> Result<Incident, FindError> {
        let head = asked.trim().to_ascii_uppercase();
        if head.is_empty() {
            return Err(FindError::NoSuch("without an id".to_owned()));
        }
        let rows = self
            .worker
            .run(format!("find incident {head}"), move |connection| {
                match incidents::get(connection, &head)? {
                    Some(exact) => Ok(vec![exact]),
                    None => incidents::matching(connection, &head, NAMED),
                }
            })
            .await?;
        match rows.as_slice() {
            [] => Err(FindError::NoSuch(asked.to_owned())),
            [one] => Ok(self.parse(one)?),
            several => Err(FindError::Ambiguous {
                asked: asked.to_owned(),
                fitting: several.iter().map(|(id, _)| id.clone()).collect(),
            }),
        }
    }

    /// The audit records behind number `after` (0: from the first), oldest first, at most
    /// [`chain::PAGE`]; an empty page is the end.
    pub async fn audit_records(&self, after: u64) -> Result<Vec<ChainedRecord>, VerifyError> {
        let (rows, _) = self
            .worker
            .run("read the audit trail", move |connection| chain::page(connection, after))
            .await?;
        Ok(rows.into_iter().map(chain::Row::record).collect::<Result<_, _>>()?)
    }

    /// The same, each with its line of the trail's file, exactly as it was hashed.
    pub async fn audit_lines(
        &self,
        after: u64,
    ) -> Result<Vec<(ChainedRecord, TrailLine)>, VerifyError> {
        let (rows, _) = self
            .worker
            .run("read the audit trail", move |connection| chain::page(connection, after))
            .await?;
        let both = rows.into_iter().map(|row| {
            let line = TrailLine::of(&row);
            row.record().map(|record| (record, line))
        });
        Ok(both.collect::<Result<_, _>>()?)
    }

    /// Checks the file beside the store, up to where it stood at one moment; names the first bad
    /// record. `None`: there is no file, and no record either.
    pub async fn verify_trail(&self) -> Result<Option<Verified>, VerifyError> {
        let Some(path) = self.trail.clone() else { return Ok(None) };
        let asked = Arc::clone(&path);
        let doing = "look at the audit trail's file";
        let extent = self.in_trail(doing.to_owned(), move |c| trail::extent(c, &asked)).await?;
        let Some(extent) = extent else { return Ok(None) };
        let shown = path.display().to_string();
        let checked = tokio::task::spawn_blocking(move || trail::check(&path, &extent));
        match checked.await {
            Ok(Ok(good)) => Ok(Some(good)),
            Ok(Err(FileError::Chain(problem))) => Err(VerifyError::File { path: shown, problem }),
            Ok(Err(FileError::Read(e))) => {
                Err(PortError(format!("cannot read {shown}: {e}")).into())
            }
            Err(e) => Err(PortError(format!("the check of {shown} broke off: {e}")).into()),
        }
    }

    /// Work on the trail's file, on the store's thread: nobody appends meanwhile.
    async fn in_trail<T: Send + 'static>(
        &self,
        doing: String,
        work: impl FnOnce(&mut Connection) -> Result<T, TrailError> + Send + 'static,
    ) -> Result<T, PortError> {
        let path = self.path().to_owned();
        let done = self.worker.run(doing.clone(), move |connection| Ok(work(connection))).await?;
        done.map_err(|error| match error {
            TrailError::Store(error) => PortError(schema::sentence(&path, &doing, &error)),
            other => PortError(format!("cannot {doing}: {other}")),
        })
    }

    /// Checks the whole audit trail; names the first bad record. Other processes may append
    /// meanwhile.
    pub async fn verify_chain(&self) -> Result<Verified, VerifyError> {
        let mut walk = Walk::new();
        loop {
            let after = walk.good.count;
            let (rows, head) = self
                .worker
                .run("read the audit trail", move |connection| chain::page(connection, after))
                .await?;
            walk.take(&rows)?;
            // A short page was read together with the head: nothing came between.
            if rows.len() < chain::PAGE {
                return Ok(walk.end(head.as_deref())?);
            }
        }
    }

    fn parse(&self, (id, json): &Stored) -> Result<Incident, PortError> {
        serde_json::from_str(json).map_err(|e| {
            PortError(format!(
                "incident {id} in {} cannot be read: {e}; it may be damaged, or written by a newer \
                 sentinel-tui",
                self.path().display()
            ))
        })
    }

    /// Whether old rows are due to go with this write.
    fn sweep_due(&self) -> bool {
        self.writes.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1
    }
}

impl Store for SqliteStore {
    fn save(&self, incident: Arc<Incident>) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let doing = format!("write incident {}", incident.id);
            let row = Row::new(&incident).map_err(|e| PortError(format!("cannot {doing}: {e}")))?;
            let due = self.sweep_due().then_some(self.retention);
            self.worker
                .run(doing, move |connection| {
                    row.write(connection)?;
                    // The incident is on disk: a failed sweep is no failed save.
                    if let Some(Err(error)) = due.map(|retention| sweep(connection, retention)) {
                        tracing::warn!("old rows of the store could not be swept out: {error}");
                    }
                    Ok(())
                })
                .await
        })
    }

    fn audit(&self, record: AuditRecord) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let doing = format!("append to the audit trail for {}", record.incident);
            let value = serde_json::to_value(&record)
                .map_err(|e| PortError(format!("cannot {doing}: {e}")))?;
            let Some(path) = self.trail.clone() else {
                return self.worker.run(doing, move |c| chain::append(c, &[value])).await;
            };
            self.in_trail(doing, move |connection| trail::append(connection, &path, &[value])).await
        })
    }

    fn load(&self, closed: usize) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        Box::pin(async move {
            let rows = self
                .worker
                .run("load incidents", move |connection| incidents::load(connection, closed))
                .await?;
            if rows.len() >= incidents::MAX_OPEN {
                tracing::warn!(
                    "more than {} incidents are open; the oldest of them were not loaded",
                    incidents::MAX_OPEN
                );
            }
            Ok(readable(rows))
        })
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Incident>, PortError>> {
        Box::pin(async move {
            let found = self
                .worker
                .run(format!("read incident {id}"), move |connection| {
                    incidents::get(connection, id.as_str())
                })
                .await?;
            found.map(|row| self.parse(&row)).transpose()
        })
    }

    fn save_cursors(&self, cursors: Vec<LogCursor>) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let now = Timestamp::now();
            self.worker
                .run("remember how far logs were judged", move |connection| {
                    // Several times a second, and cheap to lose with the power: no sync to disk.
                    connection.pragma_update(None, "synchronous", "NORMAL")?;
                    let saved = cursors::save(connection, &cursors, now);
                    connection.pragma_update(None, "synchronous", "FULL")?;
                    saved
                })
                .await
        })
    }

    fn load_cursors(&self) -> BoxFuture<'_, Result<Vec<LogCursor>, PortError>> {
        Box::pin(async move {
            self.worker
                .run("read how far logs were judged", |connection| cursors::load(connection))
                .await
        })
    }

    fn save_learned(&self, learned: LearnedLog) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let doing = format!("remember what was learned of {}", learned.key);
            if learned.content.len() > learned::LONGEST {
                return Err(PortError(format!("cannot {doing}: it is longer than 1 MiB")));
            }
            let now = Timestamp::now();
            self.worker.run(doing, move |c| learned::save(c, &learned, now)).await
        })
    }

    fn load_learned(&self, prefix: String) -> BoxFuture<'_, Result<Vec<LearnedLog>, PortError>> {
        Box::pin(async move {
            self.worker.run("read what was learned", move |c| learned::load(c, &prefix)).await
        })
    }

    fn audit_page(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<AuditPage, PortError>> {
        Box::pin(async move {
            // One more than is wanted: whether there are older ones.
            let read = move |c: &mut Connection| chain::page_back(c, before, limit + 1);
            let mut rows = self.worker.run("read the audit trail", read).await?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let path = self.trail.as_deref().unwrap_or(self.path()).display().to_string();
            Ok(AuditPage { entries: rows.into_iter().map(chain::Row::entry).collect(), more, path })
        })
    }

    fn check_audit(&self) -> BoxFuture<'_, Result<AuditCheck, PortError>> {
        Box::pin(async move {
            let both = async {
                let good = self.verify_chain().await?;
                self.verify_trail().await?;
                Ok(good)
            };
            let none = AuditCheck { count: 0, head: String::new(), problem: None };
            match both.await {
                Ok(Verified { count, head }) => Ok(AuditCheck { count, head, ..none }),
                Err(VerifyError::Store(error)) => Err(error),
                // That it does not hold is an answer.
                Err(broken) => Ok(AuditCheck { problem: Some(broken.to_string()), ..none }),
            }
        })
    }

    fn closed_before(
        &self,
        before: Option<(Timestamp, IncidentId)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
        Box::pin(async move {
            let before = before.map(|(at, id)| (at, id.0));
            let rows = self
                .worker
                .run("read past incidents", move |c| {
                    incidents::closed_before(c, before.as_ref(), limit)
                })
                .await?;
            Ok(readable(rows))
        })
    }
}

/// What can be read. One bad row must not keep the others from being watched again: it stays in
/// the file, and `find` says what is wrong with it.
fn readable(rows: Vec<Stored>) -> Vec<Incident> {
    rows.into_iter()
        .filter_map(|(id, json)| match serde_json::from_str(&json) {
            Ok(incident) => Some(incident),
            Err(error) => {
                tracing::warn!(
                    "incident {id} in the store cannot be read and is left out: {error}"
                );
                None
            }
        })
        .collect()
}

fn sweep(connection: &Connection, retention: Retention) -> rusqlite::Result<()> {
    let incidents = incidents::sweep(connection, retention.closed)?;
    let oldest = |age| {
        let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        Timestamp::now().checked_sub(age).unwrap_or(Timestamp::MIN)
    };
    let cursors = cursors::sweep(connection, oldest(retention.cursor_age))?;
    let learned = learned::sweep(connection, oldest(retention.learned_age))?;
    if incidents + cursors + learned > 0 {
        tracing::debug!(
            "swept out {incidents} closed incidents, {cursors} log cursors, {learned} learned logs"
        );
    }
    Ok(())
}
