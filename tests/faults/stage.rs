//! The stage of one case: its own containers on the real engine, a network of their own, a chatty
//! neighbour, and the ways in which things break from inside.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, NetworkConnectRequest,
    NetworkDisconnectRequest, NetworkingConfig, PortBinding, ResourcesUlimits, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use sentinel_core::domain::container::LABEL_SERVICE;
use sentinel_tui::demo::image;

use crate::support::{Corner, Fallible};

/// The case's own network, as the corner knows it.
pub const NETWORK: &str = "net";

/// Busy, and nothing wrong.
pub const BUSY: &str = "i=0; while :; do i=$((i+1)); echo \"INFO request $i served in $((i % 37 + 3)) ms\"; [ $((i % 23)) = 0 ] && echo \"WARN slow client $i\"; sleep 0.2; done";

/// A container of a case, before it is made.
pub struct Part {
    name: &'static str,
    body: ContainerCreateBody,
    demo: bool,
}

/// A container that runs a script.
pub fn part(name: &'static str, script: &str) -> Part {
    Part {
        name,
        body: ContainerCreateBody {
            cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
            host_config: Some(HostConfig::default()),
            stop_timeout: Some(1),
            ..Default::default()
        },
        demo: false,
    }
}

impl Part {
    fn host(mut self, change: impl FnOnce(&mut HostConfig)) -> Self {
        change(self.body.host_config.get_or_insert_default());
        self
    }

    pub fn always(self) -> Self {
        self.host(|h| {
            h.restart_policy = Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ALWAYS),
                maximum_retry_count: None,
            });
        })
    }

    pub fn memory(self, mebibytes: i64) -> Self {
        self.host(|h| {
            h.memory = Some(mebibytes << 20);
            h.memory_swap = Some(mebibytes << 20);
        })
    }

    pub fn cpus(self, hundredths: i64) -> Self {
        self.host(|h| h.nano_cpus = Some(hundredths * 10_000_000))
    }

    pub fn pids(self, most: i64) -> Self {
        self.host(|h| h.pids_limit = Some(most))
    }

    pub fn files(self, most: i64) -> Self {
        let limit = ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(most),
            hard: Some(most),
        };
        self.host(|h| h.ulimits = Some(vec![limit]))
    }

    pub fn tmpfs(self, path: &str, options: &str) -> Self {
        let mount = HashMap::from([(path.to_owned(), options.to_owned())]);
        self.host(|h| h.tmpfs = Some(mount))
    }

    pub fn read_only(self) -> Self {
        self.host(|h| h.readonly_rootfs = Some(true))
    }

    pub fn publishing(self, port: u16) -> Self {
        let binding = PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: Some(port.to_string()),
        };
        let mut published = self;
        published.body.exposed_ports = Some(vec!["80/tcp".to_owned()]);
        published.host(|h| {
            h.port_bindings = Some(HashMap::from([("80/tcp".to_owned(), Some(vec![binding]))]));
        })
    }

    pub fn sharing_network_of(self, id: &str) -> Self {
        let mode = format!("container:{id}");
        self.host(|h| h.network_mode = Some(mode))
    }

    /// One of the demo's services instead of a script: they find each other by name.
    pub fn demo(mut self, role: &str) -> Self {
        self.demo = true;
        self.command(&[image::EXECUTABLE, "demo-service", role])
    }

    pub fn user(mut self, user: &str) -> Self {
        self.body.user = Some(user.to_owned());
        self
    }

    pub fn env(mut self, pair: String) -> Self {
        self.body.env.get_or_insert_default().push(pair);
        self
    }

    pub fn command(mut self, words: &[&str]) -> Self {
        self.body.cmd = Some(words.iter().map(ToString::to_string).collect());
        self
    }

    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.body.labels.get_or_insert_default().insert(name.to_owned(), value.to_owned());
        self
    }

    /// A probe that is a program and its words; a verdict as with [`Part::probed`].
    pub fn probed_by(self, words: &[&str]) -> Self {
        let mut probed = self.probed("");
        if let Some(check) = &mut probed.body.healthcheck {
            check.test = Some(words.iter().map(ToString::to_string).collect());
        }
        probed
    }

    /// A probe that is a shell line; a verdict after two failures a second apart.
    pub fn probed(self, line: &str) -> Self {
        self.probed_after(line, 0)
    }

    /// The same with a start period.
    pub fn probed_after(mut self, line: &str, start_seconds: i64) -> Self {
        let second = 1_000_000_000_i64;
        self.body.healthcheck = Some(HealthConfig {
            test: Some(vec!["CMD-SHELL".to_owned(), line.to_owned()]),
            interval: Some(second),
            timeout: Some(second * 2),
            retries: Some(2),
            start_period: Some(start_seconds * second),
            ..Default::default()
        });
        self
    }
}

/// The stage.
pub struct Stage {
    pub corner: Corner,
    /// The image of the demo's services.
    pub demo_image: Option<String>,
    /// Varies what does not matter for the verdict.
    pub seed: u64,
    /// When the last thing was done that breaks something: what comes of it can be seen from then.
    pub broken_at: Mutex<Option<Timestamp>>,
    /// Other stages are watched by the same program: services go by their whole names, so that no
    /// two are taken for one.
    pub among_others: bool,
}

