//! `gateway`: the tools of all MCP servers at one address.

use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr as _};
use mcp_kit::http::{HttpSettings, Token};
use sentinel_core::domain::snapshot::Mode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{AppError, servers};
use crate::cli::serving::GatewayArgs;
use crate::commands::out;
use crate::config::Settings;
use crate::config::engine::resolve;
use crate::gateway::serve::{Gateway, GatewaySetup};
use crate::store::sqlite::SqliteStore;

/// The variable with the token.
const TOKEN: &str = "MCP_GATEWAY_AUTH_TOKEN";

/// Serves until Ctrl-C or SIGTERM; SIGHUP reads the catalogue again.
pub async fn run(mut settings: Settings, arguments: GatewayArgs) -> Result<ExitCode, Report> {
    if arguments.read_only {
        settings.mode = Mode::ReadOnly;
    }
    settings.watch_all |= arguments.all;
    let http = HttpSettings {
        listen: arguments.listen,
        token: settings.environment.text(TOKEN).and_then(|text| Token::new(&text, TOKEN)),
        token_name: TOKEN,
        allow_unauthenticated: arguments.allow_unauthenticated,
        allowed_hosts: arguments.allowed_hosts,
    };
    // First of all: whoever may not serve starts no servers either.
    let listener = http.bind().await?;
    let address = listener.local_addr()?;
    let endpoint = match resolve(settings.host.as_deref(), &settings.environment) {
        Ok(endpoint) => Some(endpoint),
        Err(error) => {
            out::note(&format!("note: {error}"));
            None
        }
    };
    let store = SqliteStore::open(&settings.state_dir).map_err(AppError::Store)?;
    let stop = CancellationToken::new();
    let setup = GatewaySetup {
        servers: servers(&settings, endpoint.as_ref())?,
        state_dir: settings.state_dir.clone(),
        tools: arguments.tools,
        read_only: settings.mode == Mode::ReadOnly,
        calls_per_minute: arguments.calls_per_minute,
    };
    let gateway =
        Arc::new(Gateway::new(setup, Arc::new(store), stop.clone()).map_err(AppError::Catalog)?);
    let signals = tokio::spawn(listen_to_signals(Arc::clone(&gateway), stop.clone()));
    let serving = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { gateway.serve(&http, listener).await }
    });
    let (problems, tools) = gateway.start().await;
    for problem in problems {
        out::note(&problem);
    }
    // The last word of the start: whoever waits for it can call.
    out::lines([format!("serving {} tools at http://{address}/mcp", tools.len())])?;
    let ended = serving.await.wrap_err("the gateway did not end cleanly")?;
    stop.cancel();
    signals.await.wrap_err("the gateway did not end cleanly")??;
    ended?;
    Ok(ExitCode::SUCCESS)
}

async fn listen_to_signals(gateway: Arc<Gateway>, stop: CancellationToken) -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut again = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = term.recv() => stop.cancel(),
            _ = int.recv() => stop.cancel(),
            _ = again.recv() => match gateway.reload().await {
                Ok(problems) => {
                    out::note("the catalogue was read again");
                    for problem in problems {
                        out::note(&problem);
                    }
                }
                Err(error) => out::note(&format!("everything stays as it was: {error}")),
            },
        }
    }
}
