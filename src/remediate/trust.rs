//! Which commands of the catalogue a person has seen and confirmed: a small file in the state
//! folder, by the hash of the command. Another command needs another confirmation.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::remediate::spec::Confirmation;

/// The file's name in the state folder.
const FILE: &str = "trusted-servers.json";
/// Bytes that it may have.
const MAX_BYTES: u64 = 256 * 1024;
/// Confirmations that are kept; the oldest goes first.
const MAX_KEPT: usize = 256;

/// One confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    name: String,
    command: String,
    by: String,
    at: Timestamp,
}

/// What was confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    path: PathBuf,
}

impl Trust {
    /// The confirmations of a state folder.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join(FILE) }
    }

    /// Whether this command was confirmed. Read anew each time: a person may do it meanwhile, in
    /// another terminal.
    pub fn holds(&self, asked: &Confirmation) -> Result<bool, String> {
        Ok(self.read()?.contains_key(&asked.sha256))
    }

    /// Takes down that `by` has seen and confirmed this command.
    pub fn confirm(&self, asked: &Confirmation, by: &str) -> Result<(), String> {
        let mut all = self.read()?;
        let given = Given {
            name: asked.name.clone(),
            command: asked.line.clone(),
            by: by.to_owned(),
            at: Timestamp::now(),
        };
        all.insert(asked.sha256.clone(), given);
        while all.len() > MAX_KEPT {
            let oldest = all.iter().min_by_key(|(_, given)| given.at).map(|(k, _)| k.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        self.write(&all).map_err(|e| format!("cannot write {}: {e}", self.path.display()))
    }

    fn read(&self) -> Result<BTreeMap<String, Given>, String> {
        let failed = |why: String| {
            let path = self.path.display();
            format!(
                "cannot read what was confirmed in {path}: {why}; without it nothing counts as confirmed, so mend or remove the file"
            )
        };
        let mut text = String::new();
        match fs::File::open(&self.path) {
            Ok(file) => {
                file.take(MAX_BYTES).read_to_string(&mut text).map_err(|e| failed(e.to_string()))?
            }
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(e) => return Err(failed(e.to_string())),
        };
        serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
    }

    /// In one piece or not at all, for nobody else's eyes.
    fn write(&self, all: &BTreeMap<String, Given>) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(serde_json::to_string_pretty(all)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sha256: &str) -> Confirmation {
        let (name, line) = ("time".to_owned(), "docker run x".to_owned());
        Confirmation { name, line, sha256: sha256.to_owned() }
    }

    #[test]
    fn a_confirmation_is_for_one_command_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let trust = Trust::new(&state);
        assert_eq!(trust.holds(&asked("a")), Ok(false));
        trust.confirm(&asked("a"), "ann").unwrap();
        assert_eq!(Trust::new(&state).holds(&asked("a")), Ok(true));
        assert_eq!(trust.holds(&asked("b")), Ok(false));
        for i in 0..MAX_KEPT + 5 {
            trust.confirm(&asked(&format!("x{i}")), "ann").unwrap();
        }
        assert_eq!(trust.read().unwrap().len(), MAX_KEPT);
        assert_eq!(trust.holds(&asked("a")), Ok(false));
    }

    #[test]
    fn a_broken_file_confirms_nothing_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{broken").unwrap();
        let trust = Trust::new(folder.path());
        assert!(trust.holds(&asked("a")).unwrap_err().contains(FILE));
        assert!(trust.confirm(&asked("a"), "ann").is_err());
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), "{broken");
    }
}
