//! The wall clock jumps: the machine slept, or a time server set it.

use jiff::SignedDuration;

use crate::domain::clock;
use crate::engine::Engine;

impl Engine {
    /// The wall clock jumped by `by` against the time that really passed (negative: backwards).
    /// Everything that is waited for moves along: holds, deadlines, expiries, retries. So neither
    /// does a hold pass in which nobody looked, nor does anything sleep until a time far away.
    /// What was done stays when it was, and the brakes count from there. Call it before the first
    /// `step` with the new time.
    pub fn clock_jumped(&mut self, by: SignedDuration) {
        clock::shift(self.waiting.iter_mut().map(|w| &mut w.until), by);
        clock::shift(self.blind_since.as_mut(), by);
        clock::shift(self.tools_due.as_mut(), by);
        for open in self.incidents.values_mut() {
            open.work.clock_jumped(by);
        }
        for facts in self.world.containers.values_mut() {
            facts.clock_jumped(by);
        }
        self.own.clock_jumped(by);
        self.consults.triage.clock_jumped(by);
    }
}
