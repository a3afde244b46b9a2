//! The one path to the store: jobs in order, so that what was asked first is durable first. What
//! cannot be written waits and is tried again: a full disk loses nothing that fits in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sentinel_core::detect::score::learned::Learned;
use sentinel_core::domain::audit::AuditRecord;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::signal::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::ports::{LearnedLog, LogCursor, PortError, Store};

/// Jobs that may wait; beyond it the run loop waits, because nothing may be lost.
pub const STORE_QUEUE: usize = 1024;
/// Writes that may wait for a store that fails; beyond it the oldest incident state gives way.
const BACKLOG: usize = 4096;
/// A store that failed is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// One piece of work for the store.
#[derive(Debug)]
pub enum Job {
    /// Make an incident durable.
    Save(Arc<Incident>),
    /// Append to the audit trail.
    Audit(Box<AuditRecord>),
    /// Remember what was judged.
    Cursors(Vec<LogCursor>),
    /// Remember what was learned of a service.
    Learned {
        /// Which, as the store knows it.
        key: String,
        /// What.
        learned: Box<Learned>,
    },
    /// Remember something else of a service.
    Kept(LearnedLog),
    /// Make all of this durable and say so: a call waits for it.
    Before {
        /// The incident.
        incident: Arc<Incident>,
        /// The audit records.
        records: Vec<AuditRecord>,
        /// Where the answer goes.
        done: oneshot::Sender<Result<(), PortError>>,
    },
}

/// A write that can be made again.
#[derive(Debug)]
enum Write {
    Save(Arc<Incident>),
    Audit(Box<AuditRecord>),
}

/// Works off the jobs until the queue closes. Failures become a degraded store, told once until
/// it works again.
pub async fn work_off(
    store: Arc<dyn Store>,
    mut jobs: mpsc::Receiver<Job>,
    out: mpsc::Sender<Signal>,
) {
    let mut desk = Desk { store, out, backlog: VecDeque::new(), failing: false };
    loop {
        let job = if desk.failing {
            let Ok(job) = timeout(AGAIN, jobs.recv()).await else {
                desk.catch_up().await;
                continue;
            };
            job
        } else {
            jobs.recv().await
        };
        match job {
            Some(Job::Save(incident)) => desk.write(Write::Save(incident)).await,
            Some(Job::Audit(record)) => desk.write(Write::Audit(record)).await,
            Some(Job::Cursors(cursors)) => desk.cursors(cursors).await,
            Some(Job::Learned { key, learned }) => desk.learned(key, &learned).await,
            Some(Job::Kept(kept)) => desk.kept(kept).await,
            Some(Job::Before { incident, records, done }) => {
                let outcome = desk.before(incident, records).await;
                // The waiting call may have been abandoned at shutdown; then nobody needs this.
                drop(done.send(outcome));
            }
            None => break,
        }
    }
    desk.catch_up().await;
    if !desk.backlog.is_empty() {
        tracing::error!("{} writes to the store were not made", desk.backlog.len());
    }
}

/// The store and what waits for it.
struct Desk {
    store: Arc<dyn Store>,
    out: mpsc::Sender<Signal>,
    backlog: VecDeque<Write>,
    failing: bool,
}

impl Desk {
    async fn write(&mut self, write: Write) {
        self.put_off(write);
        self.catch_up().await;
    }

    /// Queues a write behind those that wait. A newer state of an incident replaces an older one.
    fn put_off(&mut self, write: Write) {
        if let Write::Save(new) = &write {
            self.backlog.retain(|w| !matches!(w, Write::Save(old) if old.id == new.id));
        }
        if self.backlog.len() == BACKLOG {
            let state = self.backlog.iter().position(|w| matches!(w, Write::Save(_)));
            drop(self.backlog.remove(state.unwrap_or_default()));
            tracing::error!("the store fails for too long; the oldest waiting write was dropped");
        }
        self.backlog.push_back(write);
    }

    /// Makes the writes that wait, in order, until one fails.
    async fn catch_up(&mut self) {
        while let Some(write) = self.backlog.front() {
            let outcome = match write {
                Write::Save(incident) => self.store.save(Arc::clone(incident)).await,
                Write::Audit(record) => self.store.audit((**record).clone()).await,
            };
            let stuck = outcome.is_err();
            self.judge(outcome);
            if stuck {
                return;
            }
            self.backlog.pop_front();
        }
    }

    async fn cursors(&mut self, cursors: Vec<LogCursor>) {
        // A later job brings newer ones: these are not worth keeping while the store fails.
        if self.backlog.is_empty() {
            let outcome = self.store.save_cursors(cursors).await;
            self.judge(outcome);
        }
    }

    async fn learned(&mut self, key: String, learned: &Learned) {
        // It goes on to be learned: not worth keeping while the store fails.
        if !self.backlog.is_empty() {
            return;
        }
        let content = learned.encode().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match content {
            Ok(content) => self.kept(LearnedLog { key, content }).await,
            Err(error) => tracing::warn!("{key}: {error}"),
        }
    }

