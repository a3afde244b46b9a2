//! `mcp-server NAME`: one of the embedded MCP servers over standard input and output.

use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr as _};

use crate::cli::ServerName;
use crate::config::Settings;
use crate::config::engine::resolve;

/// Serves until standard input closes.
pub async fn run(settings: &Settings, name: ServerName) -> Result<ExitCode, Report> {
    // Each call names the engine that it cannot reach; the server starts without one.
    let endpoint = resolve(settings.host.as_deref(), &settings.environment).ok();
    let variables: std::collections::BTreeMap<String, String> =
        endpoint.iter().flat_map(crate::config::engine::Endpoint::variables).collect();
    let lookup = |key: &str| variables.get(key).cloned().or_else(|| settings.environment.text(key));
    let mut kit = mcp_kit::Settings::from_environment(lookup);
    kit.own_container = crate::app::own_container_id();
    match name {
        ServerName::DockerControl => docker_control::serve_stdio(kit).await,
        ServerName::ConfigPatcher => config_patcher::serve_stdio(kit).await,
    }
    .wrap_err("the MCP server failed")?;
    Ok(ExitCode::SUCCESS)
}
