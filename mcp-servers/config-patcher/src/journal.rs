//! What is under way, on disk.
//!
//! One entry a recreate, synced before each stage, so that a process that dies in between leaves
//! behind how to get back. No entry holds a variable or a value. One lock for the folder: it is
//! held for as long as a recreate lasts and falls with the process, so an entry that is found
//! while holding it is an interrupted one.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mcp_kit::Settings;
use mcp_kit::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a call waits for another recreate to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const POLL: Duration = Duration::from_millis(100);
/// The form of the entries.
const VERSION: u32 = 1;

/// How far a recreate has come: what may have happened, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The successor may exist; the old one runs as it did.
    Preparing,
    /// The old one may have lost its restart policy and may be stopped.
    Stopping,
    /// The successor may be started.
    Starting,
    /// The successor has proved healthy; names may be changing.
    Accepted,
}

/// One recreate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `VERSION` of the writer.
    pub version: u32,
    /// The engine's own id: an entry is for one engine only.
    pub engine: String,
    /// How far it has come.
    pub stage: Stage,
    /// Full id of the old container.
    pub old_id: String,
    /// The name that both want.
    pub name: String,
    /// The successor's name until it is accepted.
    pub staged: String,
    /// The old one's name afterwards.
    pub parked: String,
    /// The old one's restart policy, in the engine's words.
    pub restart_policy: Value,
    /// Whether the old one ran (or was about to, in its policy's delay).
    pub was_running: bool,
    /// Repository and tag of an image that carries the writable layer.
    pub carried: Option<String>,
    /// While a stop of the old one is asked for and not answered: when it has taken effect at the
    /// latest, in seconds since 1970.
    #[serde(default)]
    pub stop_by: Option<i64>,
}

impl Entry {
    /// An entry at its first stage.
    pub fn new(engine: String, old_id: String, name: String, stamp: &str) -> Self {
        Self {
            version: VERSION,
            engine,
            stage: Stage::Preparing,
            old_id,
            staged: sentinel_core::domain::names::staged(&name, stamp),
            parked: sentinel_core::domain::names::parked(&name, stamp),
            name,
            restart_policy: Value::Null,
            was_running: false,
            carried: None,
            stop_by: None,
        }
    }
}

/// The folder of entries, locked by this process.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    _lock: File,
}

impl Journal {
    /// Opens and locks the folder that the settings name; waits a few seconds for another
    /// recreate to end.
    pub async fn open(settings: &Settings) -> Result<Self, Failure> {
        let state = settings
            .state_dir
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join("sentinel-tui-state"));
        let folder = state.join("recreate");
        let failed = |e: &std::io::Error| {
            Failure::Local(format!(
                "the journal folder {} cannot be used: {e}; set SENTINEL_STATE_DIR to a folder of your own",
                folder.display()
            ))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| failed(&e))?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join("lock"))
            .map_err(|e| failed(&e))?;
        refuse_foreign(&folder, &lock)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::Conflict(
                        "another recreate is under way on this machine; try again when it has ended"
                            .to_owned(),
                    ));
                }
                Err(TryLockError::Error(e)) => return Err(failed(&e)),
            }
        }
    }

    /// Writes an entry so that it survives the end of this process and of the machine.
    pub fn write(&self, entry: &Entry) -> Result<(), Failure> {
        let path = self.path(entry);
        let sync = || -> std::io::Result<()> {
            let draft = path.with_extension("draft");
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(serde_json::to_string(entry)?.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        sync().map_err(|e| {
            Failure::Local(format!("the journal {} cannot be written: {e}", path.display()))
        })
    }

    /// Forgets an entry whose recreate has ended one way or the other.
    pub fn remove(&self, entry: &Entry) -> Result<(), Failure> {
        let path = self.path(entry);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(Failure::Local(format!(
                "the journal {} cannot be removed: {e}",
                path.display()
            ))),
        }
    }

    /// The entries of interrupted recreates on one engine. One that cannot be read is left where
    /// it is, with a word in the log.
    pub fn interrupted(&self, engine: &str) -> Result<Vec<Entry>, Failure> {
        let failed = |e: &std::io::Error| {
            Failure::Local(format!(
                "the journal folder {} cannot be read: {e}",
                self.folder.display()
            ))
        };
        let mut entries = Vec::new();
        for file in std::fs::read_dir(&self.folder).map_err(|e| failed(&e))? {
            let path = file.map_err(|e| failed(&e))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|e| failed(&e))?;
            match serde_json::from_str::<Entry>(&text) {
                Ok(entry) if entry.version == VERSION && entry.engine == engine => {
                    entries.push(entry);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "this journal cannot be read");
                }
            }
        }
        Ok(entries)
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(format!("{}.json", entry.old_id))
    }
}

/// A folder that belongs to somebody else could tell us to remove containers.
fn refuse_foreign(folder: &Path, own: &File) -> Result<(), Failure> {
    let owner = std::fs::metadata(folder).and_then(|there| Ok((there, own.metadata()?)));
    match owner {
        Ok((there, ours)) if there.uid() == ours.uid() && there.mode() & 0o022 == 0 => Ok(()),
        Ok(_) => Err(Failure::Local(format!(
            "the journal folder {} belongs to somebody else or can be written by others; set SENTINEL_STATE_DIR to a folder of your own",
            folder.display()
        ))),
        Err(e) => Err(Failure::Local(format!(
            "the journal folder {} cannot be looked at: {e}",
            folder.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &tempfile::TempDir) -> Settings {
        Settings { state_dir: Some(folder.path().to_owned()), ..Settings::default() }
    }

    #[tokio::test]
    async fn an_entry_is_found_again_by_its_own_engine_only() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&settings(&folder)).await.unwrap();
        let entry =
            Entry::new("E1".to_owned(), "abc".to_owned(), "api".to_owned(), "20261124031502");
        journal.write(&entry).unwrap();
        drop(journal);
        let journal = Journal::open(&settings(&folder)).await.unwrap();
        assert_eq!(journal.interrupted("E1").unwrap(), std::slice::from_ref(&entry));
        assert!(journal.interrupted("E2").unwrap().is_empty());
        journal.remove(&entry).unwrap();
        assert!(journal.interrupted("E1").unwrap().is_empty());
    }

    #[tokio::test]
    async fn one_recreate_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = Journal::open(&settings(&folder)).await.unwrap();
        let second = Journal::open(&settings(&folder)).await.unwrap_err();
        assert_eq!(second.code(), "conflict");
        drop(held);
        Journal::open(&settings(&folder)).await.unwrap();
    }
}
