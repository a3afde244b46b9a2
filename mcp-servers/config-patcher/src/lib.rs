//! MCP server: environment variables of a container, changed by a safe recreate.
//!
//! An environment is fixed at create, so a change means a new container in the place of the old
//! one. Nothing of the old one is given up before the new one has proved healthy, and at every
//! moment a journal on disk says how to get back.
//!
//! Map, in dependency order:
//! - [`arguments`] and [`results`] what the tool takes and answers
//! - [`mod@env`] the new environment, worked out (pure)
//! - [`spec`] an inspect answer turned into the body of a create (pure)
//! - [`journal`] what is under way, on disk
//! - [`carry`] the writable layer, carried over as an image
//! - [`health`] waiting until a successor has proved itself
//! - [`rollback`] the way back, and the end of an interrupted way forward
//! - [`recreate`] the way forward
//! - [`parking`] replaced containers, kept for a time
//! - [`server`] the tool itself
//!
//! Every container comes through the gates of `mcp_kit::target`.

pub mod arguments;
pub mod carry;
pub mod env;
pub mod health;
pub mod journal;
pub mod parking;
pub mod previous;
pub mod recreate;
pub mod results;
pub mod rollback;
pub mod server;
pub mod spec;

use std::net::SocketAddr;

use mcp_kit::serve::Listen;
use mcp_kit::{ServeError, Settings};

/// Serves the tools over standard input and output until the input ends, or on a port until the
/// process is told to end; `listening` hears the port's address. Needs no engine to start; what
/// an earlier process left half done is put right as soon as an engine answers.
pub async fn serve(
    settings: Settings,
    listen: Listen,
    listening: impl Fn(SocketAddr),
) -> Result<(), ServeError> {
    let server = server::ConfigPatcher::new(settings);
    server.recover_in_background();
    mcp_kit::serve::serve(server, listen, listening).await
}
