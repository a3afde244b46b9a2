//! The run loop: one signal at a time, then what the engine asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::engine::effect::Effect;
use sentinel_core::session::input::{Input, Start};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::ports::{Bus, Monitor, Outlet, PortError, Remediator, Store, inbox};
use crate::runtime::clock::Clock;
use crate::runtime::consulting::{Asked, Consulting, read_tools};
use crate::runtime::core::Core;
use crate::runtime::events::SharedEvents;
use crate::runtime::handle::{Handle, Request, Wanted};
use crate::runtime::hands::Hands;
use crate::runtime::known::Known;
use crate::runtime::paging::Pages;
use crate::runtime::parts::{Outcome, Parts};
use crate::runtime::rings::LogRings;
use crate::runtime::roles::{Change, Roles};
use crate::runtime::sources::{Near, Sources};
use crate::runtime::storing::{Job, STORE_QUEUE, work_off};

/// Events that a slow reader may be behind.
const EVENT_QUEUE: usize = 8192;
/// Requests that may wait.
const REQUEST_QUEUE: usize = 64;
/// Results of effects that may wait.
const RESULT_QUEUE: usize = 256;
/// Snapshots are made at most this often.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(100);
/// What was judged is remembered at least this often.
const CURSORS_EVERY: Duration = Duration::from_millis(250);
/// Roles that another instance has are asked for again after this.
const CLAIM_EVERY: Duration = Duration::from_secs(2);
/// Closed incidents taken over with the record.
const CLOSED_LOADED: usize = 50;
/// How long a call under way may take to come back after a stop was asked for.
const LAST_CALLS: Duration = Duration::from_secs(10);
/// How long the store and the servers may take to end.
const LAST_WRITES: Duration = Duration::from_secs(15);
/// The engine is woken no later than this, so that a clock that jumps does no harm.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A loop that is ready to run, and a handle to it: subscribe first, then run.
pub fn prepare(parts: Parts) -> (Handle, Loop) {
    let (requests_in, requests) = mpsc::channel(REQUEST_QUEUE);
    let (events, _) = broadcast::channel(EVENT_QUEUE);
    let now = Timestamp::now();
    let roles = Roles::new(parts.role, &parts.settings);
    let start = Start {
        run: format!("{}|{now}", parts.settings.host),
        settings: parts.settings,
        signatures: parts.signatures,
        earlier: parts.earlier,
        announced: parts.announced,
    };
    let mut core = Core::new(start, parts.recorder);
    let (snapshots, snapshots_out) = watch::channel(Arc::new(core.snapshot(now)));
    let rings = Arc::new(Mutex::new(LogRings::default()));
    let asked = Asked::new(parts.models, &parts.remediator, parts.runbooks);
    let recent = SharedEvents::default();
    let near = Near {
        store: Arc::clone(&parts.store),
        reads: read_tools(&parts.remediator),
        pages: Pages::new(Arc::clone(&parts.monitor)),
    };
    let sources = Sources { recent: recent.clone(), near: Some(near) };
    let shared = Arc::clone(&rings);
    let handle =
        Handle::new(requests_in, events.clone(), snapshots_out, shared, asked.clone(), sources);
    let state = Loop {
        monitor: parts.monitor,
        remediator: parts.remediator,
        asked,
        store: parts.store,
        roles,
        core,
        rings,
        recent,
        events,
        snapshots,
        requests,
        replies: HashMap::new(),
        cursors: HashMap::new(),
        known: Known::default(),
        clock: Clock::new(now),
        reached: false,
        learned_of: None,
        bus: None,
    };
    (handle, state)
}

