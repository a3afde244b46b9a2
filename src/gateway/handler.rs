//! One session: what is listed, how a call goes, who hears of changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ResultType,
    ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, Peer, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use sentinel_core::domain::tool::{ToolCall, ToolResult, is_read};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::gateway::names::{Served, served};
use crate::gateway::pace::Pace;
use crate::gateway::trail::Recorded;
use crate::ports::Store;
use crate::remediate::backends::Backends;
use crate::remediate::calling::{self, Ended, Link};
use crate::remediate::directory::Absent;

/// Calls that are made at the same time; further ones wait.
pub(crate) const AT_ONCE: usize = 16;
/// Words about progress that may wait for a client.
const NEWS: usize = 16;
/// How long a client may take to take a word.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a watcher looks whether its client is still there.
const LOOK: Duration = Duration::from_mins(1);

/// What all sessions share.
pub(crate) struct House {
    /// The servers.
    pub(crate) backends: Backends,
    /// Serve only these, if any are named.
    pub(crate) only: BTreeSet<String>,
    /// Nothing may change anything.
    pub(crate) read_only: bool,
    /// Calls within a minute.
    pub(crate) pace: Pace,
    /// Calls at the same time.
    pub(crate) room: Semaphore,
    /// Where calls that may change something are put on record.
    pub(crate) store: Arc<dyn Store>,
    /// Set at the end.
    pub(crate) stop: CancellationToken,
}

impl House {
    /// Every tool that is served now, by its name here.
    pub(crate) fn served(&self) -> BTreeMap<String, Served> {
        let mut all = served(self.backends.directory.offers());
        all.retain(|name, tool| {
            let named = self.only.is_empty()
                || self.only.contains(name)
                || self.only.contains(&tool.offer.tool.name);
            named && (!self.read_only || self.only_reads(tool))
        });
        all
    }

    /// Whether a tool changes nothing, by our own table: what another server calls `get_logs`
    /// may do anything.
    fn only_reads(&self, tool: &Served) -> bool {
        is_read(&tool.offer.tool.name)
            && self.backends.specs().iter().any(|spec| spec.own && spec.name == tool.server)
    }

    fn tools(&self) -> Vec<Tool> {
        self.served().values().map(Served::tool).collect()
    }
}

/// One session.
#[derive(Clone)]
pub(crate) struct Handler(pub(crate) Arc<House>);

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build(),
        )
        .with_server_info(Implementation::new("sentinel-tui-gateway", env!("CARGO_PKG_VERSION")))
    }

    // All on one page: some clients read only the first.
    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.tools()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.served().get(name).map(Served::tool)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let house = &self.0;
        let Some(tool) = house.served().remove(request.name.as_ref()) else {
            let name = sentinel_core::redact::clean(request.name.as_bytes(), 128);
            return Err(ErrorData::invalid_params(
                format!("no tool {name:?} is served here; tools/list says which are"),
                None,
            ));
        };
        if let Err(wait) = house.pace.take(Instant::now()) {
            return Ok(not_called(&format!(
                "more than {} calls within a minute; try again in {:.0} s",
                house.pace.per_minute(),
                wait.as_secs_f64().ceil()
            )));
        }
        let arguments = request.arguments.clone().unwrap_or_default();
        if let Err(why) = tool.offer.check(&arguments) {
            return Ok(not_called(&format!("the arguments do not fit the schema: {why}")));
        }
        let Ok(_room) = house.room.acquire().await else {
            return Ok(not_called("the gateway is ending"));
        };
        let limits = house.backends.timeouts;
        let link = match house.backends.directory.link(&tool.server, limits.patience).await {
            Ok(link) => link,
            Err(Absent::Unknown) => return Ok(not_called("its server is no longer served")),
            Err(Absent::Down(why)) => {
                return Ok(not_called(&format!("its server is not connected: {why}")));
            }
        };
        let recorded = if house.only_reads(&tool) {
            None
        } else {
            let client = context.client_info().map_or_else(String::new, |info| info.name);
            // Secrets of the arguments have no place in a record.
            let arguments = calling::keepable(&arguments);
            let call = ToolCall { tool: tool.name.clone(), arguments };
            match Recorded::before(Arc::clone(&house.store), call, &client).await {
                Ok(recorded) => Some(recorded),
                Err(why) => return Ok(not_called(&format!("it cannot be put on record: {why}"))),
            }
        };
        let began = Instant::now();
        let ended = passed_on(&link, &tool, request, &context, limits).await;
        if let Some(recorded) = recorded {
            let (ok, message) = calling::summary(&link, &ended);
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            recorded.after(ToolResult { ok, message, duration_ms }).await;
        }
        match ended {
            Ended::Answered(CallToolResponse::Task(_)) => {
                Ok(failed("the tool answers with a task, which is not passed on here"))
            }
            Ended::Answered(CallToolResponse::Complete(mut result)) => {
                // Servers of earlier revisions do not say it, and clients of later ones want it.
                result.result_type.get_or_insert(ResultType::COMPLETE);
                Ok(result.into())
            }
            Ended::Answered(answer) => Ok(answer),
            Ended::Refused(error) => Err(error),
            Ended::Lost(why) => Ok(failed(&why)),
        }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        tokio::spawn(watch(Arc::clone(&self.0), context.peer));
    }

    fn accepted_subscription_filter(
        &self,
        _requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = Changes::new(Arc::clone(&self.0));
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                more = changes.next() => if !more { return Ok(()) },
            }
            let told = context.sink().notify_tool_list_changed();
            if !matches!(timeout(PATIENCE, told).await, Ok(Ok(()))) {
                return Ok(());
            }
        }
    }
}

