//! What the tests on a real engine share: a connection, containers that go away by themselves,
//! and waiting for conditions with a deadline.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "each test binary uses its own part; what goes wrong is told on standard error"
)]

pub mod idle;
pub mod process;
pub mod pty;
pub mod redis;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions};
use bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use sentinel_core::domain::signal::Signal;
use sentinel_tui::ports::Outlet;

/// Anything that goes wrong in a test.
pub type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The label by which a test's containers are found and removed.
const LABEL: &str = "sentinel-test";

/// A process that ends by itself when it is told to: from inside, as crashes come.
pub const CRASHES: &str = "echo ready; until [ -e /crash ]; do sleep 0.02; done; rm /crash; echo 'FATAL: lost the index' >&2; exit 7";

/// A corner of the engine that belongs to one test; everything in it is removed at the end.
pub struct Corner {
    pub docker: Docker,
    pub host: String,
    pub image: String,
    /// Unique over all tests and runs: a prefix of names and the value of the label.
    pub name: String,
}

impl Corner {
    /// A corner of the engine that the test bed started.
    pub fn new(test: &str) -> Fallible<Self> {
        let host = std::env::var("SENTINEL_TEST_DOCKER_HOST")
            .map_err(|_| "SENTINEL_TEST_DOCKER_HOST is not set: run scripts/test.sh")?;
        Self::on(&host, test)
    }

    /// A corner of another engine.
    pub fn on(host: &str, test: &str) -> Fallible<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let docker = Docker::connect_with_unix(host, 120, API_DEFAULT_VERSION)?;
        let image = std::env::var("SENTINEL_TEST_IMAGE")
            .unwrap_or_else(|_| "sentinel-test/busybox:1".to_owned());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("st-{test}-{}-{count}", std::process::id());
        Ok(Self { docker, host: host.to_owned(), image, name })
    }

    /// `label=…` as `--filter` wants it.
    pub fn filter(&self) -> String {
        format!("label={LABEL}={}", self.name)
    }

    /// The full name of a container of this corner.
    pub fn full(&self, short: &str) -> String {
        format!("{}-{short}", self.name)
    }

    /// A body with the labels that make it watched and ours.
    pub fn body(&self, service: &str, script: &str) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
            labels: Some(HashMap::from([
                (LABEL.to_owned(), self.name.clone()),
                ("sre-sentinel.monitor".to_owned(), "true".to_owned()),
                ("sre-sentinel.service".to_owned(), service.to_owned()),
            ])),
            host_config: Some(HostConfig::default()),
            ..Default::default()
        }
    }

    /// Creates and starts a container; gives its id.
    pub async fn start(&self, short: &str, body: ContainerCreateBody) -> Fallible<String> {
        let options = CreateContainerOptionsBuilder::default().name(&self.full(short)).build();
        let id = self.docker.create_container(Some(options), body).await?.id;
        self.docker.start_container(&id, None).await?;
        Ok(id)
    }

    /// Runs a script in a container of its own.
    pub async fn run(&self, short: &str, script: &str) -> Fallible<String> {
        self.start(short, self.body(short, script)).await
    }

    /// Makes a network; gives its name.
    pub async fn network(&self, short: &str) -> Fallible<String> {
        let name = self.full(short);
        let labels = HashMap::from([(LABEL.to_owned(), self.name.clone())]);
        let request = NetworkCreateRequest {
            name: name.clone(),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        self.docker.create_network(request).await?;
        Ok(name)
    }

    /// Removes a container, running or not.
    pub async fn remove(&self, short: &str) -> Fallible {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        self.docker.remove_container(&self.full(short), Some(options)).await?;
        Ok(())
    }

    /// The process of a container as the host sees it.
    pub async fn pid(&self, short: &str) -> Fallible<i64> {
        let found = self.docker.inspect_container(&self.full(short), None).await?;
        Ok(found.state.and_then(|s| s.pid).filter(|p| *p > 0).ok_or("it does not run")?)
    }

    /// Whether a container runs, and since when.
    pub async fn running_since(&self, short: &str) -> Fallible<Option<String>> {
        let found = self.docker.inspect_container(&self.full(short), None).await?;
        let state = found.state.unwrap_or_default();
        Ok(state.started_at.filter(|_| state.running == Some(true)))
    }

    /// Makes a file in a container: what its script waits for.
    pub async fn touch(&self, short: &str, path: &str) -> Fallible {
        let options = CreateExecOptions { cmd: Some(vec!["touch", path]), ..Default::default() };
        let exec = self.docker.create_exec(&self.full(short), options).await?;
        let detached = StartExecOptions { detach: true, ..Default::default() };
        self.docker.start_exec(&exec.id, Some(detached)).await?;
        Ok(())
    }

    /// Tells a container that runs [`CRASHES`] to crash.
    pub async fn crash(&self, short: &str) -> Fallible {
        self.touch(short, "/crash").await
    }

    async fn clear(docker: &Docker, name: &str) -> Fallible {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{LABEL}={name}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        for found in docker.list_containers(Some(options)).await? {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let id = found.id.unwrap_or_default();
            if let Err(error) = docker.remove_container(&id, Some(options)).await {
                eprintln!("{id} stays: {error}");
            }
        }
        let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
        for found in docker.list_networks(Some(options)).await? {
            docker.remove_network(&found.id.unwrap_or_default()).await?;
        }
        Ok(())
    }
}

/// An engine of its own, for tests that restart it. Ends with the value.
pub struct Engine {
    folder: tempfile::TempDir,
    /// What `DOCKER_HOST` would be.
    pub host: String,
}

impl Engine {
    /// Starts one; takes a second or two.
    pub fn start() -> Fallible<Self> {
        let folder = tempfile::Builder::new().prefix("sentinel-engine").tempdir()?;
        let host = format!("unix://{}/docker.sock", folder.path().display());
        let engine = Self { folder, host };
        engine.order("start")?;
        Ok(engine)
    }

    /// `restart`, `kill` or `start`, as `scripts/engine.sh` knows them.
    pub fn order(&self, order: &str) -> Fallible {
        let script = std::env::var("SENTINEL_TEST_ENGINE")
            .map_err(|_| "SENTINEL_TEST_ENGINE is not set: run scripts/test.sh")?;
        let output =
            std::process::Command::new(script).arg(order).arg(self.folder.path()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("engine.sh {order}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Err(error) = self.order("stop") {
            eprintln!("{error}");
        }
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        // A test's own runtime may be going down, and a connection belongs to its runtime: the
        // clean-up has one of its own.
        let (host, name) = (self.host.clone(), self.name.clone());
        let cleaning = std::thread::spawn(move || -> Fallible {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let docker = Docker::connect_with_unix(&host, 60, API_DEFAULT_VERSION)?;
            runtime.block_on(Self::clear(&docker, &name))
        });
        match cleaning.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("containers of {} stay: {error}", self.name),
            Err(_) => eprintln!("containers of {} stay", self.name),
        }
    }
}

/// The monitor's next signal, container life first.
pub async fn next_signal(outlet: &mut Outlet) -> Signal {
    let Outlet { life, logs, usage } = outlet;
    tokio::select! {
        biased;
        Some(signal) = life.recv() => signal,
        Some(signal) = logs.recv() => signal,
        Some(signal) = usage.recv() => signal,
        else => std::future::pending().await,
    }
}

/// Waits until `check` gives something, or fails with what it was waiting for.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut check: impl AsyncFnMut() -> Fallible<Option<T>>,
) -> Fallible<T> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(found) = check().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() > deadline {
            return Err(format!("{what}: not within {patience:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
