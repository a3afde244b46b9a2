//! One call: sent once, waited for with a bound, never repeated, called off when nobody waits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use rmcp::RoleClient;
use rmcp::handler::client::progress::ProgressDispatcher;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelledNotificationParam,
    ClientRequest, ErrorData, ProgressNotificationParam, Request, RequestId, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, ServiceError};
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::remediate::answer;
use crate::remediate::http::{Wants, told};
use crate::remediate::timeouts::Timeouts;

/// How long a word about progress may be behind the answer.
const LAST_WORD: Duration = Duration::from_millis(50);
/// What to do when nobody knows whether a call had an effect.
const UNKNOWN: &str = "outcome not known: look at the target before you try again";
/// How long telling a server that nobody waits any more may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection to a server, good until the server is gone.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Where calls go.
    pub(crate) peer: Peer<RoleClient>,
    /// Set once the connection has ended.
    pub(crate) gone: CancellationToken,
    /// Who hears of the progress of which call.
    pub(crate) progress: ProgressDispatcher,
    /// Woken when a call could not be sent: the connection has to be looked at.
    pub(crate) doubt: Arc<Notify>,
    /// Over HTTP: the endpoint, and what it can be given when it asks who we are.
    pub(crate) http: Option<(String, Wants)>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// The server answered.
    Answered(CallToolResponse),
    /// The server answered with a no.
    Refused(ErrorData),
    /// No answer came: why, and what that means.
    Lost(String),
}

/// News of a call that is being made; what is not taken in time is left out.
pub(crate) type News = mpsc::Sender<ProgressNotificationParam>;

/// Calls a tool. Arguments must have been checked. `news` hears how far it has come.
pub(crate) async fn call(
    link: &Link,
    call: &ToolCall,
    limits: Timeouts,
    news: Option<News>,
) -> (ToolResult, Value) {
    let began = Instant::now();
    let params =
        CallToolRequestParams::new(call.tool.clone()).with_arguments(call.arguments.clone());
    let (ok, message, value) = outcome(link, send(link, params, limits, news).await);
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    (ToolResult { ok, message, duration_ms }, value)
}

/// Sends a call and waits for its end. Progress buys it more time, up to a total.
pub(crate) async fn send(
    link: &Link,
    params: CallToolRequestParams,
    limits: Timeouts,
    news: Option<News>,
) -> Ended {
    let tool = params.name.clone();
    let request = ClientRequest::CallToolRequest(Request::new(params));
    let sending = link.peer.send_cancellable_request(request, PeerRequestOptions::no_options());
    let mut handle = match timeout(limits.call, sending).await {
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => return failed(link, &error),
        Err(_) => return Ended::Lost("the server takes no calls now; nothing was sent".to_owned()),
    };
    let mut progress = link.progress.subscribe(handle.progress_token.clone()).await;
    // Dropped early, the server is told that nobody waits any more.
    let mut abandoned = Abandoned { peer: link.peer.clone(), id: Some(handle.id.clone()) };
    let last = Instant::now() + limits.total;
    let mut deadline = last.min(Instant::now() + limits.call);
    let ended = loop {
        tokio::select! {
            // An answer that came just before the end counts.
            biased;
            answered = &mut handle.rx => break match answered {
                Ok(Ok(result)) => complete(result),
                Ok(Err(error)) => failed(link, &error),
                Err(_) => Ended::Lost(format!("the server ended during the call; {UNKNOWN}")),
            },
            () = link.gone.cancelled() => {
                break Ended::Lost(format!("the server ended during the call; {UNKNOWN}"));
            }
            Some(step) = progress.next() => {
                deadline = last.min(Instant::now() + limits.call);
                tell(&tool, step, news.as_ref());
            }
            () = tokio::time::sleep_until(deadline) => {
                abandoned.id = None;
                call_off(handle).await;
                // If it does not even say what it offers, it is started again.
                link.doubt.notify_one();
                let waited = if deadline == last { limits.total } else { limits.call };
                return Ended::Lost(format!(
                    "no answer within {} s; {UNKNOWN}",
                    waited.as_secs_f64()
                ));
            }
        }
    };
    abandoned.id = None;
    // What came before the answer is told, too. The client side takes words and answers in tasks
    // of their own, so the last word may be a moment behind; only who asked for words waits for it.
    let moment = if news.is_some() { LAST_WORD } else { Duration::ZERO };
    while let Ok(Some(step)) = timeout(moment, progress.next()).await {
        tell(&tool, step, news.as_ref());
    }
    ended
}

