//! The user's file of signatures: read at the start, so that what is wrong with it is told at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sentinel_core::detect::signatures::Signatures;

use crate::config::ConfigError;

/// A file of signatures is at most this large, in bytes.
const LARGEST: u64 = 1 << 20;

/// Known failures in log lines, and where the user's own are.
#[derive(Clone, Debug, Default)]
pub struct SignatureSettings {
    /// The file, whether it exists or not; `None` where there is no home folder.
    pub file: Option<PathBuf>,
    /// What it says, before the built-in ones.
    own: Option<Arc<Signatures>>,
}

impl SignatureSettings {
    /// Reads the named file, or the one at its usual place in the folder for configuration if
    /// there is one.
    pub fn read(named: Option<&Path>, home: Option<&Path>) -> Result<Self, ConfigError> {
        let usual = || home.map(|home| home.join("sentinel-tui/signatures.toml"));
        let Some(file) = named.map(Path::to_owned).or_else(usual) else {
            return Ok(Self::default());
        };
        let failed = |source| ConfigError::Read { path: file.clone(), source };
        let size = match std::fs::metadata(&file) {
            Ok(found) => found.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                return Ok(Self { file: Some(file), own: None });
            }
            Err(source) => return Err(failed(source)),
        };
        if size > LARGEST {
            return Err(ConfigError::Invalid(format!(
                "{}: {size} bytes are too many for a file of signatures: at most {LARGEST}",
                file.display()
            )));
        }
        let text = std::fs::read_to_string(&file).map_err(failed)?;
        let own = Signatures::with(&text)
            .map_err(|e| ConfigError::Invalid(format!("{}: {e}", file.display())))?;
        Ok(Self { file: Some(file), own: Some(Arc::new(own)) })
    }

    /// Whether the user has a file.
    pub fn is_extended(&self) -> bool {
        self.own.is_some()
    }

    /// The signatures in force.
    pub fn in_force(&self) -> Arc<Signatures> {
        Arc::clone(self.own.as_ref().unwrap_or_else(|| Signatures::builtin()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"
[[signature]]
name = "licence_expired"
class = "bad_config"
severity = "high"
words = "its licence has run out"
any = ["licence expired"]
"#;

    #[test]
    fn without_a_file_the_built_in_ones_are_in_force() {
        let home = tempfile::tempdir().unwrap();
        let settings = SignatureSettings::read(None, Some(home.path())).unwrap();
        assert!(!settings.is_extended());
        assert!(settings.in_force().find("connection refused").is_some());
        assert!(SignatureSettings::read(None, None).unwrap().file.is_none());
    }

    #[test]
    fn the_users_file_extends_them() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sentinel-tui");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("signatures.toml"), OWN).unwrap();
        let settings = SignatureSettings::read(None, Some(home.path())).unwrap();
        assert!(settings.is_extended());
        assert!(settings.in_force().find("licence expired").is_some());
        assert!(settings.in_force().find("connection refused").is_some());
    }

    #[test]
    fn a_file_that_is_wrong_is_named_with_the_entry_and_what_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("mine.toml");
        let error = |file: &Path| {
            SignatureSettings::read(Some(file), Some(home.path())).unwrap_err().to_string()
        };
        assert!(error(&file).contains("mine.toml"), "a named file must exist");
        std::fs::write(&file, OWN.replace("licence expired", "abc")).unwrap();
        let text = error(&file);
        for part in ["mine.toml", "licence_expired", "\"abc\" is shorter"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
