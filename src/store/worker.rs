//! The one thread that owns the connection: SQLite blocks, the rest of the program must not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::ports::PortError;
use crate::store::schema;

/// Jobs that may wait; beyond it whoever asks waits, within [`PATIENCE`].
const QUEUE: usize = 64;

/// How long one job may take, its wait in the queue included. Longer than
/// [`schema::BUSY`], so that a lock held by another process is named as the reason.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the thread. The thread ends, and closes the file, once all ways to it are gone.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
    path: Arc<Path>,
}

impl Worker {
    /// Hands the connection to a thread of its own.
    pub(crate) fn start(connection: Connection, path: PathBuf) -> std::io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            let mut connection = connection;
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self { jobs, path: Arc::from(path) })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the thread and waits for its answer, at most [`PATIENCE`]. `doing` names
    /// the work in errors ("write incident X"). Work whose asker gave up is not begun; work
    /// under way then still ends, as a whole or not at all.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        doing: impl Into<String>,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let doing = doing.into();
        let deadline = Instant::now() + PATIENCE;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if !answer.is_closed() {
                // Whoever asked may give up while it runs.
                drop(answer.send(work(connection)));
            }
        });
        let late = || {
            PortError(format!(
                "cannot {doing}: {} did not answer within {} s; the disk may be overloaded or \
                 another process may hold the file",
                self.path.display(),
                PATIENCE.as_secs()
            ))
        };
        let gone = || {
            PortError(format!("cannot {doing}: the store's thread ended; start sentinel-tui again"))
        };
        timeout_at(deadline, self.jobs.send(job)).await.map_err(|_| late())?.map_err(|_| gone())?;
        timeout_at(deadline, answered)
            .await
            .map_err(|_| late())?
            .map_err(|_| gone())?
            .map_err(|e| PortError(schema::sentence(&self.path, &doing, &e)))
    }
}
