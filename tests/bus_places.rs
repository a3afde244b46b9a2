//! Every way to Redis that docs/bus.md names: TLS with an authority of one's own and a login with no
//! more rights than needed, Sentinels, a Cluster, a unix socket.

mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::plan::Actor;
use sentinel_tui::bus::commands::{Outcome, ask};
use sentinel_tui::bus::consume::{Reader, Stream};
use sentinel_tui::bus::lease::RedisLeases;
use sentinel_tui::bus::look::look;
use sentinel_tui::bus::place::Place;
use sentinel_tui::bus::redis_bus::{Identity, RedisBus};
use sentinel_tui::config::bus::BusSettings;
use sentinel_tui::config::environment::Environment;
use sentinel_tui::ports::{Bus as _, Front, Leases as _, PortError};
use support::Fallible;
use support::redis::Redis;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

/// Says yes to everything.
struct Yes;

impl Front for Yes {
    fn state(&self, missed: u64) -> Event {
        Event::Snapshot { containers: Vec::new(), incidents: Vec::new(), missed }
    }

    fn knows(&self, _: &Command) -> bool {
        true
    }

    fn ask(&self, _: Actor, _: Command) -> BoxFuture<'_, Result<String, PortError>> {
        Box::pin(async { Ok("done".to_owned()) })
    }
}

fn settings(variables: &[(&str, String)]) -> Fallible<BusSettings> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Ok(BusSettings::decide(&Environment::of(variables))?.ok_or("no Redis")?.0)
}

/// All that the bus does, over one way: an event arrives, a command is answered, a lease is had.
async fn all_works(settings: &BusSettings) -> Fallible {
    let place = Arc::new(Place::new(settings)?);
    let host = "web-1".to_owned();
    let (instance, run) = ("i".to_owned(), "r".to_owned());
    let identity = Identity { host: host.clone(), instance, run };
    let bus = Arc::new(RedisBus::new(Arc::clone(&place), identity, None).with_commands(true));
    let (out, mut words) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let (token, runs) = (stop.clone(), Arc::clone(&bus));
    let running = tokio::spawn(async move { runs.run(Arc::new(Yes), out, token).await });
    let event = Event::CircuitClosed { server: "s".to_owned() };
    let ts = "2026-01-02T03:04:05.000Z".to_owned();
    bus.hear(&Arc::new(Envelope { v: 1, seq: 1, ts, host: host.clone(), event }));
    let mut reader = Reader::new(Arc::clone(&place), &host, Stream::Events, "g", "m");
    let deadline = Instant::now() + PATIENCE;
    let read = loop {
        assert!(Instant::now() < deadline, "no event: {:?}", words.try_recv());
        let entries = reader.next().await?;
        if !entries.is_empty() {
            break entries;
        }
    };
    assert_eq!(read.len(), 1);
    let told: serde_json::Value = serde_json::from_str(read[0].field("event"))?;
    assert_eq!((&told["type"], &told["run"]), (&"circuit_closed".into(), &"r".into()));
    reader.acknowledge(&[read[0].id.clone()]).await?;
    let halt = Command::Halt { reason: "a test".to_owned() };
    let answer = ask(&place, &host, "ann", &halt, PATIENCE).await?.ok_or("no answer")?;
    assert_eq!(answer.outcome, Outcome::Done);
    let leases = RedisLeases::new(Arc::clone(&place), &host, "i/r", Duration::from_mins(1));
    let lease = leases.take(vec![ContainerId("ab".repeat(32))], false).await?;
    lease.holds().await?;
    lease.end(true).await;
    stop.cancel();
    running.await?;
    assert_eq!(look(settings).await?.place, place.shown());
    Ok(())
}

/// A certificate of 127.0.0.1 by an authority of the test's own: files of authority, it and its key.
fn certificate(folder: &std::path::Path) -> Fallible<[PathBuf; 3]> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&authority_key)?;
    let key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let files = ["ca.pem", "own.pem", "key.pem"].map(|name| folder.join(name));
    for (path, text) in files.iter().zip([ca.pem(), own.pem(), key.serialize_pem()]) {
        std::fs::write(path, text)?;
    }
    Ok(files)
}

/// The rights that docs/bus.md gives a login.
fn documented_rights() -> Fallible<String> {
    let page = include_str!("../docs/bus.md");
    let (_, rest) = page.split_once("ACL SETUSER ").ok_or("no rights on the page")?;
    let (rights, _) = rest.split_once("```").ok_or("the rights do not end")?;
    Ok(rights.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn over_tls_with_no_more_rights_than_documented() -> Fallible {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    let [ca, own, key] = certificate(folder.path())?;
    let tls = support::redis::free_port()?.to_string();
    let rights = documented_rights()?.replace(">PASSWORD", ">pass-word");
    let acl = folder.path().join("users.acl");
    std::fs::write(&acl, format!("user default on nopass ~* &* +@all\nuser {rights}\n"))?;
    let path = |path: &PathBuf| path.display().to_string();
    let (own, key, acl) = (path(&own), path(&key), path(&acl));
    let redis = Redis::with(&[
        "--tls-port",
        &tls,
        "--tls-cert-file",
        &own,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &path(&ca),
        "--tls-auth-clients",
        "no",
        "--aclfile",
        &acl,
    ])?;
    redis.connection()?;
    let url = ("REDIS_URL", format!("rediss://127.0.0.1:{tls}"));
    let login =
        [("REDIS_USERNAME", "sentinel".to_owned()), ("REDIS_PASSWORD", "pass-word".to_owned())];
    let [user, password] = login;
    let authority = ("REDIS_CA_FILE", path(&ca));
    all_works(&settings(&[url.clone(), user.clone(), password.clone(), authority.clone()])?)
        .await?;

    let stranger = settings(&[url.clone(), user.clone(), password])?;
    let why = look(&stranger).await.err().ok_or("an unknown authority is trusted")?.to_string();
    assert!(why.contains("certificate"), "{why}");
    let wrong = ("REDIS_PASSWORD", "not-this".to_owned());
    let why = look(&settings(&[url, user, wrong, authority])?).await.err().ok_or("let in")?;
    assert!(!why.to_string().contains("not-this"), "{why}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn through_a_socket_and_by_a_sentinel() -> Fallible {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("redis.sock").display().to_string();
    let redis = Redis::with(&["--unixsocket", &socket, "--appendonly", "no", "--save", ""])?;
    redis.connection()?;
    all_works(&settings(&[("REDIS_URL", format!("unix://{socket}?db=3"))])?).await?;
    let sentinel = Redis::sentinel(&redis)?;
    let url = format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port);
    all_works(&settings(&[("REDIS_URL", url)])?).await?;
    let nobody = format!("redis-sentinel://127.0.0.1:{}/other", sentinel.port);
    assert!(look(&settings(&[("REDIS_URL", nobody)])?).await.is_err());
    Ok(())
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn in_a_cluster() -> Fallible {
    let redis = Redis::with(&["--cluster-enabled", "yes", "--appendonly", "no", "--save", ""])?;
    let mut node = redis.connection()?;
    redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec(&mut node)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state: String = redis::cmd("CLUSTER").arg("INFO").query(&mut node)?;
        if state.contains("cluster_state:ok") {
            break;
        }
        assert!(Instant::now() < deadline, "{state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let url = format!("redis-cluster://127.0.0.1:{}", redis.port);
    all_works(&settings(&[("REDIS_URL", url)])?).await
}
