//! One server over time: start it, ask what it offers, notice its end, start it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, ProtocolVersion,
    ServerNotification, SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, Peer, RunningService,
    Subscription,
};
use rmcp::{ClientHandler, RoleClient};
use sentinel_core::redact;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::remediate::calling::Link;
use crate::remediate::catalog::ServerSpec;
use crate::remediate::directory::Directory;
use crate::remediate::offer::{Offer, Shared};
use crate::remediate::spawn;
use crate::remediate::timeouts::Timeouts;

/// Tools that one server may offer.
const MAX_TOOLS: usize = 200;
/// Pages that its list may have.
const MAX_PAGES: usize = 50;
/// What is said of tools that were left out, at most.
const MAX_WORDS: usize = 10;
/// First and longest wait before a server is started again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// A connection that held this long makes the next wait a short one again.
const STEADY: Duration = Duration::from_secs(30);
/// How long a server may take to end: it sees the end of its input, then SIGTERM after 3 s, then
/// SIGKILL after 3 more.
const GOODBYE: Duration = Duration::from_secs(8);
/// How long telling it so beforehand may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// What it takes to keep one server running.
pub(crate) struct Serving {
    /// Its place in the catalogue.
    pub(crate) place: usize,
    /// How it is started.
    pub(crate) spec: ServerSpec,
    /// What it sees.
    pub(crate) variables: BTreeMap<String, String>,
    /// Where its program is looked for.
    pub(crate) path: Option<String>,
    /// Where what it offers is written down.
    pub(crate) directory: Arc<Directory>,
    /// Bounds.
    pub(crate) timeouts: Timeouts,
}

