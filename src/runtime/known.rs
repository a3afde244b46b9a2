//! Which containers the engine knows. Lines and readings travel in queues of their own: they may
//! come before the news of their container, and after the news that it is gone. Pure.

use std::collections::{HashSet, VecDeque};

use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::signal::Signal;

/// Containers remembered after they went: what was under way of them brings nothing back.
const GONE_REMEMBERED: usize = 1024;
/// Signals that wait for the news of their container; beyond it the oldest is dropped.
const EARLY: usize = 512;

/// The containers that were announced, and what waits for those that were not.
#[derive(Debug, Default)]
pub(super) struct Known {
    there: HashSet<ContainerId>,
    gone: VecDeque<ContainerId>,
    early: VecDeque<Signal>,
}

impl Known {
    /// Takes note of a signal. Gives what is to be processed now, in order: nothing for what came
    /// too early or too late, the signal and what waited for it otherwise.
    pub(super) fn admit(&mut self, signal: Signal) -> Vec<Signal> {
        if let Some(container) = bulk_of(&signal) {
            if self.gone.contains(container) {
                return Vec::new();
            }
            if !self.there.contains(container) {
                if self.early.len() == EARLY {
                    self.early.pop_front();
                    tracing::warn!("lines of containers that were never announced were dropped");
                }
                self.early.push_back(signal);
                return Vec::new();
            }
            return vec![signal];
        }
        match &signal {
            Signal::Attached { watched, .. } => watched.iter().for_each(|c| self.learn(c)),
            Signal::Inspected { container, .. } => self.learn(container),
            Signal::Gone { container } => {
                self.there.remove(container);
                if self.gone.len() == GONE_REMEMBERED {
                    self.gone.pop_front();
                }
                self.gone.push_back(container.clone());
                let gone = container.clone();
                self.early.retain(|s| bulk_of(s) != Some(&gone));
            }
            _ => return vec![signal],
        }
        let mut now = vec![signal];
        let there = &self.there;
        let (due, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|s| bulk_of(s).is_some_and(|c| there.contains(c)));
        self.early = rest;
        now.extend(due);
        now
    }

    fn learn(&mut self, container: &Container) {
        self.gone.retain(|id| *id != container.of.id);
        self.there.insert(container.of.id.clone());
    }
}

/// The container of a signal that travels in bulk.
fn bulk_of(signal: &Signal) -> Option<&ContainerId> {
    match signal {
        Signal::Logs { lines } => lines.first().map(|l| &l.container),
        Signal::LogLost { container, .. } | Signal::LogEnd { container } => Some(container),
        Signal::Usage { sample } => Some(&sample.container),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(id: &str, count: u64) -> Signal {
        Signal::LogLost { container: id.into(), count, why: "x".to_owned() }
    }

    fn gone(id: &str) -> Signal {
        Signal::Gone { container: id.into() }
    }

    #[test]
    fn what_comes_too_early_waits_in_order_and_what_comes_too_late_is_dropped() {
        let mut known = Known::default();
        assert_eq!(known.admit(lost("a", 1)), []);
        assert_eq!(known.admit(lost("b", 2)), []);
        assert_eq!(known.admit(lost("a", 3)), []);
        known.there.insert("a".into());
        // Any news of life looks after what waits.
        assert_eq!(known.admit(gone("c")), [gone("c"), lost("a", 1), lost("a", 3)]);
        assert_eq!(known.admit(lost("a", 4)), [lost("a", 4)]);
        assert_eq!(known.admit(gone("a")), [gone("a")]);
        assert_eq!(known.admit(lost("a", 5)), []);
        assert_eq!(known.admit(gone("b")), [gone("b")], "what waited for it goes with it");
        assert_eq!(known.early.len(), 0);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut known = Known::default();
        for i in 0..2000 {
            known.admit(lost("a", i));
        }
        assert_eq!(known.early.len(), EARLY);
    }
}