/// Sends a call to its server; progress and a cancellation go through. A client that goes away
/// calls it off.
async fn passed_on(
    link: &Link,
    tool: &Served,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
    limits: crate::remediate::timeouts::Timeouts,
) -> Ended {
    let token = context.meta.get_progress_token();
    let mut params = request;
    params.name = tool.offer.tool.name.clone().into();
    // What the client says of itself and of its own connection ends here.
    params.meta = None;
    let (news, mut steps) = mpsc::channel::<ProgressNotificationParam>(NEWS);
    let sending = calling::send(link, params, limits, token.as_ref().map(|_| news));
    tokio::pin!(sending);
    let tell = async |mut step: ProgressNotificationParam| {
        let Some(token) = &token else { return };
        step.progress_token = token.clone();
        if !matches!(timeout(PATIENCE, context.peer.notify_progress(step)).await, Ok(Ok(()))) {
            tracing::debug!("a client did not take the word about progress");
        }
    };
    let ended = loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => tell(step).await,
            ended = &mut sending => break ended,
            // Dropping what was sent tells the server.
            () = context.ct.cancelled() => return Ended::Lost(
                "the client called it off; outcome not known: look at the target before you try again"
                    .to_owned(),
            ),
        }
    };
    while let Ok(step) = steps.try_recv() {
        tell(step).await;
    }
    ended
}

/// Wakes when the list of tools is another one.
struct Changes {
    house: Arc<House>,
    version: tokio::sync::watch::Receiver<u64>,
    before: Vec<Tool>,
}

impl Changes {
    fn new(house: Arc<House>) -> Self {
        let (version, before) = (house.backends.directory.listen(), house.tools());
        Self { house, version, before }
    }

    /// False at the end.
    async fn next(&mut self) -> bool {
        loop {
            tokio::select! {
                () = self.house.stop.cancelled() => return false,
                changed = self.version.changed() => if changed.is_err() { return false },
            }
            let now = self.house.tools();
            if now != self.before {
                self.before = now;
                return true;
            }
        }
    }
}

/// Tells a client of the earlier protocol when the list of tools changes, until it is gone.
async fn watch(house: Arc<House>, peer: Peer<RoleServer>) {
    let mut changes = Changes::new(house);
    loop {
        match timeout(LOOK, changes.next()).await {
            Ok(true) => {
                if !matches!(timeout(PATIENCE, peer.notify_tool_list_changed()).await, Ok(Ok(()))) {
                    tracing::debug!("a client was not told that the list of tools changed");
                }
            }
            Ok(false) => return,
            Err(_) => {}
        }
        if peer.is_transport_closed() {
            return;
        }
    }
}

fn not_called(why: &str) -> CallToolResponse {
    failed(&format!("nothing was called: {why}"))
}

fn failed(why: &str) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(why)]).into()
}
