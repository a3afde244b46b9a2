//! An MCP client over HTTP that can be told which revision of the protocol to speak.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    CallToolRequestParams, ClientConfig, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RunningService,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::program::TOKEN;
use crate::{Fallible, LONG};

/// The revisions that are spoken: with sessions, and without.
#[derive(Clone, Copy, Debug)]
pub enum Era {
    Sessions,
    Stateless,
}

pub const ERAS: [Era; 2] = [Era::Sessions, Era::Stateless];

/// What a client hears.
#[derive(Clone, Default)]
pub struct Ear {
    pub steps: Arc<Mutex<Vec<ProgressNotificationParam>>>,
    pub changed: Arc<Notify>,
}

impl Ear {
    pub fn steps(&self) -> Vec<f64> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().map(|s| s.progress).collect()
    }
}

impl ClientHandler for Ear {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::default()
    }

    async fn on_progress(
        &self,
        step: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

pub type Client = RunningService<RoleClient, Ear>;

/// A client of the gateway at `address`, with the token of the tests.
pub async fn client(address: &str, era: Era, ear: Ear) -> Fallible<Client> {
    let config =
        StreamableHttpClientTransportConfig::with_uri(format!("{address}/mcp")).auth_header(TOKEN);
    let http = http_client()?;
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let mode = match era {
        Era::Sessions => ClientLifecycleMode::Initialize,
        Era::Stateless => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
    };
    Ok(timeout(LONG, ear.serve_with_lifecycle(transport, mode)).await??)
}

pub fn http_client() -> Fallible<reqwest::Client> {
    // There is one already if another test came first.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()?)
}

/// The call of a tool with arguments.
pub fn call(name: &str, arguments: &Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    CallToolRequestParams::new(name.to_owned()).with_arguments(arguments)
}
