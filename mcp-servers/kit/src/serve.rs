//! Standard input and output.

use rmcp::service::ServerInitializeError;
use rmcp::{RoleServer, Service, ServiceExt};
use thiserror::Error;

/// Why a server stopped otherwise than by the end of its input.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The client did not speak MCP.
    #[error("the client at standard input did not open an MCP session: {0}")]
    Opening(#[from] Box<ServerInitializeError>),
    /// The serving task died.
    #[error("serving MCP over standard input and output failed: {0}")]
    Serving(#[from] tokio::task::JoinError),
}

/// Serves until standard input ends. Nothing else may write to standard output meanwhile.
pub async fn stdio<S: Service<RoleServer>>(server: S) -> Result<(), ServeError> {
    let running = match server.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        // Started and ended without a word: a probe of the binary, not a failure.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServeError::Opening(Box::new(error))),
    };
    let reason = running.waiting().await?;
    tracing::debug!(?reason, "the session ended");
    Ok(())
}

/// Sends this process's log to standard error; `RUST_LOG` sets what is shown (default: warn).
/// For the servers' own binaries.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that somebody set a log up already, which then stands.
    drop(log.with_ansi(false).try_init());
}
