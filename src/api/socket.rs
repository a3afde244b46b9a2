//! The WebSocket: a snapshot, then events, resumable by number; for screens everything that they
//! show; commands with the token. A client that reads slowly is told what it missed.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::Snapshot;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant as TokioInstant, sleep_until, timeout};

use crate::api::deeds::actor;
use crate::api::follow::Next;
use crate::api::guard::{Caller, TAR};
use crate::api::house::{House, SOCKETS, Views};
use crate::api::problem::Problem;
use crate::api::room::Place as Seat;
use crate::api::token;
use crate::api::words::{Ask, Hello, LONGEST, PAGE, PROTOCOL, Place, Say, Want};
use crate::runtime::rings::{LogPage, Range};

/// How long the first word may take.
const FIRST: Duration = Duration::from_secs(5);
/// How long a client may let us wait until it reads on.
const PATIENCE: Duration = Duration::from_mins(1);
/// A sign of life is asked for this often.
const PING: Duration = Duration::from_secs(15);
/// A client that says nothing for this long has gone.
const SILENCE: Duration = Duration::from_mins(1);
/// The shortest time between two views.
const VIEW_EVERY: Duration = Duration::from_millis(200);
/// Writing a view may take this part of the time at most.
const VIEW_SHARE: u32 = 20;
/// Questions of one client: so many at once, and one more in each such time.
const ASKS: u32 = 100;
const ASK_EVERY: Duration = Duration::from_millis(10);
/// How long a snapshot may take to catch up with the events.
const CATCH_UP: Duration = Duration::from_millis(500);

/// The connection cannot be used any more, for this reason.
struct Gone(String);

/// Opens it.
pub(super) async fn open(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Extension(seat): Extension<Arc<Seat>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|why| Problem::new(why.status(), why.body_text()))?;
    let Ok(permit) = Arc::clone(&house.sockets).try_acquire_owned() else {
        let words = format!("{SOCKETS} WebSockets are open already");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, words));
    };
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    Ok(upgrade
        .on_upgrade(async move |socket| {
            let stop = house.stop.clone();
            let outcome = tokio::select! {
                () = stop.cancelled() => Ok(()),
                outcome = Conversation::hold(house, caller, socket) => outcome,
            };
            if let Err(Gone(why)) = outcome {
                tracing::debug!("a WebSocket of {} ended: {why}", caller.from);
            }
            drop((permit, seat));
        })
        .into_response())
}

/// What is remembered of a client.
struct Conversation {
    house: Arc<House>,
    caller: Caller,
    socket: WebSocket,
    name: String,
    /// Number of the last event that was sent.
    at: u64,
    heard: Instant,
    /// Until when earlier questions count.
    asked: Instant,
}

