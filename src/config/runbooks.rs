//! The folder of runbooks: read once, at the start. What is wrong with a file is told, and the
//! file left out; a runbook keeps nothing from running.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sentinel_core::runbook::{MAX_BYTES, MAX_RUNBOOKS, Runbook, Runbooks};

/// Files of the folder that are looked at, runbooks or not.
const MAX_FILES: usize = 2_000;

/// Runbooks, and where they come from.
#[derive(Clone, Debug, Default)]
pub struct RunbookSettings {
    /// The folder, whether it exists or not; `None` where there is no home folder.
    pub folder: Option<PathBuf>,
    /// What it holds.
    pub books: Arc<Runbooks>,
}

impl RunbookSettings {
    /// Reads the named folder, or the one at its usual place if there is one. What could not be
    /// used goes to `ignored`.
    pub fn read(named: Option<&Path>, home: Option<&Path>, ignored: &mut Vec<String>) -> Self {
        let usual = || home.map(|home| home.join("sentinel-tui/runbooks"));
        let Some(folder) = named.map(Path::to_owned).or_else(usual) else {
            return Self::default();
        };
        let mut files = match list(&folder) {
            Ok(files) => files,
            Err(error) => {
                if named.is_some() || error.kind() != std::io::ErrorKind::NotFound {
                    ignored.push(format!("runbooks in {} are not read: {error}", folder.display()));
                }
                return Self { folder: Some(folder), books: Arc::default() };
            }
        };
        files.sort();
        if files.len() > MAX_RUNBOOKS {
            ignored.push(format!(
                "{} has {} runbooks: the first {MAX_RUNBOOKS} by name are used",
                folder.display(),
                files.len()
            ));
            files.truncate(MAX_RUNBOOKS);
        }
        let mut books = Vec::new();
        for file in files {
            match one(&file) {
                Ok(book) => books.push(book),
                Err(why) => {
                    ignored.push(format!("the runbook {} is left out: {why}", file.display()));
                }
            }
        }
        Self { folder: Some(folder), books: Arc::new(Runbooks::of(books)) }
    }
}

/// The Markdown files of a folder.
fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.take(MAX_FILES) {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md")) {
            files.push(path);
        }
    }
    Ok(files)
}

fn one(file: &Path) -> Result<Runbook, String> {
    let readable = |e: std::io::Error| format!("cannot be read: {e}");
    // A pipe or a device would never end.
    if !fs::metadata(file).map_err(readable)?.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let opened = fs::File::open(file).map_err(readable)?;
    opened.take(most).read_to_end(&mut bytes).map_err(readable)?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|e| format!("is no UTF-8: {e}"))?;
    let name = file.file_stem().map(|name| name.to_string_lossy().into_owned());
    Runbook::read(&name.unwrap_or_default(), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_files_are_used_and_bad_ones_are_told() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sentinel-tui/runbooks");
        fs::create_dir_all(folder.join("folder.md")).unwrap();
        fs::write(folder.join("memory.md"), "classes: oom_kill\n# Memory\n").unwrap();
        fs::write(folder.join("notes.txt"), "no runbook").unwrap();
        fs::write(folder.join("wrong.md"), "classes: nonsense\n").unwrap();
        fs::write(folder.join("binary.md"), [0xff, 0xfe, 0x00]).unwrap();
        fs::write(folder.join("large.md"), "x".repeat(MAX_BYTES + 1)).unwrap();
        let mut ignored = Vec::new();
        let read = RunbookSettings::read(None, Some(home.path()), &mut ignored);
        assert_eq!(read.books.count(), 1);
        assert_eq!(ignored.len(), 4, "{ignored:?}");
        for (file, why) in [
            ("wrong.md", "no class \"nonsense\""),
            ("binary.md", "no UTF-8"),
            ("large.md", "more than"),
            ("folder.md", "no regular file"),
        ] {
            let told = ignored.iter().find(|line| line.contains(file)).unwrap();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_folder_that_is_missing_is_told_only_if_somebody_named_it() {
        let home = tempfile::tempdir().unwrap();
        let mut ignored = Vec::new();
        let read = RunbookSettings::read(None, Some(home.path()), &mut ignored);
        assert_eq!((read.books.count(), ignored.len()), (0, 0));
        let named = home.path().join("none");
        RunbookSettings::read(Some(&named), None, &mut ignored);
        assert!(ignored[0].contains("none are not read"), "{ignored:?}");
    }

    #[test]
    fn the_examples_are_runbooks() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/runbooks");
        let mut ignored = Vec::new();
        let read = RunbookSettings::read(Some(&folder), None, &mut ignored);
        assert_eq!(ignored, [""; 0]);
        assert!(read.books.count() >= 2);
    }
}
