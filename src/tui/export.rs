//! Postmortems and lines of logs as files in the state folder, for their owner alone.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sentinel_core::domain::ids::IncidentId;

/// What is written, by which its file is called.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A postmortem; a later one of the incident takes its place.
    Postmortem(IncidentId),
    /// Lines of a log, by container and time.
    Lines(String),
}

/// Writes it, in one piece or not at all, over what an earlier export wrote. Says where it is, or
/// what failed.
pub async fn write(folder: PathBuf, kind: Kind, document: String) -> Result<String, String> {
    let (what, path) = match &kind {
        Kind::Postmortem(incident) => {
            ("The postmortem is", folder.join(format!("{}.md", safe(incident.as_str()))))
        }
        Kind::Lines(name) => ("The lines are", folder.join(format!("{}.log", safe(name)))),
    };
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || put(&folder, &path, &document)).await;
    match written {
        Ok(Ok(())) => Ok(format!("{what} in {shown}")),
        Ok(Err(error)) => Err(format!("cannot write {shown}: {error}")),
        Err(error) => Err(format!("writing {shown} broke off: {error}")),
    }
}

/// Names come out of a file or from an engine: none leads out of the folder.
fn safe(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.chars().map(safe).take(80).collect()
}

fn put(folder: &Path, path: &Path, document: &str) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(document.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_written_over_and_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("postmortems");
        for (id, document) in [("INC-1", "one"), ("INC-1", "two"), ("../../x", "three")] {
            write(below.clone(), Kind::Postmortem(id.into()), document.to_owned()).await.unwrap();
        }
        let mut names: Vec<String> = std::fs::read_dir(&below)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["INC-1.md", "______x.md"]);
        assert_eq!(std::fs::read_to_string(below.join("INC-1.md")).unwrap(), "two");
    }

    #[tokio::test]
    async fn a_failure_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        std::fs::write(&taken, "").unwrap();
        let error =
            write(taken, Kind::Postmortem("INC-1".into()), String::new()).await.unwrap_err();
        assert!(error.contains("taken/INC-1.md"), "{error}");
    }

    #[tokio::test]
    async fn lines_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("logs");
        let lines = Kind::Lines("../api-20261124T031500Z".to_owned());
        let said = write(below.clone(), lines, "one\n".to_owned()).await.unwrap();
        let path = below.join("___api-20261124T031500Z.log");
        assert!(said.contains(&path.display().to_string()), "{said}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\n");
    }
}
