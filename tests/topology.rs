//! What the engine says of how containers are set up and wired: the facts that topology and change
//! memory rest on, and both of them on real containers.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, EndpointSettings, HostConfig, Mount as MountRequest,
    MountType, NetworkConnectRequest, NetworkDisconnectRequest, NetworkingConfig, PortBinding,
    ResourcesUlimits,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveVolumeOptions, StopContainerOptionsBuilder,
};
use jiff::Timestamp;
use sentinel_core::diagnose::topology;
use sentinel_core::diagnose::world::{Facts, World};
use sentinel_core::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::{AnomalyId, ContainerId};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::spec::{History, SpecChange};
use sentinel_core::domain::topology::{Edge, EdgeSource};
use sentinel_core::engine::effect::Effect;
use sentinel_core::engine::{Engine, Settings as EngineSettings};
use sentinel_tui::config::engine::Endpoint;
use sentinel_tui::config::filter::WatchFilter;
use sentinel_tui::monitor::scope::Scope;
use sentinel_tui::monitor::{DockerMonitor, Settings};
use sentinel_tui::ports::{Monitor as _, Outlet, inbox};
use support::{Corner, Fallible, next_signal};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);
const IDLE: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

fn monitor(corner: &Corner) -> Fallible<DockerMonitor> {
    Ok(DockerMonitor::new(Settings {
        endpoint: Endpoint { url: corner.host.clone(), source: "test".to_owned(), tls: None },
        scope: Scope { filters: vec![WatchFilter::parse(&corner.filter())?], ..Scope::default() },
        usage_every: Duration::from_secs(5),
        cursors: Vec::new(),
        salt: sentinel_core::domain::hash::Salt::default(),
    })?)
}

async fn inspect(corner: &Corner, id: &str) -> Fallible<Container> {
    let found = monitor(corner)?.inspect(ContainerId(id.to_owned())).await?;
    found.ok_or_else(|| format!("{id} is not there").into())
}

/// A container on a network of the test, under these names there.
fn wired(corner: &Corner, service: &str, network: &str, aliases: &[&str]) -> ContainerCreateBody {
    let mut body = corner.body(service, IDLE);
    let aliases = Some(aliases.iter().map(|a| (*a).to_owned()).collect());
    let endpoint = EndpointSettings { aliases, ..EndpointSettings::default() };
    let endpoints = HashMap::from([(network.to_owned(), endpoint)]);
    body.networking_config = Some(NetworkingConfig { endpoints_config: Some(endpoints) });
    if let Some(host) = &mut body.host_config {
        host.network_mode = Some(network.to_owned());
    }
    body
}

fn env(mut body: ContainerCreateBody, pairs: &[&str]) -> ContainerCreateBody {
    body.env = Some(pairs.iter().map(|p| (*p).to_owned()).collect());
    body
}