impl Conversation {
    async fn hold(house: Arc<House>, caller: Caller, socket: WebSocket) -> Result<(), Gone> {
        let now = Instant::now();
        let mut talk =
            Self { house, caller, socket, name: String::new(), at: 0, heard: now, asked: now };
        let hello = match timeout(FIRST, talk.hear()).await {
            Ok(Ok(Some(text))) => serde_json::from_str::<Hello>(&text),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(gone)) => return Err(gone),
            Err(_) => return talk.refuse("the first word did not come in time", None).await,
        };
        match hello {
            Ok(hello) => talk.welcome(hello).await,
            Err(error) => {
                talk.refuse(&format!("the first word is {{\"v\":1}}: {error}"), None).await
            }
        }
    }

    async fn welcome(mut self, hello: Hello) -> Result<(), Gone> {
        let version = || Some(env!("CARGO_PKG_VERSION").to_owned());
        if hello.v != PROTOCOL {
            let why = format!("this instance speaks version {PROTOCOL}, the client {}", hello.v);
            return self.refuse(&why, version()).await;
        }
        if let Some(shown) = &hello.token {
            if !token::is(&self.house.token, shown) {
                if self.house.wrong.take(self.caller.from.ip(), Instant::now()).is_err() {
                    tokio::time::sleep(TAR).await;
                }
                let why = "the token is wrong";
                return self.refuse(why, None).await;
            }
            self.caller.token = true;
        }
        if !self.caller.token && !self.house.reads_are_open {
            return self.refuse("show the token of this instance", None).await;
        }
        self.name = hello.name.unwrap_or_default();
        let run = self.house.run.clone();
        let may_change = self.caller.token;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.say(&Say::Welcome { v: PROTOCOL, version, run, may_change }).await?;
        match hello.resume {
            Some(Place { run, seq })
                if run == self.house.run && seq <= self.house.history.last() =>
            {
                self.at = seq;
            }
            _ if hello.want == Want::Events => self.begin_anew(0).await?,
            _ => self.at = self.house.history.last(),
        }
        self.go_on(hello.want).await
    }

    /// Sends what comes until the client goes.
    async fn go_on(mut self, want: Want) -> Result<(), Gone> {
        let mut newest = self.house.history.watch();
        let mut snapshots = self.house.handle.snapshots();
        let views = want == Want::View;
        let mut next_view = TokioInstant::now();
        let mut next_ping = TokioInstant::now() + PING;
        // What is there already is sent without waiting for more.
        newest.mark_changed();
        snapshots.mark_changed();
        loop {
            tokio::select! {
                text = self.hear() => match text? {
                    Some(text) => self.answer(&text).await?,
                    None => return Ok(()),
                },
                changed = newest.changed() => match changed {
                    Ok(()) => self.events().await?,
                    Err(_) => return Ok(()),
                },
                () = wait_for(&mut snapshots, next_view), if views => {
                    let cost = self.view().await?;
                    next_view = TokioInstant::now() + VIEW_EVERY.max(cost * VIEW_SHARE);
                }
                () = sleep_until(next_ping) => {
                    if self.heard.elapsed() > SILENCE {
                        return Err(Gone("no sign of life".to_owned()));
                    }
                    self.send(Message::Ping(Vec::new().into())).await?;
                    next_ping = TokioInstant::now() + PING;
                }
            }
            if self.house.handle.has_ended() {
                return self.refuse("sentinel-tui is shutting down", None).await;
            }
        }
    }

    /// The next text; none when the client has gone. Safe to be called off.
    async fn hear(&mut self) -> Result<Option<String>, Gone> {
        loop {
            match self.socket.recv().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Err(error)) => return Err(Gone(error.to_string())),
                Some(Ok(message)) => {
                    self.heard = Instant::now();
                    match message {
                        Message::Text(text) => return Ok(Some(text.as_str().to_owned())),
                        Message::Binary(_) => return Err(Gone("binary was sent".to_owned())),
                        _ => {}
                    }
                }
            }
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Gone> {
        // Whoever asks faster than that is answered later, and nobody else.
        let now = Instant::now();
        self.asked = self.asked.max(now) + ASK_EVERY;
        let ahead = self.asked.saturating_duration_since(now);
        tokio::time::sleep(ahead.saturating_sub(ASK_EVERY * ASKS)).await;
        match serde_json::from_str(text) {
            Ok(Ask::Logs { container, after, revision }) => {
                let (page, whole) = self.lines(&container, after, revision);
                let LogPage { entries, last, revision, .. } = page;
                self.say(&Say::Logs { container, entries, last, revision, whole }).await
            }
            Ok(Ask::Command { id, .. }) if !self.caller.token => {
                let text = "this instance takes no command without its token".to_owned();
                self.say(&Say::Answer { id, ok: false, text }).await
            }
            Ok(Ask::Command { id, command }) => {
                let by = actor(&self.name, &self.caller);
                let outcome = self.house.handle.command(by, command).await;
                let ok = outcome.is_ok();
                let text = outcome.unwrap_or_else(|error| error.to_string());
                self.say(&Say::Answer { id, ok, text }).await
            }
            Err(error) => self.refuse(&format!("not understood: {error}"), None).await,
        }
    }

    fn lines(&self, container: &ContainerId, after: u64, revision: u64) -> (LogPage, bool) {
        if after > 0 {
            // Marks share the number of the line before them: that one is read again.
            let range = Range::After { seq: after - 1, limit: PAGE };
            let page = self.house.handle.logs(container, range);
            if page.revision == revision && page.first_kept <= after && page.last >= after {
                return (page, false);
            }
        }
        (self.house.handle.logs(container, Range::Tail(PAGE)), true)
    }

    async fn events(&mut self) -> Result<(), Gone> {
        loop {
            match self.house.history.after(self.at) {
                Next::Events(events) if events.is_empty() => return Ok(()),
                Next::Events(events) => {
                    for (seq, text) in events {
                        self.send(Message::text(text.as_ref())).await?;
                        self.at = seq;
                    }
                }
                Next::Missed(missed) => self.begin_anew(missed).await?,
            }
        }
    }

    /// Sends how things are, as of an event at least, and goes on behind that event.
    async fn begin_anew(&mut self, missed: u64) -> Result<(), Gone> {
        let last = self.house.history.last();
        // A snapshot is made a moment after the events that it holds.
        let mut snapshots = self.house.handle.snapshots();
        snapshots.borrow_and_update();
        if last > 0
            && let Ok(Err(_)) = timeout(CATCH_UP, snapshots.changed()).await
        {
            return Err(Gone("sentinel-tui has ended".to_owned()));
        }
        let snapshot = self.house.handle.snapshot();
        let envelope = Envelope {
            v: 1,
            seq: last,
            ts: format!("{:.3}", snapshot.at),
            host: snapshot.engine.as_ref().map(|e| e.name.clone()).unwrap_or_default(),
            event: self.house.handle.snapshot_event(missed),
        };
        self.at = last;
        self.say(&envelope).await
    }

    /// Sends everything that a screen shows; how long it took to write.
    async fn view(&mut self) -> Result<Duration, Gone> {
        let snapshot = self.house.handle.snapshot();
        let (text, cost) = self.written(&snapshot)?;
        self.send(Message::text(text.as_ref())).await?;
        Ok(cost)
    }

    fn written(&self, snapshot: &Arc<Snapshot>) -> Result<(Arc<str>, Duration), Gone> {
        let mut views = self.house.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = views.text.as_ref().filter(|_| views.version == snapshot.version) {
            return Ok((Arc::clone(text), views.cost));
        }
        let begin = Instant::now();
        let text: Arc<str> = written(&Say::View { snapshot: Arc::clone(snapshot) })?.into();
        *views = Views {
            version: snapshot.version,
            text: Some(Arc::clone(&text)),
            cost: begin.elapsed(),
        };
        Ok((text, views.cost))
    }

    async fn refuse(&mut self, why: &str, version: Option<String>) -> Result<(), Gone> {
        self.say(&Say::Refused { why: why.to_owned(), version }).await?;
        self.send(Message::Close(None)).await?;
        Err(Gone(why.to_owned()))
    }

    async fn say(&mut self, what: &impl Serialize) -> Result<(), Gone> {
        let text = written(what)?;
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Gone(error.to_string())),
            Err(_) => Err(Gone(format!("it did not read for {PATIENCE:?}"))),
        }
    }
}

fn written(what: &impl Serialize) -> Result<String, Gone> {
    serde_json::to_string(what).map_err(|error| Gone(error.to_string()))
}

/// The next snapshot, not before that time.
async fn wait_for(snapshots: &mut watch::Receiver<Arc<Snapshot>>, earliest: TokioInstant) {
    sleep_until(earliest).await;
    if snapshots.changed().await.is_err() {
        // The run loop has ended, and the check behind the wait says so.
        tracing::debug!("no more snapshots");
    }
}
