//! Resources read from the kernel's files beside those that the engine tells, on a real engine.

mod support;

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerUpdateBody, HostConfig, ResourcesUlimits};
use jiff::Timestamp;
use sentinel_core::detect::Detector;
use sentinel_core::domain::anomaly::{Anomaly, AnomalyKind};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::usage::Usage;
use sentinel_tui::config::engine::Endpoint;
use sentinel_tui::config::filter::WatchFilter;
use sentinel_tui::monitor::scope::Scope;
use sentinel_tui::monitor::{DockerMonitor, Settings};
use sentinel_tui::ports::{Monitor as _, Outlet, inbox};
use support::{Corner, Fallible, eventually};
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);
/// Readings that are compared, each over half a second or more.
const READINGS: usize = 8;

/// A monitor that reads resources, and its readings by container.
struct Reading {
    outlet: Outlet,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    seen: HashMap<ContainerId, Vec<Usage>>,
}

impl Reading {
    /// Through the engine's socket: from the kernel's files, where they are to be had.
    fn of_files(corner: &Corner) -> Fallible<Self> {
        Self::begin(corner, corner.host.clone(), JoinSet::new())
    }

    /// Through a forwarded port, as to a machine elsewhere: from the engine.
    async fn of_engine(corner: &Corner) -> Fallible<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("tcp://{}", listener.local_addr()?);
        let socket = corner.host.trim_start_matches("unix://").to_owned();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut relays = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let Ok(mut far) = UnixStream::connect(&socket).await else { continue };
                relays.spawn(async move {
                    // Either end may hang up at any time.
                    drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
                });
            }
        });
        Self::begin(corner, url, tasks)
    }

    fn begin(corner: &Corner, url: String, mut tasks: JoinSet<()>) -> Fallible<Self> {
        let monitor = DockerMonitor::new(Settings {
            endpoint: Endpoint { url, source: "test".to_owned(), tls: None },
            scope: Scope {
                filters: vec![WatchFilter::parse(&corner.filter())?],
                ..Scope::default()
            },
            usage_every: Duration::from_millis(500),
            cursors: Vec::new(),
            salt: sentinel_core::domain::hash::Salt::default(),
        })?;
        let (inbox, outlet) = inbox();
        let stop = CancellationToken::new();
        let token = stop.clone();
        tasks.spawn(async move {
            if let Err(error) = monitor.run(inbox, token).await {
                tracing::error!("the monitor ended: {error}");
            }
        });
        Ok(Self { outlet, stop, tasks, seen: HashMap::new() })
    }

    fn take(&mut self) {
        // Nobody else empties the queues, and a full one would stop the monitor.
        while self.outlet.life.try_recv().is_ok() || self.outlet.logs.try_recv().is_ok() {}
        while let Ok(signal) = self.outlet.usage.try_recv() {
            if let Signal::Usage { sample } = signal {
                self.seen.entry(sample.container).or_default().push(sample.usage);
            }
        }
    }

    fn of(&self, id: &str) -> &[Usage] {
        self.seen.get(&ContainerId(id.to_owned())).map_or(&[], Vec::as_slice)
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.tasks.shutdown().await;
    }
}

fn mean(readings: &[Usage], of: impl Fn(&Usage) -> f64) -> f64 {
    readings.iter().map(of).sum::<f64>() / readings.len().max(1) as f64
}

/// Both within `share` of the greater one, or `slack` apart at most.
fn agree(what: &str, files: f64, engine: f64, share: f64, slack: f64) {
    let apart = (files - engine).abs();
    let allowed = slack.max(files.abs().max(engine.abs()) * share);
    assert!(apart <= allowed, "{what}: {files:.1} from files, {engine:.1} from the engine");
}

