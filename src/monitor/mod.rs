//! Watches a Docker engine. READ ONLY by type: `client` has no way to change anything.
//!
//! Start at [`DockerMonitor`]. `supervise` keeps the list of watched containers true over
//! events, `reconnect` over gaps and restarts of the engine; `follow` reads a container's log, `page` what of it is not in memory, `sampler` its
//! resources, from the kernel's files in `cgroup` where the engine runs on this machine. `decode`, `event`, `usage`, `lines`, `resume` and [`scope`] are pure;
//! `terminal` reads what the client library would gather without bound.

mod cgroup;
mod client;
mod decode;
mod event;
mod follow;
mod lines;
mod listing;
mod needs;
mod page;
mod reconnect;
mod resume;
mod sampler;
pub mod scope;
mod supervise;
mod surroundings;
pub mod survey;
mod terminal;
mod usage;

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log_page::{PageAsk, PastPage};
use sentinel_core::domain::snapshot::EngineInfo;
use tokio_util::sync::CancellationToken;

use crate::config::engine::Endpoint;
use crate::monitor::client::{Greeting, Reader};
use crate::monitor::scope::Scope;
use crate::monitor::supervise::Supervisor;
use crate::monitor::survey::Survey;
use crate::ports::{Inbox, LogCursor, Monitor, PortError};

/// How to watch.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the engine listens.
    pub endpoint: Endpoint,
    /// What is watched.
    pub scope: Scope,
    /// Time between readings of resources.
    pub usage_every: Duration,
    /// Up to where logs were judged by an earlier run.
    pub cursors: Vec<LogCursor>,
    /// Goes into the hashes of settings, which tell a change and may be of secrets.
    pub salt: Salt,
}

/// The adapter for Docker.
#[derive(Debug)]
pub struct DockerMonitor {
    reader: Reader,
    scope: Scope,
    usage_every: Duration,
    cursors: HashMap<ContainerId, Timestamp>,
}

impl DockerMonitor {
    /// Prepares to watch; nothing is sent to the engine yet.
    pub fn new(settings: Settings) -> Result<Self, PortError> {
        Ok(Self {
            reader: Reader::new(&settings.endpoint, settings.salt)?,
            scope: settings.scope,
            usage_every: settings.usage_every,
            cursors: settings.cursors.into_iter().map(|c| (c.container, c.at)).collect(),
        })
    }

    /// Says hello: what the engine is, and its identifier.
    pub async fn greet(&self) -> Result<(EngineInfo, String), PortError> {
        let greeting = self.reader.clone().greet().await?;
        Ok((greeting.engine, greeting.id))
    }

    /// Looks at the engine and at the way to it, for people who ask whether all is well.
    pub async fn survey(&self) -> Result<Survey, PortError> {
        let greeting = self.reader.clone().greet().await?;
        let listed = self.reader.list().await?;
        Ok(Survey::of(greeting, listed.len()))
    }
}

impl Monitor for DockerMonitor {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        async move {
            let mut reader = self.reader.clone();
            let Greeting { engine, ahead, .. } = reader.greet().await?;
            let supervisor = Supervisor::new(
                reader,
                inbox,
                self.scope.clone(),
                self.usage_every,
                self.cursors.clone(),
            );
            // Whatever it waits for, a hung engine included, ends with the stop.
            tokio::select! {
                outcome = supervisor.run(engine, ahead, stop.clone()) => outcome,
                () = stop.cancelled() => Ok(()),
            }
        }
        .boxed()
    }

    fn inspect(
        &self,
        container: ContainerId,
    ) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        async move { self.reader.container(&container).await }.boxed()
    }

    fn page(&self, ask: PageAsk) -> BoxFuture<'_, Result<PastPage, PortError>> {
        page::read(&self.reader, ask).boxed()
    }
}
