//! The way to one server: a process, a container that was confirmed, or an address.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::handler::client::progress::ProgressDispatcher;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, NotificationContext,
    RunningService,
};
use rmcp::transport::IntoTransport;
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::gateway::Secret;
use crate::remediate::container::CLIENT_VARIABLES;
use crate::remediate::http::{self, Wants};
use crate::remediate::spawn;
use crate::remediate::spec::{ServerSpec, Way};
use crate::remediate::timeouts::Timeouts;
use crate::remediate::trust::Trust;

/// What servers are started with.
#[derive(Clone, Default)]
pub(crate) struct Means {
    /// Variables that the catalogue may choose from.
    pub(crate) environment: BTreeMap<String, String>,
    /// Variables that every program gets.
    pub(crate) pass: BTreeMap<String, String>,
    /// Which containers may be started.
    pub(crate) trust: Option<Trust>,
}

/// Our end of the conversation.
#[derive(Clone, Default)]
pub(crate) struct Listener {
    /// Woken when the list of tools changed.
    pub(crate) changed: Arc<Notify>,
    /// Who hears of the progress of which call.
    pub(crate) progress: ProgressDispatcher,
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("sentinel-tui", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    async fn on_progress(
        &self,
        step: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.handle_notification(step).await;
    }
}

/// A conversation that was opened.
pub(crate) type Open = RunningService<RoleClient, Listener>;

/// Why there is none.
pub(crate) enum Closed {
    /// It may be another time.
    Now(String),
    /// Only another catalogue will help.
    Ever(String),
}

/// Over HTTP: the endpoint, and what it can be given when it asks who we are.
pub(crate) fn http_of(spec: &ServerSpec) -> Option<(String, Wants)> {
    match &spec.way {
        Way::Remote { url, .. } => Some((url.clone(), Wants::Headers)),
        Way::Gateway { url, token } => {
            let wants = if token.is_some() { Wants::GatewayKnows } else { Wants::GatewayNone };
            Some((url.clone(), wants))
        }
        Way::Program { .. } | Way::Container { .. } | Way::Unusable(_) => None,
    }
}

/// Reaches a server and opens the conversation, in whichever revision of the protocol it speaks.
/// Dropped, or when it takes too long, a process that was started ends.
pub(crate) async fn reach(
    spec: &ServerSpec,
    means: &Means,
    listener: Listener,
    limits: Timeouts,
) -> Result<Open, Closed> {
    let path = means.environment.get("PATH").map(String::as_str);
    match &spec.way {
        Way::Program { exec, env } => {
            let variables = spawn::variables(env, &means.environment, &means.pass);
            let process = spawn::spawn(&spec.name, exec, &variables, path).map_err(Closed::Now)?;
            opened(process, listener, limits).await?.map_err(|error| {
                Closed::Now(format!("it does not speak MCP, or ended at once: {error}"))
            })
        }
        Way::Container { command } => {
            confirmed(spec, means)?;
            let names = CLIENT_VARIABLES.map(str::to_owned);
            let mut engine = means.pass.clone();
            engine.retain(|name, _| CLIENT_VARIABLES.contains(&name.as_str()));
            let variables = spawn::variables(&names, &means.environment, &engine);
            let process =
                spawn::spawn(&spec.name, command, &variables, path).map_err(Closed::Now)?;
            opened(process, listener, limits).await?.map_err(|error| {
                Closed::Now(format!(
                    "its container does not speak MCP, or ended at once; what it said is in the log: {error}"
                ))
            })
        }
        Way::Remote { url, headers } => {
            over_http(url, headers, None, Wants::Headers, (means, listener, limits)).await
        }
        Way::Gateway { url, token } => {
            let wants = if token.is_some() { Wants::GatewayKnows } else { Wants::GatewayNone };
            let rest = (means, listener, limits);
            over_http(url, &BTreeMap::new(), token.as_ref(), wants, rest).await
        }
        Way::Unusable(why) => Err(Closed::Ever(why.clone())),
    }
}

/// Whether a person has confirmed the command; if not, how to.
fn confirmed(spec: &ServerSpec, means: &Means) -> Result<(), Closed> {
    let Some(asked) = spec.confirmation() else { return Ok(()) };
    let Some(trust) = &means.trust else {
        return Err(Closed::Ever("nothing says which commands were confirmed".to_owned()));
    };
    match trust.holds(&asked) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Closed::Now(format!(
            "its command was not confirmed yet, so it is not started: see and confirm it with `sentinel-tui tools trust {}`",
            spec.name
        ))),
        Err(why) => Err(Closed::Now(why)),
    }
}

async fn over_http(
    url: &str,
    headers: &BTreeMap<String, String>,
    token: Option<&Secret>,
    wants: Wants,
    (means, listener, limits): (&Means, Listener, Timeouts),
) -> Result<Open, Closed> {
    let transport =
        http::transport(url, headers, token, &means.environment).map_err(Closed::Now)?;
    opened(transport, listener, limits)
        .await?
        .map_err(|error| Closed::Now(http::refused(&error, url, wants)))
}

/// rmcp bounds its probe, not the handshake after it: a peer that echoes or stays silent would
/// hold us for ever.
async fn opened<T, E, A>(
    transport: T,
    listener: Listener,
    limits: Timeouts,
) -> Result<Result<Open, ClientInitializeError>, Closed>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    };
    match timeout(limits.connect, listener.serve_with_lifecycle(transport, lifecycle)).await {
        Ok(opened) => Ok(opened),
        Err(_) => Err(Closed::Now(format!(
            "it did not answer within {} s; is it an MCP server?",
            limits.connect.as_secs_f64()
        ))),
    }
}
