//! Who acts on an engine and who keeps the record of a state folder: one instance each; the others
//! only watch. A lock ends with its process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sentinel_core::domain::snapshot::Mode;

/// Folders for locks that every user may write, the best first. None of them is swept while the
/// machine runs, but for the last.
const FOLDERS: [&str; 3] = ["/run/lock", "/var/lock", "/tmp"];

/// What this instance may do, as long as it lives.
#[derive(Debug)]
pub struct Election {
    acts: Option<File>,
    keeps: Option<File>,
}

impl Election {
    /// Tries for both roles. `locks` names another folder for the engine's lock.
    pub fn of(mode: Mode, locks: Option<&Path>, engine_id: &str, state_dir: &Path) -> Self {
        let keeps = lock(&state_dir.join("instance.lock"), 0o600);
        // Without the record nothing may be done: a call must be on disk before it is made.
        let may_act = mode != Mode::ReadOnly && keeps.is_some();
        let acts = may_act.then(|| lock(&engine_lock(locks, "", engine_id), 0o666)).flatten();
        Self { acts, keeps }
    }

    /// Whether this instance is the one that acts on the engine.
    pub fn acts(&self) -> bool {
        self.acts.is_some()
    }

    /// Whether this instance is the one that writes to the state folder.
    pub fn keeps(&self) -> bool {
        self.keeps.is_some()
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
            Election::of(mode, Some(folder.path()), engine, &state(name))
        };
        let first = of(Mode::AutoHeal, "AB:CD", "a");
        assert!(first.acts() && first.keeps());
        let same_folder = of(Mode::Approve, "another", "a");
        assert!(!same_folder.keeps() && !same_folder.acts(), "without the record nothing is done");
        let same_engine = of(Mode::Approve, "AB:CD", "b");
        assert!(same_engine.keeps() && !same_engine.acts());
        drop((first, same_engine));
        let reader = of(Mode::ReadOnly, "AB:CD", "a");
        assert!(reader.keeps() && !reader.acts());
        assert!(of(Mode::Approve, "AB:CD", "b").acts());
    }
}
