//! After the event stream ended: waits for the engine, then finds out what happened meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::EventMessage;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::container::RunState;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::signal::Signal;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::monitor::event;
use crate::monitor::listing::{There, watched};
use crate::monitor::supervise::{Supervisor, Unwanted};
use crate::ports::PortError;

/// After a reconnect, what the engine has kept of the gap comes within this.
const REPLAY: Duration = Duration::from_millis(300);
/// Listing and inspecting everything may take this long.
const RESYNC: Duration = Duration::from_secs(20);
/// First pause before the engine is tried again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Deaths this long before the event stream ended belong to the engine's own shutdown.
const SHUTDOWN: SignedDuration = SignedDuration::from_secs(20);

impl Supervisor {
    /// The event stream ended. Waits for the engine, then finds out what happened meanwhile.
    /// `None` when told to stop.
    pub(super) async fn reconnect(
        &mut self,
        stop: &CancellationToken,
    ) -> Result<Option<BoxStream<'static, Result<EventMessage, Error>>>, Unwanted> {
        let lost_at = Instant::now();
        let mut told = false;
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = match self.reader.ping().await {
                Ok(()) => self.reader.greet().await.map(drop),
                Err(error) => Err(error),
            };
            let Err(error) = attempt else { break };
            if !std::mem::replace(&mut told, true) {
                let every = LONGEST_PAUSE.as_secs();
                let detail = format!(
                    "{error}\nwhat is shown may be out of date; tried again every {every} s"
                );
                self.tell(Signal::Degraded { part: "docker".to_owned(), detail }).await?;
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        // The engine keeps at most 256 events, and none from before its own restart.
        let mut events = self.reader.events(&event::since(self.last_event));
        let deadline = Instant::now() + REPLAY;
        while let Ok(item) = timeout_at(deadline, events.next()).await {
            if !self.event_item(item).await? {
                break;
            }
        }
        while let Err(error) = self.resync().await? {
            // It went away again, or cannot list: nothing is true before this has worked.
            if !std::mem::replace(&mut told, true) {
                self.tell(Signal::Degraded {
                    part: "docker".to_owned(),
                    detail: error.to_string(),
                })
                .await?;
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if told {
            let detail =
                format!("the engine answers again after {:.1} s", lost_at.elapsed().as_secs_f64());
            self.tell(Signal::Recovered { part: "docker".to_owned(), detail }).await?;
        }
        Ok(Some(events))
    }

    /// Compares what is there with what was known. The inner error: the engine did not say.
    async fn resync(&mut self) -> Result<Result<(), PortError>, Unwanted> {
        let There { containers, unread } =
            match timeout(RESYNC, watched(&self.reader, &self.scope)).await {
                Ok(Ok(there)) => there,
                Ok(Err(error)) => return Ok(Err(error)),
                Err(_) => {
                    let why = format!("the engine did not list its containers within {RESYNC:?}");
                    return Ok(Err(PortError(why)));
                }
            };
        let ids: HashSet<ContainerId> =
            containers.iter().map(|c| c.of.id.clone()).chain(unread.iter().cloned()).collect();
        let gone: Vec<ContainerId> =
            self.tracked.keys().filter(|id| !ids.contains(*id)).cloned().collect();
        for id in gone {
            self.forget(&id).await?;
        }
        for id in unread {
            // Still there, in an unknown state: looked at until it can be read.
            let news = self.tracked.get(&id).map_or(0, |t| t.news);
            if !self.tracked.contains_key(&id) {
                self.held.entry(id.clone()).or_default();
            }
            self.look(id, news, 1);
        }
        for container in containers {
            let running = container.state == RunState::Running;
            let mut unwitnessed = false;
            if let Some(tracked) = self.tracked.get_mut(&container.of.id) {
                let was_running = tracked.pulse.borrow().running;
                let in_shutdown = tracked
                    .died_at
                    .is_some_and(|at| Timestamp::now().duration_since(at) <= SHUTDOWN);
                unwitnessed = !running && (was_running || in_shutdown);
                tracked.news += 1;
                tracked.died_at = None;
                let started_again = tracked.started_at != container.started_at_raw;
                tracked.pulse.send_modify(|p| {
                    // Followers whose streams broke with the engine begin again.
                    if running && (started_again || !p.running) {
                        p.starts += 1;
                    }
                    p.running = running;
                });
            }
            self.inspected(container, unwitnessed).await?;
        }
        self.publish_running();
        Ok(Ok(()))
    }
}
