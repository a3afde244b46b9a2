//! The salt of hashes that the store holds: made once, kept beside it, readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sentinel_core::domain::hash::Salt;

use crate::store::schema::FILE_MODE;

/// Its name in the state folder.
const FILE: &str = "salt";
/// Its bytes.
const BYTES: usize = 32;

/// Reads the salt of a state folder, and makes one where there is none. Who opens the folder at
/// the same time has the same one.
pub fn of(folder: &Path) -> io::Result<Salt> {
    let path = folder.join(FILE);
    if let Some(salt) = read(&path)? {
        return Ok(salt);
    }
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // Whole or not at all: it is written under another name, and that of the first one stays.
    let own = folder.join(format!("{FILE}.{:016x}", fastrand::u64(..)));
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(&own)
        .and_then(|mut file| file.write_all(&random).and_then(|()| file.sync_all()))
        .and_then(|()| match fs::hard_link(&own, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    // It may be missing where it could not be made.
    drop(fs::remove_file(&own));
    made?;
    read(&path)?.ok_or_else(|| io::Error::other("it vanished"))
}

fn read(path: &Path) -> io::Result<Option<Salt>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let random = <[u8; BYTES]>::try_from(bytes.as_slice()).map_err(|_| {
        let words = format!("it has {} bytes instead of {BYTES}: remove it", bytes.len());
        io::Error::new(io::ErrorKind::InvalidData, words)
    })?;
    Ok(Some(Salt::new(random)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_made_once_for_all_who_open_the_folder_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let salts: Vec<Salt> = std::thread::scope(|scope| {
            let opened: Vec<_> =
                (0..8).map(|_| scope.spawn(|| of(folder.path()).unwrap())).collect();
            opened.into_iter().map(|o| o.join().unwrap()).collect()
        });
        assert!(salts.iter().all(|salt| salt == &salts[0] && salt != &Salt::default()));
        assert_eq!(of(folder.path()).unwrap(), salts[0]);
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_damaged_one_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), b"short").unwrap();
        assert!(of(folder.path()).unwrap_err().to_string().contains("remove it"));
    }
}
