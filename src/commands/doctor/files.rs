//! Configuration, state folder, disk, audit trail.

use std::io;
use std::path::{Path, PathBuf};

use sentinel_core::domain::finding::Finding;
use sentinel_core::domain::size::bytes_words;

use crate::config::Settings;
use crate::store::chain::Verified;
use crate::store::schema::FILE;
use crate::store::sqlite::SqliteStore;

/// Below this many free bytes the store may run full within days.
const LOW: u64 = 512 << 20;
/// Below this many it may run full at any time.
const VERY_LOW: u64 = 32 << 20;

pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let folder = &settings.state_dir;
    let mut findings = vec![configuration(settings), state(folder), disk(folder)];
    findings.push(trail(folder).await);
    findings
}

fn configuration(settings: &Settings) -> Finding {
    // Whoever gets here has settings that are understood.
    let read = settings.config_file.as_deref().filter(|path| path.exists());
    let detail = read.map_or_else(
        || "no file, defaults and environment".to_owned(),
        |path| path.display().to_string(),
    );
    match settings.ignored.as_slice() {
        [] => Finding::fine("configuration", detail),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" (+{})", rest.len()) };
            Finding::doubtful("configuration", detail, &format!("not used: {first}{more}"))
        }
    }
}

fn state(folder: &Path) -> Finding {
    let shown = folder.display();
    match writable(folder) {
        Ok(()) => Finding::fine("state folder", shown.to_string()),
        Err(error) => Finding::broken(
            "state folder",
            format!("{shown} cannot be written to: {error}"),
            "incidents and the audit trail are kept there: correct its rights, or name another with --state-dir",
        ),
    }
}

/// A file comes and goes; a folder that is not there yet is made at the first start.
fn writable(folder: &Path) -> io::Result<()> {
    let there = existing(folder);
    let file = tempfile::Builder::new().prefix(".doctor").tempfile_in(there)?;
    file.close()
}

/// The folder, or the nearest one above it that exists.
fn existing(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|path| path.is_dir());
    found.unwrap_or_else(|| Path::new(".")).to_owned()
}

fn disk(folder: &Path) -> Finding {
    let free = match fs4::available_space(existing(folder)) {
        Ok(free) => free,
        Err(error) => {
            let detail = format!("the free space is not known: {error}");
            return Finding::doubtful("disk", detail, "look at it with `df`");
        }
    };
    let detail = format!("{} free for the state folder", bytes_words(free));
    if free < VERY_LOW {
        Finding::broken("disk", detail, "make room: what cannot be recorded is not done")
    } else if free < LOW {
        Finding::doubtful("disk", detail, "make room before it is full")
    } else {
        Finding::fine("disk", detail)
    }
}

async fn trail(folder: &Path) -> Finding {
    if !folder.join(FILE).exists() {
        return Finding::fine("audit trail", "empty: nothing was done yet");
    }
    let checked = match SqliteStore::open(folder) {
        Ok(store) => match store.verify_chain().await {
            Ok(good) => store.verify_trail().await.map(|_| good).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(Verified { count, .. }) => {
            Finding::fine("audit trail", format!("{count} records, the chain holds"))
        }
        Err(why) => Finding::broken(
            "audit trail",
            why,
            "keep the state folder as it is for an investigation, and name another with --state-dir",
        ),
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::finding::Verdict;

    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_made_where_it_can_be() {
        let home = tempfile::tempdir().unwrap();
        let finding = state(&home.path().join("a/b"));
        assert_eq!(finding.verdict, Verdict::Fine, "{finding:?}");
        assert!(!home.path().join("a").exists(), "looking changes nothing");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let finding = state(Path::new("/proc/version/state"));
        assert_eq!(finding.verdict, Verdict::Broken);
        assert!(finding.remedy.unwrap().contains("--state-dir"));
    }

    #[tokio::test]
    async fn a_trail_that_was_changed_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(trail(folder.path()).await.verdict, Verdict::Fine);
        std::fs::write(folder.path().join(FILE), "not a database at all").unwrap();
        assert_eq!(trail(folder.path()).await.verdict, Verdict::Broken);
    }
}
