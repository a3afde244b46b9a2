//! A server that speaks the wire formats of OpenRouter and Cerebras, with scripted answers and
//! scripted faults. It keeps what it was asked. Tests use it as a module, scripts through
//! `examples/model_server.rs`.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "each test binary and the example use their own part; what goes wrong is told on standard error"
)]

#[path = "format.rs"]
pub mod format;
#[path = "script.rs"]
pub mod script;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use format::{Answer, Step, Writer, whole};
use script::Script;

/// Bytes of a question.
const MOST_QUESTION: usize = 4 * 1024 * 1024;
/// Questions that are kept; the oldest go first.
const MOST_KEPT: usize = 10_000;

/// One question.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub path: String,
    /// The key in `authorization` is masked.
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

struct Shared {
    script: Script,
    requests: Mutex<VecDeque<Recorded>>,
    /// Answers that nobody read to the end.
    given_up: AtomicUsize,
    /// One line per question.
    record: Option<PathBuf>,
}

/// A server; it ends with this value.
pub struct Server {
    /// The address up to `/v1`.
    pub base_url: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    /// A server on a free port of this machine.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::listen("127.0.0.1:0".parse().map_err(io::Error::other)?, script, None)
    }

    /// A server at an address that takes its questions down in a file.
    pub fn listen(
        address: SocketAddr,
        script: Script,
        record: Option<PathBuf>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let shared = Arc::new(Shared {
            script,
            requests: Mutex::default(),
            given_up: AtomicUsize::new(0),
            record,
        });
        let stop = CancellationToken::new();
        // A thread of its own: it works beside a test's runtime and without one.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let router = router(Arc::clone(&shared));
        let stopped = stop.clone();
        std::thread::Builder::new().name("model-server".to_owned()).spawn(move || {
            runtime.block_on(async {
                let serve = async {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    axum::serve(listener, router).await
                };
                tokio::select! {
                    () = stopped.cancelled() => Ok(()),
                    served = serve => served,
                }
            })
        })?;
        Ok(Self { base_url, shared, stop })
    }

    /// The questions so far, `/models` included.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().map(|all| all.iter().cloned().collect()).unwrap_or_default()
    }

    /// The questions to a model so far.
    pub fn completions(&self) -> Vec<Recorded> {
        let mut all = self.requests();
        all.retain(|request| request.path.ends_with("/chat/completions"));
        all
    }

    /// How many answers nobody read to the end.
    pub fn given_up(&self) -> usize {
        self.shared.given_up.load(Ordering::SeqCst)
    }

    /// Waits until it ends, which it does by itself only if something fails.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
    }
}

/// The routes, to be served by whoever wants to (over TLS, say).
fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// The same answers on a router of one's own.
pub fn routes(script: Script) -> Router {
    router(Arc::new(Shared {
        script,
        requests: Mutex::default(),
        given_up: AtomicUsize::new(0),
        record: None,
    }))
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let body = to_bytes(body, MOST_QUESTION).await.unwrap_or_default();
    let recorded = Recorded {
        path: path.clone(),
        headers: masked(&head.headers),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    keep(&shared, &recorded);
    let script = &shared.script;
    let model = recorded.body.get("model").and_then(Value::as_str).unwrap_or_default();
    let with_usage = recorded.body.pointer("/stream_options/include_usage").is_some();
    let writer = Writer { flavour: script.flavour, model, with_usage };
    let sent = head.headers.get("authorization").and_then(|v| v.to_str().ok());
    let known = script.key.as_ref().is_none_or(|key| sent == Some(&format!("Bearer {key}")));
    let answer = if !known {
        writer.error(401, "api_key")
    } else if path.ends_with("/models") {
        match &script.models {
            Some(ids) => {
                let data: Vec<Value> =
                    ids.iter().map(|id| json!({"id": id, "object": "model"})).collect();
                whole(&json!({"object": "list", "data": data}))
            }
            None => writer.error(404, ""),
        }
    } else if path.ends_with("/chat/completions") {
        writer.answer(&script.act(&recorded), &recorded.body)
    } else {
        writer.error(404, "")
    };
    send(answer, Reader { shared: Arc::clone(&shared), finished: false }).await
}

/// Sees whether an answer was read to its end.
struct Reader {
    shared: Arc<Shared>,
    finished: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.finished {
            self.shared.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn send(answer: Answer, reader: Reader) -> Response {
    tokio::time::sleep(answer.delay).await;
    let steps = VecDeque::from(answer.steps);
    let body = stream::unfold((steps, reader), |(mut steps, mut reader)| async move {
        match steps.pop_front() {
            Some(Step::Bytes(bytes)) => {
                // Each event is a piece of its own on the wire.
                tokio::task::yield_now().await;
                reader.finished = steps.is_empty();
                Some((Ok(Bytes::from(bytes)), (steps, reader)))
            }
            Some(Step::Stall) => std::future::pending().await,
            Some(Step::Cut) => {
                // What was written before leaves first.
                tokio::task::yield_now().await;
                reader.finished = true;
                Some((Err(io::Error::other("cut")), (VecDeque::new(), reader)))
            }
            None => None,
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::IM_A_TEAPOT);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) =
            (name.parse::<axum::http::HeaderName>(), value.parse::<axum::http::HeaderValue>())
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn masked(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().unwrap_or("(no text)");
            let value = match name.as_str() {
                "authorization" => "Bearer ***",
                "proxy-authorization" => "***",
                _ => value,
            };
            (name.to_string(), value.to_owned())
        })
        .collect()
}

fn keep(shared: &Shared, recorded: &Recorded) {
    if let Ok(mut requests) = shared.requests.lock() {
        if requests.len() == MOST_KEPT {
            requests.pop_front();
        }
        requests.push_back(recorded.clone());
    }
    let Some(path) = &shared.record else { return };
    let line = json!({"path": recorded.path, "headers": recorded.headers, "body": recorded.body});
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, format!("{line}\n").as_bytes()));
    if let Err(error) = written {
        eprintln!("cannot write {}: {error}", path.display());
    }
}
