//! A gateway as Docker's is, in what our client has to cope with: it knows no revision after
//! 2025-11-25 and answers a question for it with 400, wants a token, forgets sessions, offers
//! tools that call other tools, and lets no secret pass.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Fallible;

/// What it knows and has seen.
#[derive(Default)]
pub struct Seen {
    pub token: Option<String>,
    /// Names of the tools that it offers.
    pub tools: Vec<&'static str>,
    pub sessions: BTreeSet<String>,
    /// How many sessions were opened so far.
    pub opened: usize,
    /// Calls that reached a tool, and what was called off.
    pub calls: Vec<String>,
}

/// A gateway that runs. Dropping it ends it.
pub struct Upstream {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Shared = Arc<Mutex<Seen>>;

fn lock(seen: &Shared) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Upstream {
    pub async fn start(token: Option<&str>, tools: &[&'static str]) -> Fallible<Self> {
        let seen =
            Seen { token: token.map(str::to_owned), tools: tools.to_vec(), ..Seen::default() };
        Self::on("127.0.0.1:0", Arc::new(Mutex::new(seen))).await
    }

    async fn on(address: &str, seen: Shared) -> Fallible<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let router = Router::new()
            .route("/mcp", post(posted).get(listened).delete(|| async { StatusCode::NO_CONTENT }))
            .route("/health", get(|| async { "ok" }))
            .with_state(Arc::clone(&seen));
        let end = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = axum::serve(listener, router) => drop(ended),
                () = end.cancelled() => {}
            }
        });
        Ok(Self { url, seen, stop })
    }

    /// Another one, at an address where one was before.
    pub async fn again(
        address: &str,
        token: Option<&str>,
        tools: &[&'static str],
    ) -> Fallible<Self> {
        let seen =
            Seen { token: token.map(str::to_owned), tools: tools.to_vec(), ..Seen::default() };
        Self::on(address, Arc::new(Mutex::new(seen))).await
    }

    /// Ends it and starts another at the same address, which knows no session of before.
    pub async fn restart(self) -> Fallible<Self> {
        let address = self.url.trim_start_matches("http://").to_owned();
        let seen = Arc::clone(&self.seen);
        drop(self);
        lock(&seen).sessions.clear();
        let deadline = tokio::time::Instant::now() + crate::LONG;
        loop {
            match Self::on(&address, Arc::clone(&seen)).await {
                Ok(again) => return Ok(again),
                Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
                // The port is free once the old one has ended.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

fn text(status: StatusCode, text: &str) -> Response {
    (status, text.to_owned()).into_response()
}

/// What the token and the session come to; `Some` is the refusal.
fn refused(seen: &Shared, headers: &HeaderMap, session: bool) -> Option<Response> {
    let seen = lock(seen);
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(token) = &seen.token
        && header("authorization") != Some(&format!("Bearer {token}"))
    {
        let challenge = [("www-authenticate", "Bearer realm=\"MCP Gateway\"")];
        return Some((StatusCode::UNAUTHORIZED, challenge, "Unauthorized").into_response());
    }
    if !session {
        return None;
    }
    match header("mcp-session-id") {
        Some(id) if seen.sessions.contains(id) => None,
        Some(_) => Some(text(StatusCode::NOT_FOUND, "session not found")),
        None => Some(text(StatusCode::BAD_REQUEST, "Bad Request: no session")),
    }
}

/// The stream of news, which has none.
async fn listened(State(seen): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(no) = refused(&seen, &headers, true) {
        return no;
    }
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}

fn events(messages: &[Value]) -> String {
    let all: Vec<String> =
        messages.iter().map(|m| format!("event: message\ndata: {m}\n\n")).collect();
    all.concat()
}

async fn posted(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return text(StatusCode::BAD_REQUEST, "Bad Request: no JSON");
    };
    let method = asked["method"].as_str().unwrap_or_default();
    if let Some(no) = refused(&seen, &headers, !matches!(method, "initialize" | "server/discover"))
    {
        return no;
    }
    let stream = [("content-type", "text/event-stream")];
    let result = |value: Value| json!({"jsonrpc": "2.0", "id": asked["id"], "result": value});
    match method {
        "server/discover" => text(
            StatusCode::BAD_REQUEST,
            "Bad Request: Unsupported protocol version (supported versions: 2025-11-25,2025-06-18,2025-03-26,2024-11-05)",
        ),
        "initialize" => {
            let id = {
                let mut seen = lock(&seen);
                seen.opened += 1;
                let id = format!("session-{}", seen.opened);
                seen.sessions.insert(id.clone());
                id
            };
            let hello = json!({
                "protocolVersion": asked["params"]["protocolVersion"],
                "capabilities": {"tools": {"listChanged": true}},
                "serverInfo": {"name": "Docker AI MCP Gateway", "version": "2.0.1"},
            });
            (
                [("content-type", "text/event-stream"), ("mcp-session-id", &id)],
                events(&[result(hello)]),
            )
                .into_response()
        }
        "tools/list" => {
            let tools: Vec<Value> = lock(&seen)
                .tools
                .iter()
                .map(|name| json!({"name": name, "description": "x", "inputSchema": {"type": "object"}}))
                .collect();
            (stream, events(&[result(json!({ "tools": tools }))])).into_response()
        }
        "tools/call" => called(&seen, &asked, &result).await,
        "notifications/cancelled" => {
            lock(&seen).calls.push("called off".to_owned());
            StatusCode::ACCEPTED.into_response()
        }
        other if asked.get("id").is_some() => {
            let error = json!({"code": -32601, "message": format!("{other}: not known")});
            let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "error": error});
            (stream, events(&[answer])).into_response()
        }
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

async fn called(seen: &Shared, asked: &Value, result: &impl Fn(Value) -> Value) -> Response {
    let stream = [("content-type", "text/event-stream")];
    let name = asked["params"]["name"].as_str().unwrap_or_default();
    let arguments = &asked["params"]["arguments"];
    let blocked = |how: String| {
        let error = json!({"code": 0, "message": how});
        json!({"jsonrpc": "2.0", "id": asked["id"], "error": error})
    };
    if arguments.to_string().contains("ghp_") {
        let block = blocked(format!("a secret is being passed to tool {name}"));
        return (stream, events(&[block])).into_response();
    }
    lock(seen).calls.push(format!("{name} {arguments}"));
    match name {
        "get_logs" => {
            let block = blocked("a secret is being returned by the get_logs tool".to_owned());
            (stream, events(&[block])).into_response()
        }
        // Nobody ever hears of it.
        "top" => std::future::pending().await,
        _ => {
            let structured = json!({"success": true, "message": format!("{name} done")});
            let value = json!({
                "content": [{"type": "text", "text": structured.to_string()}],
                "structuredContent": structured,
            });
            (stream, events(&[result(value)])).into_response()
        }
    }
}
