//! MCP servers and language models.

use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::finding::Finding;
use sentinel_core::domain::opinion::Role;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analyze::client::Client;
use crate::analyze::endpoint::{Endpoint, Limits};
use crate::analyze::price::Prices;
use crate::analyze::transport::Transport;
use crate::app::{AppError, remediator};
use crate::config::Settings;
use crate::config::engine::resolve;
use crate::config::models::ModelEndpoint;
use crate::ports::Remediator as _;

/// An endpoint may take this long to name its models.
const PATIENCE: Duration = Duration::from_secs(10);
/// Words of the client that wait to be dropped.
const WORDS: usize = 64;

/// Asks every MCP server for its tools.
pub(super) async fn tools(settings: &Settings) -> Vec<Finding> {
    let from = settings.gateway.as_ref().map_or("own servers", |_| "the gateway");
    let (found, problems) = match discovered(settings).await {
        Ok(both) => both,
        Err(error) => {
            let remedy = "without tools nothing can be mended: correct the catalogue or the gateway's address";
            return vec![Finding::broken("tools", error.to_string(), remedy)];
        }
    };
    let mut findings: Vec<Finding> = problems
        .iter()
        .map(|problem| {
            Finding::broken("tools", problem, "`sentinel-tui tools list` asks that server again")
        })
        .collect();
    if found > 0 {
        findings.push(Finding::fine("tools", format!("{found} of {from}")));
    } else if findings.is_empty() {
        let remedy = "nothing can be mended: see docs/mcp.md for what a catalogue needs";
        findings.push(Finding::broken("tools", format!("none of {from}"), remedy));
    }
    findings
}

async fn discovered(settings: &Settings) -> Result<(usize, Vec<String>), AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment).ok();
    let servers = Arc::new(remediator(settings, endpoint.as_ref())?);
    let stop = CancellationToken::new();
    // Dropped with this future: a server that hangs is ended with it.
    let _ends = stop.clone().drop_guard();
    let (words, mut heard) = mpsc::channel(WORDS);
    let running = servers.run(words, stop.clone());
    let settled = async {
        let problems = servers.settled().await;
        let found = servers.tools().len();
        stop.cancel();
        (found, problems)
    };
    let draining = async { while heard.recv().await.is_some() {} };
    let (settled, (), ()) = tokio::join!(settled, running, draining);
    Ok(settled)
}

/// Asks every endpoint which models it has.
pub(super) async fn models(settings: &Settings) -> Vec<Finding> {
    let roles =
        [(Role::Triage, &settings.models.triage), (Role::Analyst, &settings.models.analyst)];
    let mut findings = Vec::new();
    for (role, endpoint) in roles {
        findings.push(match endpoint {
            Some(endpoint) => model(role, endpoint, settings).await,
            None => Finding::absent(
                role.as_str(),
                "no language model; the rules work without one",
                "see docs/models.md",
            ),
        });
    }
    findings
}

async fn model(role: Role, settled: &ModelEndpoint, settings: &Settings) -> Finding {
    let models = &settings.models;
    let transport = Transport { proxy: models.proxy.clone(), ca_file: models.ca_file.clone() };
    let prices = Prices { models: models.prices.clone() };
    let endpoint = Endpoint::new(role.as_str(), settled);
    let base = settled.base.as_str();
    let asked = match Client::new(endpoint, Limits::patient(PATIENCE), prices, transport) {
        Ok(client) => client.check().await,
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(chosen) if chosen.missing.is_empty() => {
            Finding::fine(role.as_str(), format!("{} at {base}", chosen.model))
        }
        Ok(chosen) => Finding::doubtful(
            role.as_str(),
            format!("{} at {base}; it has no {}", chosen.model, chosen.missing.join(", no ")),
            "name models that it has, see docs/models.md",
        ),
        Err(failure) => Finding::broken(
            role.as_str(),
            failure.to_string(),
            "the rules go on without it; correct address, key or model name",
        ),
    }
}
