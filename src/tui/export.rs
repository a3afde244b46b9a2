//! A postmortem as a file in the state folder.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sentinel_core::domain::ids::IncidentId;

/// Writes it, in one piece or not at all, over what an earlier export wrote. Says where it is, or
/// what failed.
pub async fn write(
    folder: PathBuf,
    incident: IncidentId,
    document: String,
) -> Result<String, String> {
    let path = folder.join(file_name(&incident));
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || put(&folder, &path, &document)).await;
    match written {
        Ok(Ok(())) => Ok(format!("The postmortem is in {shown}")),
        Ok(Err(error)) => Err(format!("cannot write {shown}: {error}")),
        Err(error) => Err(format!("writing {shown} broke off: {error}")),
    }
}

/// An id is ours, but it comes out of a file: none leads out of the folder.
fn file_name(incident: &IncidentId) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{}.md", incident.as_str().chars().map(safe).take(64).collect::<String>())
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
            write(below.clone(), id.into(), document.to_owned()).await.unwrap();
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
        let error = write(taken, "INC-1".into(), String::new()).await.unwrap_err();
        assert!(error.contains("taken/INC-1.md"), "{error}");
    }
}
