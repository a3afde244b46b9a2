//! One server over time: start it, ask what it offers, notice its end, start it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, ProtocolVersion,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, Peer, RunningService,
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
use crate::remediate::remediator::Timeouts;
use crate::remediate::spawn;

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
        let ended = service.waiting();
        tokio::pin!(ended);
        let end = loop {
            let asked = tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                _ = &mut ended => break End::Gone("it ended; it is started again".to_owned()),
                asked = self.discover(&link.peer) => asked,
            };
            match asked {
                Ok((offers, words)) => self.directory.up(self.place, link.clone(), offers, words),
                Err(why) => break End::Gone(why),
            }
            tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                _ = &mut ended => break End::Gone("it ended; it is started again".to_owned()),
                () = changed.notified() => {}
            }
        };
        link.gone.cancel();
        cancel.cancel();
        if timeout(GOODBYE, ended).await.is_err() {
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
