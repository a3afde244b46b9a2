//! Keeps the list of watched containers true: over events, gaps in them, and restarts of the
//! engine.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::EventMessage;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::container::{Container, RunState};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::monitor::client::Reader;
use crate::monitor::event::{self, Seen};
use crate::monitor::follow::{Follower, Past, Pulse};
use crate::monitor::listing::{There, watched};
use crate::monitor::needs::Needs;
use crate::monitor::sampler;
use crate::monitor::sampler::Running;
use crate::monitor::scope::Scope;
use crate::ports::{Inbox, PortError};

/// The logs of all containers must be attached within this; the rest follows by itself.
const ATTACH_PATIENCE: Duration = Duration::from_secs(2);
/// Events remembered so that a resumed stream repeats none.
const EVENTS_REMEMBERED: usize = 1024;
/// Events of a container that is not inspected yet.
const EVENTS_HELD: usize = 64;
/// An inspect that failed is tried again after this, so often, each time after twice as long.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// See [`LOOK_AGAIN`].
const LOOKS: u32 = 6;

/// A watched container.
pub(super) struct Tracked {
    pub(super) pulse: watch::Sender<Pulse>,
    pub(super) started_at: String,
    /// What reading its resources needs to know.
    measured: Running,
    pub(super) died_at: Option<Timestamp>,
    pub(super) needs: Needs,
    /// Counts its events: an inspect that was asked for before the last one is out of date.
    pub(super) news: u64,
    inspecting: bool,
}

/// The answer to an inspect.
struct Looked {
    id: ContainerId,
    news: u64,
    /// How often it was tried before.
    tried: u32,
    found: Result<Option<Container>, PortError>,
}

/// The state of watching.
pub(super) struct Supervisor {
    pub(super) reader: Reader,
    inbox: Inbox,
    pub(super) scope: Scope,
    cursors: HashMap<ContainerId, Timestamp>,
    usage_every: Duration,
    pub(super) tracked: HashMap<ContainerId, Tracked>,
    /// Events of containers that are being looked at for the first time.
    pub(super) held: HashMap<ContainerId, VecDeque<LifeEvent>>,
    running: watch::Sender<Vec<Running>>,
    recent: VecDeque<(Timestamp, ContainerId, String)>,
    /// Where the event stream is resumed.
    pub(super) last_event: Timestamp,
    looks: JoinSet<Looked>,
    followers: JoinSet<()>,
}

/// The runtime has gone: nobody listens any more.
pub(super) struct Unwanted;

impl Supervisor {
    pub(super) fn new(
        reader: Reader,
        inbox: Inbox,
        scope: Scope,
        usage_every: Duration,
        cursors: HashMap<ContainerId, Timestamp>,
    ) -> Self {
        Self {
            reader,
            inbox,
            scope,
            cursors,
            usage_every,
            tracked: HashMap::new(),
            held: HashMap::new(),
            running: watch::Sender::new(Vec::new()),
            recent: VecDeque::new(),
            last_event: Timestamp::UNIX_EPOCH,
            looks: JoinSet::new(),
            followers: JoinSet::new(),
        }
    }

    /// Watches until told to stop. `ahead` is how far the engine's clock is ahead of ours.
    pub(super) async fn run(
        mut self,
        engine: EngineInfo,
        ahead: SignedDuration,
        stop: CancellationToken,
    ) -> Result<(), PortError> {
        let now = Timestamp::now() + ahead;
        self.last_event = now;
        // Events from `now` on are kept by the engine until they are asked for below: nothing
        // falls between the list and the stream.
        let There { containers: watched, unread } = watched(&self.reader, &self.scope).await?;
        let mut attached = Vec::new();
        for container in &watched {
            let past = Past::of(self.cursors.get(&container.of.id).copied(), now);
            attached.push(self.track(container, past));
            // To be seen at once; what is judged waits until everything is attached.
            let seen = Box::new(container.clone());
            let word = Signal::Inspected { container: seen, unwitnessed: false, asked_at: None };
            if !self.inbox.life(word).await {
                return Ok(());
            }
        }
        for id in unread {
            // Looked at until it can be read, like one whose first event has just come.
            self.held.insert(id.clone(), VecDeque::new());
            self.look(id, 0, 1);
        }
        let mut events = self.reader.events(&event::since(now));
        self.publish_running();
        self.followers.spawn(sampler::sample(
            self.reader.clone(),
            self.inbox.clone(),
            self.usage_every,
            self.running.subscribe(),
        ));
        let deadline = Instant::now() + ATTACH_PATIENCE;
        for one in attached {
            // A follower that ended has nothing to attach to; the slow ones catch up by themselves.
            if timeout_at(deadline, one).await.is_err() {
                tracing::warn!("not all logs were attached in time");
                break;
            }
        }
        let mut wanted = self.inbox.life(Signal::Attached { engine, watched }).await;
        while wanted {
            let outcome = tokio::select! {
                () = stop.cancelled() => break,
                item = events.next() => self.event_item(item).await,
                Some(looked) = self.looks.join_next() => match looked {
                    Ok(looked) => self.looked(looked).await,
                    Err(error) => { tracing::warn!("an inspect failed: {error}"); Ok(true) }
                },
            };
            match outcome {
                Ok(true) => {}
                Ok(false) => match self.reconnect(&stop).await {
                    Ok(Some(again)) => events = again,
                    Ok(None) => break,
                    Err(Unwanted) => wanted = false,
                },
                Err(Unwanted) => wanted = false,
            }
        }
        Ok(())
    }