/// The state of the loop.
pub struct Loop {
    pub(super) monitor: Arc<dyn Monitor>,
    pub(super) remediator: Arc<dyn Remediator>,
    pub(super) asked: Asked,
    pub(super) store: Arc<dyn Store>,
    pub(super) roles: Roles,
    pub(super) core: Core,
    pub(super) rings: Arc<Mutex<LogRings>>,
    pub(super) recent: SharedEvents,
    pub(super) events: broadcast::Sender<Arc<Envelope>>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) requests: mpsc::Receiver<Wanted>,
    pub(super) replies: HashMap<u64, oneshot::Sender<Result<String, String>>>,
    /// Last judged line per container, with whether it is new since the last save.
    pub(super) cursors: HashMap<ContainerId, (Timestamp, bool)>,
    pub(super) known: Known,
    pub(super) clock: Clock,
    pub(super) reached: bool,
    /// Whose services' usual lines are known: the engine's prefix of their keys in the store.
    pub(super) learned_of: Option<String>,
    /// Tells other machines, with what it sees of this one.
    pub(super) bus: Option<(Arc<dyn Bus>, Handle)>,
}

impl Loop {
    /// Runs until `stop` or until the engine turns out to be unreachable.
    pub async fn run(mut self, stop: CancellationToken) -> Outcome {
        let (inbox, outlet) = inbox();
        let Outlet { mut life, mut logs, mut usage } = outlet;
        let (results_in, mut results) = mpsc::channel(RESULT_QUEUE);
        let (jobs, jobs_out) = mpsc::channel(STORE_QUEUE);
        let storing = tokio::spawn(work_off(Arc::clone(&self.store), jobs_out, results_in.clone()));
        let mut hands = Hands {
            monitor: Arc::clone(&self.monitor),
            remediator: Arc::clone(&self.remediator),
            results: results_in.clone(),
            jobs,
            consulting: Consulting::new(self.asked.clone(), &results_in),
            tasks: JoinSet::new(),
        };

        let telling = CancellationToken::new();
        let others = self.tell_others(&results_in, telling.clone());
        let watching = CancellationToken::new();
        let monitor = Arc::clone(&self.monitor);
        let token = watching.clone();
        let mut monitoring: JoinHandle<Result<(), PortError>> =
            tokio::spawn(async move { monitor.run(inbox, token).await });
        let remediator = Arc::clone(&self.remediator);
        let token = watching.clone();
        let tools = tokio::spawn(async move { remediator.run(results_in, token).await });

        let watched_models = hands.consulting.watch();

        let mut unreachable = None;
        let mut next_snapshot = Instant::now();
        let mut next_cursors = Instant::now() + CURSORS_EVERY;
        let mut next_tick = Instant::now() + LONGEST_SLEEP;
        let mut next_claim = Instant::now() + CLAIM_EVERY;
        let mut dirty = true;
        let why = loop {
            let wake = self.sleep_until_due(next_snapshot, dirty, next_cursors);
            let signal = tokio::select! {
                biased;
                () = stop.cancelled() => break "asked to stop".to_owned(),
                // A closed queue has nothing more to say: its branch drops out.
                Some(signal) = life.recv() => signal,
                Some(signal) = results.recv() => signal,
                Some(request) = self.requests.recv() => self.admit(request),
                signal = next_bulk(&mut logs, &mut usage) => signal,
                ended = &mut monitoring => {
                    let why = match ended {
                        Ok(Ok(())) => "the monitor ended".to_owned(),
                        Ok(Err(error)) => error.to_string(),
                        Err(error) => format!("the monitor failed: {error}"),
                    };
                    unreachable = Some(why.clone());
                    break why;
                }
                () = sleep_until(wake) => Signal::Tick,
            };
            if signal != Signal::Tick {
                dirty = true;
            }
            dirty |= self.take(signal, &mut hands).await;
            let now = Instant::now();
            if dirty && now >= next_snapshot {
                self.publish();
                dirty = false;
                next_snapshot = now + SNAPSHOT_EVERY;
            }
            // Silence, and what is due by the clock, must be seen however many signals come.
            if now >= next_tick {
                next_tick = now + LONGEST_SLEEP;
                dirty |= self.take(Signal::Tick, &mut hands).await;
                self.keep_learned(Timestamp::now(), &hands).await;
            }
            if now >= next_claim {
                next_claim = now + CLAIM_EVERY;
                dirty |= self.take_over().await;
            }
            if now >= next_cursors {
                self.save_cursors(&hands).await;
                next_cursors = now + CURSORS_EVERY;
            }
            while hands.tasks.try_join_next().is_some() {}
        };
        watching.cancel();
        // Whoever waits for room in these queues must not wait for ever.
        drop((life, logs, usage));
        self.wind_down(why, hands, results).await;
        if unreachable.is_none()
            && let Err(error) = monitoring.await
        {
            tracing::warn!("the monitor did not end cleanly: {error}");
        }
        telling.cancel();
        let rest =
            [("tools", tools), ("models", watched_models), ("store", storing), ("redis", others)];
        for (part, task) in rest {
            match timeout(LAST_WRITES, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!("{part} did not end cleanly: {error}"),
                Err(_) => tracing::warn!("{part} did not end within {LAST_WRITES:?}"),
            }
        }
        Outcome {
            open: self.core.open_incidents(),
            unreachable: unreachable.filter(|_| !self.reached),
        }
    }

