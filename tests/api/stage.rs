//! A served API whose run loop is the test itself: one container, one incident with a staged plan.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::log::{LogEntry, LogLine, Reading, Stream};
use sentinel_core::domain::plan::Plan;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_tui::api::records::Records;
use sentinel_tui::api::serve::{Setup, start};
use sentinel_tui::config::api::ApiSettings;
use sentinel_tui::config::gateway::Secret;
use sentinel_tui::runtime::far::{self, Far};
use sentinel_tui::runtime::rings::LogPage;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::Fallible;

pub(crate) const TOKEN: &str = "a token for these tests only";
pub(crate) const INCIDENT: &str = "INC-20261126-120000-TEST";

/// What was asked of the run loop, and by whom.
pub(crate) type Asked = Arc<Mutex<Vec<(String, Command)>>>;

/// The stage. What it started ends with it.
pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(crate) events: broadcast::Sender<Arc<Envelope>>,
    pub(crate) asked: Asked,
    _folder: TempDir,
    stop: CancellationToken,
    looping: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
        self.looping.abort();
    }
}

impl Stage {
    pub(crate) fn new() -> Fallible<Self> {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    pub(crate) fn at(listen: SocketAddr) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let stop = CancellationToken::new();
        let (handle, far) = far::handle(Arc::new(snapshot()?));
        far.put(&id(), page(1, 5), true);
        let settings = ApiSettings {
            listen,
            token: Secret::new(TOKEN),
            hosts: vec!["sre-sentinel".to_owned()],
        };
        let setup = Setup {
            settings,
            state_dir: folder.path().to_owned(),
            handle: handle.clone(),
            records: records(),
        };
        let address = start(setup, stop.clone())?;
        let asked = Asked::default();
        let (snapshots, events) = (far.snapshots.clone(), far.events.clone());
        let looping = tokio::spawn(answer(far, Arc::clone(&asked)));
        Ok(Self { address, snapshots, events, asked, _folder: folder, stop, looping })
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<(String, Command)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Announces something.
    pub(crate) fn announce(&self, seq: u64, detail: &str) {
        let event = Event::Recovered { part: "docker".to_owned(), detail: detail.to_owned() };
        let (ts, host) = (String::new(), "vm".to_owned());
        // The API listens, or the test will fail.
        drop(self.events.send(Arc::new(Envelope { v: 1, seq, ts, host, event })));
    }
}

async fn answer(mut far: Far, asked: Asked) {
    while let Some(request) = far.asked().await {
        let refused = matches!(&request.command, Command::Dismiss { reason, .. } if reason == "no");
        asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((request.actor.to_string(), request.command));
        let outcome =
            if refused { Err("it is something".to_owned()) } else { Ok("done".to_owned()) };
        drop(request.reply.send(outcome));
    }
}

pub(crate) fn id() -> ContainerId {
    ContainerId(sentinel_core::domain::hash::sha256_hex(b"api"))
}

/// Log lines of these numbers.
pub(crate) fn page(from: u64, to: u64) -> LogPage {
    let line = |seq| LogLine {
        container: id(),
        seq,
        at: Timestamp::UNIX_EPOCH,
        stream: Stream::Stdout,
        text: format!("line {seq}").into(),
        reading: Reading::default(),
        styles: None,
        history: false,
    };
    let entry = |seq| {
        Arc::new(LogEntry {
            line: line(seq),
            anomaly: (seq == 4).then(|| "A-4".into()),
            mark: false,
        })
    };
    let entries = (from..=to).map(entry).collect();
    LogPage { entries, first_kept: from, last: to, revision: 1 }
}

/// The hash of the staged plan.
pub(crate) fn sha256(snapshot: &Snapshot) -> String {
    let plan = snapshot.incidents.first().and_then(|incident| incident.plan.as_ref());
    plan.map(|plan| plan.sha256.clone()).unwrap_or_default()
}

pub(crate) fn snapshot() -> Fallible<Snapshot> {
    let of =
        ContainerRef { id: id(), name: "shop-api".into(), service: "api".into(), project: None };
    let container = Container::plain(of.clone());
    let value = json!({
        "at": "2026-11-26T12:00:00Z", "version": 1, "mode": "approve",
        "engine": {"name": "vm", "version": "27", "api": "1.47", "cpus": 2, "memory": 1, "endpoint": "unix:///x"},
        "containers": [{
            "container": container, "usage": null, "cpu_history": [], "mem_history": [],
            "deaths": 1, "lines": 5, "lines_dropped": 0, "errors": 0,
        }],
        "incidents": [incident(&of)?], "anomalies": [], "degraded": [], "tools": [],
    });
    Ok(serde_json::from_value(value)?)
}

fn incident(of: &ContainerRef) -> Fallible<Incident> {
    let now = Timestamp::now();
    let later = now + SignedDuration::from_hours(1);
    let step = |step: u32, risk: &str| {
        json!({
            "id": format!("F{step}"), "step": step, "call": {"tool": "start_container", "arguments": {}},
            "target": of, "risk": risk, "reason": "it died", "diff": "d", "docker_line": "docker start shop-api",
            "downtime": "none", "inverse": null, "state": "staged", "result": null,
        })
    };
    let plan: Plan = serde_json::from_value(json!({
        "incident": INCIDENT, "steps": [step(1, "R1"), step(2, "R3")],
        "preconditions": {"image_id": "", "started_at": "", "config_hash": ""},
        "staged_at": now, "expires_at": later, "sha256": "",
    }))?;
    let incident: Value = json!({
        "id": INCIDENT, "container": of, "root": "shop-api", "state": "awaiting_approval",
        "severity": "high", "class": "transient_crash", "title": "shop-api exited with 7", "affected": [],
        "observed_at": now, "opened_at": now, "closed_at": null, "anomalies": [],
        "anomalies_dropped": 0, "diagnosis": null, "plan": plan.freeze(), "plans": 1, "checks": [],
        "not_acting": [], "timeline": [], "reopens": null, "explanation": null,
    });
    Ok(serde_json::from_value(incident)?)
}

fn records() -> Records {
    Records {
        audit: Arc::new(|after| {
            let all = (after + 1..=3).map(|n| json!({"n": n, "hash": "h", "record": {}}));
            let all: Vec<Value> = all.collect();
            async move { Ok(all) }.boxed()
        }),
        incident: Arc::new(|_| async { None }.boxed()),
    }
}
