//! `tools`: what the MCP servers offer, and one call by hand.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr as _, bail};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::{Tool, ToolCall};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::app::{AppError, remediator};
use crate::cli::ToolsVerb;
use crate::commands::{FAILED, out};
use crate::config::Settings;
use crate::config::engine::resolve;
use crate::ports::Remediator;
use crate::remediate::remediator::McpRemediator;

/// All servers together may take this long to say what they offer.
const DISCOVERY: Duration = Duration::from_secs(20);

/// Lists the tools or calls one.
pub async fn run(mut settings: Settings, verb: ToolsVerb) -> Result<ExitCode, Report> {
    if let ToolsVerb::Call { read_only, all, .. } = &verb {
        if *read_only {
            settings.mode = Mode::ReadOnly;
        }
        settings.watch_all |= *all;
    }
    let endpoint =
        resolve(settings.host.as_deref(), &settings.environment).map_err(AppError::NoEngine)?;
    let servers = Arc::new(remediator(&settings, &endpoint)?);
    let stop = CancellationToken::new();
    let (words, mut heard) = mpsc::channel(64);
    let running = tokio::spawn({
        let (servers, stop) = (Arc::clone(&servers), stop.clone());
        async move { servers.run(words, stop).await }
    });
    let tools = discover(&mut heard).await?;
    let outcome = match verb {
        ToolsVerb::List { json } => list(&tools, json),
        ToolsVerb::Call { name, arguments, .. } => call(&servers, name, &arguments).await,
    };
    stop.cancel();
    running.await.wrap_err("the MCP client did not end cleanly")?;
    outcome
}

/// Waits until every server has said what it offers.
async fn discover(heard: &mut mpsc::Receiver<Signal>) -> Result<Vec<Tool>, Report> {
    let first = async {
        let mut troubles = Vec::new();
        while let Some(signal) = heard.recv().await {
            match signal {
                Signal::Tools { tools } => return Ok(tools),
                Signal::Degraded { detail, .. } => troubles.push(detail),
                _ => {}
            }
        }
        bail!("no MCP server could be started: {}", troubles.join("; "))
    };
    timeout(DISCOVERY, first)
        .await
        .wrap_err_with(|| format!("no MCP server answered within {} s", DISCOVERY.as_secs()))?
}

fn list(tools: &[Tool], json: bool) -> Result<ExitCode, Report> {
    if json {
        return out::lines(tools.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?);
    }
    out::lines(tools.iter().map(|tool| {
        let hint = match tool.hints.read_only {
            Some(true) => "reads",
            _ => "changes",
        };
        let first = tool.description.lines().next().unwrap_or_default();
        format!("{:<20} {:<16} {hint:<8} {first}", tool.name, tool.server)
    }))
}

async fn call(servers: &McpRemediator, name: String, arguments: &str) -> Result<ExitCode, Report> {
    let parsed: Value = serde_json::from_str(arguments)
        .wrap_err("the arguments are no JSON; write them like '{\"container_name\":\"api\"}'")?;
    let Value::Object(arguments) = parsed else {
        bail!("the arguments must be a JSON object, like '{{\"container_name\":\"api\"}}'");
    };
    let (result, structured) = servers.call(ToolCall { tool: name, arguments }).await?;
    out::lines([serde_json::to_string_pretty(&structured)?])?;
    Ok(if result.ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
