//! What the MCP servers share.
//!
//! Map, in dependency order:
//! - [`failure`] why a call was refused or failed, and the code a program can match
//! - [`settings`] what a server is told at its start
//! - [`endpoint`] where the engine is
//! - [`raw`] the Engine API in its own words (JSON in, JSON out), for what must survive verbatim
//! - [`engine`] the connection, made at the first call and named in every error
//! - [`target`] a container behind the gates: watched, not our own, not stale, not read-only
//! - [`text`] output of containers made safe to show, line by line
//! - [`reply`] arguments in, schemas and results out
//! - [`steps`] how far a call has come
//! - `door` a listener with a bound; [`http`] streamable HTTP: who may ask, and under which name
//! - [`serve`] where a server is served: standard input and output, a port, HTTP
//!
//! With the feature `testing`: `testing`, a bench on a real engine, and `detour`, a way to it
//! that a test can cut off.

#[cfg(feature = "testing")]
pub mod detour;
mod door;
pub mod endpoint;
pub mod engine;
pub mod failure;
pub mod http;
pub mod raw;
pub mod reply;
pub mod serve;
pub mod settings;
pub mod steps;
pub mod target;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
mod tls;

// The two names that every caller of a server needs.
pub use serve::ServeError;
pub use settings::Settings;
