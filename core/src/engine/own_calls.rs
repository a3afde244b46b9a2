//! Which of the engine's events come from our own calls.
//!
//! A restart by one of our tools shows as kill, die, stop, start, restart, just like an
//! operator's. Each call of ours claims the events that it brings about, each once, while it runs
//! and for a while after its result: events and results travel on different ways. What is left
//! over was somebody else.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::domain::clock;
use crate::domain::container::RunState;
use crate::domain::ids::ContainerId;
use crate::domain::life::LifeKind;

/// Events of a call arrive at most this long after its result.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// Tools that put another container in the place of their target.
const REPLACES: &[&str] = &["update_env_vars", "rollback_container"];

/// What one call may still bring about, in this order.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "events that came or did not, independently")]
struct Call {
    /// Kill and die.
    end: bool,
    /// A kill of ours was seen: the next death is ours.
    killed: bool,
    /// The word `stop` behind an end.
    stop: bool,
    start: bool,
}

/// What our calls on one container may still bring about.
#[derive(Debug, Default)]
struct Expected {
    /// In the order in which they are made; no more than a plan has steps.
    calls: VecDeque<Call>,
    /// Whether the container is up before the next call, as far as can be known.
    up: bool,
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
    /// A call on `container` is about to be made, which is in `state` as far as is known. A plan
    /// announces all its calls at once: the events of a later one may arrive before the result of
    /// an earlier one. What is down already cannot be stopped by us: whatever is stopped then was
    /// started, and stopped, by somebody else.
    pub(crate) fn begin(&mut self, container: &ContainerId, tool: &str, state: Option<RunState>) {
        let expected = self.expected.entry(container.clone()).or_default();
        if expected.until.take().is_some() {
            *expected = Expected::default();
        }
        if expected.calls.is_empty() {
            // One that waits for its restart may be up by the time of the call.
            let down = [RunState::Created, RunState::Exited, RunState::Dead];
            expected.up = !state.is_some_and(|state| down.contains(&state));
        }
        let (ends, starts) = match tool {
            "start_container" => (false, true),
            "stop_container" => (expected.up, false),
            "restart_container" => (expected.up, true),
            // It stops what it replaces, and starts it again where the successor does not come up.
            _ if REPLACES.contains(&tool) => (expected.up, true),
            _ => return,
        };
        expected.up = starts;
        expected.calls.push_back(Call { end: ends, killed: false, stop: ends, start: starts });
    }

    /// The last call that was announced is not made after all.
    pub(crate) fn unmade(&mut self, container: &ContainerId, tool: &str) {
        let claims = matches!(tool, "start_container" | "stop_container" | "restart_container")
            || REPLACES.contains(&tool);
        if let Some(expected) = self.expected.get_mut(container).filter(|_| claims) {
            expected.calls.pop_back();
        }
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
        let mut calls = expected.calls.iter_mut();
        match kind {
            // SIGTERM, then SIGKILL: any number until it is dead.
            LifeKind::Kill { .. } => {
                calls.find(|call| call.end).map(|call| call.killed = true).is_some()
            }
            // Without a kill of ours before it, it died by itself.
            LifeKind::Die { .. } => {
                calls.find(|call| call.end && call.killed).map(|call| call.end = false).is_some()
            }
            LifeKind::Stop => calls.find(|call| call.stop).map(|call| call.stop = false).is_some(),
            LifeKind::Start => {
                let Some(at) = expected.calls.iter().position(|call| call.start) else {
                    return false;
                };
                // A start comes last: what was expected before it does not come any more.
                expected.calls.drain(..=at);
                expected.started = true;
                true
            }
            _ => false,
        }
    }

    /// Whether a call of ours has (re)started the container.
    pub(crate) fn has_started(&self, container: &ContainerId) -> bool {
        self.expected.get(container).is_some_and(|e| e.started)
    }

    /// The wall clock jumped by `by`, and what is waited for with it.
    pub(crate) fn clock_jumped(&mut self, by: SignedDuration) {
        clock::shift(self.expected.values_mut().filter_map(|e| e.until.as_mut()), by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn claimed(tool: &str, events: &[(i64, LifeKind)], ended: i64) -> Vec<bool> {
        claimed_in(RunState::Running, tool, events, ended)
    }

    fn claimed_in(
        state: RunState,
        tool: &str,
        events: &[(i64, LifeKind)],
        ended: i64,
    ) -> Vec<bool> {
        let mut own = OwnCalls::default();
        let id: ContainerId = "c".into();
        own.begin(&id, tool, Some(state));
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
    fn what_was_dead_before_the_call_is_stopped_by_somebody_else() {
        let after = [(1, LifeKind::Start), (2, kill()), (2, die()), (2, LifeKind::Stop)];
        for tool in ["restart_container", "start_container"] {
            let claims = claimed_in(RunState::Exited, tool, &after, 0);
            assert_eq!(claims, [true, false, false, false], "{tool}");
        }
        // It was thought to run, but had died: with the start the rest is over.
        let claims = claimed_in(RunState::Running, "restart_container", &after, 0);
        assert_eq!(claims, [true, false, false, false]);
        let stops = [(1, kill()), (1, die()), (1, LifeKind::Stop)];
        assert_eq!(claimed_in(RunState::Dead, "stop_container", &stops, 9), [false; 3]);
        assert_eq!(claimed_in(RunState::Restarting, "stop_container", &stops, 9), [true; 3]);
    }

    #[test]
    fn a_later_call_of_a_plan_finds_what_the_earlier_one_left() {
        let mut own = OwnCalls::default();
        let id: ContainerId = "c".into();
        for tool in ["stop_container", "update_resources", "start_container"] {
            own.begin(&id, tool, Some(RunState::Running));
        }
        for kind in [kill(), die(), LifeKind::Stop, LifeKind::Start] {
            assert!(own.claims(&id, &kind, at(1)), "{kind:?}");
        }
        assert!(!own.claims(&id, &kill(), at(1)));
    }

    #[test]
    fn a_call_that_was_not_made_claims_nothing() {
        let mut own = OwnCalls::default();
        let id: ContainerId = "c".into();
        for tool in ["stop_container", "update_resources", "start_container"] {
            own.begin(&id, tool, Some(RunState::Running));
        }
        for tool in ["start_container", "update_resources"] {
            own.unmade(&id, tool);
        }
        own.ended(&id, at(0));
        assert!(!own.claims(&id, &LifeKind::Start, at(1)));
        assert!(own.claims(&id, &kill(), at(1)));
    }

    #[test]
    fn a_container_that_is_made_anew_is_stopped_by_us() {
        let stop = [(1, kill()), (2, die()), (2, LifeKind::Stop), (3, LifeKind::Start)];
        for tool in REPLACES {
            assert_eq!(claimed(tool, &stop, 9), [true; 4], "{tool}");
            // It was down: there was nothing to stop.
            assert_eq!(claimed_in(RunState::Exited, tool, &stop[..3], 9), [false; 3], "{tool}");
        }
    }

    #[test]
    fn a_start_claims_no_stop_and_a_death_without_our_kill_is_not_ours() {
        let events = [(1, LifeKind::Start), (2, kill()), (2, die()), (2, LifeKind::Stop)];
        assert_eq!(claimed("start_container", &events, 9), [true, false, false, false]);
        assert_eq!(claimed("restart_container", &[(1, die())], 9), [false]);
        assert_eq!(claimed("update_resources", &[(1, kill()), (1, die())], 9), [false, false]);
    }
}
