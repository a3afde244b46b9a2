//! `mcp-server NAME`: one of the embedded MCP servers over standard input and output, or on a port.

use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr as _, bail};
use mcp_kit::http::{HttpSettings, Token};
use mcp_kit::serve::Listen;

use crate::cli::serving::{McpServerArgs, ServerName};
use crate::commands::out;
use crate::config::Settings;
use crate::config::engine::{Endpoint, resolve};

/// How long a look at a port may take.
const LOOK: Duration = Duration::from_secs(2);

/// Serves until standard input closes; on a port, until it is told to end.
pub async fn run(settings: &Settings, arguments: McpServerArgs) -> Result<ExitCode, Report> {
    if let Some(address) = arguments.probe_tcp {
        return match tokio::time::timeout(LOOK, tokio::net::TcpStream::connect(address)).await {
            Ok(Ok(_)) => Ok(ExitCode::SUCCESS),
            Ok(Err(error)) => bail!("nothing answers at {address}: {error}"),
            Err(_) => bail!("nothing answers at {address} within {} s", LOOK.as_secs()),
        };
    }
    // Each call names the engine that it cannot reach; the server starts without one.
    let endpoint = resolve(settings.host.as_deref(), &settings.environment).ok();
    let variables: std::collections::BTreeMap<String, String> =
        endpoint.iter().flat_map(Endpoint::variables).collect();
    let lookup = |key: &str| variables.get(key).cloned().or_else(|| settings.environment.text(key));
    let mut kit = mcp_kit::Settings::from_environment(lookup);
    kit.own_container = crate::app::own_container_id();
    let listen = match (arguments.listen_tcp, arguments.listen_http) {
        (Some(address), _) => Listen::Tcp(address),
        (None, Some(address)) => Listen::Http(HttpSettings {
            listen: address,
            token: settings
                .environment
                .text("MCP_SERVER_AUTH_TOKEN")
                .and_then(|t| Token::new(&t, "MCP_SERVER_AUTH_TOKEN")),
            token_name: "MCP_SERVER_AUTH_TOKEN",
            allow_unauthenticated: arguments.allow_unauthenticated,
            allowed_hosts: arguments.allowed_hosts,
        }),
        (None, None) => Listen::Stdio,
    };
    let say = |address: std::net::SocketAddr| out::note(&format!("serving MCP at {address}"));
    match arguments.name {
        ServerName::DockerControl => docker_control::serve(kit, listen, say).await,
        ServerName::ConfigPatcher => config_patcher::serve(kit, listen, say).await,
    }
    .wrap_err("the MCP server failed")?;
    Ok(ExitCode::SUCCESS)
}
