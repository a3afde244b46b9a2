//! Sends what the run loop tells: batches, in order, each event once, and never in its way.
//!
//! While a batch is on its way the next ones gather, so an idle Redis is told at once and a busy one
//! in large batches. Nothing is forgotten before Redis said that it has it; what is sent again after
//! a broken connection is recognised there by its run and number.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::pipe;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::signal::Signal;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::bus::entry::{Entry, Lane};
use crate::bus::intake::Heard;
use crate::bus::keys::{CHANNEL, EVENTS_AGE, EVENTS_KEPT, Keys, LOGS_AGE, LOGS_KEPT, SEEN_AGE};
use crate::bus::place::{Link, Place, RedisFailure};
use crate::bus::spool::{Bounds, Spool};
use crate::ports::Front;

/// Events of one lane in a batch.
const BATCH: usize = 512;
/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How long the last events may take at the end; what is left stays in the file.
const LAST_EVENTS: Duration = Duration::from_secs(4);
/// How often Redis is looked for when nothing is sent.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is told that Redis is still away.
const TOLD_AGAIN: Duration = Duration::from_mins(1);
/// The part's name in signals.
const PART: &str = "redis";

/// What is known to be there after a batch, and the way on which it went.
type Sent = Result<(Link, [Option<u64>; 2]), RedisFailure>;

/// Who sends.
pub(super) struct Publisher {
    place: Arc<Place>,
    keys: Keys,
    run: String,
    events: Spool,
    logs: Spool,
    /// What was told on each lane.
    numbers: [u64; 2],
    /// The last event's place in the run loop's own stream.
    last: u64,
    link: Option<Link>,
    wait: Duration,
    not_before: Instant,
    /// When to see whether it still is there, if nothing is sent.
    next_look: Instant,
    out: mpsc::Sender<Signal>,
    /// Since when it has been told that Redis is away.
    away: Option<Instant>,
    /// Lines that were dropped and not told.
    dropped_lines: u64,
    /// Events that were dropped and not told.
    dropped_events: u64,
    dropped_in_all: (u64, u64),
}

impl Publisher {
    /// `file`: where events wait while Redis is away for long.
    pub(super) fn new(
        place: Arc<Place>,
        keys: Keys,
        run: String,
        file: Option<&Path>,
        out: mpsc::Sender<Signal>,
    ) -> Self {
        let events = file.map(|path| (path, Spool::with_file(Bounds::EVENTS, path)));
        let events = match events {
            Some((_, Ok(spool))) => spool,
            Some((path, Err(error))) => {
                tracing::warn!("{} cannot be used: {error}", path.display());
                Spool::new(Bounds::EVENTS)
            }
            None => Spool::new(Bounds::EVENTS),
        };
        Self {
            place,
            keys,
            run,
            events,
            logs: Spool::new(Bounds::LOGS),
            numbers: [0; 2],
            last: 0,
            link: None,
            wait: FIRST_WAIT,
            not_before: Instant::now(),
            next_look: Instant::now(),
            out,
            away: None,
            dropped_lines: 0,
            dropped_events: 0,
            dropped_in_all: (0, 0),
        }
    }

