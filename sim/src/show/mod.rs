//! The world in the engine's JSON.

use jiff::Timestamp;

pub mod host;
pub mod inspect;
pub mod list;
pub mod stats;

/// A moment as the engine writes it; its zero means never.
pub fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}
