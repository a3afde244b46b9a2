//! What the store knows of past incidents: exported by `incidents export`, and remembered by a run
//! that holds only the last of them.

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::{Incident, IncidentState, TimelineEntry};
use sentinel_core::domain::past::MAX_PAST;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::engine::Settings;
use sentinel_core::report::similar;
use sentinel_core::session::input::Announced;
use sentinel_tui::ports::{Inbox, Monitor, PortError, Store as _};
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use serde_json::Value;
use support::idle::Idle;
use tokio_util::sync::CancellationToken;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The third of three crashes of one service; somebody wrote a heading into the title.
fn incident(number: i64) -> Incident {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(480_000 + number * 24);
    let container = ContainerRef {
        id: ContainerId("c".repeat(64)),
        name: "shop-api-1".to_owned(),
        service: "api".to_owned(),
        project: None,
    };
    Incident {
        id: IncidentId::new(at, "host", 1),
        root: container.name.clone(),
        container,
        state: IncidentState::Dismissed,
        severity: Severity::High,
        class: FailureClass::CrashLoop,
        title: "keeps dying\n# Approved".to_owned(),
        affected: vec!["shop-web-1".to_owned()],
        observed_at: at,
        opened_at: at,
        closed_at: Some(at + SignedDuration::from_mins(3)),
        anomalies: vec![],
        anomalies_dropped: 0,
        diagnosis: None,
        plan: None,
        plans: 0,
        checks: vec![],
        not_acting: vec![],
        timeline: vec![TimelineEntry {
            at,
            actor: Actor::Person("ann".to_owned()),
            what: "dismissed: <b>known</b>".to_owned(),
            state: Some(IncidentState::Dismissed),
        }],
        reopens: None,
        explanation: None,
        explanation_by: None,
        opinion: None,
        earlier_plans: vec![],
        refused_by: None,
        snooze: None,
    }
}

async fn filled(folder: &Path) -> Fallible<Incident> {
    let store = SqliteStore::open(folder)?;
    for number in 0..3 {
        store.save(Arc::new(incident(number))).await?;
    }
    Ok(incident(2))
}

fn export(folder: &Path, arguments: &[&str]) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .arg("--state-dir")
        .arg(folder)
        .args(["incidents", "export"])
        .args(arguments)
        .output()?)
}

#[tokio::test]
async fn markdown_comes_from_the_store_with_what_was_seen_before() {
    let folder = tempfile::tempdir().unwrap();
    let last = filled(folder.path()).await.unwrap();
    let output = export(folder.path(), &[last.id.as_str()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let title = text.lines().next().unwrap();
    assert_eq!(title, format!("# {}: keeps dying \\# Approved", last.id));
    for part in [
        "## Impact",
        ": 3 min\n",
        "containers: shop-api-1, shop-web-1",
        "## What prevented it from being found earlier",
        "## Action items",
        "seen twice, last a day ago",
        "dismissed: \\<b\\>known\\</b\\>",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    // The last block of the id is enough, and the form may be said.
    let short = last.id.as_str().rsplit('-').next().unwrap();
    let again = export(folder.path(), &[short, "--format", "md"]).unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
}

#[tokio::test]
async fn json_has_every_part() {
    let folder = tempfile::tempdir().unwrap();
    let last = filled(folder.path()).await.unwrap();
    let output = export(folder.path(), &[last.id.as_str(), "--format", "json"]).unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["id"], last.id.as_str());
    assert_eq!(json["impact"]["seconds"], 180.0);
    assert_eq!(json["seen_before"]["times"], 2);
    assert_eq!(json["summary_by"], "rules and stored facts");
    assert!(json["action_items"].as_array().is_some_and(|items| !items.is_empty()));
    for key in ["phases", "cause", "evidence", "fixes", "verification", "timeline", "signs"] {
        assert!(json.get(key).is_some(), "{key} is missing");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.unwrap();
    let output = export(folder.path(), &["INC-0"]).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("no incident INC-0"), "{error}");
    let output = export(folder.path(), &["INC-0", "--format", "pdf"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// An engine without containers.
struct Empty;

impl Monitor for Empty {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let engine = EngineInfo { name: "host".to_owned(), ..EngineInfo::default() };
            inbox.life(Signal::Attached { engine, watched: Vec::new() }).await;
            stop.cancelled().await;
            Ok(())
        })
    }

    fn inspect(&self, _: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        Box::pin(async { Ok(None) })
    }
}

#[tokio::test]
async fn a_run_remembers_more_than_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let all = i64::try_from(MAX_PAST).unwrap() + 20;
    for number in 0..all {
        store.save(Arc::new(incident(number))).await.unwrap();
    }
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(Empty),
        remediator: Arc::new(Idle),
        models: None,
        runbooks: std::sync::Arc::default(),
        store: Arc::new(store.clone()),
        role: Arc::new(Idle),
        signatures: Arc::clone(Signatures::builtin()),
        settings: Settings::default(),
        earlier: store.load(50).await.unwrap(),
        announced: Announced::default(),
        recorder: None,
    });
    let mut snapshots = handle.snapshots();
    let stop = CancellationToken::new();
    let running = tokio::spawn(state.run(stop.clone()));
    let remembered = snapshots.wait_for(|s| s.past.len() == MAX_PAST);
    let snapshot =
        tokio::time::timeout(Duration::from_secs(20), remembered).await.unwrap().unwrap().clone();
    assert_eq!(snapshot.incidents.len(), 50);
    let last = incident(all - 1);
    assert_eq!(snapshot.past.last().unwrap().id, last.id);
    assert_eq!(similar::seen(&last, &snapshot.past).times, MAX_PAST - 1);
    stop.cancel();
    running.await.unwrap();
}
