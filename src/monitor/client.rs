//! The engine, read only by type: nothing here can change a container.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStatsResponse, ContainerSummary, EventMessage,
};
use bollard::query_parameters::{
    EventsOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder, StatsOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::EngineInfo;

use crate::config::engine::Endpoint;
use crate::monitor::decode;
use crate::monitor::terminal;
use crate::ports::PortError;

/// Seconds that the engine may take to begin an answer; streams may then last.
const ANSWER_SECONDS: u64 = 30;
/// How long the first contact may take.
const FIRST_CONTACT: Duration = Duration::from_secs(10);

/// The label by which a simulated engine says what it is.
const SIMULATED: &str = "docker-sim=true";

/// What a log stream is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogQuery {
    /// Only lines from this second on (Unix time); 0 for all.
    pub(super) since: i32,
    /// Only lines up to this second (Unix time).
    pub(super) until: Option<i32>,
    /// At most so many of the lines that exist already.
    pub(super) tail: Option<u32>,
    /// Stay attached.
    pub(super) follow: bool,
    /// The container has a terminal: its output has no frames.
    pub(super) tty: bool,
}

/// What the engine says of itself.
#[derive(Clone, Debug)]
pub(super) struct Greeting {
    /// For people.
    pub(super) engine: EngineInfo,
    /// Its own identifier, for the lock that elects one acting instance.
    pub(super) id: String,
    /// How far its clock is ahead of ours.
    pub(super) ahead: jiff::SignedDuration,
    /// Version of its control groups, `1` or `2`.
    pub(super) cgroups: String,
    /// Where it keeps layers and logs, as it says itself.
    pub(super) root: String,
}

/// A connection that only reads.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    docker: Docker,
    endpoint: Endpoint,
    /// Goes into the hashes of settings.
    salt: Salt,
}

impl Reader {
    /// Prepares a connection; nothing is sent yet.
    pub(super) fn new(endpoint: &Endpoint, salt: Salt) -> Result<Self, PortError> {
        let docker = open(endpoint).map_err(|e| unreachable(endpoint, &e))?;
        Ok(Self { docker, endpoint: endpoint.clone(), salt })
    }

    /// Looks at a container, reduced to what is needed. `None`: there is none.
    pub(super) async fn container(&self, id: &ContainerId) -> Result<Option<Container>, PortError> {
        let raw = self.inspect(id).await?;
        Ok(raw.map(|raw| decode::container(raw, &self.salt)))
    }

    /// Greets the engine, agrees on an API version, learns what it is.
    pub(super) async fn greet(&mut self) -> Result<Greeting, PortError> {
        let endpoint = self.endpoint.clone();
        let docker = self.docker.clone();
        let talk = async {
            let docker = docker.negotiate_version().await?;
            let version = docker.version().await?;
            let asked = Timestamp::now();
            let info = docker.info().await?;
            Ok::<_, Error>((docker, version, info, asked))
        };
        let (docker, version, info, asked) = tokio::time::timeout(FIRST_CONTACT, talk)
            .await
            .map_err(|_| {
                PortError(format!(
                    "the Docker engine at {} did not answer within {} s",
                    endpoint.words(),
                    FIRST_CONTACT.as_secs()
                ))
            })?
            .map_err(|e| unreachable(&endpoint, &e))?;
        self.docker = docker;
        let ahead = info
            .system_time
            .and_then(|text| decode::time(&text))
            .map_or(jiff::SignedDuration::ZERO, |theirs| theirs.duration_since(asked));
        let engine = EngineInfo {
            name: info.name.unwrap_or_default(),
            version: version.version.unwrap_or_default(),
            api: version.api_version.unwrap_or_default(),
            cpus: info.ncpu.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
            memory: info.mem_total.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
            endpoint: endpoint.words(),
            simulated: info.labels.iter().flatten().any(|label| label == SIMULATED),
        };
        let id = info.id.unwrap_or_else(|| engine.name.clone());
        let cgroups = info.cgroup_version.map(|v| v.to_string()).unwrap_or_default();
        Ok(Greeting { engine, id, ahead, cgroups, root: info.docker_root_dir.unwrap_or_default() })
    }

    /// Whether the engine answers.
    pub(super) async fn ping(&self) -> Result<(), PortError> {
        self.docker.ping().await.map(drop).map_err(|e| unreachable(&self.endpoint, &e))
    }

