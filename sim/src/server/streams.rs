//! Answers that go on: logs, events, statistics, and waits.

use std::time::Duration;

use futures_util::stream::unfold;
use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use crate::container::{Container, Status};
use crate::engine::Engine;
use crate::event::Wanted;
use crate::log::{Select, write};
use crate::query::Query;
use crate::refused::Refused;
use crate::server::answer::{Answer, Pieces};
use crate::show::stats::reading;

/// Lines that are sent in one piece.
const LINES: usize = 512;
/// What output without a terminal is called, and output of one.
const KINDS: (&str, &str) =
    ("application/vnd.docker.multiplexed-stream", "application/vnd.docker.raw-stream");

/// Waits until a condition holds for a container, or it is gone.
pub(super) async fn until(engine: &Engine, key: u64, holds: impl Fn(&Container) -> bool) {
    let mut news = engine.watch(key);
    while engine.look(|world| world.get(key).is_some_and(|c| !holds(c))) {
        if news.changed().await.is_err() {
            return;
        }
    }
}

struct Reading {
    engine: Engine,
    key: u64,
    /// Which run of the container: a follower does not outlive it.
    run: u64,
    next: u64,
    select: Select,
    tty: bool,
    news: watch::Receiver<()>,
}

/// `GET /containers/{id}/logs`.
pub(super) fn logs(engine: &Engine, id: &str, query: &Query) -> Result<Answer, Refused> {
    let select = query.select(engine.look(|world| world.now))?;
    let (key, run, next, tty) = engine.look(|world| {
        let (key, container) = world.look(id)?;
        Ok::<_, Refused>((key, container.run, container.log.begin(&select), container.spec.tty))
    })?;
    let news = engine.watch(key);
    let reading = Reading { engine: engine.clone(), key, run, next, select, tty, news };
    let pieces = unfold(reading, |mut reading| async move {
        let piece = reading.piece().await?;
        Some((piece, reading))
    });
    Ok(Answer::Stream(if tty { KINDS.1 } else { KINDS.0 }, Box::pin(pieces)))
}

impl Reading {
    /// The next lines, once there are any; `None` at the end.
    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            self.news.mark_unchanged();
            let (bytes, next, over) = self.engine.look(|world| {
                let Some(container) = world.get(self.key) else {
                    return (Vec::new(), self.next, true);
                };
                let (lines, next) = container.log.read(self.next, LINES, &self.select);
                let mut bytes = Vec::new();
                for line in lines {
                    write(&mut bytes, line, self.select.timestamps, self.tty);
                }
                let read_all = next >= container.log.end();
                let late = self.select.until.is_some_and(|until| world.now > until);
                let ended = container.run != self.run || !container.has_process();
                (bytes, next, read_all && (!self.select.follow || ended || late))
            });
            let moved = next > self.next;
            self.next = next;
            if !bytes.is_empty() {
                return Some(Bytes::from(bytes));
            }
            if over {
                return None;
            }
            if !moved {
                self.more().await?;
            }
        }
    }

    async fn more(&mut self) -> Option<()> {
        match self.select.until {
            None => self.news.changed().await.ok(),
            Some(until) => {
                tokio::select! {
                    changed = self.news.changed() => changed.ok(),
                    () = pause_until(&self.engine, until) => Some(()),
                }
            }
        }
    }
}

/// Waits until the world's clock is past this moment.
async fn pause_until(engine: &Engine, until: Timestamp) {
    loop {
        let clock = engine.clock();
        let left = until.duration_since(clock.at(Timestamp::now()));
        if left.is_negative() {
            return;
        }
        let real = Duration::try_from(clock.real(left)).unwrap_or_default();
        // The clock may be made faster meanwhile.
        tokio::time::sleep(real.clamp(Duration::from_millis(1), Duration::from_millis(200))).await;
    }
}

/// `GET /events`.
pub(super) fn events(engine: &Engine, query: &Query) -> Result<Answer, Refused> {
    let now = engine.look(|world| world.now);
    let since = query.moment("since", now)?;
    let wanted = Wanted::read(query.filters()?, query.moment("until", now)?)?;
    let next = engine.look(|world| world.events.begin(since));
    let news = engine.watch_events();
    // The answer begins at once, though nothing may happen for long.
    let state = (engine.clone(), wanted, next, news);
    let pieces = unfold(state, |(engine, wanted, mut next, mut news)| async move {
        loop {
            news.mark_unchanged();
            let (bytes, end, over) = engine.look(|world| {
                let (events, end) = world.events.read(next);
                let mut bytes = Vec::new();
                for event in events.filter(|event| wanted.has(event)) {
                    if wanted.until.is_some_and(|until| event.at > until) {
                        continue;
                    }
                    bytes.extend_from_slice(event.json(world.setting.api).to_string().as_bytes());
                    bytes.push(b'\n');
                }
                (bytes, end, wanted.until.is_some_and(|until| world.now > until))
            });
            next = end;
            if !bytes.is_empty() {
                return Some((Bytes::from(bytes), (engine, wanted, next, news)));
            }
            if over {
                return None;
            }
            let until = wanted.until;
            tokio::select! {
                changed = news.changed() => changed.ok()?,
                () = async {
                    match until {
                        Some(until) => pause_until(&engine, until).await,
                        None => std::future::pending().await,
                    }
                } => {}
            }
        }
    });
    Ok(Answer::Stream("application/json", Box::pin(pieces)))
}

/// `GET /containers/{id}/stats`, once a second.
pub(super) fn stats(engine: &Engine, id: &str) -> Result<Answer, Refused> {
    let key = engine.look(|world| world.find(id))?;
    let state = (engine.clone(), None::<Timestamp>);
    let pieces = unfold(state, move |(engine, last)| async move {
        if let Some(last) = last {
            pause_until(&engine, last + SignedDuration::from_secs(1)).await;
        }
        let (text, now) = engine.look(|world| {
            let text = world.get(key).map(|c| format!("{}\n", reading(world, c, true)));
            (text, world.now)
        });
        Some((Bytes::from(text?), (engine, Some(now))))
    });
    Ok(Answer::Stream("application/json", Box::pin(pieces)))
}

/// `POST /containers/{id}/wait`: the answer begins at once and ends with the container's end.
pub(super) fn wait(engine: &Engine, id: &str, condition: &str) -> Result<Answer, Refused> {
    if !["not-running", "next-exit", "removed"].contains(&condition) {
        return Err(Refused::bad(format!("invalid condition: \"{condition}\"")));
    }
    let (key, run) = engine
        .look(|world| world.look(id).map(|(key, c)| (key, c.run + u64::from(!c.has_process()))))?;
    let (engine, condition) = (engine.clone(), condition.to_owned());
    let pieces: Pieces = Box::pin(futures_util::stream::once(async move {
        let mut code = 0;
        let mut news = engine.watch(key);
        loop {
            let over = engine.look(|world| {
                let Some(container) = world.get(key) else { return true };
                code = container.exit_code;
                is_over(container.status, &condition, container.run >= run)
            });
            if over || news.changed().await.is_err() {
                break;
            }
        }
        Bytes::from(json!({"StatusCode": code}).to_string())
    }));
    Ok(Answer::Stream("application/json", pieces))
}

/// Whether a wait with this condition is over.
fn is_over(status: Status, condition: &str, ran: bool) -> bool {
    match condition {
        "next-exit" => ran && matches!(status, Status::Exited | Status::Restarting),
        "removed" => false,
        _ => matches!(status, Status::Exited | Status::Created),
    }
}
