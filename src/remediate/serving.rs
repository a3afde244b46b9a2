//! One server over time: reach it, ask what it offers, notice its end, reach it again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use rmcp::RoleClient;
use rmcp::model::{
    ClientRequest, ListToolsResult, PaginatedRequestParams, ProtocolVersion, RequestOptionalParam,
    ServerNotification, ServerResult, SubscriptionFilter,
};
use rmcp::service::{Peer, Subscription};
use sentinel_core::redact;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::remediate::calling::Link;
use crate::remediate::directory::{Directory, Place};
use crate::remediate::http::{cause, told as error_words};
use crate::remediate::offer::{Offer, Shared};
use crate::remediate::reaching::{Closed, Listener, Means, http_of, reach};
use crate::remediate::spec::{ServerSpec, Way};
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
    /// What it is known by.
    pub(crate) place: Place,
    /// How it is reached.
    pub(crate) spec: ServerSpec,
    /// What it is started with.
    pub(crate) means: Arc<Means>,
    /// Where what it offers is written down.
    pub(crate) directory: Arc<Directory>,
    /// Bounds.
    pub(crate) timeouts: Timeouts,
}

/// How a connection ended.
enum End {
    Stopped,
    Gone(String),
    /// Nothing but another catalogue will help.
    Hopeless(String),
}

impl Serving {
    /// Keeps the server running until `stop`, then ends it.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut wait = BACKOFF.0;
        loop {
            let began = Instant::now();
            match self.connection(&stop).await {
                End::Stopped => break,
                End::Gone(why) => self.down(&why),
                End::Hopeless(why) => {
                    self.down(&why);
                    stop.cancelled().await;
                    break;
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

    fn down(&self, why: &str) {
        let why = redact::clean(why.as_bytes(), 512);
        let name = &self.spec.name;
        if self.directory.down(self.place, why.clone()) {
            tracing::warn!("MCP server {name}: {why}");
        } else {
            // The same as at the attempt before: one line of it is enough.
            tracing::debug!("MCP server {name}: {why}");
        }
    }

    /// One conversation, from its start to its end.
    async fn connection(&self, stop: &CancellationToken) -> End {
        let listener = Listener::default();
        let (changed, progress) = (Arc::clone(&listener.changed), listener.progress.clone());
        // Dropping the attempt, at a stop or when it takes too long, ends the process.
        let connected = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            connected = reach(&self.spec, &self.means, listener, self.timeouts) => connected,
        };
        let service = match connected {
            Ok(service) => service,
            Err(Closed::Now(why)) => return End::Gone(why),
            Err(Closed::Ever(why)) => return End::Hopeless(why),
        };
        let http = http_of(&self.spec);
        // A connection over HTTP does not end when the other side does.
        let check = if http.is_some() { self.timeouts.check } else { Duration::MAX };
        let link = Link {
            peer: service.peer().clone(),
            gone: CancellationToken::new(),
            progress,
            doubt: Arc::default(),
            http,
        };
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
                () = link.doubt.notified() => {}
                () = tokio::time::sleep(check) => {}
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

    /// Asks to be told when the list of tools changes. Servers of the earlier protocol tell
    /// unasked (see [`Listener`]); one that cannot tell is simply not heard of again.
    async fn subscribe(&self, peer: &Peer<RoleClient>) -> Option<Subscription> {
        let tells = peer.peer_info().is_some_and(|info| {
            // Before, there was nothing to ask.
            info.protocol_version >= ProtocolVersion::V_2026_07_28
                && info.capabilities.tools.as_ref().and_then(|t| t.list_changed) == Some(true)
        });
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
        let mut foreign = Vec::new();
        let mut cursor = None;
        for page in 0.. {
            let params = PaginatedRequestParams::default().with_cursor(cursor.take());
            let listed = self.page(peer, params).await?;
            for tool in &listed.tools {
                if offers.len() >= MAX_TOOLS {
                    break;
                }
                if !self.is_asked_for(&tool.name) {
                    foreign.push(redact::clean(tool.name.as_bytes(), 128));
                    continue;
                }
                match Offer::new(&self.spec.name, tool) {
                    Ok(mut offer) if names.insert(offer.tool.name.clone()) => {
                        offer.tool.foreign = self.spec.is_foreign();
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
        if !foreign.is_empty() {
            foreign.truncate(MAX_WORDS);
            tracing::debug!(
                "MCP server {}: tools that no catalogue documents are left out: {}",
                self.spec.name,
                foreign.join(", ")
            );
        }
        words.extend(self.missing(&names));
        if words.len() > MAX_WORDS {
            let more = words.len() - MAX_WORDS;
            words.truncate(MAX_WORDS);
            words.push(format!("and {more} more words of that kind"));
        }
        Ok((offers, words))
    }
}

impl Serving {
    /// One page of its list, asked for anew: what was kept of an earlier answer would hide that
    /// nobody answers any more.
    async fn page(
        &self,
        peer: &Peer<RoleClient>,
        params: PaginatedRequestParams,
    ) -> Result<ListToolsResult, String> {
        let request = ClientRequest::ListToolsRequest(RequestOptionalParam::with_param(params));
        match timeout(self.timeouts.list, peer.send_request(request)).await {
            Ok(Ok(ServerResult::ListToolsResult(listed))) => Ok(listed),
            Ok(Ok(_)) => Err("it answers something else than its list of tools".to_owned()),
            Ok(Err(error)) => match http_of(&self.spec) {
                Some((url, wants)) if error.is_authorization_required() => Err(wants.words(&url)),
                Some((url, _)) => Err(match cause(&error) {
                    Some(cause) => format!("{url} does not answer ({cause})"),
                    None => format!("{url} does not answer: {}", error_words(&error)),
                }),
                None => Err(format!("it does not say what it offers: {error}")),
            },
            Err(_) => Err(format!(
                "it did not say what it offers within {} s",
                self.timeouts.list.as_secs_f64()
            )),
        }
    }

    /// Of a gateway only the tools that the catalogue documents are taken: it has others, which
    /// call any tool by its name.
    fn is_asked_for(&self, name: &str) -> bool {
        !matches!(self.spec.way, Way::Gateway { .. })
            || self.spec.tools.iter().any(|tool| tool == name)
    }

    /// What a gateway should offer and does not, in one sentence.
    fn missing(&self, names: &BTreeSet<String>) -> Option<String> {
        if !matches!(self.spec.way, Way::Gateway { .. }) {
            return None;
        }
        let missing: Vec<&str> =
            self.spec.tools.iter().map(String::as_str).filter(|t| !names.contains(*t)).collect();
        let (shown, more) = missing.split_at(missing.len().min(MAX_WORDS));
        if shown.is_empty() {
            return None;
        }
        let more =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        Some(format!(
            "it does not offer {}{more}, which the catalogue documents; look at its log and at its list of servers",
            shown.join(", ")
        ))
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
