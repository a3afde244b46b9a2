//! The audit trail a second time, as a file that anybody can read: one JSON object a line, appended
//! and synced with each record, never written over. The store is the original: what a crash kept
//! from the file is added at the next record, and a file that does not continue the store's chain
//! is not continued.
//!
//! A line is `{"hash":H,"prev_hash":P,"entry":E}`, where H is the SHA-256 of P and E as they stand.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::store::chain::{self, ChainFault, ChainProblem, GENESIS, Numbered, Row, Verified, link};
use crate::store::schema;

/// The file's name inside the state folder.
pub const TRAIL: &str = "audit.jsonl";

/// How long one process waits for another one's append to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const POLL: Duration = Duration::from_millis(10);
/// The longest line that is read, in bytes: a record holds one call and one message.
pub(crate) const LINE_MAX: u64 = 16 * 1024 * 1024;
/// Read at a time from the end, in bytes.
const TAIL: u64 = 64 * 1024;

const HASH: &str = "{\"hash\":\"";
const PREV: &str = "\",\"prev_hash\":\"";
const ENTRY: &str = "\",\"entry\":";
const HEX: usize = 64;

/// Why nothing was appended.
#[derive(Debug, Error)]
pub enum TrailError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] rusqlite::Error),
    /// The file failed.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("{} is held by another process; is one stopped there?", .0.display())]
    Held(PathBuf),
    /// The file's last record is none of the store's.
    #[error(
        "{} does not continue the store's audit trail (its last line is not record {n}): look with `sentinel-tui audit verify`, then move the file away, and it is written anew",
        path.display()
    )]
    Foreign {
        /// Which.
        path: PathBuf,
        /// The record that its last line says it is.
        n: u64,
    },
}

/// One line, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) n: u64,
    pub(crate) hash: &'a str,
    pub(crate) prev_hash: &'a str,
    pub(crate) text: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line without its end; nothing about its place in the chain is believed yet.
    pub(crate) fn read(line: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let (hash, rest) = line.strip_prefix(HASH)?.split_at_checked(HEX)?;
        let (prev_hash, rest) = rest.strip_prefix(PREV)?.split_at_checked(HEX)?;
        let text = rest.strip_prefix(ENTRY)?.strip_suffix('}')?;
        let Numbered { n, record: IgnoredAny } = serde_json::from_str(text).ok()?;
        Some(Self { n, hash, prev_hash, text })
    }

    /// Whether its hash is that of its text.
    pub(crate) fn is_whole(&self) -> bool {
        link(self.prev_hash, self.text) == self.hash
    }
}

/// A record as a line of the file, its end included.
pub(crate) fn line(prev_hash: &str, hash: &str, text: &str) -> String {
    format!("{HASH}{hash}{PREV}{prev_hash}{ENTRY}{text}}}\n")
}

/// A record as a line, as it was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailLine {
    /// Its number.
    pub n: u64,
    /// Its hash.
    pub hash: String,
    /// The line, its end included.
    pub line: String,
}

impl TrailLine {
    pub(crate) fn of(row: &Row) -> Self {
        let line = line(&row.prev_hash, &row.hash, &row.text);
        Self { n: row.n(), hash: row.hash.clone(), line }
    }
}

/// Appends records to the store and to the file; both are on disk when this returns.
pub(crate) fn append(
    connection: &mut Connection,
    path: &Path,
    records: &[serde_json::Value],
) -> Result<(), TrailError> {
    let failed = |source| TrailError::File { path: path.to_owned(), source };
    // The lock comes first: whoever has it sees store and file agree.
    let mut file = locked(path)?;
    let last = tail(&mut file).map_err(failed)?;
    if let Some((n, hash)) = &last
        && chain::hash_of(connection, *n)?.as_ref() != Some(hash)
    {
        return Err(TrailError::Foreign { path: path.to_owned(), n: *n });
    }
    let mut after = last.map_or(0, |(n, _)| n);
    let before = chain::count(connection)?;
    if before > after {
        tracing::warn!(
            "{} lacked the audit records {} to {before}; they are added from the store",
            path.display(),
            after + 1
        );
    }
    chain::append(connection, records)?;
    loop {
        let (rows, _) = chain::page(connection, after)?;
        let Some(newest) = rows.last().map(Row::n) else { break };
        let text: String = rows.iter().map(|row| TrailLine::of(row).line).collect();
        file.write_all(text.as_bytes()).map_err(failed)?;
        after = newest;
    }
    file.sync_data().map_err(failed)
}

/// The file, open for appending and held until it is dropped.
fn locked(path: &Path) -> Result<File, TrailError> {
    let failed = |source| TrailError::File { path: path.to_owned(), source };
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(schema::FILE_MODE)
        .open(path)
        .map_err(failed)?;
    if is_new && let Some(folder) = path.parent() {
        // The file's name must survive, too.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => return Err(TrailError::Held(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// The number and hash of the last whole line. Half a line behind it, as a crash leaves it, is
/// taken away: the store has the record.
fn tail(file: &mut File) -> io::Result<Option<(u64, String)>> {
    let length = file.metadata()?.len();
    let (mut from, mut bytes) = (length, Vec::new());
    let end = loop {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let begins = end.is_some_and(|end| bytes.get(..end).unwrap_or_default().contains(&b'\n'));
        if begins || from == 0 || length - from > LINE_MAX {
            break end;
        }
        let next = from.saturating_sub(TAIL);
        let mut more = vec![0; usize::try_from(from - next).unwrap_or_default()];
        file.seek(SeekFrom::Start(next))?;
        file.read_exact(&mut more)?;
        more.append(&mut bytes);
        (from, bytes) = (next, more);
    };
    let whole = end.map_or(0, |end| end + 1);
    if whole < bytes.len() {
        tracing::warn!("half a line stood at the end of the audit trail's file; it is taken away");
        file.set_len(from + whole as u64)?;
    }
    let Some(end) = end else { return Ok(None) };
    let lines = bytes.get(..end).unwrap_or_default();
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Some(Line::read(last).map_or((0, String::new()), |line| (line.n, line.hash.to_owned()))))
}

/// How much of the file there is, and what it must end with: both as of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    length: u64,
    head: Verified,
}

