//! Where events come in: two bounded queues, so that lines cannot take the room of incidents.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sentinel_core::domain::event::Envelope;
use tokio::sync::mpsc;

use crate::bus::entry::Lane;

/// Events that may wait to be taken up.
const EVENTS: usize = 32_768;
/// Lines and readings that may wait.
const LOGS: usize = 16_384;
/// How many are taken up at once.
const TURN: usize = 256;

/// The run loop's end.
#[derive(Debug)]
pub(super) struct Intake {
    events: mpsc::Sender<Arc<Envelope>>,
    logs: mpsc::Sender<Arc<Envelope>>,
    missed: Arc<[AtomicU64; 2]>,
}

/// The publisher's end.
#[derive(Debug)]
pub(super) struct Heard {
    events: mpsc::Receiver<Arc<Envelope>>,
    logs: mpsc::Receiver<Arc<Envelope>>,
    missed: Arc<[AtomicU64; 2]>,
}

/// Both ends.
pub(super) fn intake() -> (Intake, Heard) {
    let (events, events_out) = mpsc::channel(EVENTS);
    let (logs, logs_out) = mpsc::channel(LOGS);
    let missed = Arc::<[AtomicU64; 2]>::default();
    let heard = Heard { events: events_out, logs: logs_out, missed: Arc::clone(&missed) };
    (Intake { events, logs, missed }, heard)
}

impl Intake {
    /// Takes an event in if there is room, else counts it.
    pub(super) fn put(&self, event: &Arc<Envelope>) {
        let [events, logs] = &*self.missed;
        let (queue, missed) = match Lane::of(&event.event) {
            Lane::Events => (&self.events, events),
            Lane::Logs => (&self.logs, logs),
        };
        if queue.try_send(Arc::clone(event)).is_err() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Heard {
    /// The next ones, in order for each lane; waits for one.
    pub(super) async fn next(&mut self) -> Vec<Arc<Envelope>> {
        let (mut events, mut lines) = (Vec::new(), Vec::new());
        let count = tokio::select! {
            count = self.events.recv_many(&mut events, TURN) => count,
            count = self.logs.recv_many(&mut lines, TURN) => count,
        };
        if count == 0 {
            // Nobody is left who could say something.
            std::future::pending::<()>().await;
        }
        events.append(&mut lines);
        events
    }

    /// What is left; empty if nothing is.
    pub(super) fn rest(&mut self) -> Vec<Arc<Envelope>> {
        let mut taken = Vec::new();
        for queue in [&mut self.events, &mut self.logs] {
            taken.extend(std::iter::from_fn(|| queue.try_recv().ok()));
        }
        taken
    }

    /// How many events and lines there was no room for since the last question.
    pub(super) fn missed(&self) -> [u64; 2] {
        let [events, logs] = &*self.missed;
        [events, logs].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::event::Event;
    use sentinel_core::domain::log::Stream;

    use super::*;

    fn told(event: Event) -> Arc<Envelope> {
        Arc::new(Envelope { v: 1, seq: 1, ts: String::new(), host: String::new(), event })
    }

    #[test]
    fn lines_that_nobody_takes_up_leave_the_room_of_events_alone() {
        let (intake, mut heard) = intake();
        let line = told(Event::Log {
            container: String::new(),
            service: String::new(),
            stream: Stream::Stdout,
            level: None,
            message: String::new(),
            anomaly_id: None,
        });
        (0..LOGS + 7).for_each(|_| intake.put(&line));
        intake.put(&told(Event::CircuitClosed { server: "s".to_owned() }));
        assert_eq!((heard.missed(), heard.missed()), ([0, 7], [0, 0]));
        assert_eq!(heard.rest().len(), LOGS + 1);
    }
}
