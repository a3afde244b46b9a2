//! A circuit breaker per MCP server: a server whose calls fail one after the other is left alone
//! for a while; then one call is tried again.

use jiff::Timestamp;

use crate::domain::brakes::Circuit;
use crate::domain::not_acting::NotActing;
use crate::policy::limits::Limits;
use crate::policy::reason::Reason;

/// Servers remembered; a catalogue has fewer.
const MOST: usize = 64;

/// The servers whose last call failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Circuits {
    failing: Vec<Circuit>,
}

impl Circuits {
    /// A call came back. True if that opened or closed the circuit of its server.
    pub(super) fn answered(
        &mut self,
        server: &str,
        ok: bool,
        now: Timestamp,
        limits: &Limits,
    ) -> bool {
        let known = self.failing.iter().position(|c| c.server == server);
        if ok {
            let circuit = known.map(|at| self.failing.remove(at));
            return circuit.is_some_and(|c| c.failures >= limits.circuit_failures);
        }
        if known.is_none() && self.failing.len() == MOST {
            self.failing.remove(0);
        }
        let mut circuit = match known {
            Some(at) => self.failing.remove(at),
            None => Circuit { server: server.to_owned(), failures: 0, last: now },
        };
        // Failures long ago say nothing about this one.
        if circuit.failures < limits.circuit_failures
            && now.duration_since(circuit.last) >= limits.circuit
        {
            circuit.failures = 0;
        }
        circuit.failures = circuit.failures.saturating_add(1);
        circuit.last = now;
        let opened = circuit.failures >= limits.circuit_failures;
        self.failing.push(circuit);
        opened
    }

    /// Which are left alone now, and until when.
    pub(super) fn open(
        &self,
        now: Timestamp,
        limits: &Limits,
    ) -> impl Iterator<Item = (&str, Timestamp)> {
        let (failures, pause) = (limits.circuit_failures, limits.circuit);
        self.failing
            .iter()
            .filter(move |c| c.failures >= failures)
            .map(move |c| (c.server.as_str(), c.last + pause))
            .filter(move |(_, until)| *until > now)
    }

    /// Why nothing is called on one of `servers` now.
    pub(super) fn holds(
        &self,
        servers: &[&str],
        now: Timestamp,
        limits: &Limits,
    ) -> Option<Reason> {
        let (server, until) = self.open(now, limits).find(|(s, _)| servers.contains(s))?;
        let left = until.duration_since(now).as_secs();
        Some(Reason::passes(
            NotActing::CircuitOpen,
            format!(
                "the last calls of the MCP server {server} failed; it is left alone for {left} s more"
            ),
        ))
    }

    pub(super) fn kept(&self) -> Vec<Circuit> {
        self.failing.clone()
    }

    pub(super) fn recall(&mut self, mut kept: Vec<Circuit>) {
        kept.truncate(MOST);
        self.failing = kept;
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_one_success_closes_it() {
        let limits = Limits::default();
        let mut circuits = Circuits::default();
        let open = |c: &Circuits, now| c.open(at(now), &limits).count();
        assert!(!circuits.answered("a", false, at(0), &limits));
        assert!(!circuits.answered("a", false, at(1), &limits));
        assert!(!circuits.answered("a", true, at(2), &limits), "a success starts the count anew");
        for now in [3, 4] {
            assert!(!circuits.answered("a", false, at(now), &limits));
        }
        assert!(circuits.answered("a", false, at(5), &limits));
        assert_eq!(open(&circuits, 5), 1);
        assert!(circuits.holds(&["b"], at(5), &limits).is_none());
        assert!(circuits.holds(&["a", "b"], at(304), &limits).is_some());
        // Then one call is tried; if it fails, the pause begins again.
        assert!(circuits.holds(&["a"], at(305), &limits).is_none());
        assert!(circuits.answered("a", false, at(306), &limits));
        assert_eq!(open(&circuits, 605), 1);
        assert!(circuits.answered("a", true, at(606), &limits));
        assert_eq!(open(&circuits, 606), 0);
    }

    #[test]
    fn failures_far_apart_are_no_row_and_strangers_fill_no_memory() {
        let limits = Limits::default();
        let mut circuits = Circuits::default();
        for now in [0, 400, 800, 1200] {
            assert!(!circuits.answered("a", false, at(now), &limits));
        }
        for number in 0..1000 {
            circuits.answered(&number.to_string(), false, at(2000), &limits);
        }
        assert_eq!(circuits.kept().len(), MOST);
    }
}
