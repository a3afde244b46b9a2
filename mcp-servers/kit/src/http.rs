//! Streamable HTTP at `/mcp`, for a server of ours and for the gateway: who may ask, under which
//! name, how large a request may be, and what clients of earlier revisions need.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::StreamExt as _;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::door::Bounded;

/// Bytes that a request may have: arguments of tools are small.
const MAX_BODY: usize = 1024 * 1024;
/// Connections at the same time; further ones wait.
const MAX_CONNECTIONS: usize = 512;
/// Sessions at the same time; one that is not used goes after five minutes.
const MAX_SESSIONS: usize = 256;
/// How long open answers may go on after the end was asked for.
const GOODBYE: Duration = Duration::from_secs(3);
/// From this revision on clients know events without data, which make a stream resumable.
const KNOWS_PRIMING: &str = "2025-11-25";
/// What a client accepts that says `*/*`, as curl does.
const BOTH: &str = "application/json, text/event-stream";

/// What a client must show. Never shows in a log.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// Takes the value of the variable `name`; `None` if nothing but white space is in it.
    pub fn new(text: &str, name: &'static str) -> Option<Self> {
        let text = text.trim();
        if !text.is_empty() && text.len() < 16 {
            tracing::warn!("{name} is shorter than 16 characters: easy to guess");
        }
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// Whether this is it, in a time that does not tell how much of it was right.
    fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where and for whom.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What a client must show.
    pub token: Option<Token>,
    /// The variable that the token comes from, for errors.
    pub token_name: &'static str,
    /// Nobody has to show anything.
    pub allow_unauthenticated: bool,
    /// Further names of this machine in `Host`, beside those of the loopback address.
    pub allowed_hosts: Vec<String>,
}

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum HttpError {
    /// Nobody would be asked who they are.
    #[error(
        "no token is set, so anybody could call the tools: set {0}, or serve on a loopback address with --allow-unauthenticated"
    )]
    NoToken(&'static str),
    /// Without a token only this machine may ask.
    #[error("{0} is no loopback address: without a token nobody else may be served; set {1}")]
    NotLoopback(SocketAddr, &'static str),
    /// The address cannot be used.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Serving broke off.
    #[error("serving MCP over HTTP failed: {0}")]
    Serving(#[from] io::Error),
}

impl HttpSettings {
    /// Whether it may be served like this.
    pub fn check(&self) -> Result<(), HttpError> {
        match (&self.token, self.allow_unauthenticated) {
            (Some(_), _) => Ok(()),
            (None, false) => Err(HttpError::NoToken(self.token_name)),
            (None, true) if self.listen.ip().is_loopback() => Ok(()),
            (None, true) => Err(HttpError::NotLoopback(self.listen, self.token_name)),
        }
    }

    /// Checks and opens the port.
    pub async fn bind(&self) -> Result<TcpListener, HttpError> {
        self.check()?;
        let failed = |source| HttpError::Listen { address: self.listen, source };
        TcpListener::bind(self.listen).await.map_err(failed)
    }
}

/// How it is going, for `/health`: anybody may ask, so it says no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether calls can be made.
    pub ok: bool,
    /// How many tools there are.
    pub tools: usize,
}

/// Serves what `make` gives, one for each session, until `stop`.
pub async fn serve<S, F>(
    make: F,
    health: impl Fn() -> Health + Clone + Send + Sync + 'static,
    settings: &HttpSettings,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), HttpError>
where
    S: ServerHandler + Send + 'static,
    F: Fn() -> S + Send + Sync + 'static,
{
    let sessions = Arc::new(LocalSessionManager::default());
    let mut hosts = StreamableHttpServerConfig::default().allowed_hosts;
    hosts.extend(settings.allowed_hosts.iter().cloned());
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"])
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_BODY)
        .with_cancellation_token(stop.child_token());
    let service = StreamableHttpService::new(move || Ok(make()), Arc::clone(&sessions), config);
    let door = Door { token: settings.token.clone(), sessions };
    let router = Router::new()
        .route_service("/mcp", service)
        .layer(from_fn_with_state(door, enter))
        .route("/health", get(move || std::future::ready(told(health()))));
    let serving = axum::serve(Bounded::new(listener, MAX_CONNECTIONS), router)
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = serving.into_future() => Ok(ended?),
        () = async { stop.cancelled().await; tokio::time::sleep(GOODBYE).await } => {
            tracing::warn!("open connections were cut off");
            Ok(())
        }
    }
}

