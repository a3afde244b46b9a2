//! MCP over HTTP: our client before a gateway like Docker's, our own gateway before clients of both
//! eras of the protocol, servers of any kind in the catalogue, our servers on ports.
//!
//! Everything is the built program and real processes; only Docker's gateway is played.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "modules of one test; what goes wrong is told on standard error"
)]

mod any_server;
mod client;
mod curl;
mod docker_like;
mod own;
mod passing;
mod program;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod upstream;
mod whole_way;

use std::time::Duration;

/// Anything that goes wrong in a test.
pub type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// No single wait of these tests is longer.
pub const LONG: Duration = Duration::from_mins(1);

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Fallible {
    let deadline = tokio::time::Instant::now() + LONG;
    while !holds() {
        if tokio::time::Instant::now() > deadline {
            return Err(format!("not within {LONG:?}: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
