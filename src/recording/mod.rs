//! Adapter: recordings of sessions as files. `write` takes one down while sentinel-tui watches,
//! [`read`] reads one, line by line, for a replay.
//!
//! What a line is says `sentinel_core::session::wire`. A recording holds what the core was given,
//! which was made safe where it entered: no secret is in it that is not hidden.

pub mod read;
pub mod write;