/// What has to be equal, or within a stated distance for what goes on changing meanwhile.
fn compare(name: &str, files: &[Usage], engine: &[Usage]) -> Fallible {
    let label = |what: &str| format!("{name}, {what}");
    let (last, theirs) = (
        files.last().ok_or("nothing from files")?,
        engine.last().ok_or("nothing from the engine")?,
    );
    // The same counters of the kernel at moments up to a second apart.
    let of = |read: &dyn Fn(&Usage) -> f64| (mean(files, read), mean(engine, read));
    let (a, b) = of(&|u| u.cpu_pct);
    agree(&label("processor"), a, b, 0.2, 5.0);
    let (a, b) = of(&|u| u.mem_used as f64);
    agree(&label("memory"), a, b, 0.05, 1e6);
    let (a, b) = of(&|u| u.mem_anon.unwrap_or_default() as f64);
    agree(&label("memory without files"), a, b, 0.05, 1e6);
    for (what, read) in [
        ("received", (|u| u.net_rx_bps) as fn(&Usage) -> f64),
        ("sent", |u| u.net_tx_bps),
        ("read", |u| u.disk_read_bps),
        ("written", |u| u.disk_write_bps),
    ] {
        let (a, b) = of(&read);
        agree(&label(what), a, b, 0.35, 2000.0);
    }
    assert_eq!(last.mem_limit, theirs.mem_limit, "{name}");
    assert_eq!(last.mem_anon.is_some(), theirs.mem_anon.is_some(), "{name}");
    assert_eq!(last.pids_limit, theirs.pids_limit, "{name}");
    assert_eq!(last.cpu_limit_pct, theirs.cpu_limit_pct, "{name}");
    assert_eq!(last.throttled_pct.is_some(), theirs.throttled_pct.is_some(), "{name}");
    let (a, b) = of(&|u| u.throttled_pct.unwrap_or_default());
    agree(&label("held back"), a, b, 0.3, 15.0);
    let (a, b) = of(&|u| u.pids as f64);
    agree(&label("processes"), a, b, 0.2, 1.5);
    // Only the files tell this.
    assert!(last.fds.is_some_and(|n| n > 0) && last.fds_limit.is_some_and(|n| n > 0), "{last:?}");
    assert_eq!(theirs.fds, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_kernels_files_say_what_the_engine_says() -> Fallible {
    let corner = Corner::new("both")?;
    // Busy within a quota, with memory of its own and a page cache.
    let script = "head -c 8000000 /dev/zero > /dev/shm/x; head -c 9000000 /dev/zero > /y; cat /y > /dev/null; while true; do :; done";
    let mut busy = corner.body("busy", script);
    busy.host_config = Some(HostConfig {
        nano_cpus: Some(200_000_000),
        memory: Some(64 << 20),
        pids_limit: Some(50),
        ..HostConfig::default()
    });
    let busy = corner.start("busy", busy).await?;
    // Serves itself over its own address: traffic on eth0 would need a second container.
    let server = corner
        .run("server", "mkdir /w; head -c 2000000 /dev/zero > /w/f; cd /w; httpd -f -p 80")
        .await?;
    let address = {
        let found = corner.docker.inspect_container(&server, None).await?;
        let networks = found.network_settings.and_then(|n| n.networks).unwrap_or_default();
        networks.into_values().find_map(|n| n.ip_address).ok_or("no address")?
    };
    let fetch = format!(
        "while true; do wget -q -O /dev/null http://{address}/f; dd if=/dev/zero of=/d bs=64k count=16 conv=fsync 2>/dev/null; sleep 0.2; done"
    );
    let client = corner.run("client", &fetch).await?;
    let mut host = corner.body("host", "sleep 1000");
    host.host_config = Some(HostConfig {
        network_mode: Some("host".to_owned()),
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(77),
            hard: Some(99),
        }]),
        ..HostConfig::default()
    });
    let host = corner.start("host", host).await?;
    let mut files = Reading::of_files(&corner)?;
    let mut engine = Reading::of_engine(&corner).await?;
    let all = [("busy", &busy), ("server", &server), ("client", &client), ("host", &host)];
    eventually("readings of all from both", PATIENCE, async || {
        files.take();
        engine.take();
        let enough = |reading: &Reading| all.iter().all(|(_, id)| reading.of(id).len() >= READINGS);
        Ok((enough(&files) && enough(&engine)).then_some(()))
    })
    .await?;
    for (name, id) in all {
        compare(name, files.of(id), engine.of(id))?;
    }
    let shown = files.of(&busy).last().ok_or("no reading")?;
    assert_eq!((shown.mem_limit, shown.pids_limit), (64 << 20, Some(50)));
    assert_eq!(shown.cpu_limit_pct, Some(20.0));
    // How often it is held back depends on what the machine has left for it: both agree, above.
    assert!(shown.throttled_pct.is_some(), "{shown:?}");
    assert!(mean(files.of(&client), |u| u.net_rx_bps) > 10_000.0, "there was traffic to compare");
    assert!(mean(files.of(&host), |u| u.net_rx_bps + u.net_tx_bps) == 0.0, "not its own traffic");
    assert_eq!(files.of(&host).last().and_then(|u| u.fds_limit), Some(77));
    // A changed limit shows.
    let raised = ContainerUpdateBody {
        memory: Some(96 << 20),
        memory_swap: Some(96 << 20),
        ..ContainerUpdateBody::default()
    };
    corner.docker.update_container(&busy, raised).await?;
    eventually("the new limit", PATIENCE, async || {
        files.take();
        engine.take();
        let shows = |r: &Reading| r.of(&busy).last().is_some_and(|u| u.mem_limit == 96 << 20);
        Ok((shows(&files) && shows(&engine)).then_some(()))
    })
    .await?;
    files.end().await;
    engine.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_container_under_another_parent_is_read_and_goes_on_after_a_restart() -> Fallible {
    let corner = Corner::new("parent")?;
    let mut body = corner.body("deep", "while true; do sleep 0.1; done");
    body.host_config = Some(HostConfig {
        // The engine makes it and leaves it behind: always the same one.
        cgroup_parent: Some("/sentinel-test".to_owned()),
        ..HostConfig::default()
    });
    let id = corner.start("deep", body).await?;
    let mut files = Reading::of_files(&corner)?;
    let has_files = |r: &Reading, more: usize| {
        // Only the files tell of open files.
        let with = r.of(&id).iter().filter(|u| u.fds.is_some()).count();
        (with >= more).then_some(with)
    };
    let before = eventually("readings", PATIENCE, async || {
        files.take();
        Ok(has_files(&files, 3))
    })
    .await?;
    let quick = bollard::query_parameters::RestartContainerOptionsBuilder::default().t(0).build();
    corner.docker.restart_container(&id, Some(quick)).await?;
    eventually("readings after the restart", PATIENCE, async || {
        files.take();
        Ok(has_files(&files, before + 3))
    })
    .await?;
    assert!(files.of(&id).iter().all(|u| u.cpu_pct >= 0.0 && u.cpu_pct < 1000.0));
    files.end().await;
    Ok(())
}

