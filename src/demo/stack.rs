//! The demo stack: a network, three containers, and their removal.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HealthStatusEnum, HostConfig,
    NetworkCreateRequest, NetworkingConfig,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use color_eyre::eyre::{Result, WrapErr as _, bail};
use tokio::time::{Instant, sleep};

use crate::demo::image;

/// The network that the stack lives on.
pub const NETWORK: &str = "sentinel-demo";
/// Label on everything that belongs to the demo: only that is ever removed.
pub const LABEL: &str = "sentinel-demo";
/// The stack's containers, those that others need first.
pub const NAMES: [&str; 3] = ["demo-data", "demo-api", "demo-worker"];
/// How long the stack may take to be healthy.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// One container of the stack.
struct Part {
    name: &'static str,
    service: &'static str,
    role: &'static str,
    depends_on: &'static str,
    peers: &'static str,
    memory: i64,
}

const PARTS: [Part; 3] = [
    Part {
        name: "demo-data",
        service: "data",
        role: "data",
        depends_on: "",
        peers: "",
        memory: 128 << 20,
    },
    Part {
        name: "demo-api",
        service: "api",
        role: "api",
        depends_on: "data",
        peers: "http://data:9000",
        memory: 128 << 20,
    },
    Part {
        name: "demo-worker",
        service: "worker",
        role: "worker",
        depends_on: "api,data",
        peers: "http://api:3001,http://data:9000",
        memory: 64 << 20,
    },
];

/// Starts the stack from this image; what an earlier demo left behind is removed first.
pub async fn start(docker: &Docker, image: &str) -> Result<()> {
    remove(docker).await?;
    docker
        .create_network(NetworkCreateRequest {
            name: NETWORK.to_owned(),
            labels: Some(HashMap::from([(LABEL.to_owned(), "true".to_owned())])),
            ..Default::default()
        })
        .await
        .wrap_err("cannot create the demo's network")?;
    for part in &PARTS {
        create(docker, image, part, true).await?;
    }
    wait_healthy(docker).await
}

/// Recreates the worker without the setting that it needs: a bad deploy.
pub async fn misconfigure_worker(docker: &Docker) -> Result<()> {
    let [.., worker] = &PARTS;
    let image = docker
        .inspect_container(worker.name, None)
        .await
        .wrap_err("the demo's worker is not there")?
        .config
        .and_then(|c| c.image)
        .unwrap_or_default();
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(worker.name, Some(options)).await?;
    create(docker, &image, worker, false).await
}

async fn create(docker: &Docker, image: &str, part: &Part, configured: bool) -> Result<()> {
    let second = 1_000_000_000_i64;
    let command = |arguments: &[&str]| -> Vec<String> {
        [image::EXECUTABLE, "demo-service"]
            .iter()
            .chain(arguments)
            .map(ToString::to_string)
            .collect()
    };
    let mut labels = HashMap::from([
        (LABEL.to_owned(), "true".to_owned()),
        ("sre-sentinel.monitor".to_owned(), "true".to_owned()),
        ("sre-sentinel.service".to_owned(), part.service.to_owned()),
    ]);
    if !part.depends_on.is_empty() {
        labels.insert("sre-sentinel.depends-on".to_owned(), part.depends_on.to_owned());
    }
    let mut probe = vec!["CMD".to_owned()];
    probe.extend(command(&["probe"]));
    let env =
        (configured && !part.peers.is_empty()).then(|| vec![format!("PEER_URL={}", part.peers)]);
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(command(&[part.role])),
        env,
        labels: Some(labels),
        healthcheck: Some(HealthConfig {
            test: Some(probe),
            interval: Some(second),
            timeout: Some(second),
            start_period: Some(second),
            retries: Some(2),
            ..Default::default()
        }),
        host_config: Some(HostConfig {
            memory: Some(part.memory),
            memory_swap: Some(part.memory),
            network_mode: Some(NETWORK.to_owned()),
            // A worker that cannot start is tried a few times, as most people configure it.
            restart_policy: (!configured).then_some(bollard::models::RestartPolicy {
                name: Some(bollard::models::RestartPolicyNameEnum::ON_FAILURE),
                maximum_retry_count: Some(5),
            }),
            ..Default::default()
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                NETWORK.to_owned(),
                EndpointSettings {
                    aliases: Some(vec![part.service.to_owned()]),
                    ..Default::default()
                },
            )])),
        }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(part.name).build();
    docker
        .create_container(Some(options), body)
        .await
        .wrap_err_with(|| format!("cannot create {}", part.name))?;
    docker
        .start_container(part.name, None)
        .await
        .wrap_err_with(|| format!("cannot start {}", part.name))?;
    Ok(())
}

async fn wait_healthy(docker: &Docker) -> Result<()> {
    let deadline = Instant::now() + START_PATIENCE;
    for part in &PARTS {
        loop {
            let state = docker.inspect_container(part.name, None).await?.state.unwrap_or_default();
            let health = state.health.and_then(|h| h.status);
            if health == Some(HealthStatusEnum::HEALTHY) {
                break;
            }
            if Instant::now() > deadline {
                bail!(
                    "{} did not become healthy within {} s; see `docker logs {}`",
                    part.name,
                    START_PATIENCE.as_secs(),
                    part.name
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Removes everything that belongs to the demo, and nothing else.
pub async fn remove(docker: &Docker) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    for name in NAMES.iter().rev() {
        let Ok(found) = docker.inspect_container(name, None).await else { continue };
        let ours =
            found.config.and_then(|c| c.labels).is_some_and(|labels| labels.contains_key(LABEL));
        if !ours {
            bail!(
                "a container named {name} exists and does not belong to the demo; rename or remove it first"
            );
        }
        docker
            .remove_container(name, Some(options.clone()))
            .await
            .wrap_err_with(|| format!("cannot remove {name}"))?;
    }
    if docker.inspect_network(NETWORK, None).await.is_ok() {
        docker.remove_network(NETWORK).await.wrap_err("cannot remove the demo's network")?;
    }
    Ok(())
}
