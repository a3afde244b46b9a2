//! Which of the engine's events come from our own calls.
//!
//! A restart by one of our tools shows as kill, die, stop, start, restart, just like an
//! operator's. Each call of ours claims the events that it brings about, each once, while it runs
//! and for a while after its result: events and results travel on different ways. What is left
//! over was somebody else.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::ContainerId;
use crate::domain::life::LifeKind;

/// Events of a call arrive at most this long after its result.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// What our calls on one container may still bring about.
#[derive(Debug, Default)]
struct Expected {
    starts: u32,
    /// Kill and die.
    ends: u32,
    /// The word `stop` behind an end.
    stops: u32,
    /// A kill of ours was seen: the next death is ours.
    killed: bool,
    started: bool,
    /// Set once all came back.
    until: Option<Timestamp>,
}

/// The events that our calls may still bring about.
#[derive(Debug, Default)]
pub(crate) struct OwnCalls {
    expected: BTreeMap<ContainerId, Expected>,
}

impl OwnCalls {
    /// A call on `container` is about to be made. A plan announces all its calls at once: the
    /// events of a later one may arrive before the result of an earlier one.
    pub(crate) fn begin(&mut self, container: &ContainerId, tool: &str) {
        let expected = self.expected.entry(container.clone()).or_default();
        if expected.until.take().is_some() {
            *expected = Expected::default();
        }
        let (starts, ends) = match tool {
            "start_container" => (1, 0),
            "stop_container" => (0, 1),
            "restart_container" => (1, 1),
            _ => (0, 0),
        };
        expected.starts += starts;
        expected.ends += ends;
        expected.stops += ends;
    }

    /// All calls on it came back.
    pub(crate) fn ended(&mut self, container: &ContainerId, now: Timestamp) {
        if let Some(expected) = self.expected.get_mut(container) {
            expected.until = Some(now + LATE);
        }
    }

    /// Whether an event is of our making. Each event of a call is claimed once.
    pub(crate) fn claims(
        &mut self,
        container: &ContainerId,
        kind: &LifeKind,
        now: Timestamp,
    ) -> bool {
        self.expected.retain(|_, e| e.until.is_none_or(|until| now <= until));
        let Some(expected) = self.expected.get_mut(container) else { return false };
        let take = |left: &mut u32| {
            let some = *left > 0;
            *left = left.saturating_sub(1);
            some
        };
        match kind {
            // SIGTERM, then SIGKILL: any number until it is dead.
            LifeKind::Kill { .. } => {
                expected.killed |= expected.ends > 0;
                expected.ends > 0
            }
            // Without a kill of ours before it, it died by itself.
            LifeKind::Die { .. } => {
                std::mem::take(&mut expected.killed) && take(&mut expected.ends)
            }
            LifeKind::Stop => take(&mut expected.stops),
            LifeKind::Start => {
                let ours = take(&mut expected.starts);
                expected.started |= ours;
                ours
            }
            _ => false,
        }
    }

    /// Whether a call of ours has (re)started the container.
    pub(crate) fn has_started(&self, container: &ContainerId) -> bool {
        self.expected.get(container).is_some_and(|e| e.started)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn claimed(tool: &str, events: &[(i64, LifeKind)], ended: i64) -> Vec<bool> {
        let mut own = OwnCalls::default();
        let id: ContainerId = "c".into();
        own.begin(&id, tool);
        let mut over = false;
        events
            .iter()
            .map(|(seconds, kind)| {
                if !over && *seconds >= ended {
                    own.ended(&id, at(ended));
                    over = true;
                }
                own.claims(&id, kind, at(*seconds))
            })
            .collect()
    }

    fn kill() -> LifeKind {
        LifeKind::Kill { signal: 15 }
    }

    fn die() -> LifeKind {
        LifeKind::Die { exit_code: 143 }
    }

    #[test]
    fn a_restart_claims_its_events_once_even_behind_its_result() {
        let once = [(1, kill()), (2, die()), (2, LifeKind::Stop), (3, LifeKind::Start)];
        assert_eq!(claimed("restart_container", &once, 0), [true; 4]);
        let twice = [(1, kill()), (2, die()), (3, LifeKind::Start), (4, kill()), (4, die())];
        assert_eq!(claimed("restart_container", &twice, 0), [true, true, true, false, false]);
        assert_eq!(claimed("restart_container", &[(20, kill())], 0), [false]);
    }

    #[test]
    fn a_start_claims_no_stop_and_a_death_without_our_kill_is_not_ours() {
        let events = [(1, LifeKind::Start), (2, kill()), (2, die()), (2, LifeKind::Stop)];
        assert_eq!(claimed("start_container", &events, 9), [true, false, false, false]);
        assert_eq!(claimed("restart_container", &[(1, die())], 9), [false]);
        assert_eq!(claimed("update_resources", &[(1, kill()), (1, die())], 9), [false, false]);
    }
}
