//! How far each container's log was judged.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use sentinel_core::domain::ids::ContainerId;

use crate::ports::LogCursor;

/// Cursors that are loaded at most, newest first.
const MAX: i64 = 20_000;

/// Writes cursors, all or none. `now` is remembered as the moment at which they were seen.
pub(crate) fn save(
    connection: &mut Connection,
    cursors: &[LogCursor],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO cursors (container, at, seen_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (container) DO UPDATE SET at = excluded.at, seen_at = excluded.seen_at",
        )?;
        for cursor in cursors {
            // As text: it keeps the engine's nanoseconds.
            let at = cursor.at.to_string();
            statement.execute(params![cursor.container.as_str(), at, now.as_microsecond()])?;
        }
    }
    transaction.commit()
}

/// All cursors. One that cannot be read is left out: its log is then read as on a first start.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<LogCursor>> {
    let mut statement = connection
        .prepare_cached("SELECT container, at FROM cursors ORDER BY seen_at DESC LIMIT ?1")?;
    let rows = statement
        .query_map([MAX], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut cursors = Vec::new();
    for row in rows {
        let (container, at) = row?;
        match at.parse() {
            Ok(at) => cursors.push(LogCursor { container: ContainerId(container), at }),
            Err(error) => tracing::warn!("the log cursor of {container} is damaged: {error}"),
        }
    }
    Ok(cursors)
}

/// Deletes cursors that were not saved since `oldest`. Returns how many.
pub(crate) fn sweep(connection: &Connection, oldest: Timestamp) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM cursors WHERE seen_at < ?1", [oldest.as_microsecond()])
}
