//! Keeps what must survive a restart: incidents, the audit trail, how far each log was judged,
//! what was learned of it.
//!
//! One SQLite file in the state folder, in write-ahead mode, so that several sentinel-tui can
//! have it open at once: one that watches, others that list. Start at [`sqlite::SqliteStore`].
//! - [`schema`] opening, format versions, the sentence for each way in which that can fail
//! - `worker` the one thread that owns the connection
//! - [`chain`] the hash chain over the audit trail, and its check
//! - [`trail`] the trail as a file beside it, and its check; [`export`] parts of it for others
//! - [`salt`] what makes hashes of settings useless to who does not have it
//! - `incidents`, `cursors`, `learned` rows in and out

pub mod chain;
mod cursors;
pub mod export;
mod incidents;
pub mod kept;
mod learned;
pub mod salt;
pub mod schema;
pub mod sqlite;
pub mod trail;

mod worker;