    /// Sends until stopped, then the rest.
    pub(super) async fn run(
        mut self,
        front: Arc<dyn Front>,
        mut heard: Heard,
        stop: CancellationToken,
    ) {
        let mut sending: Option<BoxFuture<'static, Sent>> = None;
        loop {
            if sending.is_none() && Instant::now() >= self.not_before {
                sending = self.batch().or_else(|| self.look());
            }
            let wake = if self.is_idle() { self.next_look } else { self.not_before };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                sent = on_its_way(&mut sending) => {
                    sending = None;
                    self.came_back(sent, front.as_ref());
                }
                events = heard.next() => self.take_up(&events, &heard, front.as_ref()),
                () = sleep_until(wake), if sending.is_none() => {}
            }
        }
        self.end(heard, sending, front.as_ref()).await;
    }

    /// The last words: they are sent within bounds; what is left goes into the file.
    async fn end(
        mut self,
        mut heard: Heard,
        mut sending: Option<BoxFuture<'static, Sent>>,
        front: &dyn Front,
    ) {
        let rest = heard.rest();
        self.take_up(&rest, &heard, front);
        let deadline = Instant::now() + LAST_EVENTS;
        while self.away.is_none() {
            let Some(batch) = sending.take().or_else(|| self.batch()) else { break };
            match timeout_at(deadline, batch).await {
                Ok(sent) => self.came_back(sent, front),
                Err(_) => break,
            }
        }
        let left = self.events.len();
        if left > 0 {
            tracing::warn!("{left} events for Redis wait for the next start");
        }
        if let Err(error) = self.events.keep() {
            tracing::warn!("events for Redis could not be kept: {error}");
        }
    }

    fn is_idle(&self) -> bool {
        self.events.is_empty() && self.logs.is_empty()
    }

    fn hear(&mut self, envelope: &Envelope) {
        self.last = self.last.max(envelope.seq);
        let [events, logs] = &mut self.numbers;
        let (number, spool) = match Lane::of(&envelope.event) {
            Lane::Events => (events, &mut self.events),
            Lane::Logs => (logs, &mut self.logs),
        };
        *number += 1;
        let Some(entry) = Entry::new(&self.run, *number, envelope) else {
            self.dropped_events += 1;
            tracing::warn!("an event is too long for Redis: {}", envelope.event.type_name());
            return;
        };
        spool.push(entry);
        let (events, lines) = (self.events.take_dropped(), self.logs.take_dropped());
        self.dropped_events += events;
        self.dropped_lines += lines;
        self.dropped_in_all.0 += events;
        self.dropped_in_all.1 += lines;
    }

    /// Takes in what was heard, and tells readers of what there was no room for.
    fn take_up(&mut self, events: &[Arc<Envelope>], heard: &Heard, front: &dyn Front) {
        for event in events {
            self.hear(event);
        }
        let [missed, lines] = heard.missed();
        self.dropped_lines += lines;
        self.dropped_in_all.1 += lines;
        if missed > 0 {
            self.dropped_in_all.0 += missed;
            self.tell_in_stream(front.state(missed));
        }
    }

    fn tell_in_stream(&mut self, event: Event) {
        let host = self.keys.host().to_owned();
        let ts = format!("{:.3}", jiff::Timestamp::now());
        self.hear(&Envelope { v: 1, seq: self.last, ts, host, event });
    }

    /// The oldest of what waits, on its way.
    fn batch(&mut self) -> Option<BoxFuture<'static, Sent>> {
        let (events, logs) = (self.events.head(BATCH), self.logs.head(BATCH));
        if events.is_empty() && logs.is_empty() {
            return None;
        }
        let place = Arc::clone(&self.place);
        let (keys, link) = (self.keys.clone(), self.link.take());
        Some(Box::pin(send(place, link, keys, [events, logs])))
    }

    /// Nothing waits: whether Redis still is there is seen all the same, and told.
    fn look(&mut self) -> Option<BoxFuture<'static, Sent>> {
        if Instant::now() < self.next_look {
            return None;
        }
        let (place, link) = (Arc::clone(&self.place), self.link.take());
        Some(Box::pin(ping(place, link)))
    }

    fn came_back(&mut self, sent: Sent, front: &dyn Front) {
        match sent {
            Ok((link, [events, logs])) => {
                self.link = Some(link);
                self.next_look = Instant::now() + LOOK_EVERY;
                self.wait = FIRST_WAIT;
                for (spool, there) in [(&mut self.events, events), (&mut self.logs, logs)] {
                    if let (Some(number), Some(run)) = (there, spool.run()) {
                        spool.acknowledge(&run, number);
                    }
                }
                self.recovered(front);
            }
            Err(failure) => {
                self.not_before = Instant::now() + self.wait;
                self.next_look = self.not_before;
                self.degraded(&failure);
                self.wait = (self.wait * 2).min(LONGEST_WAIT);
            }
        }
    }

    fn degraded(&mut self, failure: &RedisFailure) {
        if self.away.is_some_and(|told| told.elapsed() < TOLD_AGAIN) {
            return;
        }
        self.away = Some(Instant::now());
        let (events, lines) = self.dropped_in_all;
        let detail = format!(
            "{failure}; next try in {:?}, then at most every {} s; waiting: {} events in memory, {} KiB in the file; dropped: {events} events, {lines} lines",
            self.wait,
            LONGEST_WAIT.as_secs(),
            self.events.len(),
            self.events.in_file() / 1024,
        );
        self.word(Signal::Degraded { part: PART.to_owned(), detail });
    }

    /// Redis answers: what could not be kept is told, in the stream and here.
    fn recovered(&mut self, front: &dyn Front) {
        let lines = std::mem::take(&mut self.dropped_lines);
        if lines > 0 {
            let reason = "there was no room for them while Redis was away".to_owned();
            self.tell_in_stream(Event::LogDropped {
                container: String::new(),
                count: lines,
                reason,
            });
        }
        if self.dropped_events > 0 && self.events.is_empty() {
            let missed = std::mem::take(&mut self.dropped_events);
            self.tell_in_stream(front.state(missed));
        }
        if self.away.take().is_some() {
            let (events, lines) = self.dropped_in_all;
            let detail = format!(
                "{} answers again; dropped so far: {events} events, {lines} lines",
                self.place.shown()
            );
            self.word(Signal::Recovered { part: PART.to_owned(), detail });
        }
    }

    fn word(&self, signal: Signal) {
        // The next word replaces it: nothing waits for a run loop that is busy or has ended.
        if self.out.try_send(signal).is_err() {
            tracing::debug!("the run loop did not hear how Redis is");
        }
    }
}

