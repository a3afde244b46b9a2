//! Where a server is served: standard input and output, a port for connections that are used as
//! these, or streamable HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rmcp::service::ServerInitializeError;
use rmcp::{RoleServer, ServerHandler, Service, ServiceExt};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::http::{self, Health, HttpError, HttpSettings, Token};

/// Connections at the same time; further ones wait.
const MAX_CONNECTIONS: usize = 32;
/// The variable with the token of the HTTP mode.
const TOKEN: &str = "MCP_SERVER_AUTH_TOKEN";

/// Where to serve.
#[derive(Clone, Debug)]
pub enum Listen {
    /// Standard input and output.
    Stdio,
    /// Every connection as standard input and output would be. Nobody is asked who they are: for
    /// a gateway on a private network, which reaches static servers like this.
    Tcp(SocketAddr),
    /// Streamable HTTP at `/mcp`.
    Http(HttpSettings),
}

/// Why a server stopped otherwise than by the end of its input.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The command line is not understood.
    #[error(
        "{0}; without arguments the server speaks over standard input and output, else --listen-tcp ADDRESS:PORT, or --listen-http ADDRESS:PORT with --allow-unauthenticated and --allow-host NAME"
    )]
    Usage(String),
    /// The client did not speak MCP.
    #[error("the client at standard input did not open an MCP session: {0}")]
    Opening(#[from] Box<ServerInitializeError>),
    /// The serving task died.
    #[error("serving MCP over standard input and output failed: {0}")]
    Serving(#[from] tokio::task::JoinError),
    /// The port cannot be used.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// HTTP failed.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Listen {
    /// Reads a server's own command line; `lookup` gives variables (`MCP_SERVER_AUTH_TOKEN`).
    pub fn from_arguments(
        arguments: impl IntoIterator<Item = String>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ServeError> {
        let mut arguments = arguments.into_iter();
        let (mut listen, mut allow, mut hosts) = (Self::Stdio, false, Vec::new());
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| ServeError::Usage(format!("{argument} needs a value")))
            };
            match argument.as_str() {
                "--listen-tcp" => listen = Self::Tcp(address(&value()?)?),
                "--listen-http" => {
                    listen = Self::Http(HttpSettings {
                        listen: address(&value()?)?,
                        token: lookup(TOKEN).and_then(|text| Token::new(&text, TOKEN)),
                        token_name: TOKEN,
                        allow_unauthenticated: false,
                        allowed_hosts: Vec::new(),
                    });
                }
                "--allow-host" => hosts.push(value()?),
                "--allow-unauthenticated" => allow = true,
                other => return Err(ServeError::Usage(format!("{other:?} is not known"))),
            }
        }
        match &mut listen {
            Self::Http(settings) => {
                settings.allow_unauthenticated = allow;
                settings.allowed_hosts = hosts;
            }
            _ if allow || !hosts.is_empty() => {
                return Err(ServeError::Usage(
                    "--allow-host and --allow-unauthenticated belong to --listen-http".to_owned(),
                ));
            }
            _ => {}
        }
        Ok(listen)
    }
}

fn address(text: &str) -> Result<SocketAddr, ServeError> {
    text.parse().map_err(|_| ServeError::Usage(format!("{text:?} is no address with a port")))
}

/// Serves `server`: one session over standard input and output until its end, or a copy for each
/// session on a port until the process is told to end. `listening` hears the address of the port.
pub async fn serve<S>(
    server: S,
    listen: Listen,
    listening: impl Fn(SocketAddr),
) -> Result<(), ServeError>
where
    S: ServerHandler + Clone + Send + Sync + 'static,
{
    match listen {
        Listen::Stdio => stdio(server).await,
        Listen::Tcp(address) => {
            let failed = |source| ServeError::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            listening(listener.local_addr().map_err(failed)?);
            tokio::select! {
                () = connections(server, &listener) => {}
                () = told_to_end() => {}
            }
            Ok(())
        }
        Listen::Http(settings) => {
            let listener = settings.bind().await?;
            let tools = server.get_info().capabilities.tools.is_some();
            let health = move || Health { ok: true, tools: usize::from(tools) };
            listening(listener.local_addr().map_err(HttpError::Serving)?);
            let stop = CancellationToken::new();
            let _end = stop.clone().drop_guard();
            tokio::spawn({
                let stop = stop.clone();
                async move {
                    told_to_end().await;
                    stop.cancel();
                }
            });
            Ok(http::serve(move || server.clone(), health, &settings, listener, stop).await?)
        }
    }
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

async fn connections<S>(server: S, listener: &TcpListener)
where
    S: Service<RoleServer> + Clone + Send + 'static,
{
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((connection, peer)) => {
                let server = server.clone();
                tokio::spawn(async move {
                    if let Err(why) = session(server, connection).await {
                        tracing::warn!("the connection from {peer} ended: {why}");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of file descriptors, usually: some will be free again.
                tracing::warn!("no connection could be taken: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn session<S: Service<RoleServer>>(server: S, connection: TcpStream) -> Result<(), String> {
    // Small messages go out at once.
    connection.set_nodelay(true).map_err(|e| e.to_string())?;
    let running = match server.serve(connection).await {
        Ok(running) => running,
        // A look whether somebody listens.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    running.waiting().await.map(drop).map_err(|e| e.to_string())
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut term) => tokio::select! {
            _ = term.recv() => {}
            end = tokio::signal::ctrl_c() => drop(end),
        },
        Err(error) => {
            tracing::warn!("SIGTERM cannot be waited for: {error}");
            drop(tokio::signal::ctrl_c().await);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Listen, ServeError> {
        let token = |name: &str| (name == TOKEN).then(|| "a token of some length".to_owned());
        Listen::from_arguments(arguments.iter().map(|a| (*a).to_owned()), token)
    }

    #[test]
    fn a_servers_command_line_is_read() {
        assert!(matches!(read(&[]), Ok(Listen::Stdio)));
        let tcp = read(&["--listen-tcp", "0.0.0.0:4444"]).unwrap();
        assert!(matches!(tcp, Listen::Tcp(address) if address.port() == 4444));
        let http = read(&["--listen-http", "127.0.0.1:1", "--allow-host", "x"]).unwrap();
        let Listen::Http(settings) = http else { panic!("no HTTP") };
        assert_eq!(settings.allowed_hosts, ["x"]);
        assert!(settings.token.is_some() && !settings.allow_unauthenticated);
        for wrong in [
            &["--listen-tcp"][..],
            &["--listen-tcp", "4444"],
            &["--listen-http", "localhost"],
            &["--allow-unauthenticated"],
            &["--help"],
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("--listen-http ADDRESS:PORT"), "{error}");
        }
    }
}