    /// Calls under way come back, the last words are said, everything is on disk.
    async fn wind_down(
        &mut self,
        why: String,
        mut hands: Hands,
        mut results: mpsc::Receiver<Signal>,
    ) {
        // What is under way comes back; nothing new begins.
        self.tell(Input::StandDown, Timestamp::now());
        hands.consulting.stop();
        let deadline = Instant::now() + LAST_CALLS;
        while !hands.tasks.is_empty() {
            tokio::select! {
                () = sleep_until(deadline) => break,
                done = hands.tasks.join_next() => if done.is_none() { break },
                Some(signal) = results.recv() => { self.take(signal, &mut hands).await; }
            }
        }
        while let Ok(signal) = results.try_recv() {
            self.take(signal, &mut hands).await;
        }
        self.take(Signal::Detached { why: why.clone() }, &mut hands).await;
        self.finish_recording(&why).await;
        self.save_cursors(&hands).await;
        self.keep_all_learned(&hands).await;
        self.publish();
        hands.tasks.abort_all();
    }

    fn sleep_until_due(
        &self,
        next_snapshot: Instant,
        dirty: bool,
        next_cursors: Instant,
    ) -> Instant {
        let now = Instant::now();
        let mut wake = now + LONGEST_SLEEP;
        if dirty {
            wake = wake.min(next_snapshot);
        }
        if self.cursors.values().any(|(_, new)| *new) {
            wake = wake.min(next_cursors);
        }
        if let Some(at) = self.core.wake_at() {
            let left = at.duration_since(Timestamp::now());
            wake = wake.min(now + Duration::try_from(left).unwrap_or(Duration::ZERO));
        }
        wake
    }

    fn admit(&mut self, wanted: Wanted) -> Signal {
        let Request { id, actor, command, reply } = match wanted {
            Wanted::Command(request) => request,
            Wanted::Patterns { container, reply } => {
                self.sort_out(&container, reply);
                return Signal::Tick;
            }
        };
        self.replies.insert(id, reply);
        Signal::Command { request: id, actor, command }
    }

    /// Another instance may have ended: this one then takes over what it did. True if so.
    async fn take_over(&mut self) -> bool {
        let Some(Change { to, record }) = self.roles.changed() else { return false };
        if record {
            match self.store.load(CLOSED_LOADED).await {
                Ok(earlier) => {
                    self.tell(Input::Adopted(earlier.into()), Timestamp::now());
                    self.recall_brakes(Timestamp::now()).await;
                    self.recall_past(Timestamp::now()).await;
                }
                Err(error) => {
                    tracing::warn!("the record cannot be taken over: {error}");
                    return false;
                }
            }
        }
        self.tell(Input::Elected(to.acts), Timestamp::now());
        self.roles.taken(to);
        true
    }

    /// Takes a signal and what waited for it. True if something came of it.
    async fn take(&mut self, signal: Signal, hands: &mut Hands) -> bool {
        let mut something = false;
        for signal in self.known.admit(signal) {
            something |= self.turn(signal, hands).await;
        }
        if let Some(news) = self.core.recording_ended() {
            something |= self.turn(news, hands).await;
        }
        something
    }

    /// Gives the core what is no signal.
    pub(super) fn tell(&mut self, input: Input<'_>, now: Timestamp) {
        if let Err(error) = self.core.tell(input, now) {
            tracing::warn!("{error}");
        }
    }