fn tell(tool: &str, step: ProgressNotificationParam, news: Option<&News>) {
    tracing::info!("{tool}: {}", words(&step));
    if news.is_some_and(|news| news.try_send(step).is_err()) {
        tracing::debug!("{tool}: nobody took the word about its progress");
    }
}

/// Tells the server that nobody waits any more.
async fn call_off(handle: RequestHandle<RoleClient>) {
    let told = handle.cancel(Some("no answer in time".to_owned()));
    if !matches!(timeout(FAREWELL, told).await, Ok(Ok(()))) {
        tracing::debug!("a server was not told that nobody waits for its answer");
    }
}

/// A call that nobody waits for, should this be dropped.
struct Abandoned {
    peer: Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let peer = self.peer.clone();
        runtime.spawn(async move {
            let reason = Some("nobody waits any more".to_owned());
            let params = CancelledNotificationParam::new(Some(id), reason);
            if !matches!(timeout(FAREWELL, peer.notify_cancelled(params)).await, Ok(Ok(()))) {
                tracing::debug!("a server was not told that nobody waits for its answer");
            }
        });
    }
}

/// A word about progress, in one safe line.
pub(crate) fn words(step: &ProgressNotificationParam) -> String {
    let total = step.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let message = step.message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
    answer::line(&format!("{}{total}{message}", step.progress))
}

fn complete(result: ServerResult) -> Ended {
    match result {
        ServerResult::CallToolResult(result) => Ended::Answered(result.into()),
        ServerResult::InputRequiredResult(asked) => {
            Ended::Answered(CallToolResponse::InputRequired(asked))
        }
        ServerResult::CreateTaskResult(task) => Ended::Answered(CallToolResponse::Task(task)),
        // An answer without content reads as one of nothing.
        ServerResult::EmptyResult(_) | ServerResult::TaskAckResult(_) => {
            Ended::Answered(CallToolResult::default().into())
        }
        _ => Ended::Lost(format!("the answer is none of a tool; {UNKNOWN}")),
    }
}

fn failed(link: &Link, error: &ServiceError) -> Ended {
    match error {
        ServiceError::McpError(error) => Ended::Refused(error.clone()),
        error => {
            link.doubt.notify_one();
            if let Some((url, wants)) = &link.http
                && (error.is_authorization_required() || told(error).contains("HTTP 401"))
            {
                return Ended::Lost(format!("nothing was called: {}", wants.words(url)));
            }
            Ended::Lost(format!("{}; {UNKNOWN}", told(error)))
        }
    }
}

fn outcome(link: &Link, ended: Ended) -> (bool, String, Value) {
    match ended {
        Ended::Answered(CallToolResponse::Complete(result)) => {
            let read = answer::read(result);
            (read.ok, read.message, read.value)
        }
        Ended::Answered(CallToolResponse::InputRequired(_)) => not_ok(
            "the tool asks for more input, which an approved call must not need; nothing was \
             answered",
        ),
        Ended::Answered(_) => {
            not_ok(&format!("the tool answers with a task instead of a result; {UNKNOWN}"))
        }
        Ended::Refused(error) => not_ok(&refusal(link, &error)),
        Ended::Lost(why) => not_ok(&why),
    }
}

/// Whether a call worked and what is said of it, in one safe line: for a record.
pub(crate) fn summary(link: &Link, ended: &Ended) -> (bool, String) {
    let (ok, message, _) = outcome(link, ended.clone());
    (ok, message)
}

/// Arguments as they may be kept: without secrets and control characters, bounded.
pub(crate) fn keepable(arguments: &Map<String, Value>) -> Map<String, Value> {
    match answer::kept(&Value::Object(arguments.clone())) {
        Value::Object(kept) => kept,
        _ => Map::new(),
    }
}

/// A server's no, in words. A gateway that lets no secret pass says so with the code 0.
fn refusal(link: &Link, error: &ErrorData) -> String {
    let said = &error.message;
    if link.http.is_none() || error.code.0 != 0 {
        return format!("the server refused the call: {said}");
    }
    if said.contains("returned by") {
        return format!(
            "the gateway's policy withheld the answer: {said}; the tool did run: look at the \
             target before you try again"
        );
    }
    format!("the gateway's policy blocked the call, and nothing was called: {said}")
}

fn not_ok(message: &str) -> (bool, String, Value) {
    let message = answer::line(message);
    let value = json!({ "success": false, "error": message });
    (false, message, value)
}
