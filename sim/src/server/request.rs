//! A request, from its first byte to its answer.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response};
use serde_json::Value;

use crate::engine::Engine;
use crate::query::Query;
use crate::refused::Refused;
use crate::server::answer::{Answer, Body, cut};
use crate::server::asked::Asked;
use crate::server::{containers, control, things};
use crate::switches::Wire;
use crate::version::{Api, minor};

/// The longest body that is read, in bytes; images are not kept at all.
const BODY_MAX: usize = 4 << 20;

/// Answers a request, or does to it what the switches say.
pub(super) async fn answer(
    engine: Engine,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let api = engine.look(|world| world.setting.api);
    let method = request.method().clone();
    let head = method == Method::HEAD;
    let whole = request.uri().path().to_owned();
    let (version, path) = split_version(&whole);
    let mut breaks_off = None;
    // The switches themselves must stay in reach.
    let wrong =
        if path.starts_with("/sim/") { Vec::new() } else { engine.wrong(method.as_str(), path) };
    for fault in wrong {
        match fault {
            Wire::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Wire::Hang => std::future::pending().await,
            Wire::Fail(status) => {
                let message = "simulated failure of the engine".to_owned();
                return Ok(finish(Answer::from(Refused { status, message }), api));
            }
            Wire::Cut(bytes) => breaks_off = Some(bytes),
        }
    }
    let answered = match check(version, api) {
        Ok(()) => ask(engine, method, path, request).await,
        Err(refused) => Err(refused),
    };
    let answer = answered.unwrap_or_else(Answer::from);
    let mut response = finish(answer, api);
    if head {
        response = response.map(|_| cut(Answer::Empty(200).into_response().into_body(), u64::MAX));
    }
    Ok(match breaks_off {
        Some(bytes) => response.map(|body| cut(body, bytes)),
        None => response,
    })
}

async fn ask(
    engine: Engine,
    method: Method,
    path: &str,
    mut request: Request<Incoming>,
) -> Result<Answer, Refused> {
    let upgrade = request.headers().contains_key("upgrade");
    let upgrade = upgrade.then(|| hyper::upgrade::on(&mut request));
    let query = Query::read(request.uri().query().unwrap_or_default());
    let body = read_body(path, request).await?;
    let path = path.trim_matches('/').split('/').map(unescape).collect();
    route(Asked { engine, method, path, query, body, upgrade }).await
}

fn finish(answer: Answer, api: Api) -> Response<Body> {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("api-version", api.to_string()),
        ("docker-experimental", "false".to_owned()),
        ("ostype", "linux".to_owned()),
        ("server", format!("Docker/{} (linux) docker-sim", api.engine())),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// `/v1.47/info` is `1.47` and `/info`.
fn split_version(path: &str) -> (Option<&str>, &str) {
    let versioned = path.strip_prefix("/v").and_then(|rest| {
        let (version, _) = rest.split_once('/')?;
        minor(version)?;
        Some((Some(version), rest.get(version.len()..)?))
    });
    versioned.unwrap_or((None, path))
}

fn check(version: Option<&str>, api: Api) -> Result<(), Refused> {
    let Some(asked) = version.and_then(minor) else { return Ok(()) };
    let (newest, oldest) = (minor(&api.to_string()), minor(api.oldest()));
    if Some(asked) > newest {
        return Err(Refused::bad(format!(
            "client version 1.{asked} is too new. Maximum supported API version is {api}"
        )));
    }
    if Some(asked) < oldest {
        return Err(Refused::bad(format!(
            "client version 1.{asked} is too old. Minimum supported API version is {}, please upgrade your client to a newer version",
            api.oldest()
        )));
    }
    Ok(())
}

async fn read_body(path: &str, request: Request<Incoming>) -> Result<Value, Refused> {
    let mut body = request.into_body();
    if path.starts_with("/images/") {
        // An archive: its files are not simulated, but the client wants to be rid of it.
        while let Some(frame) = body.frame().await {
            frame.map_err(|e| Refused::bad(e.to_string()))?;
        }
        return Ok(Value::Null);
    }
    let bytes = Limited::new(body, BODY_MAX)
        .collect()
        .await
        .map_err(|e| Refused::bad(format!("the body cannot be read: {e}")))?
        .to_bytes();
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|e| Refused::bad(format!("invalid JSON: {e}")))
}

/// `a%2Fb` is `a/b`.
fn unescape(piece: &str) -> String {
    let mut pieces = piece.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        if let Some(byte) = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(piece.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn route(asked: Asked) -> Result<Answer, Refused> {
    let first = asked.path.first().map(String::as_str).unwrap_or_default();
    match first {
        "containers" | "exec" | "commit" => containers::route(asked).await,
        "sim" => control::route(&asked),
        _ => things::route(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_taken_off_and_checked() {
        assert_eq!(split_version("/v1.41/info"), (Some("1.41"), "/info"));
        assert_eq!(split_version("/version"), (None, "/version"));
        let api = Api::BEFORE_START_INTERVAL;
        assert!(check(Some("1.43"), api).is_ok() && check(None, api).is_ok());
        assert!(check(Some("1.44"), api).unwrap_err().message.contains("too new"));
        assert!(check(Some("1.9"), api).unwrap_err().message.contains("too old"));
    }

    #[test]
    fn names_are_unescaped() {
        assert_eq!(unescape("a%2Fb%3A1"), "a/b:1");
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz%C3%A9"), "%zzé");
    }
}
