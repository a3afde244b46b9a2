//! Who acts on an engine and who keeps the record of a state folder: one instance each; the others
//! only watch. A lock ends with its process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sentinel_core::domain::snapshot::Mode;

use crate::ports::{Claim, Role};

/// Folders for locks that every user may write, the best first. None of them is swept while the
/// machine runs, but for the last.
const FOLDERS: [&str; 3] = ["/run/lock", "/var/lock", "/tmp"];

/// Tries for both roles, again and again if need be: when the instance that has one ends, the next
/// one takes over.
#[derive(Debug)]
pub struct Election {
    may_act: bool,
    engine: PathBuf,
    record: PathBuf,
    held: Mutex<Held>,
}

/// Locks, held as long as this lives.
#[derive(Debug, Default)]
struct Held {
    engine: Option<File>,
    record: Option<File>,
}

impl Election {
    /// Stands for election. `locks` names another folder for the engine's lock.
    pub fn new(mode: Mode, locks: Option<&Path>, engine_id: &str, state_dir: &Path) -> Self {
        Self {
            may_act: mode != Mode::ReadOnly,
            engine: engine_lock(locks, "", engine_id),
            record: state_dir.join("instance.lock"),
            held: Mutex::default(),
        }
    }

    /// What this instance has.
    pub fn has(&self) -> Claim {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Claim { acts: held.engine.is_some(), keeps: held.record.is_some() }
    }
}

impl Role for Election {
    fn claim(&self) -> Claim {
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if held.record.is_none() {
                held.record = lock(&self.record, 0o600);
            }
            // Without the record nothing may be done: a call must be on disk before it is made.
            if self.may_act && held.record.is_some() && held.engine.is_none() {
                held.engine = lock(&self.engine, 0o666);
            }
        }
        self.has()
    }
}

/// The lock of the one demo that an engine can have; `None` while another one runs.
pub fn demo_lock(locks: Option<&Path>, engine_id: &str) -> Option<File> {
    lock(&engine_lock(locks, "demo-", engine_id), 0o666)
}

fn engine_lock(locks: Option<&Path>, what: &str, engine_id: &str) -> PathBuf {
    let name: String =
        engine_id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let found = FOLDERS.iter().map(Path::new).find(|folder| folder.is_dir());
    let folder = locks.or(found).unwrap_or(Path::new("."));
    folder.join(format!("sentinel-tui-{what}{name}.lock"))
}

/// Locks a file, made if need be. The lock needs no right to write, so that the instances of
/// several users exclude one another.
fn lock(path: &Path, mode: u32) -> Option<File> {
    let open = || {
        OpenOptions::new().read(true).open(path).or_else(|_| {
            OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
        })
    };
    // Two that begin together may both try to make it; the second finds it.
    match open().or_else(|_| open()) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => {
                tracing::warn!("cannot lock {}: {error}", path.display());
                None
            }
        },
        Err(error) => {
            tracing::warn!("cannot open {}: {error}; nothing will be changed", path.display());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_acts_per_engine_and_the_next_one_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let state = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let of = |mode, engine: &str, name: &str| {
            Election::new(mode, Some(folder.path()), engine, &state(name))
        };
        let claim = |acts, keeps| Claim { acts, keeps };
        let first = of(Mode::AutoHeal, "AB:CD", "a");
        assert_eq!(first.claim(), claim(true, true));
        let same_folder = of(Mode::Approve, "another", "a");
        assert_eq!(same_folder.claim(), claim(false, false), "no record, no deed");
        let same_engine = of(Mode::Approve, "AB:CD", "b");
        assert_eq!(same_engine.claim(), claim(false, true));
        let reader = of(Mode::ReadOnly, "AB:CD", "a");
        drop(first);
        assert_eq!(same_folder.claim(), claim(true, true));
        assert_eq!(same_engine.claim(), claim(true, true));
        drop(same_folder);
        assert_eq!(reader.claim(), claim(false, true));
    }
}
