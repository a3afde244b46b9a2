//! The audit trail as a hash chain: each record's hash covers its number, its text and the hash
//! before it, so that no record can be changed, moved, added or taken out unseen. The head is
//! kept a second time (`meta`), so that a cut at the end is seen, too.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use sentinel_core::domain::audit::{AuditEntry, AuditRecord};
use sentinel_core::domain::hash::sha256_hex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Records read at a time.
pub const PAGE: usize = 500;

/// The hash before the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HEAD: &str = "audit_head";

/// A record with its place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainedRecord {
    /// Its number, from 1.
    pub n: u64,
    /// What happened.
    pub record: AuditRecord,
    /// The hash of the record before it; [`GENESIS`] before the first.
    pub prev_hash: String,
    /// SHA-256 over `prev_hash` and the record's canonical text.
    pub hash: String,
}

/// What a good chain looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records in it.
    pub count: u64,
    /// The last hash: note it elsewhere, and a later check proves that nothing before was
    /// rewritten.
    pub head: String,
}

/// Why the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("audit record {n}: {why}")]
pub struct ChainProblem {
    /// The first bad record.
    pub n: u64,
    /// What is wrong with it.
    pub why: ChainFault,
}

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainFault {
    /// It is not there, but later ones are, or the head says so.
    Missing,
    /// Its text is not that of a record with this number.
    Unreadable,
    /// It does not name the hash of the record before it.
    Unlinked,
    /// Its hash does not fit its text.
    Changed,
    /// It is there, but the head knows nothing of it.
    Added,
    /// The head names another last hash.
    HeadDiffers,
    /// Its line ends too early.
    Cut,
    /// It stands further down.
    Moved,
    /// Something stands in its place, and it stands behind that.
    Inserted,
    /// The file ends without its closing line.
    Unclosed,
    /// The closing line is not that of the lines before it.
    ClosingDiffers,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing",
            Self::Unreadable => "its text is not that of a record with this number",
            Self::Unlinked => "it does not follow the record before it",
            Self::Changed => "its text was changed after it was written",
            Self::Added => "it was added past the end of the chain",
            Self::HeadDiffers => "the head of the chain names another hash",
            Self::Cut => "its line is cut",
            Self::Moved => "it stands further down: the order was changed",
            Self::Inserted => "something was put in before it, or stands there a second time",
            Self::Unclosed => "the file ends before it, without a closing line",
            Self::ClosingDiffers => "the closing line does not fit what stands before it",
        })
    }
}

/// The text that is hashed and stored, as written and as read back.
#[derive(Serialize, Deserialize)]
pub(crate) struct Numbered<R> {
    pub(crate) n: u64,
    pub(crate) record: R,
}

/// A record's canonical text: a `Value` writes its keys sorted.
pub(crate) fn text(n: impl Serialize, record: &serde_json::Value) -> String {
    serde_json::json!({ "n": n, "record": record }).to_string()
}

pub(crate) fn link(prev_hash: &str, text: &str) -> String {
    sha256_hex(format!("{prev_hash}{text}").as_bytes())
}

/// Appends records, all or none. The numbers and hashes are taken inside the transaction, so
/// that two processes can append to one chain.
pub(crate) fn append(
    connection: &mut Connection,
    records: &[serde_json::Value],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (n, mut prev) = last(&transaction)?;
    let mut n = i64::try_from(n).unwrap_or(i64::MAX);
    for record in records {
        n += 1;
        let text = text(n, record);
        let hash = link(&prev, &text);
        transaction.execute(
            "INSERT INTO audit (n, json, prev_hash, hash) VALUES (?1, ?2, ?3, ?4)",
            params![n, text, prev, hash],
        )?;
        prev = hash;
    }
    transaction.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![HEAD, format!("{n} {prev}")],
    )?;
    transaction.commit()
}

/// The number and hash of the last record; 0 and [`GENESIS`] if there is none.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<(u64, String)> {
    let found: Option<(i64, String)> = connection
        .query_row("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (n, hash) = found.unwrap_or((0, GENESIS.to_owned()));
    Ok((u64::try_from(n).unwrap_or_default(), hash))
}

/// The number of the last record.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    last(connection).map(|(n, _)| n)
}

/// The hash of one record, if there is one of that number.
pub(crate) fn hash_of(connection: &Connection, n: u64) -> rusqlite::Result<Option<String>> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    connection
        .query_row("SELECT CAST(hash AS TEXT) FROM audit WHERE n = ?1", [n], |row| row.get(0))
        .optional()
}

/// One row as it stands, nothing believed yet.
pub(crate) struct Row {
    n: i64,
    pub(crate) text: String,
    pub(crate) prev_hash: String,
    pub(crate) hash: String,
}