/// All that a detector says of a corner of the engine, by the container's short name.
struct Detecting {
    reading: Reading,
    detector: Detector,
    told: Vec<(String, Anomaly)>,
}

impl Detecting {
    fn begin(corner: &Corner) -> Fallible<Self> {
        let reading = Reading::of_files(corner)?;
        Ok(Self { reading, detector: Detector::new("test"), told: Vec::new() })
    }

    fn take(&mut self, corner: &Corner) {
        let Outlet { life, logs, usage } = &mut self.reading.outlet;
        while logs.try_recv().is_ok() {}
        while let Ok(signal) = life.try_recv().or_else(|_| usage.try_recv()) {
            for anomaly in self.detector.observe(&signal, Timestamp::now()) {
                let name = anomaly.container.name.trim_start_matches(&format!("{}-", corner.name));
                self.told.push((name.to_owned(), anomaly));
            }
        }
    }

    fn first(&self, name: &str, kind: AnomalyKind) -> Option<&Anomaly> {
        self.told.iter().find(|(of, a)| of == name && a.kind == kind).map(|(_, a)| a)
    }
}

/// A container with limits of its own.
async fn limited(corner: &Corner, name: &str, script: &str, host: HostConfig) -> Fallible {
    let mut body = corner.body(name, script);
    body.host_config = Some(host);
    corner.start(name, body).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn resources_that_run_out_are_told_and_a_page_cache_is_not() -> Fallible {
    let corner = Corner::new("runout")?;
    let mut detecting = Detecting::begin(&corner)?;
    let memory = |mebibytes: i64| HostConfig {
        memory: Some(mebibytes << 20),
        memory_swap: Some(mebibytes << 20),
        ..HostConfig::default()
    };
    // A variable more each second, of a mebibyte.
    let leak = "x=$(head -c 1048576 /dev/zero | tr '\\0' a); n=0; while :; do n=$((n+1)); eval v$n=\\$x; sleep 1; done";
    limited(&corner, "leak", leak, memory(48)).await?;
    // Files in memory are memory, too.
    let tmpfs = "while :; do head -c 1048576 /dev/zero >> /dev/shm/x; sleep 1; done";
    let shared = HostConfig { shm_size: Some(64 << 20), ..memory(48) };
    limited(&corner, "tmpfs", tmpfs, shared).await?;
    // The control: far more is read than the limit, twice, so that the cache counts as in use.
    let reader =
        "head -c 100000000 /dev/zero > /f; while :; do cat /f > /dev/null; sleep 0.2; done";
    limited(&corner, "reader", reader, memory(48)).await?;
    let forks = "for i in 1 2 3 4 5 6 7; do sleep 1000 & done; wait";
    let eight = HostConfig { pids_limit: Some(8), ..HostConfig::default() };
    limited(&corner, "forks", forks, eight).await?;
    let files = "mkdir /t; for i in $(seq 28); do echo > /t/$i; done; exec tail -f /t/*";
    let few = HostConfig {
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(32),
            hard: Some(32),
        }]),
        ..HostConfig::default()
    };
    limited(&corner, "files", files, few).await?;
    let expected = [
        ("leak", AnomalyKind::MemoryGrowth),
        ("leak", AnomalyKind::OomKill),
        ("tmpfs", AnomalyKind::MemoryGrowth),
        ("forks", AnomalyKind::PidsNearLimit),
        ("files", AnomalyKind::FdsNearLimit),
    ];
    let patience = Duration::from_mins(3);
    let seen = eventually("what runs out", patience, async || {
        detecting.take(&corner);
        Ok(expected.iter().all(|(n, k)| detecting.first(n, *k).is_some()).then_some(()))
    })
    .await;
    let told: Vec<_> =
        detecting.told.iter().map(|(n, a)| (n, a.kind, a.severity, &a.summary)).collect();
    seen.map_err(|error| format!("{error}: {told:#?}"))?;
    let growth = detecting.first("leak", AnomalyKind::MemoryGrowth).ok_or("told above")?;
    let kill = detecting.first("leak", AnomalyKind::OomKill).ok_or("told above")?;
    assert!(growth.observed_at < kill.observed_at, "before the kernel acts: {told:#?}");
    assert!(detecting.told.iter().any(|(n, a)| n == "leak" && a.severity == Severity::High));
    assert!(!detecting.told.iter().any(|(n, _)| n == "reader"), "{told:#?}");
    detecting.reading.end().await;
    Ok(())
}