    async fn finish_recording(&mut self, why: &str) {
        let Some(recorder) = self.core.end_recording(why, Timestamp::now()) else { return };
        match timeout(LAST_WRITES, recorder.finish()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("{error}"),
            Err(_) => tracing::error!("the recording was not written within {LAST_WRITES:?}"),
        }
    }

    /// One turn. True if something came of it.
    async fn turn(&mut self, signal: Signal, hands: &mut Hands) -> bool {
        let now = Timestamp::now();
        if let Some(by) = self.clock.jumped(now) {
            tracing::warn!("the clock jumped by {by}; what waits for a time waits anew");
            self.tell(Input::ClockJumped(by), now);
        }
        if let (Signal::Attached { engine, .. }, None) = (&signal, &self.learned_of) {
            self.recall_learned(engine, now).await;
            self.recall_histories(now).await;
            self.recall_silences(now).await;
            self.recall_brakes(now).await;
            self.recall_judged(now).await;
            self.recall_past(now).await;
        }
        let anomalies = self.core.observe(&signal, now);
        match &signal {
            Signal::Logs { lines } => self.keep(lines, &anomalies, hands).await,
            Signal::LogLost { container, count, why } => {
                let what = if *count > 0 {
                    format!("{count} lines lost: {why}")
                } else {
                    format!("gap: {why}")
                };
                self.lock_rings().mark(container, now, &what);
            }
            Signal::Gone { container } => {
                self.lock_rings().forget(container);
                self.cursors.remove(container);
            }
            Signal::Life { event } => self.lived(event),
            Signal::Attached { .. } => self.reached = true,
            _ => {}
        }
        for envelope in self.core.announce(&signal, &anomalies, now) {
            self.send(envelope);
        }
        let effects = self.core.step(signal, anomalies, now);
        let something = !effects.is_empty();
        for effect in effects {
            self.perform(effect, now, hands).await;
        }
        something
    }

    async fn perform(&mut self, effect: Effect, now: Timestamp, hands: &mut Hands) {
        match effect {
            Effect::Emit(event) => {
                self.recent.told(&event, now);
                let envelope = self.core.envelope(now, *event);
                self.send(envelope);
            }
            Effect::Save(incident) => hands.queue(Job::Save(incident)).await,
            Effect::Audit(record) => hands.queue(Job::Audit(record)).await,
            Effect::Inspect(container) => hands.inspect(container),
            Effect::SaveSilences(silences) => self.keep_silences(&silences, hands).await,
            Effect::SaveBrakes(kept) => self.keep_brakes(&kept, hands).await,
            Effect::Triage(batch) => hands.consulting.triage(*batch),
            Effect::Analyze { incident, brief } => hands.consulting.analyze(incident, &brief),
            Effect::CallOff(incident) => hands.consulting.call_off(&incident),
            Effect::Explain(incident) => hands.consulting.explain(incident),
            Effect::SaveJudged(judged) => self.keep_judged(&judged, hands).await,
            Effect::Remember { service, history } => {
                self.keep_history(&service, &history, hands).await;
            }
            Effect::Apply { plan, incident, records } => hands.apply(plan, incident, records).await,
            Effect::Undo { plan, incident, records } => hands.undo(plan, incident, records).await,
            Effect::Rehearse { request, plan, rehearsal } => {
                if let Some(reply) = self.replies.remove(&request) {
                    hands.rehearse(*plan, *rehearsal, reply);
                }
            }
            Effect::Reply { request, outcome } => {
                if let Some(reply) = self.replies.remove(&request) {
                    // Whoever asked may have given up waiting.
                    drop(reply.send(outcome));
                }
            }
        }
    }

    fn publish(&mut self) {
        let snapshot = self.core.snapshot(Timestamp::now());
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    pub(super) fn lock_rings(&self) -> std::sync::MutexGuard<'_, LogRings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines and readings, whichever comes; neither starves the other.
async fn next_bulk(
    logs: &mut mpsc::Receiver<Signal>,
    usage: &mut mpsc::Receiver<Signal>,
) -> Signal {
    tokio::select! {
        Some(signal) = logs.recv() => signal,
        Some(signal) = usage.recv() => signal,
        else => std::future::pending().await,
    }
}
