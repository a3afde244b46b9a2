//! What can be asked for: the same commands as from every other front end, with the name of who
//! asks and from where. The token was looked at before.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::ids::{FixId, IncidentId};
use sentinel_core::domain::plan::{Actor, Plan, Risk};
use sentinel_core::redact;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value, json};
use tokio::time::timeout;

use crate::api::guard::Caller;
use crate::api::house::House;
use crate::api::problem::Problem;

/// Bytes of a request.
const LONGEST: usize = 16 * 1024;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a name.
const NAME: usize = 64;
/// The longest silence, in seconds: thirty days.
const LONGEST_SILENCE: u64 = 30 * 24 * 3600;

/// A JSON body, bounded in bytes and time.
pub(super) struct Body<T>(T);

impl<T: DeserializeOwned, S: Sync> extract::FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            let words = "the body is JSON: Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
        }
        match timeout(PATIENCE, to_bytes(request.into_body(), LONGEST)).await {
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")),
            Ok(Err(_)) => {
                let words = format!("a body has at most {LONGEST} bytes");
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words))
            }
            // A list would do for a struct, too: what is asked for is an object.
            Ok(Ok(bytes)) => serde_json::from_slice(&bytes)
                .and_then(|map| T::deserialize(Value::Object(map)))
                .map(Self)
                .map_err(|error| Problem::bad(format!("not understood: {error}"))),
        }
    }
}

/// A decision about a plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// Hash of the plan that was seen.
    sha256: String,
    /// Who decides.
    #[serde(default)]
    by: String,
    /// Why, for the timeline.
    #[serde(default)]
    reason: String,
    /// For what replaces or stops something: the name of the target.
    #[serde(default)]
    confirm: String,
}

/// Words for the record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    #[serde(default)]
    by: String,
    #[serde(default)]
    reason: String,
}

/// A silence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quiet {
    service: String,
    /// 0 ends it.
    #[serde(deserialize_with = "whole")]
    seconds: u64,
    #[serde(default)]
    by: String,
    #[serde(default)]
    reason: String,
}

/// A whole number, also where a client writes it as `60.0`: JSON knows no other kind.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let text = number.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text);
    whole.parse().map_err(|_| D::Error::custom("a whole number of seconds is wanted"))
}

/// Who asks, as the record has it.
pub(super) fn actor(name: &str, caller: &Caller) -> Actor {
    let name = redact::clean(name.trim().as_bytes(), NAME);
    let name = if name.is_empty() { "somebody" } else { &name };
    Actor::Person(format!("{name} via api from {}", caller.from.ip()))
}

async fn done(
    house: &House,
    caller: Caller,
    by: &str,
    command: Command,
) -> Result<Response, Problem> {
    let message = house.handle.command(actor(by, &caller), command).await?;
    Ok(Json(json!({ "message": message })).into_response())
}

/// The plan of an incident, if it is the one that was seen, and its first step.
fn seen(house: &House, id: &str, sha256: &str) -> Result<(Plan, FixId), Problem> {
    let snapshot = house.handle.snapshot();
    let incident = snapshot.incidents.iter().find(|i| i.id.as_str() == id);
    let incident = incident.ok_or_else(|| Problem::none("no such incident"))?;
    let Some(plan) = &incident.plan else {
        return Err(Problem::conflict("this incident has no plan"));
    };
    if plan.sha256 != sha256 {
        let words = "the plan is not the one with that hash; look at it again";
        return Err(Problem::conflict(words));
    }
    let first = plan.steps.first().map(|step| step.id.clone());
    let first = first.ok_or_else(|| Problem::conflict("the plan has no step"))?;
    Ok((plan.clone(), first))
}

/// Approves the staged plan of an incident.
pub(super) async fn approve(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<Decision>,
) -> Result<Response, Problem> {
    let (plan, fix) = seen(&house, &id, &decision.sha256)?;
    let target = plan.steps.first().map(|s| s.target.name.as_str()).unwrap_or_default();
    if plan.risk() >= Risk::R3 && decision.confirm != target {
        let words = "it replaces or stops something: confirm must be the name of its target";
        return Err(Problem::conflict(words));
    }
    let command = Command::Approve { fix, sha256: decision.sha256 };
    done(&house, caller, &decision.by, command).await
}

/// Rejects the staged plan of an incident.
pub(super) async fn reject(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<Decision>,
) -> Result<Response, Problem> {
    let (_, fix) = seen(&house, &id, &decision.sha256)?;
    let command = Command::Reject { fix, reason: decision.reason };
    done(&house, caller, &decision.by, command).await
}

/// Takes back what was applied of the plan of an incident.
pub(super) async fn undo(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<Decision>,
) -> Result<Response, Problem> {
    let (_, fix) = seen(&house, &id, &decision.sha256)?;
    let command = Command::Undo { fix, sha256: decision.sha256 };
    done(&house, caller, &decision.by, command).await
}

/// Says that an incident is nothing.
pub(super) async fn dismiss(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(why): Body<Why>,
) -> Result<Response, Problem> {
    let snapshot = house.handle.snapshot();
    if !snapshot.incidents.iter().any(|i| i.id.as_str() == id) {
        return Err(Problem::none("no such incident"));
    }
    let command = Command::Dismiss { incident: IncidentId(id), reason: why.reason };
    done(&house, caller, &why.by, command).await
}

/// Silences a service for a while, or ends that.
pub(super) async fn silence(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Body(quiet): Body<Quiet>,
) -> Result<Response, Problem> {
    let Quiet { service, seconds, by, reason } = quiet;
    if service.trim().is_empty() || seconds > LONGEST_SILENCE {
        return Err(Problem::bad("name a service, and at most 2592000 seconds"));
    }
    done(&house, caller, &by, Command::Silence { service, seconds, reason }).await
}

/// Throws the kill switch.
pub(super) async fn halt(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Body(why): Body<Why>,
) -> Result<Response, Problem> {
    done(&house, caller, &why.by, Command::Halt { reason: why.reason }).await
}

/// Releases the kill switch.
pub(super) async fn resume(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Body(why): Body<Why>,
) -> Result<Response, Problem> {
    done(&house, caller, &why.by, Command::Resume { reason: why.reason }).await
}
