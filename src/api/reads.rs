//! What can be looked at.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use sentinel_core::domain::container::Container;
use sentinel_core::domain::event::{ContainerWire, IncidentWire};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};
use sentinel_core::domain::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::house::House;
use crate::api::problem::Problem;
use crate::api::{metrics, own};
use crate::runtime::rings::Range;

/// Log entries where nothing else is asked for.
const LINES: usize = 200;
/// The most log entries of one answer.
const MOST_LINES: usize = 2000;

/// The largest number that clients in JavaScript count exactly.
const LARGEST: u64 = (1 << 53) - 1;

type Asked<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(query: Asked<T>) -> Result<T, Problem> {
    query.map(|Query(asked)| asked).map_err(|error| Problem::bad(error.body_text()))
}

/// A number that every client can count, and every database.
fn number(asked: u64) -> Result<u64, Problem> {
    if asked <= LARGEST {
        Ok(asked)
    } else {
        Err(Problem::bad(format!("after is at most {LARGEST}")))
    }
}

/// The run loop answers.
pub(super) async fn alive(State(house): State<Arc<House>>) -> Response {
    told(!house.handle.has_ended(), "ok", "sentinel-tui is shutting down")
}

/// The engine is seen.
pub(super) async fn ready(State(house): State<Arc<House>>) -> Response {
    let snapshot = house.handle.snapshot();
    if house.handle.has_ended() {
        return told(false, "", "sentinel-tui is shutting down");
    }
    let seen = snapshot.engine.is_some() && snapshot.blind().is_none();
    told(seen, "ready", "the container engine is not seen")
}

fn told(well: bool, yes: &str, no: &str) -> Response {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "status": if well { yes } else { no } }))).into_response()
}

#[derive(Serialize)]
struct ContainerRow<'a> {
    #[serde(flatten)]
    container: ContainerWire,
    image: &'a str,
    usage: Option<&'a Usage>,
    deaths: u32,
    lines: u64,
    lines_dropped: u64,
    errors: u64,
}

impl<'a> ContainerRow<'a> {
    fn of(view: &'a ContainerView) -> Self {
        let container: &Container = &view.container;
        Self {
            container: ContainerWire::from(container),
            image: &container.image,
            usage: view.usage.as_ref(),
            deaths: view.deaths,
            lines: view.lines,
            lines_dropped: view.lines_dropped,
            errors: view.errors,
        }
    }
}

/// Containers with their usage, and how things are as a whole.
pub(super) async fn containers(State(house): State<Arc<House>>) -> Response {
    let snapshot = house.handle.snapshot();
    let rows: Vec<ContainerRow<'_>> = snapshot.containers.iter().map(ContainerRow::of).collect();
    Json(json!({
        "at": snapshot.at,
        "engine": snapshot.engine,
        "mode": snapshot.mode,
        "halted": snapshot.brakes.halt,
        "degraded": snapshot.degraded,
        "stale_since": snapshot.blind().map(|broken| broken.since),
        "containers": rows,
    }))
    .into_response()
}

/// Which lines.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    /// How many at most.
    limit: Option<usize>,
    /// Those behind this number instead of the last ones.
    after: Option<u64>,
}

/// Log lines of a container, by its id, a beginning of it of twelve digits or more, or its name.
pub(super) async fn logs(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    query: Asked<Lines>,
) -> Result<Response, Problem> {
    let lines = asked(query)?;
    let snapshot = house.handle.snapshot();
    let id = container(&snapshot, &id)?;
    let limit = lines.limit.unwrap_or(LINES);
    if limit == 0 || limit > MOST_LINES {
        return Err(Problem::bad(format!("limit is 1 to {MOST_LINES}")));
    }
    let range = match lines.after {
        Some(seq) => Range::After { seq: number(seq)?, limit },
        None => Range::Tail(limit),
    };
    let page = house.handle.logs(&id, range);
    let lines: Vec<Value> = page
        .entries
        .iter()
        .map(|entry| {
            let line = &entry.line;
            json!({
                "seq": line.seq, "at": line.at, "stream": line.stream, "level": line.reading.level,
                "text": line.text, "anomaly_id": entry.anomaly, "mark": entry.mark,
            })
        })
        .collect();
    Ok(Json(json!({
        "container": id, "first_kept": page.first_kept, "last": page.last, "lines": lines,
    }))
    .into_response())
}

fn container(snapshot: &Snapshot, asked: &str) -> Result<ContainerId, Problem> {
    let all = || snapshot.containers.iter().map(|view| &view.container.of);
    let exact = all().find(|of| of.id.as_str() == asked || of.name == asked);
    let short = || (asked.len() >= 12).then(|| all().find(|of| of.id.as_str().starts_with(asked)));
    exact
        .or_else(|| short().flatten())
        .map(|of| of.id.clone())
        .ok_or_else(|| Problem::none("no such container is watched"))
}

/// Which incidents.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    state: Shown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    #[default]
    All,
    Open,
    Closed,
}

/// Open incidents and the last closed ones, newest first.
pub(super) async fn incidents(
    State(house): State<Arc<House>>,
    query: Asked<Which>,
) -> Result<Response, Problem> {
    let which = asked(query)?.state;
    let snapshot = house.handle.snapshot();
    let shown = |incident: &&Arc<Incident>| match which {
        Shown::All => true,
        Shown::Open => !incident.state.is_closed(),
        Shown::Closed => incident.state.is_closed(),
    };
    let rows: Vec<IncidentWire> =
        snapshot.incidents.iter().filter(shown).map(|i| IncidentWire::from(i.as_ref())).collect();
    Ok(Json(json!({ "incidents": rows })).into_response())
}

/// Everything about one incident; what is not shown any more comes from the record.
pub(super) async fn incident(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let snapshot = house.handle.snapshot();
    if let Some(incident) = snapshot.incidents.iter().find(|i| i.id.as_str() == id) {
        return Ok(Json(incident).into_response());
    }
    match (house.records.incident)(id).await {
        Some(incident) => Ok(Json(incident).into_response()),
        None => Err(Problem::none("no such incident")),
    }
}

/// The tools that were discovered.
pub(super) async fn tools(State(house): State<Arc<House>>) -> Response {
    Json(json!({ "tools": *house.handle.snapshot().tools })).into_response()
}

/// Which records.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Behind {
    /// Those behind this number; 0 is the beginning.
    #[serde(default)]
    after: u64,
}

/// A bounded page of the audit trail, oldest first.
pub(super) async fn audit(
    State(house): State<Arc<House>>,
    query: Asked<Behind>,
) -> Result<Response, Problem> {
    let after = number(asked(query)?.after)?;
    let records = (house.records.audit)(after)
        .await
        .map_err(|why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why))?;
    let next = records.last().and_then(|record| record.get("n")).cloned();
    Ok(Json(json!({ "records": records, "next": next })).into_response())
}

/// Figures for Prometheus.
pub(super) async fn figures(State(house): State<Arc<House>>) -> Response {
    let refused = house.refused.load(std::sync::atomic::Ordering::Relaxed);
    let text =
        metrics::text(&house.handle.snapshot(), &house.history.tally(), own::read(), refused);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
