//! The one path to the store: jobs in order, so that what was asked first is durable first.

use std::sync::Arc;

use sentinel_core::domain::audit::AuditRecord;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::signal::Signal;
use tokio::sync::{mpsc, oneshot};

use crate::ports::{LogCursor, PortError, Store};

/// Jobs that may wait; beyond it the run loop waits, because nothing may be lost.
pub const STORE_QUEUE: usize = 1024;

/// One piece of work for the store.
#[derive(Debug)]
pub enum Job {
    /// Make an incident durable.
    Save(Arc<Incident>),
    /// Append to the audit trail.
    Audit(Box<AuditRecord>),
    /// Remember what was judged.
    Cursors(Vec<LogCursor>),
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

/// Works off the jobs until the queue closes. Failures become a degraded store, told once until
/// it works again.
pub async fn work_off(
    store: Arc<dyn Store>,
    mut jobs: mpsc::Receiver<Job>,
    out: mpsc::Sender<Signal>,
) {
    let mut failing = false;
    while let Some(job) = jobs.recv().await {
        let outcome = match job {
            Job::Save(incident) => store.save(incident).await,
            Job::Audit(record) => store.audit(*record).await,
            Job::Cursors(cursors) => store.save_cursors(cursors).await,
            Job::Before { incident, records, done } => {
                let outcome = before(store.as_ref(), incident, records).await;
                // The waiting call may have been abandoned at shutdown; then nobody needs this.
                drop(done.send(outcome.clone()));
                outcome
            }
        };
        let word = match (&outcome, failing) {
            (Err(error), false) => {
                Some(Signal::Degraded { part: "store".to_owned(), detail: error.to_string() })
            }
            (Ok(()), true) => Some(Signal::Recovered {
                part: "store".to_owned(),
                detail: "writing works again".to_owned(),
            }),
            _ => None,
        };
        failing = outcome.is_err();
        if let Some(word) = word
            && out.try_send(word).is_err()
        {
            tracing::warn!("the run loop is too busy to hear about the store");
            failing = false;
        }
    }
}

async fn before(
    store: &dyn Store,
    incident: Arc<Incident>,
    records: Vec<AuditRecord>,
) -> Result<(), PortError> {
    store.save(incident).await?;
    for record in records {
        store.audit(record).await?;
    }
    Ok(())
}
