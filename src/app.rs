//! The composition root: chooses the adapters, joins them, and elects the acting instance.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::engine;
use thiserror::Error;

use crate::config::engine::{Endpoint, EndpointError, resolve};
use crate::config::{ConfigError, Settings};
use crate::monitor::scope::{Scope, own_container};
use crate::monitor::{self, DockerMonitor};
use crate::ports::{LogCursor, PortError, Store as _};
use crate::remediate::catalog::CatalogError;
use crate::remediate::remediator::{McpRemediator, McpSettings};
use crate::runtime::handle::Handle;
use crate::runtime::run::{Loop, Parts, prepare};
use crate::store::schema::OpenError;
use crate::store::sqlite::SqliteStore;

/// Closed incidents of earlier runs that are shown.
const CLOSED_SHOWN: usize = 50;

/// Why nothing can be watched.
#[derive(Debug, Error)]
pub enum AppError {
    /// The settings are not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No engine is known.
    #[error(transparent)]
    NoEngine(#[from] EndpointError),
    /// The engine does not answer.
    #[error(transparent)]
    Unreachable(PortError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Earlier(PortError),
    /// The catalogue of MCP servers is not usable.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The machine refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl AppError {
    /// The exit status that tells it: 2 for settings, 4 for the engine, 1 for the rest.
    pub fn status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Catalog(_) => 2,
            Self::NoEngine(_) | Self::Unreachable(_) => 4,
            Self::Store(_) | Self::Earlier(_) | Self::System { .. } => 1,
        }
    }
}

/// What a run announces beyond the incidents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Every log line.
    pub logs: bool,
    /// Every reading.
    pub usage: bool,
}

/// Everything joined, ready to run.
pub struct Built {
    /// For front ends.
    pub handle: Handle,
    /// The loop.
    pub state: Loop,
    /// The engine that is watched.
    pub engine: EngineInfo,
    /// Whether this instance acts, or why another one does.
    pub election: Election,
}

/// Joins everything. The engine is greeted, so that a wrong address is told before a screen opens.
pub async fn build(settings: &Settings, extras: Extras) -> Result<Built, AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment)?;
    let store = SqliteStore::open(&settings.state_dir)?;
    let earlier = store.load(CLOSED_SHOWN).await.map_err(AppError::Earlier)?;
    let cursors = store.load_cursors().await.map_err(AppError::Earlier)?;
    let monitor = monitor(settings, endpoint.clone(), cursors)?;
    let (engine, engine_id) = monitor.greet().await.map_err(AppError::Unreachable)?;
    let election = Election::of(settings.mode, &std::env::temp_dir(), &engine_id);
    let remediator = remediator(settings, &endpoint)?;
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(monitor),
        remediator: Arc::new(remediator),
        store: Arc::new(store),
        settings: engine::Settings {
            host: engine.name.clone(),
            mode: settings.mode,
            elected: election.acts(),
            watch_all: settings.watch_all,
            verify_hold: settings.verify_hold,
            limits: settings.limits,
            ..engine::Settings::default()
        },
        earlier,
        log_events: extras.logs,
        usage_events: extras.usage,
    });
    Ok(Built { handle, state, engine, election })
}

/// Says hello to the engine: fails with what is missing and how to get it.
pub async fn greet(settings: &Settings) -> Result<Endpoint, AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment)?;
    monitor(settings, endpoint.clone(), Vec::new())?
        .greet()
        .await
        .map_err(AppError::Unreachable)?;
    Ok(endpoint)
}

fn monitor(
    settings: &Settings,
    endpoint: Endpoint,
    cursors: Vec<LogCursor>,
) -> Result<DockerMonitor, AppError> {
    DockerMonitor::new(monitor::Settings {
        endpoint,
        scope: Scope {
            all: settings.watch_all,
            filters: settings.filters.clone(),
            own: own_container_id(),
        },
        usage_every: Duration::from_secs(settings.usage_seconds),
        cursors,
    })
    .map_err(AppError::Unreachable)
}

/// The container that this process runs in, if it does.
pub fn own_container_id() -> Option<String> {
    // Outside of Linux there is no such file, and no container around us either.
    own_container(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// The MCP client, with what its servers need to know.
pub fn remediator(settings: &Settings, endpoint: &Endpoint) -> Result<McpRemediator, AppError> {
    let executable = std::env::current_exe().map_err(|source| AppError::System {
        what: "cannot find the running executable".to_owned(),
        source,
    })?;
    let mut pass: std::collections::BTreeMap<String, String> =
        endpoint.variables().into_iter().collect();
    let flag = |on: bool| if on { "true" } else { "false" }.to_owned();
    pass.insert("SENTINEL_WATCH_ALL".to_owned(), flag(settings.watch_all));
    pass.insert("SENTINEL_READ_ONLY".to_owned(), flag(settings.mode == Mode::ReadOnly));
    pass.insert("SENTINEL_STATE_DIR".to_owned(), settings.state_dir.display().to_string());
    Ok(McpRemediator::new(McpSettings {
        catalog: settings.catalog.clone(),
        executable,
        environment: settings.environment.all(),
        pass,
    })?)
}

/// Who acts on an engine: the first instance on this machine that may; the others only watch.
#[derive(Debug)]
pub enum Election {
    /// This one acts as long as the file is locked.
    Acts(File),
    /// Nobody acts: this one does not want to.
    Watches,
    /// Another one acts.
    Another(PathBuf),
}

impl Election {
    /// Tries to lock the engine's file in `folder`. A lock ends with its process, however it ends.
    fn of(mode: Mode, folder: &Path, engine_id: &str) -> Self {
        if mode == Mode::ReadOnly {
            return Self::Watches;
        }
        let name: String =
            engine_id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path = folder.join(format!("sentinel-tui-{name}.lock"));
        // No truncation: the file has no content, and may belong to another user.
        let file = match OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
        {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!("cannot open {}: {error}; nothing will be changed", path.display());
                return Self::Another(path);
            }
        };
        match file.try_lock() {
            Ok(()) => Self::Acts(file),
            Err(TryLockError::WouldBlock) => Self::Another(path),
            Err(TryLockError::Error(error)) => {
                tracing::warn!("cannot lock {}: {error}; nothing will be changed", path.display());
                Self::Another(path)
            }
        }
    }

    /// Whether this instance may act.
    pub fn acts(&self) -> bool {
        matches!(self, Self::Acts(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_acts_per_engine_and_the_next_one_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let first = Election::of(Mode::AutoHeal, folder.path(), "AB:CD");
        assert!(first.acts());
        assert!(!Election::of(Mode::Approve, folder.path(), "AB:CD").acts());
        assert!(Election::of(Mode::Approve, folder.path(), "another").acts());
        drop(first);
        assert!(Election::of(Mode::Approve, folder.path(), "AB:CD").acts());
        assert!(!Election::of(Mode::ReadOnly, folder.path(), "x").acts());
    }
}
