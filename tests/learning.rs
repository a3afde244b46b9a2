//! What was learned of a service outlives the run: the usual of its log, how it was configured.

mod support;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sentinel_core::detect::reader;
use sentinel_core::detect::score::learned::Learned;
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::spec::{History, SpecChange};
use sentinel_core::engine::Settings;
use sentinel_core::session::input::Announced;
use sentinel_tui::ports::{Inbox, LearnedLog, Monitor, PortError, Store};
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use support::idle::Idle;
use tokio_util::sync::CancellationToken;

/// An engine with one container that says these lines, then nothing.
struct Engine {
    container: ContainerId,
    says: Vec<String>,
}

impl Engine {
    fn watched(&self) -> Container {
        let plain = Container::plain(ContainerRef {
            id: self.container.clone(),
            name: "api".to_owned(),
            service: "api".to_owned(),
            project: None,
        });
        let image = format!("shop:{}", &self.container.as_str()[..1]);
        Container { image, ..plain }
    }

    fn line(&self, at: usize, text: &str) -> LogLine {
        LogLine {
            container: self.container.clone(),
            seq: at as u64 + 1,
            at: Timestamp::now(),
            stream: Stream::Stdout,
            text: text.into(),
            reading: reader::one(text),
            styles: None,
            history: false,
        }
    }
}

impl Monitor for Engine {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let engine = EngineInfo { name: "host".to_owned(), ..EngineInfo::default() };
            inbox.life(Signal::Attached { engine, watched: vec![self.watched()] }).await;
            let lines = self.says.iter().enumerate().map(|(at, text)| self.line(at, text));
            inbox.lines(lines.collect()).await;
            stop.cancelled().await;
            Ok(())
        })
    }

    fn inspect(&self, _: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        Box::pin(async { Ok(Some(self.watched())) })
    }
}

/// Runs until all lines were judged, then ends; gives what was learned.
async fn run(
    store: &SqliteStore,
    container: &str,
    says: &[&str],
) -> Result<Vec<Learned>, Box<dyn Error>> {
    let monitor = Engine {
        container: ContainerId(container.repeat(64)),
        says: says.iter().map(|s| (*s).to_owned()).collect(),
    };
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(monitor),
        remediator: Arc::new(Idle),
        models: None,
        runbooks: Arc::default(),
        store: Arc::new(store.clone()),
        role: Arc::new(Idle),
        signatures: Arc::clone(Signatures::builtin()),
        settings: Settings::default(),
        earlier: Vec::new(),
        announced: Announced::default(),
        recorder: None,
    });
    let mut snapshots = handle.snapshots();
    let stop = CancellationToken::new();
    let running = tokio::spawn(state.run(stop.clone()));
    let all = says.len() as u64;
    let heard = snapshots.wait_for(|s| s.containers.iter().any(|c| c.lines >= all));
    tokio::time::timeout(Duration::from_secs(20), heard).await??;
    stop.cancel();
    running.await?;
    let mut kept = store.load_learned(String::new()).await?;
    // Beside it, how each service was configured.
    kept.retain(|k| !k.key.starts_with("specs|"));
    Ok(kept.iter().map(|k| Learned::decode(k.content.as_bytes())).collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn a_restart_goes_on_with_what_an_earlier_run_learned() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let first =
        run(&store, "a", &["order 1 stored", "order 2 stored", "cache warmed"]).await.unwrap();
    assert_eq!(first.iter().map(Learned::templates).collect::<Vec<_>>(), [2]);
    drop(store);
    // Another run, another container of that name, other lines: nothing is forgotten.
    let store = SqliteStore::open(folder.path()).unwrap();
    let second = run(&store, "b", &["order 3 stored", "queue drained"]).await.unwrap();
    assert_eq!(second.iter().map(Learned::templates).collect::<Vec<_>>(), [3]);
}

/// Runs once with the container as it is now; gives the change memory that was kept.
async fn histories(store: &SqliteStore, container: &str) -> Result<Vec<History>, Box<dyn Error>> {
    run(store, container, &["ready"]).await?;
    let kept = store.load_learned("specs|host/".to_owned()).await?;
    Ok(kept.iter().map(|k| serde_json::from_str(&k.content)).collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn how_a_service_was_configured_outlives_the_run_and_damage_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let first = histories(&store, "a").await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(first[0].changes.is_empty());
    assert_eq!(first[0].container, Some(ContainerId("a".repeat(64))));
    // Another run finds another container of that name with another image.
    let second = histories(&store, "b").await.unwrap();
    let words: Vec<String> = second[0].changes.iter().map(SpecChange::words).collect();
    assert_eq!(words, ["image shop:a → shop:b"]);
    // What cannot be read is told and begun anew.
    let key = store.load_learned("specs|host/".to_owned()).await.unwrap()[0].key.clone();
    let damaged = LearnedLog { key, content: "{\"current\":7}".to_owned() };
    store.save_learned(damaged).await.unwrap();
    let third = histories(&store, "c").await.unwrap();
    assert_eq!((third.len(), third[0].changes.len()), (1, 0));
    assert_eq!(third[0].current.image, "shop:c");
}
