//! The connection to the engine: made at the first call, named in every error.

use std::sync::Arc;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use hyper::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::raw::{self, Ask};
use crate::settings::Settings;

/// How long an ordinary request may take.
pub const WAIT: Duration = Duration::from_secs(30);
/// How long the first contact may take.
const CONTACT: Duration = Duration::from_secs(10);

/// The engine that a server works on. Cloning is cheap; a server starts without an engine, and
/// every call tries again until one answers.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Arc<Settings>,
    docker: Arc<OnceCell<Docker>>,
}

impl Engine {
    /// Nothing is contacted yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), docker: Arc::default() }
    }

    /// What the server was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the engine is.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        Endpoint::of(&self.settings)
    }

    /// A client whose answers may take `wait`, with a negotiated version.
    pub async fn docker(&self, wait: Duration) -> Result<Docker, Failure> {
        let docker = self.docker.get_or_try_init(|| self.contact()).await?;
        Ok(docker.clone().with_timeout(wait))
    }

    async fn contact(&self) -> Result<Docker, Failure> {
        let endpoint = self.endpoint()?;
        let failed = |reason: String| Failure::Unreachable {
            endpoint: endpoint.to_string(),
            reason: crate::text::line(&reason),
        };
        let seconds = WAIT.as_secs();
        let docker = match &endpoint {
            Endpoint::Unix(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
            }
            Endpoint::Tcp(address) => {
                Docker::connect_with_http(&format!("tcp://{address}"), seconds, API_DEFAULT_VERSION)
            }
            Endpoint::Tls { address, certificates } => {
                // An error means that a provider is installed already.
                drop(rustls::crypto::ring::default_provider().install_default());
                Docker::connect_with_ssl(
                    &format!("tcp://{address}"),
                    &certificates.join("key.pem"),
                    &certificates.join("cert.pem"),
                    &certificates.join("ca.pem"),
                    seconds,
                    API_DEFAULT_VERSION,
                )
            }
        }
        .map_err(|e| failed(e.to_string()))?;
        match tokio::time::timeout(CONTACT, docker.negotiate_version()).await {
            Ok(Ok(docker)) => Ok(docker),
            Ok(Err(e)) => Err(failed(e.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", CONTACT.as_secs()))),
        }
    }

    /// `GET path`, as JSON. `doing` is for the error: "inspect demo-api".
    pub async fn get(&self, path: &str, doing: &str) -> Result<Value, Failure> {
        self.send(Ask { method: &Method::GET, path, body: None, wait: WAIT, doing }).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(
        &self,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
        doing: &str,
    ) -> Result<Value, Failure> {
        self.send(Ask { method: &Method::POST, path, body, wait, doing }).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str, doing: &str) -> Result<Value, Failure> {
        self.send(Ask { method: &Method::DELETE, path, body: None, wait: WAIT, doing }).await
    }

    async fn send(&self, ask: Ask<'_>) -> Result<Value, Failure> {
        raw::send(&self.endpoint()?, ask).await
    }
}
