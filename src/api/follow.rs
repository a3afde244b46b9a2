//! The last events, kept so that a client can go on where it was cut off, and told what it missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sentinel_core::domain::event::Envelope;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::api::tally::Tally;

/// Events that are kept.
const EVENTS: usize = 4096;
/// Bytes of them.
const BYTES: usize = 8 * 1024 * 1024;
/// Events that are given out at once.
const BATCH: usize = 256;

/// The events.
#[derive(Debug)]
pub(super) struct History {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
    last: u64,
    tally: Tally,
}

/// What comes behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// These, and nothing between them and the place.
    Events(Vec<(u64, Arc<str>)>),
    /// So many are not kept any more.
    Missed(u64),
}

impl Default for History {
    fn default() -> Self {
        Self { kept: Mutex::default(), newest: watch::Sender::new(0) }
    }
}

impl History {
    /// Keeps what comes until the stream ends.
    pub(super) async fn follow(&self, mut events: Receiver<Arc<Envelope>>) {
        loop {
            match events.recv().await {
                Ok(envelope) => self.push(&envelope),
                Err(RecvError::Lagged(missed)) => self.lock().tally.missed += missed,
                Err(RecvError::Closed) => return,
            }
        }
    }

    pub(super) fn push(&self, envelope: &Envelope) {
        let text: Arc<str> = match serde_json::to_string(envelope) {
            Ok(text) => text.into(),
            Err(error) => {
                tracing::warn!("event {} cannot be written: {error}", envelope.seq);
                return;
            }
        };
        {
            let kept = &mut *self.lock();
            if envelope.seq != kept.last + 1 {
                // Nobody may take what lies behind a hole for what follows.
                kept.events.clear();
                kept.bytes = 0;
            }
            kept.last = envelope.seq;
            kept.bytes += text.len();
            kept.events.push_back((envelope.seq, text));
            while kept.events.len() > EVENTS || kept.bytes > BYTES {
                let Some((_, old)) = kept.events.pop_front() else { break };
                kept.bytes -= old.len();
            }
            kept.tally.take(&envelope.event);
        }
        self.newest.send_replace(envelope.seq);
    }

    /// Number of the newest event.
    pub(super) fn last(&self) -> u64 {
        self.lock().last
    }

    /// Wakes when there is a newer one.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// What comes behind number `seq`, a bounded number at a time.
    pub(super) fn after(&self, seq: u64) -> Next {
        let kept = self.lock();
        let first = kept.events.front().map_or(kept.last + 1, |(first, _)| *first);
        if seq + 1 < first {
            return Next::Missed(first - 1 - seq);
        }
        let from = kept.events.partition_point(|(at, _)| *at <= seq);
        Next::Events(kept.events.iter().skip(from).take(BATCH).cloned().collect())
    }

    /// What was counted so far.
    pub(super) fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // A panic while the lock was held leaves whole events behind: going on is right.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::event::Event;

    use super::*;

    fn put(history: &History, seq: u64) {
        let event = Event::Recovered { part: "docker".to_owned(), detail: String::new() };
        let envelope = Envelope { v: 1, seq, ts: String::new(), host: String::new(), event };
        history.push(&envelope);
    }

    fn numbers(next: Next) -> Vec<u64> {
        match next {
            Next::Events(events) => events.into_iter().map(|(seq, _)| seq).collect(),
            Next::Missed(_) => Vec::new(),
        }
    }

    #[test]
    fn going_on_from_any_place_loses_and_doubles_nothing() {
        let history = History::default();
        (1..=1000).for_each(|seq| put(&history, seq));
        for start in [0, 1, 255, 256, 999, 1000] {
            let (mut at, mut seen) = (start, Vec::new());
            loop {
                let batch = numbers(history.after(at));
                let Some(last) = batch.last() else { break };
                at = *last;
                seen.extend(batch);
            }
            assert_eq!(seen, (start + 1..=1000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_not_kept_is_counted_and_a_hole_is_never_skipped_silently() {
        let history = History::default();
        let many = EVENTS as u64 + 100;
        (1..=many).for_each(|seq| put(&history, seq));
        assert_eq!(history.after(0), Next::Missed(100));
        assert_eq!(numbers(history.after(100)).first(), Some(&101));
        put(&history, many + 50);
        assert_eq!(history.after(many), Next::Missed(49));
        assert_eq!(numbers(history.after(many + 49)), [many + 50]);
        assert_eq!(numbers(history.after(many + 50)), [0_u64; 0]);
    }
}