/// Looks while nobody appends. `None`: there is no file and no record.
pub(crate) fn extent(
    connection: &mut Connection,
    path: &Path,
) -> Result<Option<Extent>, TrailError> {
    let failed = |source| TrailError::File { path: path.to_owned(), source };
    if !path.exists() {
        let (count, head) = chain::last(connection)?;
        return Ok((count > 0).then_some(Extent { length: 0, head: Verified { count, head } }));
    }
    let file = locked(path)?;
    let length = file.metadata().map_err(failed)?.len();
    let (count, head) = chain::last(connection)?;
    Ok(Some(Extent { length, head: Verified { count, head } }))
}

/// Why a file could not be called good.
#[derive(Debug, Error)]
pub enum FileError {
    /// It does not hold.
    #[error(transparent)]
    Chain(#[from] ChainProblem),
    /// It could not be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
}

/// Checks the file beside the store.
pub(crate) fn check(path: &Path, extent: &Extent) -> Result<Verified, FileError> {
    if !path.exists() {
        return Err(ChainProblem { n: 1, why: ChainFault::Missing }.into());
    }
    let file = File::open(path)?.take(extent.length);
    let good = walk(&mut io::BufReader::new(file))?;
    ends_with(good, &extent.head).map_err(FileError::Chain)
}

/// Compares where a chain ends with where it should.
pub(crate) fn ends_with(good: Verified, head: &Verified) -> Result<Verified, ChainProblem> {
    let fault = |n, why| Err(ChainProblem { n, why });
    match good.count {
        n if n < head.count => fault(n + 1, ChainFault::Missing),
        n if n > head.count => fault(head.count + 1, ChainFault::Added),
        n if good.head != head.head => fault(n, ChainFault::HeadDiffers),
        _ => Ok(good),
    }
}

/// Walks all lines from the first record on.
pub(crate) fn walk(lines: &mut impl BufRead) -> Result<Verified, FileError> {
    let mut good = Verified { count: 0, head: GENESIS.to_owned() };
    let mut raw = Vec::new();
    while next(lines, &mut raw)? {
        follow(&mut good, &raw).map_err(|found| found.explained(lines))?;
    }
    Ok(good)
}

/// Reads one line, its end included; false at the end of the input.
pub(crate) fn next(lines: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<bool> {
    raw.clear();
    Ok(lines.take(LINE_MAX).read_until(b'\n', raw)? > 0)
}

/// What is wrong with a line, before it is known what stands behind it.
#[derive(Debug)]
pub(crate) struct Found {
    /// The record that should stand there.
    n: u64,
    /// The hash that it should follow.
    prev_hash: String,
    why: ChainFault,
    /// Whether its line has no end.
    open: bool,
}

/// Takes the next line, or says what is wrong with it.
pub(crate) fn follow(good: &mut Verified, raw: &[u8]) -> Result<(), Found> {
    let n = good.count + 1;
    let (body, open) = raw.strip_suffix(b"\n").map_or((raw, true), |body| (body, false));
    let found = |why| Err(Found { n, prev_hash: good.head.clone(), why, open });
    let Some(line) = Line::read(body) else { return found(ChainFault::Unreadable) };
    match line.n {
        // What that means depends on what follows.
        m if m > n => return found(ChainFault::Missing),
        m if m < n => return found(ChainFault::Inserted),
        _ => {}
    }
    if line.prev_hash != good.head {
        return found(ChainFault::Unlinked);
    }
    if !line.is_whole() {
        return found(ChainFault::Changed);
    }
    if open {
        return found(ChainFault::Cut);
    }
    *good = Verified { count: n, head: line.hash.to_owned() };
    Ok(())
}

impl Found {
    /// The problem, in the light of the lines behind it.
    pub(crate) fn explained(self, lines: &mut impl BufRead) -> FileError {
        let mut raw = Vec::new();
        let mut follows = false;
        loop {
            match next(lines, &mut raw) {
                Ok(false) => break,
                Err(error) => return FileError::Read(error),
                Ok(true) => {}
            }
            let Some(line) = Line::read(raw.strip_suffix(b"\n").unwrap_or(&raw)) else { continue };
            if line.n == self.n && line.prev_hash == self.prev_hash && line.is_whole() {
                follows = true;
                break;
            }
        }
        let why = match self.why {
            // The right one comes later: this one was moved up, or put in.
            ChainFault::Missing if follows => ChainFault::Moved,
            ChainFault::Unlinked | ChainFault::Changed | ChainFault::Unreadable if follows => {
                ChainFault::Inserted
            }
            ChainFault::Unreadable if self.open => ChainFault::Cut,
            why => why,
        };
        ChainProblem { n: self.n, why }.into()
    }
}
