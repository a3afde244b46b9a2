//! Incidents, row by row: a few columns to find them by, the rest as JSON.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use sentinel_core::domain::incident::Incident;

/// Open incidents that are loaded at most; more than that is a sign of something else.
pub(crate) const MAX_OPEN: usize = 5_000;

/// Rows that one sweep deletes at most, so that nobody waits long for it.
const SWEEP: i64 = 500;

/// What is written of an incident.
pub(crate) struct Row {
    id: String,
    opened_at: i64,
    closed: bool,
    closed_at: Option<i64>,
    state: &'static str,
    service: String,
    container: String,
    class: String,
    json: String,
}

impl Row {
    /// Prepares an incident for writing.
    pub(crate) fn new(incident: &Incident) -> serde_json::Result<Self> {
        let class = serde_json::to_value(incident.class)?;
        Ok(Self {
            id: incident.id.0.clone(),
            opened_at: incident.opened_at.as_microsecond(),
            closed: incident.state.is_closed(),
            closed_at: incident.closed_at.map(Timestamp::as_microsecond),
            state: incident.state.as_str(),
            service: incident.container.service.clone(),
            container: incident.container.name.clone(),
            class: class.as_str().unwrap_or_default().to_owned(),
            json: serde_json::to_string(incident)?,
        })
    }

    /// Writes it, over what was there.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO incidents
                 (id, opened_at, closed, closed_at, state, service, container, class, json)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET
                 opened_at = excluded.opened_at, closed = excluded.closed,
                 closed_at = excluded.closed_at, state = excluded.state,
                 service = excluded.service, container = excluded.container,
                 class = excluded.class, json = excluded.json",
        )?;
        statement.execute(params![
            self.id,
            self.opened_at,
            self.closed,
            self.closed_at,
            self.state,
            self.service,
            self.container,
            self.class,
            self.json,
        ])?;
        Ok(())
    }
}

/// An incident's id and text.
pub(crate) type Stored = (String, String);

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    Ok((row.get(0)?, row.get(1)?))
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// The newest open ones (at most [`MAX_OPEN`]) and the last `closed` closed ones, oldest first.
pub(crate) fn load(connection: &Connection, closed: usize) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, json FROM (
             SELECT * FROM (SELECT opened_at, id, json FROM incidents WHERE closed = 0
                            ORDER BY opened_at DESC, id DESC LIMIT ?1)
             UNION ALL
             SELECT * FROM (SELECT opened_at, id, json FROM incidents WHERE closed = 1
                            ORDER BY closed_at DESC, id DESC LIMIT ?2)
         ) ORDER BY opened_at, id",
    )?;
    statement.query_map(params![count(MAX_OPEN), count(closed)], stored)?.collect()
}

/// The newest ones, newest first.
pub(crate) fn list(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, json FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?1",
    )?;
    statement.query_map([count(limit)], stored)?.collect()
}

/// At most `limit` closed ones that were opened before this one, newest first.
pub(crate) fn closed_before(
    connection: &Connection,
    before: Option<&(Timestamp, String)>,
    limit: usize,
) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, json FROM incidents
         WHERE closed = 1 AND (opened_at, id) < (?1, ?2)
         ORDER BY opened_at DESC, id DESC LIMIT ?3",
    )?;
    let (at, id) = before.map_or((i64::MAX, ""), |(at, id)| (at.as_microsecond(), id.as_str()));
    statement.query_map(params![at, id, count(limit)], stored)?.collect()
}

/// One by its id.
pub(crate) fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached("SELECT id, json FROM incidents WHERE id = ?1")?
        .query_row([id], stored)
        .optional()
}

/// At most `limit` whose id begins with `head` or ends with `-head`, newest first.
pub(crate) fn matching(
    connection: &Connection,
    head: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, json FROM incidents
         WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1) - 1) = '-' || ?1
         ORDER BY opened_at DESC, id DESC LIMIT ?2",
    )?;
    statement.query_map(params![head, count(limit)], stored)?.collect()
}

/// Deletes the oldest closed ones beyond `keep`, some at a time. Returns how many.
pub(crate) fn sweep(connection: &Connection, keep: usize) -> rusqlite::Result<usize> {
    connection.execute(
        "DELETE FROM incidents WHERE id IN (
             SELECT id FROM incidents WHERE closed = 1
             ORDER BY closed_at DESC, id DESC LIMIT ?2 OFFSET ?1)",
        params![count(keep), SWEEP],
    )
}
