//! The token that clients show: given by the settings, or made at the first start and kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sentinel_core::domain::hash::sha256_hex;
use subtle::ConstantTimeEq as _;

use crate::config::gateway::Secret;

/// Random bytes of a token that is made.
const RANDOM: usize = 32;
/// Bytes of a file that are looked at.
const LONGEST: u64 = 4096;

/// Where a token that was made is kept.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("api-token")
}

/// The token that is kept, if there is one.
pub fn kept(state_dir: &Path) -> io::Result<Option<Secret>> {
    let file = path(state_dir);
    match fs::metadata(&file) {
        Ok(found) if found.len() > LONGEST => Err(io::Error::other("it is too long for a token")),
        Ok(_) => Ok(Secret::new(&fs::read_to_string(&file)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The token that is kept, or a new one, which only its owner can read.
pub fn kept_or_made(state_dir: &Path) -> io::Result<Secret> {
    if let Some(token) = kept(state_dir)? {
        return Ok(token);
    }
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let text = sha256_hex(&random);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path(state_dir));
    match made {
        Ok(mut file) => {
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()?;
        }
        // Another instance was faster, or the file is empty: what stands there is in force.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return kept(state_dir)?.ok_or_else(|| io::Error::other("it is empty: remove it"));
        }
        Err(error) => return Err(error),
    }
    Secret::new(&text).ok_or_else(|| io::Error::other("no token was made"))
}

/// Whether this is the token, in a time that does not tell how much of it was right.
pub(super) fn is(token: &Secret, shown: &str) -> bool {
    token.reveal().as_bytes().ct_eq(shown.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("new");
        assert_eq!(kept(&state).unwrap(), None);
        let made = kept_or_made(&state).unwrap();
        assert_eq!(made.reveal().len(), 2 * RANDOM);
        assert_eq!(kept_or_made(&state).unwrap(), made);
        let mode = fs::metadata(path(&state)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(is(&made, made.reveal()));
        assert!(!is(&made, ""));
        assert!(!is(&made, &made.reveal()[1..]));
        fs::write(path(&state), " \n").unwrap();
        assert!(kept_or_made(&state).is_err(), "an empty file is no token");
    }
}