    /// All containers, running or not.
    pub(super) async fn list(&self) -> Result<Vec<ContainerSummary>, PortError> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        self.docker
            .list_containers(Some(options))
            .await
            .map_err(|e| PortError(format!("the engine did not list its containers: {e}")))
    }

    /// One container; `None` if there is none of that id.
    pub(super) async fn inspect(
        &self,
        id: &ContainerId,
    ) -> Result<Option<ContainerInspectResponse>, PortError> {
        match self.docker.inspect_container(id.as_str(), None).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(e) => Err(PortError(format!("cannot inspect container {}: {e}", id.short()))),
        }
    }

    /// Whether the engine may run on this machine: a socket file is the only way to one that does,
    /// though it may also lead elsewhere.
    pub(super) fn may_be_local(&self) -> bool {
        self.endpoint.url.starts_with("unix://")
    }

    /// Events of containers, networks and images from `since` (Unix seconds, fraction allowed) on.
    pub(super) fn events(&self, since: &str) -> BoxStream<'static, Result<EventMessage, Error>> {
        let kinds = ["container", "network", "image"].map(str::to_owned).to_vec();
        let filters = HashMap::from([("type".to_owned(), kinds)]);
        let options = EventsOptionsBuilder::default().since(since).filters(&filters).build();
        self.docker.events(Some(options)).boxed()
    }

    /// Log lines with timestamps.
    pub(super) fn logs(
        &self,
        id: &ContainerId,
        query: LogQuery,
    ) -> BoxStream<'static, Result<LogOutput, Error>> {
        if query.tty {
            let tail = query.tail.map_or_else(|| "all".to_owned(), |n| n.to_string());
            let until = query.until.map(|until| format!("&until={until}")).unwrap_or_default();
            let path = format!(
                "/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&follow={}&since={}&tail={tail}{until}",
                u8::from(query.follow),
                query.since
            );
            if let Some(output) = terminal::read(&self.endpoint.url, path) {
                return output;
            }
        }
        let mut options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .since(query.since)
            .follow(query.follow);
        if let Some(until) = query.until {
            options = options.until(until);
        }
        if let Some(tail) = query.tail {
            options = options.tail(&tail.to_string());
        }
        self.docker.logs(id.as_str(), Some(options.build())).boxed()
    }

    /// One reading of a container's resources, without the engine's one-second wait.
    pub(super) async fn stats(
        &self,
        id: &ContainerId,
    ) -> Result<Option<ContainerStatsResponse>, Error> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        self.docker.stats(id.as_str(), Some(options)).try_next().await
    }
}

/// Opens the transport that the address asks for.
fn open(endpoint: &Endpoint) -> Result<Docker, Error> {
    let Endpoint { url, tls, .. } = endpoint;
    match tls {
        Some(folder) => Docker::connect_with_ssl(
            url,
            &folder.join("key.pem"),
            &folder.join("cert.pem"),
            &folder.join("ca.pem"),
            ANSWER_SECONDS,
            API_DEFAULT_VERSION,
        ),
        None if url.starts_with("unix://") => {
            Docker::connect_with_unix(url, ANSWER_SECONDS, API_DEFAULT_VERSION)
        }
        None => Docker::connect_with_http(url, ANSWER_SECONDS, API_DEFAULT_VERSION),
    }
}

fn unreachable(endpoint: &Endpoint, error: &Error) -> PortError {
    let hint = endpoint
        .url
        .strip_prefix("unix://")
        .map(|path| socket_hint(Path::new(path)))
        .unwrap_or_default();
    PortError(format!("cannot reach the Docker engine at {}: {error}{hint}", endpoint.words()))
}

/// What to do about a socket that does not answer.
fn socket_hint(path: &Path) -> String {
    if !path.exists() {
        return format!(
            "\n{} does not exist: start the engine (`systemctl start docker`), or install it (`apt-get install docker.io`), or name another with --host",
            path.display()
        );
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => format!(
            "\nyou may not use {}: join the group docker (`sudo usermod -aG docker $USER`, then log in again) or run with sudo",
            path.display()
        ),
        Err(e) => format!("\nnothing answers on {} ({e}): is the engine running?", path.display()),
        Ok(_) => String::new(),
    }
}
