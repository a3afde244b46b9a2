//! The gateway, put together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use mcp_kit::http::{self, Health, HttpError, HttpSettings};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::gateway::handler::{AT_ONCE, Handler, House};
use crate::gateway::pace::Pace;
use crate::ports::Store;
use crate::remediate::catalog::{self, CatalogError};
use crate::remediate::remediator::{McpSettings, backends};
use crate::remediate::trust::Trust;

/// What it serves, and how.
pub struct GatewaySetup {
    /// The servers behind it.
    pub servers: McpSettings,
    /// Where it is taken down which commands were confirmed.
    pub state_dir: PathBuf,
    /// Only these tools, if any are named.
    pub tools: Vec<String>,
    /// Nothing may change anything.
    pub read_only: bool,
    /// Calls within a minute.
    pub calls_per_minute: u32,
}

/// One address for the tools of all servers.
pub struct Gateway {
    house: Arc<House>,
    catalog: Option<PathBuf>,
    executable: PathBuf,
}

impl Gateway {
    /// Reads the catalogue; nothing is started yet. `stop` ends it.
    pub fn new(
        setup: GatewaySetup,
        store: Arc<dyn Store>,
        stop: CancellationToken,
    ) -> Result<Self, CatalogError> {
        let (catalog, executable) =
            (setup.servers.catalog.clone(), setup.servers.executable.clone());
        let mut backends = backends(setup.servers)?;
        let trust = Trust::new(&setup.state_dir);
        backends.set_means(|means| means.trust = Some(trust));
        let house = House {
            backends,
            only: setup.tools.into_iter().collect(),
            read_only: setup.read_only,
            pace: Pace::new(setup.calls_per_minute, Instant::now()),
            room: Semaphore::new(AT_ONCE),
            store,
            stop,
        };
        Ok(Self { house: Arc::new(house), catalog, executable })
    }

    /// Starts the servers and waits until each was reached or failed once; says what is wrong,
    /// one sentence each, and the names of the tools that are served.
    pub async fn start(&self) -> (Vec<String>, Vec<String>) {
        self.house.backends.start();
        let problems = self.house.backends.settled().await;
        (problems, self.house.served().into_keys().collect())
    }

    /// Serves until the end, then ends the servers.
    pub async fn serve(
        &self,
        settings: &HttpSettings,
        listener: TcpListener,
    ) -> Result<(), HttpError> {
        let (make, health) = (Arc::clone(&self.house), Arc::clone(&self.house));
        let health = move || Health {
            ok: health.backends.directory.connected() > 0,
            tools: health.served().len(),
        };
        let stop = self.house.stop.clone();
        let make = move || Handler(Arc::clone(&make));
        let ended = http::serve(make, health, settings, listener, stop).await;
        self.house.backends.end().await;
        ended
    }

    /// Reads the catalogue again: servers that stand in it as before go on running. If it is not
    /// usable, everything stays as it was.
    pub async fn reload(&self) -> Result<Vec<String>, CatalogError> {
        let specs = catalog::read(self.catalog.as_deref().map(Path::new), &self.executable)?;
        self.house.backends.replace(specs).await;
        Ok(self.house.backends.settled().await)
    }
}