async fn on_its_way(sending: &mut Option<BoxFuture<'static, Sent>>) -> Sent {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

async fn ping(place: Arc<Place>, link: Option<Link>) -> Sent {
    let mut link = match link {
        Some(link) => link,
        None => place.connect().await?,
    };
    let asked = redis::cmd("PING").query_async::<()>(&mut link).await;
    asked.map_err(|error| place.failure(&error))?;
    Ok((link, [None, None]))
}

/// Sends both lanes in one pipeline; what is there afterwards.
async fn send(place: Arc<Place>, link: Option<Link>, keys: Keys, lanes: [Vec<Entry>; 2]) -> Sent {
    let mut link = match link {
        Some(link) => link,
        None => place.connect().await?,
    };
    let streams = [
        ("events", keys.events(), EVENTS_KEPT, EVENTS_AGE),
        ("logs", keys.logs(), LOGS_KEPT, LOGS_AGE),
    ];
    let mut pipeline = pipe();
    for ((lane, stream, kept, age), entries) in streams.iter().zip(&lanes) {
        let Some(first) = entries.first() else { continue };
        let append = pipeline.cmd("EVAL").arg(APPEND).arg(2).arg(stream).arg(keys.seen(&first.run));
        append.arg(*lane).arg(CHANNEL).arg(*kept).arg(ms(*age)).arg(ms(SEEN_AGE)).arg(&first.run);
        for entry in entries {
            append.arg(entry.number).arg(&entry.kind).arg(&entry.json);
        }
    }
    let places: Vec<u64> =
        pipeline.query_async(&mut link).await.map_err(|error| place.failure(&error))?;
    let mut places = places.into_iter();
    let there = lanes.map(|entries| if entries.is_empty() { None } else { places.next() });
    Ok((link, there))
}

/// The check in Redis that an event is appended once.
const APPEND: &str = include_str!("append.lua");

/// A time as scripts take it.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