    /// Begins to watch a container.
    fn track(&mut self, container: &Container, past: Past) -> oneshot::Receiver<()> {
        let id = container.of.id.clone();
        let pulse = watch::Sender::new(Pulse {
            starts: 0,
            running: container.state == RunState::Running,
            gone: false,
        });
        let (told, attached) = oneshot::channel();
        let follower =
            Follower::new(self.reader.clone(), container, self.inbox.clone(), past, told);
        self.followers.spawn(follower.run(pulse.subscribe()));
        self.tracked.insert(
            id,
            Tracked {
                pulse,
                started_at: container.started_at_raw.clone(),
                measured: Running::of(container),
                died_at: None,
                needs: Needs::of(container),
                news: 0,
                inspecting: false,
            },
        );
        attached
    }

    pub(super) fn publish_running(&self) {
        let mut now: Vec<Running> = self
            .tracked
            .values()
            .filter(|t| t.pulse.borrow().running)
            .map(|t| t.measured.clone())
            .collect();
        now.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.running.send_if_modified(|known| {
            let changed = *known != now;
            if changed {
                *known = now;
            }
            changed
        });
        // Followers of containers that are gone have ended by themselves.
    }

    /// One item of the event stream. False when the stream is over.
    pub(super) async fn event_item(
        &mut self,
        item: Option<Result<EventMessage, Error>>,
    ) -> Result<bool, Unwanted> {
        while self.followers.try_join_next().is_some() {}
        match item {
            Some(Ok(raw)) => {
                if let Some(taken) = event::taken(&raw) {
                    self.taken(&taken).await?;
                } else if let Some(seen) = event::decode(raw) {
                    self.event(seen).await?;
                }
                Ok(true)
            }
            Some(Err(error)) => {
                tracing::debug!("event stream: {error}");
                if is_unreadable(&error) {
                    // Resuming before this event would meet it again.
                    self.last_event = self.last_event.max(Timestamp::now());
                }
                Ok(false)
            }
            None => Ok(false),
        }
    }

    pub(super) async fn event(&mut self, seen: Seen) -> Result<(), Unwanted> {
        let Seen { life, attributes } = seen;
        let key = (life.at, life.container.clone(), format!("{:?}", life.kind));
        if self.recent.contains(&key) {
            return Ok(());
        }
        if self.recent.len() == EVENTS_REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
        self.last_event = self.last_event.max(life.at);
        let id = life.container.clone();
        if let Some(held) = self.held.get_mut(&id) {
            if held.len() < EVENTS_HELD {
                held.push_back(life);
            }
            return Ok(());
        }
        if self.tracked.contains_key(&id) {
            return self.tracked_event(life).await;
        }
        // The engine sends a container's labels along with its events.
        let name = attributes.get("name").map_or("", String::as_str);
        let known_end = matches!(life.kind, LifeKind::Destroy);
        if !known_end && self.scope.watches(id.as_str(), name, &attributes) {
            self.held.insert(id.clone(), VecDeque::from([life]));
            self.look(id, 0, 0);
        }
        Ok(())
    }

