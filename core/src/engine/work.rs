//! The engine's own notes on an incident, not kept over a restart.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::clock;
use crate::domain::not_acting::NotActing;
use crate::domain::plan::{Actor, Plan, UndoTicket};
use crate::engine::oracles::Verification;

/// A diagnosis waits at most this long for the last lines and the inspect after a death.
pub(crate) const EVIDENCE_WAIT: SignedDuration = SignedDuration::from_millis(300);

/// What is under way for one incident.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "notes that hold or do not, independently")]
pub(crate) struct Work {
    /// When to diagnose at the latest.
    pub(crate) diagnose_by: Option<Timestamp>,
    /// The log stream of the dead process has not ended yet.
    pub(crate) need_log_end: bool,
    /// The inspect after the event has not come yet.
    pub(crate) need_inspect: bool,
    /// New evidence: think again.
    pub(crate) rethink: bool,
    /// The diagnosis has a plan whose tools were not discovered: give up at this time.
    pub(crate) tools_by: Option<Timestamp>,
    /// Its plan waits for tools, however long ago that was given up.
    pub(crate) lacks_tools: bool,
    /// Reasons against acting that were told already.
    pub(crate) told: BTreeSet<&'static str>,
    /// Until when the policy does not try again, for the record of its call could not be written or
    /// another instance has the lease, and why that is.
    pub(crate) unrecorded: Option<(Timestamp, NotActing, String)>,
    /// Approved plans that turned out to be stale: nothing was called.
    pub(crate) stale: u32,
    /// When to decide again.
    pub(crate) retry_at: Option<Timestamp>,
    /// When a plan that runs, or its undo, must have come back.
    pub(crate) result_by: Option<Timestamp>,
    /// An undo is under way.
    pub(crate) undoing: bool,
    /// Who has it taken back.
    pub(crate) undone_by: Option<Actor>,
    /// The oracles at work.
    pub(crate) verification: Option<Verification>,
    /// The right to take the applied plan back.
    pub(crate) undo: Option<UndoTicket>,
    /// A fault that the engine observed after the fix.
    pub(crate) worse: Option<String>,
    /// When the last anomaly arrived.
    pub(crate) last_sign: Option<Timestamp>,
    /// An operator stopped the container: unless it is started by then, it is theirs.
    pub(crate) stopped_until: Option<Timestamp>,
    /// Nobody watched for a while: what happened then may have been meant.
    pub(crate) unwitnessed: bool,
    /// How far the clock jumped since the plan was staged: its frozen expiry is meant that much
    /// later.
    pub(crate) clock_jumps: SignedDuration,
    /// When to ask the analyst.
    pub(crate) analyze_at: Option<Timestamp>,
    /// How often it was asked.
    pub(crate) analyses: u32,
}

impl Work {
    /// The log's end and an inspect are on their way; wait for them, but not for long.
    pub(crate) fn await_death_evidence(&mut self, now: Timestamp, log_ended: bool) {
        self.need_log_end = !log_ended;
        self.need_inspect = true;
        self.diagnose_by = Some(now + EVIDENCE_WAIT);
    }

    /// When a plan expires, by the clock as it is now.
    pub(crate) fn expiry(&self, plan: &Plan) -> Timestamp {
        clock::moved(plan.expires_at, self.clock_jumps)
    }

    /// `now` by the clock as it was when the plan was staged.
    pub(crate) fn as_staged(&self, now: Timestamp) -> Timestamp {
        clock::moved(now, SignedDuration::ZERO.saturating_sub(self.clock_jumps))
    }

    /// The wall clock jumped by `by`, and everything that is waited for with it.
    pub(crate) fn clock_jumped(&mut self, by: SignedDuration) {
        let times = [
            &mut self.diagnose_by,
            &mut self.tools_by,
            &mut self.retry_at,
            &mut self.result_by,
            &mut self.last_sign,
            &mut self.stopped_until,
            &mut self.analyze_at,
        ];
        clock::shift(times.into_iter().flatten(), by);
        clock::shift(self.unrecorded.as_mut().map(|(until, ..)| until), by);
        self.clock_jumps = self.clock_jumps.saturating_add(by);
        if let Some(verification) = &mut self.verification {
            verification.clock_jumped(by);
        }
    }

    /// Nothing more is to be done.
    pub(crate) fn settle(&mut self) {
        *self = Self::default();
    }
}