/// At most [`PAGE`] rows behind number `after`, and the head as of the same moment.
pub(crate) fn page(
    connection: &mut Connection,
    after: u64,
) -> rusqlite::Result<(Vec<Row>, Option<String>)> {
    let transaction = connection.transaction()?;
    // Cast: a tampered row may hold any type.
    let mut statement = transaction.prepare_cached(
        "SELECT CAST(n AS INTEGER), CAST(json AS TEXT), CAST(prev_hash AS TEXT), \
         CAST(hash AS TEXT) FROM audit WHERE n > ?1 OR (?1 = 0 AND n <= 0) ORDER BY n LIMIT ?2",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after, limit], Row::of)?.collect::<Result<_, _>>()?;
    let head = transaction
        .query_row("SELECT value FROM meta WHERE key = ?1", [HEAD], |row| lossy(row, 0))
        .optional()?;
    drop(statement);
    Ok((rows, head))
}

/// At most `limit` rows before number `before`, newest first.
pub(crate) fn page_back(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(
        "SELECT CAST(n AS INTEGER), CAST(json AS TEXT), CAST(prev_hash AS TEXT), \
         CAST(hash AS TEXT) FROM audit WHERE n < ?1 ORDER BY n DESC LIMIT ?2",
    )?;
    let before = before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map(params![before, limit], Row::of)?.collect()
}

/// Text as it stands; bytes that are no UTF-8 become a mark, and then fail the hash.
fn lossy(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<String> {
    let value = row.get_ref(index)?;
    Ok(String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned())
}

impl Row {
    /// Number, text, hash before and hash, as a query gives them.
    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            text: lossy(row, 1)?,
            prev_hash: lossy(row, 2)?,
            hash: lossy(row, 3)?,
        })
    }

    /// Its number; 0 if it has none that a record can have.
    pub(crate) fn n(&self) -> u64 {
        u64::try_from(self.n).unwrap_or_default()
    }

    /// As a front end sees it.
    pub(crate) fn entry(self) -> AuditEntry {
        let (n, hash) = (self.n(), self.hash.clone());
        AuditEntry { n, hash, record: self.record().ok().map(|chained| chained.record) }
    }

    /// The record, if the text is one with this row's number.
    pub(crate) fn record(self) -> Result<ChainedRecord, ChainProblem> {
        let n = u64::try_from(self.n).unwrap_or_default();
        let Ok(numbered) = serde_json::from_str::<Numbered<AuditRecord>>(&self.text) else {
            return Err(ChainProblem { n, why: ChainFault::Unreadable });
        };
        if numbered.n != n {
            return Err(ChainProblem { n, why: ChainFault::Unreadable });
        }
        Ok(ChainedRecord { n, record: numbered.record, prev_hash: self.prev_hash, hash: self.hash })
    }
}

/// A check that walks the chain page by page.
pub(crate) struct Walk {
    /// The last good record.
    pub(crate) good: Verified,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self { good: Verified { count: 0, head: GENESIS.to_owned() } }
    }

    /// Takes the next rows. The text is hashed exactly as it is stored, so that a record stays
    /// good when later versions write more fields.
    pub(crate) fn take(&mut self, rows: &[Row]) -> Result<(), ChainProblem> {
        for row in rows {
            let n = self.good.count + 1;
            let problem = |why| Err(ChainProblem { n, why });
            if u64::try_from(row.n) != Ok(n) {
                return problem(if row.n > 0 { ChainFault::Missing } else { ChainFault::Added });
            }
            if row.prev_hash != self.good.head {
                return problem(ChainFault::Unlinked);
            }
            if link(&row.prev_hash, &row.text) != row.hash {
                return problem(ChainFault::Changed);
            }
            let number = serde_json::from_str::<Numbered<serde::de::IgnoredAny>>(&row.text);
            if !number.is_ok_and(|numbered| numbered.n == n) {
                return problem(ChainFault::Unreadable);
            }
            self.good = Verified { count: n, head: row.hash.clone() };
        }
        Ok(())
    }

    /// Ends the walk: the head, read together with the last page, must agree.
    pub(crate) fn end(self, head: Option<&str>) -> Result<Verified, ChainProblem> {
        let (count, hash) = match head {
            None => (0, GENESIS),
            Some(head) => head
                .split_once(' ')
                .and_then(|(n, hash)| Some((n.parse().ok()?, hash)))
                .unwrap_or((u64::MAX, "")),
        };
        let fault = |n, why| Err(ChainProblem { n, why });
        match self.good.count {
            _ if count == u64::MAX => fault(self.good.count, ChainFault::HeadDiffers),
            n if n < count => fault(n + 1, ChainFault::Missing),
            n if n > count => fault(count + 1, ChainFault::Added),
            n if self.good.head != hash => fault(n, ChainFault::HeadDiffers),
            _ => Ok(self.good),
        }
    }
}