fn labels(mut body: ContainerCreateBody, pairs: &[(&str, &str)]) -> ContainerCreateBody {
    let labels = body.labels.get_or_insert_default();
    labels.extend(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    body
}

fn world(containers: Vec<Container>) -> World {
    let facts = containers.into_iter().map(|c| (c.of.id.clone(), Facts::new(c)));
    World { containers: facts.collect(), ..World::default() }
}

/// `api>db compose 0.95` without the corner's prefix.
fn words(corner: &Corner, edge: &Edge) -> String {
    let short = |name: &str| name.replace(&format!("{}-", corner.name), "");
    let source = format!("{:?}", edge.source).to_lowercase();
    format!("{}>{} {source} {}", short(&edge.from), short(&edge.to), edge.confidence)
}

fn changes(history: &History) -> Vec<String> {
    history.changes.iter().map(SpecChange::words).collect()
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_shared_network_namespace_is_known_by_its_owners_full_id() -> Fallible {
    let corner = Corner::new("namespace")?;
    let owner = corner.run("owner", IDLE).await?;
    for (short, given) in [("by-name", corner.full("owner")), ("by-id", owner[..12].to_owned())] {
        let mut body = corner.body(short, IDLE);
        body.host_config = Some(HostConfig {
            network_mode: Some(format!("container:{given}")),
            ..HostConfig::default()
        });
        let sharer = corner.start(short, body).await?;
        let sharer = inspect(&corner, &sharer).await?;
        assert_eq!(sharer.network_mode, format!("container:{owner}"), "given as {given}");
        assert!(sharer.networks.is_empty(), "it has no networks of its own");
        let name = sharer.of.name.clone();
        let world = world(vec![inspect(&corner, &owner).await?, sharer]);
        let edges = topology::upstream(&world, world.by_name(&name).ok_or("not there")?);
        let said: Vec<String> = edges.iter().map(|(e, _)| words(&corner, e)).collect();
        assert_eq!(said, [format!("{short}>owner namespace 1")]);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_life_of_a_container_changes_nothing_of_its_setup() -> Fallible {
    let corner = Corner::new("life")?;
    let network = corner.network("net").await?;
    let mut body = wired(&corner, "db", &network, &["store"]);
    body.volumes = Some(vec!["/scratch".to_owned()]);
    if let Some(host) = &mut body.host_config {
        let free = PortBinding { host_ip: None, host_port: Some("0".to_owned()) };
        host.port_bindings = Some(HashMap::from([("80/tcp".to_owned(), Some(vec![free]))]));
    }
    let options = CreateContainerOptionsBuilder::default().name(&corner.full("db")).build();
    let id = corner.docker.create_container(Some(options), body.clone()).await?.id;
    let created = inspect(&corner, &id).await?;
    assert_eq!(created.networks[0].aliases, ["store"]);
    let mut history = History::begin(&created);

    corner.docker.start_container(&id, None).await?;
    let running = inspect(&corner, &id).await?;
    let here = &running.networks[0];
    assert_eq!(here.aliases, ["store", &id[..12]], "the engine adds the short id at the start");
    assert!(!here.address.is_empty());
    history.see(&running, Timestamp::now());

    let patience = StopContainerOptionsBuilder::default().t(1).build();
    corner.docker.stop_container(&id, Some(patience)).await?;
    let stopped = inspect(&corner, &id).await?;
    assert_eq!(
        stopped.networks[0].address, "",
        "a stopped container keeps its place, not its address"
    );
    history.see(&stopped, Timestamp::now());

    // Made anew as it was: other ids, another random volume, the same setup.
    corner.remove("db").await?;
    let again = corner.start("db", body).await?;
    let again = inspect(&corner, &again).await?;
    let volume = |c: &Container| c.mounts.iter().find(|m| m.target == "/scratch").cloned();
    assert_ne!(volume(&again), volume(&stopped));
    assert!(history.see(&again, Timestamp::now()), "another container has it");
    assert_eq!(changes(&history), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_disconnect_removes_the_network_and_a_connect_brings_it_back_with_its_names() -> Fallible
{
    let corner = Corner::new("disconnect")?;
    let network = corner.network("net").await?;
    let db = corner.start("db", wired(&corner, "db", &network, &["store"])).await?;
    let mut history = History::begin(&inspect(&corner, &db).await?);
    let request = NetworkDisconnectRequest { container: db.clone(), ..Default::default() };
    corner.docker.disconnect_network(&network, request).await?;
    let alone = inspect(&corner, &db).await?;
    assert!(alone.networks.is_empty());
    assert_eq!(alone.network_mode, network, "the mode still names it");
    history.see(&alone, Timestamp::now());
    let endpoint =
        EndpointSettings { aliases: Some(vec!["store".to_owned()]), ..EndpointSettings::default() };
    let request = NetworkConnectRequest { container: db.clone(), endpoint_config: Some(endpoint) };
    corner.docker.connect_network(&network, request).await?;
    history.see(&inspect(&corner, &db).await?, Timestamp::now());
    let expected = [
        format!("network {network} attached as store → (missing)"),
        format!("network {network} (missing) → attached as store"),
    ];
    assert_eq!(changes(&history), expected);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_inspect_tells_how_a_container_is_set_up_and_no_secret() -> Fallible {
    let corner = Corner::new("setup")?;
    let volume = corner.full("data");
    let mut body = env(
        corner.body("api", IDLE),
        &[
            "PEER_URL=http://data:9000",
            "DATABASE_URL=postgres://app:hunter2@db:5432/shop",
            "API_TOKEN=hunter2",
            "EMPTY=",
        ],
    );
    body.user = Some("1000:1000".to_owned());
    body.host_config = Some(HostConfig {
        mounts: Some(vec![MountRequest {
            target: Some("/data".to_owned()),
            source: Some(volume.clone()),
            typ: Some(MountType::VOLUME),
            read_only: Some(true),
            ..MountRequest::default()
        }]),
        tmpfs: Some(HashMap::from([("/scratch".to_owned(), "size=8m".to_owned())])),
        readonly_rootfs: Some(true),
        shm_size: Some(8 << 20),
        pids_limit: Some(50),
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(32),
            hard: Some(64),
        }]),
        port_bindings: Some(HashMap::from([(
            "80/tcp".to_owned(),
            Some(vec![PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: Some("0".to_owned()),
            }]),
        )])),
        ..HostConfig::default()
    });
    let id = corner.start("api", body).await?;
    let api = inspect(&corner, &id).await?;
    corner.remove("api").await?;
    corner.docker.remove_volume(&volume, None::<RemoveVolumeOptions>).await?;
    let value = |name: &str| api.env.get(name).and_then(|v| v.value.as_deref());
    let hosts = |name: &str| api.env.get(name).map(|v| v.hosts.clone()).unwrap_or_default();
    assert_eq!((value("PEER_URL"), value("EMPTY")), (Some("http://data:9000"), Some("")));
    assert_eq!((value("DATABASE_URL"), value("API_TOKEN")), (None, None));
    assert_eq!(
        (hosts("PEER_URL"), hosts("DATABASE_URL")),
        (vec!["data:9000".to_owned()], vec!["db:5432".to_owned()])
    );
    assert!(!serde_json::to_string(&api)?.contains("hunter2"));
    let mounts: Vec<_> = api
        .mounts
        .iter()
        .map(|m| (m.kind.as_str(), m.source.as_str(), m.target.as_str(), m.writable))
        .collect();
    let expected =
        [("volume", volume.as_str(), "/data", false), ("tmpfs", "size=8m", "/scratch", true)];
    assert_eq!(mounts, expected);
    assert_eq!(api.ports.len(), 1);
    assert_eq!(
        (api.ports[0].port.as_str(), api.ports[0].host_address.as_str()),
        ("80/tcp", "127.0.0.1")
    );
    assert_eq!(api.user, "1000:1000");
    assert!(api.read_only_root);
    assert_eq!((api.shm_size, api.pids_limit, api.nofile), (Some(8 << 20), Some(50), Some(32)));
    let plain = corner.run("plain", IDLE).await?;
    let plain = inspect(&corner, &plain).await?;
    assert_eq!(
        (plain.shm_size, plain.pids_limit, plain.nofile),
        (None, None, None),
        "the defaults"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn every_source_of_an_edge_is_found_on_real_containers() -> Fallible {
    let corner = Corner::new("edges")?;
    let network = corner.network("net").await?;
    let in_project = |service: &str, body| {
        labels(
            body,
            &[
                ("com.docker.compose.project", &corner.name),
                ("com.docker.compose.service", service),
            ],
        )
    };
    let mut db = in_project("db", wired(&corner, "db", &network, &["store"]));
    if let Some(host) = &mut db.host_config {
        let free = PortBinding { host_ip: None, host_port: Some(String::new()) };
        host.port_bindings = Some(HashMap::from([("80/tcp".to_owned(), Some(vec![free]))]));
    }
    let cache = in_project("cache", wired(&corner, "cache", &network, &["cache"]));
    let queue = in_project("queue", wired(&corner, "queue", &network, &["queue"]));
    let api = labels(
        env(wired(&corner, "api", &network, &[]), &["CACHE_HOST=cache:6379"]),
        &[
            ("com.docker.compose.project", &corner.name),
            ("com.docker.compose.depends_on", "db:service_started:false"),
            ("sre-sentinel.depends-on", "queue"),
        ],
    );
    let lone = wired(&corner, "lone", &network, &[]);
    let mut found = Vec::new();
    for (short, body) in
        [("db", db), ("cache", cache), ("queue", queue), ("api", api), ("lone", lone)]
    {
        let id = corner.start(short, body).await?;
        found.push(inspect(&corner, &id).await?);
    }
    let address = found[0].networks[0].address.clone();
    // A port of the host, as a container reaches it: over its network's gateway.
    let gateway = corner.docker.inspect_container(&corner.full("db"), None).await?;
    let gateway = gateway.network_settings.and_then(|n| n.networks).unwrap_or_default();
    let gateway = gateway.get(&network).and_then(|e| e.gateway.clone()).ok_or("no gateway")?;
    found[0].ports[0].host_port = "15432".to_owned();
    let world = world(found);
    let of = |short: &str| world.by_name(&corner.full(short)).ok_or("not there");
    let said: Vec<String> =
        topology::upstream(&world, of("api")?).iter().map(|(e, _)| words(&corner, e)).collect();
    assert_eq!(said, ["api>queue label 1", "api>db compose 0.95", "api>cache environment 0.8"]);
    let all = topology::all(&world);
    let beside = |e: &&Edge| e.source == EdgeSource::Network && words(&corner, e).contains("lone");
    assert_eq!(all.iter().filter(beside).count(), 4, "neighbours of one network");
    for peer in
        [corner.full("db"), "store".to_owned(), format!("{address}:80"), format!("{gateway}:15432")]
    {
        let anomaly = complaint(&of("lone")?.container, &peer);
        let named = topology::named(&world, of("lone")?, &anomaly);
        let names: Vec<&str> = named.iter().map(|f| f.container.of.name.as_str()).collect();
        assert_eq!(names, [corner.full("db")], "{peer}");
        let edge = topology::needs(&world, of("lone")?, of("db")?, Some(&anomaly));
        assert_eq!(edge.map(|e| words(&corner, &e)).as_deref(), Some("lone>db log 0.7"));
    }
    assert!(topology::needs(&world, of("lone")?, of("db")?, None).is_none());
    Ok(())
}

/// A line that names a peer which does not answer.
fn complaint(of: &Container, peer: &str) -> Anomaly {
    Anomaly {
        id: AnomalyId("A1".to_owned()),
        container: of.of.clone(),
        kind: AnomalyKind::ConnectionRefused,
        severity: Severity::High,
        score: 0.9,
        summary: format!("cannot reach {peer}"),
        observed_at: Timestamp::now(),
        evidence: Vec::new(),
        detail: AnomalyDetail { peer: Some(peer.to_owned()), ..AnomalyDetail::default() },
    }
}

/// The engine behind the monitor, and what it asks to be remembered.
struct Remembering {
    engine: Engine,
    outlet: Outlet,
    kept: BTreeMap<String, History>,
}

impl Remembering {
    /// Takes signals until what is kept of a service fits.
    async fn until(
        &mut self,
        what: &str,
        service: &str,
        fits: impl Fn(&History) -> bool,
    ) -> Fallible {
        let deadline = Instant::now() + PATIENCE;
        while !self.kept.get(service).is_some_and(&fits) {
            let signal: Signal =
                timeout_at(deadline, next_signal(&mut self.outlet)).await.map_err(|_| {
                    format!("{what}: not seen; {:#?}", self.kept.get(service).map(changes))
                })?;
            for effect in self.engine.step(signal, Vec::new(), Timestamp::now()) {
                if let Effect::Remember { service, history } = effect {
                    self.kept.insert(service.service, *history);
                }
            }
        }
        Ok(())
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_changes_while_it_runs_and_what_a_deploy_changes_is_remembered() -> Fallible {
    let corner = Corner::new("changes")?;
    let network = corner.network("net").await?;
    let body = |value: &str| env(wired(&corner, "api", &network, &["api"]), &[value]);
    let id = corner.start("api", body("PEER_URL=http://data:9000")).await?;
    let monitor = monitor(&corner)?;
    let (inbox, outlet) = inbox();
    let stop = CancellationToken::new();
    let token = stop.clone();
    let watching = tokio::spawn(async move { monitor.run(inbox, token).await });
    let engine = Engine::new(EngineSettings::default(), Vec::new());
    let mut memory = Remembering { engine, outlet, kept: BTreeMap::new() };
    memory.until("its beginning", "api", |_| true).await?;

    let raised = ContainerUpdateBody {
        memory: Some(64 << 20),
        memory_swap: Some(64 << 20),
        ..ContainerUpdateBody::default()
    };
    corner.docker.update_container(&id, raised).await?;
    let last = |h: &History| changes(h).pop().unwrap_or_default();
    memory.until("the limit", "api", |h| last(h) == "memory limit (none) → 64 MiB").await?;

    let request = NetworkDisconnectRequest { container: id.clone(), ..Default::default() };
    corner.docker.disconnect_network(&network, request).await?;
    let lost = format!("network {network} attached as api → (missing)");
    memory.until("the network", "api", |h| last(h) == lost).await?;

    let before = Timestamp::now();
    corner.remove("api").await?;
    corner.start("api", body("PEER_URL=http://dtaa:9000")).await?;
    let typo = "env PEER_URL http://data:9000 → http://dtaa:9000";
    memory.until("the deploy", "api", |h| changes(h).iter().any(|c| c == typo)).await?;
    let history = &memory.kept["api"];
    let change = history.changes.iter().find(|c| c.words() == typo).ok_or("not there")?;
    assert!(change.at >= before && change.at <= Timestamp::now(), "when it was made");
    stop.cancel();
    watching.await??;
    Ok(())
}
