//! MCP server: tools for one container.
//!
//! Map:
//! - [`arguments`] what the tools take      - [`results`] what they answer
//! - [`server`] the tools with their schemas and hints
//! - [`life`] start, stop, restart, pause   - [`health`] the state at this moment
//! - [`network`] attach to a network, detach  - [`policy`] what happens when its process ends
//! - [`look`] what there is, one in detail      - [`processes`] what runs inside and what it uses
//! - [`limits`] memory and CPU, changed while it runs      - [`amount`] sizes and CPU counts as text
//! - [`logs`] the newest lines              - [`exec`] a command inside, with an end
//! - [`probe`] fixed looks inside, which change nothing
//! - [`capture`] output kept within a bound
//!
//! Every container comes through the gates of `mcp_kit::target`.

pub mod amount;
pub mod arguments;
pub mod capture;
pub mod exec;
pub mod health;
pub mod life;
pub mod limits;
pub mod logs;
pub mod look;
pub mod network;
pub mod policy;
pub mod probe;
pub mod processes;
pub mod results;
pub mod server;

use std::net::SocketAddr;

use mcp_kit::serve::Listen;
use mcp_kit::{ServeError, Settings};

/// Serves the tools over standard input and output until the input ends, or on a port until the
/// process is told to end; `listening` hears the port's address. Needs no engine to start: a call
/// without one answers with an error that names the endpoint.
pub async fn serve(
    settings: Settings,
    listen: Listen,
    listening: impl Fn(SocketAddr),
) -> Result<(), ServeError> {
    mcp_kit::serve::serve(server::DockerControl::new(settings), listen, listening).await
}