impl Stage {
    pub fn full(&self, name: &str) -> String {
        self.corner.full(name)
    }

    fn breaks_now(&self) {
        if let Ok(mut at) = self.broken_at.lock() {
            *at = Some(Timestamp::now());
        }
    }

    fn network(&self) -> String {
        self.corner.full(NETWORK)
    }

    /// Creates and starts a container on the case's network, under its own name there.
    pub async fn run(&self, part: Part) -> Fallible<String> {
        let id = self.create(part).await?;
        self.breaks_now();
        self.corner.docker.start_container(&id, None).await?;
        Ok(id)
    }

    /// Creates a container.
    pub async fn create(&self, part: Part) -> Fallible<String> {
        let Part { name, body, demo } = part;
        let mut whole = self.corner.body(name, "");
        whole.labels.get_or_insert_default().extend(body.labels.clone().unwrap_or_default());
        if self.among_others {
            let labels = whole.labels.get_or_insert_default();
            labels.insert(LABEL_SERVICE.to_owned(), self.full(name));
        }
        let mut host = body.host_config.clone().unwrap_or_default();
        let own = host.network_mode.is_none();
        if own {
            host.network_mode = Some(self.network());
        }
        let endpoint =
            EndpointSettings { aliases: Some(vec![name.to_owned()]), ..Default::default() };
        let networking = NetworkingConfig {
            endpoints_config: Some(HashMap::from([(self.network(), endpoint)])),
        };
        let body = ContainerCreateBody {
            image: if demo { self.demo_image.clone() } else { whole.image },
            labels: whole.labels,
            host_config: Some(host),
            networking_config: own.then_some(networking),
            ..body
        };
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::default()
            .name(&self.full(name))
            .build();
        Ok(self.corner.docker.create_container(Some(options), body).await?.id)
    }

    /// Tells a container's script to go wrong.
    pub async fn touch(&self, name: &str) -> Fallible {
        self.breaks_now();
        self.corner.touch(name, "/fault").await
    }

    /// A signal to a container's first process, from the host: no wish of an operator.
    pub async fn signal(&self, name: &str, signal: &str) -> Fallible {
        self.signals(&[name], signal).await
    }

    /// The same for several, at once.
    pub async fn signals(&self, names: &[&str], signal: &str) -> Fallible {
        let mut pids = Vec::new();
        for name in names {
            pids.push(self.corner.pid(name).await?.to_string());
        }
        self.breaks_now();
        let status = std::process::Command::new("kill").arg(signal).args(&pids).status()?;
        if status.success() { Ok(()) } else { Err("kill failed".into()) }
    }

    pub async fn stop(&self, name: &str) -> Fallible {
        let options = StopContainerOptionsBuilder::default().t(1).build();
        self.corner.docker.stop_container(&self.full(name), Some(options)).await?;
        Ok(())
    }

    /// Starts what does not run, in the order of the names.
    pub async fn start_what_is_down(&self) -> Fallible {
        let mut names = self.names().await?;
        names.sort();
        for name in names {
            let found = self.corner.docker.inspect_container(&name, None).await?;
            if found.state.and_then(|s| s.running) != Some(true) {
                self.corner.docker.start_container(&name, None).await?;
            }
        }
        Ok(())
    }

    /// Removes everything but one container, as an operator does it.
    pub async fn clear_but(&self, kept: &str) -> Fallible {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        for name in self.names().await?.into_iter().filter(|n| *n != self.full(kept)) {
            self.corner.docker.remove_container(&name, Some(options.clone())).await?;
        }
        Ok(())
    }

    pub async fn detach(&self, name: &str) -> Fallible {
        let request = NetworkDisconnectRequest { container: self.full(name), ..Default::default() };
        self.corner.docker.disconnect_network(&self.network(), request).await?;
        Ok(())
    }

    pub async fn attach(&self, name: &str) -> Fallible {
        let request = NetworkConnectRequest { container: self.full(name), ..Default::default() };
        self.corner.docker.connect_network(&self.network(), request).await?;
        Ok(())
    }

    pub async fn pause(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Full names of all containers of the case, parked ones with them.
    pub async fn names(&self) -> Fallible<Vec<String>> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let found = self.corner.docker.list_containers(Some(options)).await?;
        let names = found.into_iter().flat_map(|c| c.names.unwrap_or_default());
        let own = format!("{}-", self.corner.name);
        Ok(names
            .map(|n| n.trim_start_matches('/').to_owned())
            .filter(|n| n.starts_with(&own))
            .collect())
    }

    /// Everything that the case's containers have written.
    pub async fn logs(&self) -> Fallible<String> {
        let mut all = String::new();
        for name in self.names().await? {
            let options =
                LogsOptionsBuilder::default().stdout(true).stderr(true).tail("3000").build();
            let mut lines = self.corner.docker.logs(&name, Some(options));
            while let Some(Ok(line)) = lines.next().await {
                all.push_str(&String::from_utf8_lossy(&line.into_bytes()));
            }
        }
        Ok(all)
    }
}