    async fn kept(&mut self, kept: LearnedLog) {
        if self.backlog.is_empty() {
            let outcome = self.store.save_learned(kept).await;
            self.judge(outcome);
        }
    }

    /// What must be on disk before a call; behind everything that was asked for earlier.
    async fn before(
        &mut self,
        incident: Arc<Incident>,
        records: Vec<AuditRecord>,
    ) -> Result<(), PortError> {
        self.catch_up().await;
        if !self.backlog.is_empty() {
            return Err(PortError("earlier records are still waiting to be written".to_owned()));
        }
        let outcome = async {
            self.store.save(incident).await?;
            for record in records {
                self.store.audit(record).await?;
            }
            Ok(())
        }
        .await;
        self.judge(outcome.clone());
        outcome
    }

    /// Tells when the store begins to fail and when it works again.
    fn judge(&mut self, outcome: Result<(), PortError>) {
        let part = "store".to_owned();
        let word = match (outcome, self.failing) {
            (Err(error), false) => Signal::Degraded { part, detail: error.to_string() },
            (Ok(()), true) => Signal::Recovered { part, detail: "writing works again".to_owned() },
            (Err(_), true) | (Ok(()), false) => return,
        };
        if self.out.try_send(word).is_ok() {
            self.failing = !self.failing;
        } else {
            tracing::warn!("the run loop is too busy to hear about the store");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, ready};
    use jiff::Timestamp;
    use sentinel_core::domain::audit::AuditAction;
    use sentinel_core::domain::ids::IncidentId;
    use sentinel_core::domain::plan::Actor;

    use super::*;

    /// A disk that is full until it is not.
    #[derive(Default)]
    struct Disk {
        full: AtomicBool,
        written: Mutex<Vec<String>>,
    }

    impl Disk {
        fn put(&self, what: String) -> BoxFuture<'_, Result<(), PortError>> {
            if self.full.load(Ordering::SeqCst) {
                return ready(Err(PortError("no space".to_owned()))).boxed();
            }
            self.written.lock().unwrap().push(what);
            ready(Ok(())).boxed()
        }
    }

    impl Store for Disk {
        fn save(&self, incident: Arc<Incident>) -> BoxFuture<'_, Result<(), PortError>> {
            self.put(format!("save {}", incident.id))
        }
        fn audit(&self, record: AuditRecord) -> BoxFuture<'_, Result<(), PortError>> {
            self.put(format!("audit {}", record.reason))
        }
        fn load(&self, _: usize) -> BoxFuture<'_, Result<Vec<Incident>, PortError>> {
            ready(Ok(Vec::new())).boxed()
        }
        fn incident(&self, _: IncidentId) -> BoxFuture<'_, Result<Option<Incident>, PortError>> {
            ready(Ok(None)).boxed()
        }
        fn save_cursors(&self, _: Vec<LogCursor>) -> BoxFuture<'_, Result<(), PortError>> {
            self.put("cursors".to_owned())
        }
        fn load_cursors(&self) -> BoxFuture<'_, Result<Vec<LogCursor>, PortError>> {
            ready(Ok(Vec::new())).boxed()
        }
        fn save_learned(&self, learned: LearnedLog) -> BoxFuture<'_, Result<(), PortError>> {
            self.put(format!("learned {}", learned.key))
        }
        fn load_learned(&self, _: String) -> BoxFuture<'_, Result<Vec<LearnedLog>, PortError>> {
            ready(Ok(Vec::new())).boxed()
        }
    }

    fn audit(reason: &str) -> Job {
        Job::Audit(Box::new(AuditRecord {
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::System,
            action: AuditAction::Staged,
            incident: "INC-1".into(),
            fix: None,
            target: String::new(),
            target_id: String::new(),
            call: None,
            reason: reason.to_owned(),
            plan_sha256: None,
            result: None,
        }))
    }

    #[tokio::test]
    async fn what_a_full_disk_refused_is_written_later_in_order() {
        let disk = Arc::new(Disk::default());
        let (send, jobs) = mpsc::channel(16);
        let (out, mut words) = mpsc::channel(16);
        let task = tokio::spawn(work_off(Arc::clone(&disk) as Arc<dyn Store>, jobs, out));
        disk.full.store(true, Ordering::SeqCst);
        send.send(audit("one")).await.unwrap();
        send.send(audit("two")).await.unwrap();
        assert!(matches!(words.recv().await, Some(Signal::Degraded { .. })));
        disk.full.store(false, Ordering::SeqCst);
        assert!(matches!(words.recv().await, Some(Signal::Recovered { .. })));
        send.send(audit("three")).await.unwrap();
        drop(send);
        task.await.unwrap();
        let written = disk.written.lock().unwrap().clone();
        assert_eq!(written, ["audit one", "audit two", "audit three"]);
        assert!(words.recv().await.is_none(), "told once");
    }
}