/// Our end of the conversation.
struct Listener {
    changed: Arc<Notify>,
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("sentinel-tui", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

/// How a connection ended.
enum End {
    Stopped,
    Gone(String),
}

impl Serving {
    /// Keeps the server running until `stop`, then ends it.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut wait = BACKOFF.0;
        loop {
            let began = Instant::now();
            match self.connection(&stop).await {
                End::Stopped => break,
                End::Gone(why) => {
                    let why = redact::clean(why.as_bytes(), 512);
                    tracing::warn!("MCP server {}: {why}", self.spec.name);
                    self.directory.down(self.place, why);
                }
            }
            if began.elapsed() >= STEADY {
                wait = BACKOFF.0;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(BACKOFF.1);
        }
        self.directory.ended(self.place);
    }

    /// One process, from its start to its end.
    async fn connection(&self, stop: &CancellationToken) -> End {
        let changed = Arc::new(Notify::new());
        let listener = Listener { changed: Arc::clone(&changed) };
        // Dropping the attempt, at a stop or when it takes too long, ends the process.
        let connected = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            connected = self.connect(listener) => connected,
        };
        let service = match connected {
            Ok(service) => service,
            Err(why) => return End::Gone(why),
        };
        let link = Link { peer: service.peer().clone(), gone: CancellationToken::new() };
        // However this function is left, calls under way learn that nobody answers them.
        let _gone = link.gone.clone().drop_guard();
        let cancel = service.cancellation_token();
        // Fused: it may be awaited again after it was seen to have ended.
        let ended = service.waiting().map(drop).fuse();
        tokio::pin!(ended);
        let mut news = tokio::select! {
            () = stop.cancelled() => None,
            news = self.subscribe(&link.peer) => news,
        };
        let end = loop {
            let asked = tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                () = &mut ended => break End::Gone("it ended; it is started again".to_owned()),
                asked = self.discover(&link.peer) => asked,
            };
            match asked {
                Ok((offers, words)) => self.directory.up(self.place, link.clone(), offers, words),
                Err(why) => break End::Gone(why),
            }
            tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                () = &mut ended => break End::Gone("it ended; it is started again".to_owned()),
                () = changed.notified() => {}
                () = told(&mut news) => {}
            }
        };
        link.gone.cancel();
        // A server may wait for its subscribers before it ends.
        if let Some(mut subscription) = news
            && !ended.is_terminated()
            && !matches!(timeout(FAREWELL, subscription.cancel()).await, Ok(Ok(())))
        {
            tracing::debug!("MCP server {} was not told of the end", self.spec.name);
        }
        cancel.cancel();
        if !ended.is_terminated() && timeout(GOODBYE, ended).await.is_err() {
            tracing::warn!("MCP server {} did not end in time", self.spec.name);
        }
        end
    }

    async fn connect(
        &self,
        listener: Listener,
    ) -> Result<RunningService<RoleClient, Listener>, String> {
        let process = spawn::spawn(&self.spec, &self.variables, self.path.as_deref())?;
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        // rmcp bounds its probe, not the handshake after it: a child that echoes or stays silent
        // would hold us for ever.
        match timeout(self.timeouts.connect, listener.serve_with_lifecycle(process, lifecycle))
            .await
        {
            Ok(Ok(service)) => Ok(service),
            Ok(Err(error)) => Err(format!("it does not speak MCP, or ended at once: {error}")),
            Err(_) => Err(format!(
                "it did not answer within {} s; is it an MCP server?",
                self.timeouts.connect.as_secs_f64()
            )),
        }
    }

    /// Asks to be told when the list of tools changes. Servers of the earlier protocol tell
    /// unasked (see [`Listener`]); one that cannot tell is simply not heard of again.
    async fn subscribe(&self, peer: &Peer<RoleClient>) -> Option<Subscription> {
        let tells = peer
            .peer_info()
            .and_then(|info| info.capabilities.tools.as_ref()?.list_changed)
            .unwrap_or_default();
        if !tells {
            return None;
        }
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        match timeout(self.timeouts.list, peer.listen(filter)).await {
            Ok(Ok(subscription)) => Some(subscription),
            Ok(Err(error)) => {
                tracing::debug!("MCP server {} takes no subscription: {error}", self.spec.name);
                None
            }
            Err(_) => {
                tracing::debug!("MCP server {} did not answer a subscription", self.spec.name);
                None
            }
        }
    }

    /// All pages of its list, within bounds; what was left out, in words.
    async fn discover(
        &self,
        peer: &Peer<RoleClient>,
    ) -> Result<(Vec<Shared>, Vec<String>), String> {
        let mut offers: Vec<Shared> = Vec::new();
        let mut words = Vec::new();
        let mut names = BTreeSet::new();
        let mut cursor = None;
        for page in 0.. {
            let params = PaginatedRequestParams::default().with_cursor(cursor.take());
            let listed = match timeout(self.timeouts.list, peer.list_tools(Some(params))).await {
                Ok(Ok(listed)) => listed,
                Ok(Err(error)) => return Err(format!("it does not say what it offers: {error}")),
                Err(_) => {
                    return Err(format!(
                        "it did not say what it offers within {} s",
                        self.timeouts.list.as_secs_f64()
                    ));
                }
            };
            for tool in &listed.tools {
                if offers.len() >= MAX_TOOLS {
                    break;
                }
                match Offer::new(&self.spec.name, tool) {
                    Ok(offer) if names.insert(offer.tool.name.clone()) => {
                        offers.push(Arc::new(offer));
                    }
                    Ok(offer) => words.push(format!("it offers {} twice", offer.tool.name)),
                    Err(word) => words.push(word),
                }
            }
            cursor = listed.next_cursor;
            if cursor.is_none() && offers.len() < MAX_TOOLS {
                break;
            }
            if offers.len() >= MAX_TOOLS || page + 1 >= MAX_PAGES {
                words.insert(
                    0,
                    format!("it offers more than {MAX_TOOLS} tools; the rest is left out"),
                );
                break;
            }
        }
        if words.len() > MAX_WORDS {
            let more = words.len() - MAX_WORDS;
            words.truncate(MAX_WORDS);
            words.push(format!("and {more} more words of that kind"));
        }
        Ok((offers, words))
    }
}

/// Waits for word that the list of tools changed; for ever, once nobody can bring it.
async fn told(news: &mut Option<Subscription>) {
    while let Some(subscription) = news {
        match subscription.next().await {
            Ok(Some(ServerNotification::ToolListChangedNotification(_))) => return,
            Ok(Some(_)) => {}
            Ok(None) => *news = None,
            Err(error) => {
                tracing::debug!("a subscription to changed tools ended: {error}");
                *news = None;
            }
        }
    }
    std::future::pending::<()>().await;
}