fn told(health: Health) -> Response {
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if health.ok { "ok" } else { "no server is connected" };
    let body = format!("{{\"status\":\"{word}\",\"tools\":{}}}\n", health.tools);
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Who stands at the door.
#[derive(Clone)]
struct Door {
    token: Option<Token>,
    sessions: Arc<LocalSessionManager>,
}

async fn enter(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    if let Some(token) = &door.token
        && !shown(request.headers()).is_some_and(|shown| token.is(shown))
    {
        return (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Bearer realm=\"sentinel-tui\"")],
            "Unauthorized: show the token as Authorization: Bearer …\n",
        )
            .into_response();
    }
    // Every request without a session may open one.
    if request.method() == Method::POST
        && !request.headers().contains_key("mcp-session-id")
        && door.sessions.sessions.read().await.len() >= MAX_SESSIONS
    {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sessions are open; try again later\n")
            .into_response();
    }
    widen(request.headers_mut());
    let plain = !knows_priming(request.headers());
    let answer = next.run(request).await;
    if plain && is_stream(answer.headers()) { without_priming(answer) } else { answer }
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A client that takes anything, or does not say, takes what MCP answers with.
fn widen(headers: &mut HeaderMap) {
    let anything = match headers.get(ACCEPT).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(text)) => {
            text.split(',').any(|one| one.split(';').next().is_some_and(|t| t.trim() == "*/*"))
        }
        Some(Err(_)) => false,
    };
    if anything {
        headers.insert(ACCEPT, HeaderValue::from_static(BOTH));
    }
}

fn knows_priming(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").and_then(|value| value.to_str().ok());
    version.is_some_and(|version| version >= KNOWS_PRIMING)
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.starts_with("text/event-stream"))
}

/// The stream without events that carry no message: clients of earlier revisions, and people
/// with curl, take every `data:` line for one.
fn without_priming(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let events = body.into_data_stream().filter_map(|event| async move {
        match event {
            Ok(bytes) if is_empty_event(&bytes) => None,
            Ok(bytes) => Some(Ok::<Bytes, Infallible>(bytes)),
            Err(error) => {
                tracing::debug!("a stream of events broke off: {error}");
                None
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(events))
}

/// An event comes as one piece: lines, of which none is `data:` with something behind it. A
/// comment, which keeps a connection alive, has no data line at all.
fn is_empty_event(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data:")).peekable();
    data.peek().is_some() && data.all(|value| value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listen: &str, token: Option<&str>, allow: bool) -> HttpSettings {
        HttpSettings {
            listen: listen.parse().unwrap(),
            token: token.and_then(|t| Token::new(t, "T")),
            token_name: "T",
            allow_unauthenticated: allow,
            allowed_hosts: Vec::new(),
        }
    }

    #[test]
    fn without_a_token_nobody_is_served_but_this_machine_on_request() {
        assert!(settings("0.0.0.0:1", Some("secret"), false).check().is_ok());
        assert!(settings("127.0.0.1:1", None, true).check().is_ok());
        let error = settings("127.0.0.1:1", Some("  "), false).check().unwrap_err().to_string();
        assert!(error.contains("set T"), "{error}");
        let error = settings("0.0.0.0:1", None, true).check().unwrap_err().to_string();
        assert!(error.contains("no loopback address"), "{error}");
    }

    #[test]
    fn the_token_is_compared_whole() {
        let token = Token::new("secret", "T").unwrap();
        assert!(token.is("secret"));
        for wrong in ["", "secre", "secret ", "Secret", "secretsecret"] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "***");
    }

    #[test]
    fn a_client_that_takes_anything_is_widened_and_no_other() {
        for (accept, widened) in [
            (None, true),
            (Some("*/*"), true),
            (Some("text/html, */*;q=0.8"), true),
            (Some("application/json"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            widen(&mut headers);
            assert_eq!(headers.get(ACCEPT).is_some_and(|v| v == BOTH), widened, "{accept:?}");
        }
    }

    #[test]
    fn events_without_data_are_told_from_messages_and_comments() {
        assert!(is_empty_event(b"data: \nid: 0\nretry: 3000\n\n"));
        assert!(is_empty_event(b"data:\n\n"));
        assert!(!is_empty_event(b"data: {\"a\":1}\n\n"));
        assert!(!is_empty_event(b": keep-alive\n\n"));
        assert!(!is_empty_event(b"data: \xff\n\n"));
    }
}