    async fn tracked_event(&mut self, life: LifeEvent) -> Result<(), Unwanted> {
        let id = life.container.clone();
        let kind = life.kind.clone();
        let Some(tracked) = self.tracked.get_mut(&id) else { return Ok(()) };
        tracked.news += 1;
        match &kind {
            LifeKind::Start => {
                tracked.died_at = None;
                tracked.pulse.send_modify(|p| {
                    p.starts += 1;
                    p.running = true;
                });
            }
            LifeKind::Die { .. } | LifeKind::Stop => {
                tracked.died_at.get_or_insert(life.at);
                tracked.pulse.send_modify(|p| p.running = false);
            }
            _ => {}
        }
        let destroyed = matches!(kind, LifeKind::Destroy);
        self.tell(Signal::Life { event: life }).await?;
        if destroyed {
            return self.forget(&id).await;
        }
        if matches!(kind, LifeKind::Start | LifeKind::Die { .. } | LifeKind::Stop) {
            self.publish_running();
        }
        let news = self.tracked.get(&id).map_or(0, |t| t.news);
        // A signal alone changes nothing that an inspect shows.
        if !matches!(kind, LifeKind::Kill { .. } | LifeKind::Oom) {
            self.look(id, news, 0);
        }
        Ok(())
    }

    pub(super) async fn forget(&mut self, id: &ContainerId) -> Result<(), Unwanted> {
        if let Some(tracked) = self.tracked.remove(id) {
            tracked.pulse.send_modify(|p| {
                p.gone = true;
                p.running = false;
            });
            self.tell(Signal::Gone { container: id.clone() }).await?;
            self.publish_running();
        }
        Ok(())
    }

    /// Asks for an inspect; one at a time per container.
    pub(super) fn look(&mut self, id: ContainerId, news: u64, tried: u32) {
        if let Some(tracked) = self.tracked.get_mut(&id)
            && std::mem::replace(&mut tracked.inspecting, true)
        {
            return;
        }
        let reader = self.reader.clone();
        self.looks.spawn(async move {
            if tried > 0 {
                sleep(LOOK_AGAIN * 2_u32.pow(tried - 1)).await;
            }
            let found = reader.container(&id).await;
            Looked { id, news, tried, found }
        });
    }

    async fn looked(&mut self, looked: Looked) -> Result<bool, Unwanted> {
        let Looked { id, news, tried, found } = looked;
        match self.tracked.get_mut(&id) {
            Some(tracked) => {
                tracked.inspecting = false;
                if tracked.news != news {
                    // It changed meanwhile: what was seen may be older than the last event.
                    let news = tracked.news;
                    self.look(id, news, 0);
                    return Ok(true);
                }
            }
            // Removed while it was looked at: what was seen is no news.
            None if !self.held.contains_key(&id) => return Ok(true),
            None => {}
        }
        match found {
            Ok(Some(container)) => self.inspected(container, false).await?,
            Ok(None) => {
                self.held.remove(&id);
                self.forget(&id).await?;
            }
            Err(error) if tried < LOOKS => {
                tracing::debug!("{error}; looking again");
                self.look(id, news, tried + 1);
            }
            Err(error) => {
                tracing::warn!("{error}; giving up until its next event");
                self.held.remove(&id);
            }
        }
        Ok(true)
    }

    pub(super) async fn inspected(
        &mut self,
        container: Container,
        unwitnessed: bool,
    ) -> Result<(), Unwanted> {
        let id = container.of.id.clone();
        if let Some(tracked) = self.tracked.get_mut(&id) {
            tracked.started_at.clone_from(&container.started_at_raw);
            tracked.needs = Needs::of(&container);
            tracked.measured = Running::of(&container);
            self.publish_running();
            // A rename may take it out of what is watched (a parked predecessor).
            if !self.scope.keeps(&container.of.name) {
                return self.forget(&id).await;
            }
            return self
                .tell(Signal::Inspected {
                    container: Box::new(container),
                    unwitnessed,
                    asked_at: None,
                })
                .await;
        }
        // New since the start: every line of its log is news.
        drop(self.track(&container, Past::None));
        self.tell(Signal::Inspected {
            container: Box::new(container),
            unwitnessed: false,
            asked_at: None,
        })
        .await?;
        for life in self.held.remove(&id).unwrap_or_default() {
            self.tracked_event(life).await?;
        }
        self.publish_running();
        Ok(())
    }

    pub(super) async fn tell(&self, signal: Signal) -> Result<(), Unwanted> {
        if self.inbox.life(signal).await { Ok(()) } else { Err(Unwanted) }
    }
}

/// An event that does not decode; the stream cannot go on behind it.
fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::JsonDataError { .. } | Error::JsonSerdeError { .. })
}
