//! Opening the file: folder and modes, the format's version, and what to say when it fails.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use thiserror::Error;

/// The file's name inside the state folder.
pub const FILE: &str = "sentinel.db";

/// What its files may be done with, by whom: they are for nobody else's eyes.
pub const FILE_MODE: u32 = 0o600;

/// How long one process waits for another one's write to end.
pub const BUSY: Duration = Duration::from_secs(5);

/// Marks the file as ours ("STUI"), so that somebody else's database is never written into.
const APPLICATION: i32 = 0x5354_5549;

/// One entry per format version; entry `n` leads from version `n` to `n + 1`. Entries are never
/// changed once released, only added.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE incidents (
        id        TEXT PRIMARY KEY,
        opened_at INTEGER NOT NULL,
        closed    INTEGER NOT NULL,
        closed_at INTEGER,
        state     TEXT NOT NULL,
        service   TEXT NOT NULL,
        container TEXT NOT NULL,
        class     TEXT NOT NULL,
        json      TEXT NOT NULL
    ) STRICT;
    CREATE INDEX incidents_by_opening ON incidents (opened_at DESC, id DESC);
    CREATE INDEX incidents_by_closing ON incidents (closed, closed_at DESC);

    CREATE TABLE audit (
        n         INTEGER PRIMARY KEY,
        json      TEXT NOT NULL,
        prev_hash TEXT NOT NULL,
        hash      TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_no_gap BEFORE INSERT ON audit
        WHEN NEW.n IS NOT (SELECT coalesce(max(n), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

    CREATE TABLE cursors (
        container TEXT PRIMARY KEY,
        at        TEXT NOT NULL,
        seen_at   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE meta (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE learned (
        key      TEXT PRIMARY KEY,
        content  TEXT NOT NULL,
        saved_at INTEGER NOT NULL
    ) STRICT;
",
];

/// Why the store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder or the file cannot be made or written.
    #[error(
        "cannot write in the state folder {path}: {source}; make it writable or name another one with --state-dir"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No space.
    #[error("no space is left for {path}: free some, or name another folder with --state-dir")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error(
        "{path} is damaged ({why}): restore it from a backup, or move it away to start with an empty one"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// The file is a database of something else.
    #[error("{path} is a database of another program: name another folder with --state-dir")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer sentinel-tui wrote it.
    #[error(
        "{path} was written by a newer sentinel-tui (format {found}, this one knows {known}): use that version, or name another folder with --state-dir"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: usize,
        /// The newest format known here.
        known: usize,
    },
    /// Another process does not let go of it.
    #[error(
        "{path} has been locked by another process for {seconds} s: end that process, or try again"
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Anything else that SQLite says.
    #[error("cannot open {path}: {why}; check the folder, or name another one with --state-dir")]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
}

/// Opens (and makes, if it is not there) the store's file in `folder`.
pub fn open(folder: &Path) -> Result<(Connection, PathBuf), OpenError> {
    let path = folder.join(FILE);
    let blame = |source| OpenError::Folder { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(blame)?;
    // Made before SQLite does, so that it is never readable for others, not even for a moment;
    // SQLite gives its side files the same mode.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(&path)
        .map_err(blame)?;
    let mode = file.metadata().map_err(blame)?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(FILE_MODE)).map_err(blame)?;
    }
    drop(file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)
        .and_then(|mut connection| {
            prepare(&mut connection)?;
            Ok(connection)
        })
        .map_err(|e| refusal(&path, &e))?;
    check_format(connection, path)
}

/// Opens a store that is gone with the process, for tests.
pub fn open_in_memory() -> Result<(Connection, PathBuf), OpenError> {
    let path = PathBuf::from(":memory:");
    let connection = Connection::open_in_memory().map_err(|e| refusal(&path, &e))?;
    check_format(connection, path)
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // The switch to write-ahead mode does not always wait for its lock by itself.
    let deadline = Instant::now() + BUSY;
    loop {
        match connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
        {
            Err(e) if is_busy(&e) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            other => {
                let mode = other?;
                if mode != "wal" {
                    tracing::warn!("the store's folder allows no write-ahead log (mode {mode})");
                }
                break;
            }
        }
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // macOS: an fsync that reaches the platter. No effect elsewhere.
    connection.pragma_update(None, "fullfsync", true)?;
    // The log is cut back to this after a burst.
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    // A trigger must see the delete inside INSERT OR REPLACE, too.
    connection.pragma_update(None, "recursive_triggers", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Brings the format up to date. Safe against another process that does the same right now.
fn check_format(
    mut connection: Connection,
    path: PathBuf,
) -> Result<(Connection, PathBuf), OpenError> {
    let known = MIGRATIONS.len();
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|e| refusal(&path, &e))?;
    let number = |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get(0));
    let version: i64 = number("user_version").map_err(|e| refusal(&path, &e))?;
    let application: i64 = number("application_id").map_err(|e| refusal(&path, &e))?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|e| refusal(&path, &e))?;
    let ours = application == i64::from(APPLICATION);
    let empty = application == 0 && version == 0 && tables == 0;
    if !ours && !empty {
        return Err(OpenError::Foreign { path });
    }
    let found = usize::try_from(version).unwrap_or(usize::MAX);
    if found > known {
        return Err(OpenError::Newer { path, found, known });
    }
    let upgrade = || {
        for step in MIGRATIONS.iter().skip(found) {
            transaction.execute_batch(step)?;
        }
        if found < known {
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", i64::try_from(known).unwrap_or(0))?;
        }
        Ok(())
    };
    upgrade().and_then(|()| transaction.commit()).map_err(|e| refusal(&path, &e))?;
    Ok((connection, path))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn refusal(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OpenError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Damaged { path, why }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::Locked { path, seconds: BUSY.as_secs() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => OpenError::Folder {
            path: path.parent().map(Path::to_owned).unwrap_or(path),
            source: std::io::Error::new(std::io::ErrorKind::PermissionDenied, why),
        },
        _ => OpenError::Other { path, why },
    }
}

/// The sentence for something that failed once the store was open.
pub fn sentence(path: &Path, doing: &str, error: &rusqlite::Error) -> String {
    format!("cannot {doing}: {}", refusal(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(prepare: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        prepare(&folder.path().join(FILE));
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
        error
    }

    #[test]
    fn folder_and_files_are_for_the_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let (connection, path) = open(&folder).unwrap();
        connection.execute("INSERT INTO meta VALUES ('x', 'y')", []).unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for name in [FILE, "sentinel.db-wal", "sentinel.db-shm"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        // A copy that lost its mode is tightened.
        drop(connection);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open(&folder).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_folder_below_a_file_is_refused_with_a_way_out() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("file"), "").unwrap();
        let error = open(&parent.path().join("file/below")).unwrap_err();
        assert!(matches!(error, OpenError::Folder { .. }), "{error}");
        assert!(error.to_string().contains("--state-dir"));
    }

    #[test]
    fn other_files_are_refused_and_left_as_they_are() {
        let noise = refused(|path| std::fs::write(path, [7u8; 8192]).unwrap());
        assert!(noise.contains("is damaged"), "{noise}");
        let foreign = refused(|path| {
            let other = Connection::open(path).unwrap();
            other.execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 1").unwrap();
        });
        assert!(foreign.contains("another program"), "{foreign}");
        let newer = refused(|path| {
            drop(open(path.parent().unwrap()).unwrap());
            let ours = Connection::open(path).unwrap();
            ours.pragma_update(None, "user_version", 99).unwrap();
        });
        let known = format!("format 99, this one knows {}", MIGRATIONS.len());
        assert!(newer.contains(&known), "{newer}");
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let error = refused(|path| {
            drop(open(path.parent().unwrap()).unwrap());
            let length = std::fs::metadata(path).unwrap().len();
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(length / 2).unwrap();
        });
        assert!(error.contains("is damaged"), "{error}");
    }

    #[test]
    fn many_may_open_it_for_the_first_time_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| open(folder.path()))).collect();
            for one in all {
                one.join().unwrap().unwrap();
            }
        });
    }

    #[test]
    fn a_full_disk_is_said() {
        let (connection, path) = open_in_memory().unwrap();
        connection.pragma_update(None, "max_page_count", 20).unwrap();
        let error = connection
            .execute("INSERT INTO meta VALUES ('x', hex(zeroblob(1000000)))", [])
            .unwrap_err();
        let said = sentence(&path, "write", &error);
        assert!(said.contains("no space is left"), "{said}");
    }
}
