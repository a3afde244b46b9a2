//! What was learned of each service's log, so that a restart does not begin with nothing.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::ports::LearnedLog;

/// Services loaded at most; the longest unheard of are left out.
const MOST_SERVICES: i64 = 1000;
/// A longer text is not kept: nothing that was written here is.
pub(super) const LONGEST: usize = 1024 * 1024;

/// Writes what was learned of one service, in place of what was known before.
pub(super) fn save(
    connection: &Connection,
    learned: &LearnedLog,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO learned (key, content, saved_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET content = excluded.content, saved_at = excluded.saved_at",
        )?
        .execute(params![learned.key, learned.content, now.as_microsecond()])?;
    Ok(())
}

/// What is known of all services whose key begins with `prefix`.
pub(super) fn load(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<LearnedLog>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, content FROM learned
         WHERE substr(key, 1, length(?1)) = ?1 AND length(content) <= ?2
         ORDER BY saved_at DESC LIMIT ?3",
    )?;
    let longest = i64::try_from(LONGEST).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![prefix, longest, MOST_SERVICES], |row| {
        Ok(LearnedLog { key: row.get(0)?, content: row.get(1)? })
    })?;
    rows.collect()
}

/// Deletes what was not saved since `oldest`. Returns how many services that were.
pub(super) fn sweep(connection: &Connection, oldest: Timestamp) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM learned WHERE saved_at < ?1", [oldest.as_microsecond()])
}
