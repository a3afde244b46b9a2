//! The instance that kept the record or acted has ended, and this one, which only watched, takes
//! over.

use jiff::SignedDuration;

use crate::domain::anomaly::Anomaly;
use crate::domain::incident::Incident;
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Plan;
use crate::engine::{Engine, Open, Turn, resume};
use crate::policy::brakes::Brakes;

/// Two instances see the same fault within this time.
const SAME_FAULT: SignedDuration = SignedDuration::from_mins(1);

impl Engine {
    /// Takes over the record of a keeper that ended: `earlier` are its incidents, all of them, as
    /// the store has them. They are taken up as at a start: what was being applied is looked at
    /// again, never repeated, and the brakes recall what was done. Our own incidents, which nobody
    /// kept, are dropped; a fault that the keeper has no incident of opens a new one. Effect comes
    /// with the next `step`, which is due at once (see [`Engine::wake_at`]); front ends need a new
    /// snapshot then.
    pub fn adopt(&mut self, earlier: Vec<Incident>) {
        let own = std::mem::take(&mut self.incidents);
        let mut left: Vec<Anomaly> = own
            .into_values()
            .map(|open| open.incident)
            .filter(|i| !i.state.is_closed() && !earlier.iter().any(|e| is_same(e, i)))
            .flat_map(|i| i.anomalies.clone())
            .collect();
        left.sort_by_key(|a| a.observed_at);
        let own = std::mem::replace(&mut self.brakes, Brakes::new(self.settings.limits));
        self.brakes.inherit(own);
        for incident in &earlier {
            resume::recall(&mut self.brakes, incident);
        }
        self.incidents = earlier.into_iter().map(|i| (i.id.clone(), Open::new(i))).collect();
        self.shown.clear();
        self.settings.keeps = true;
        // Before the monitor is attached there is nothing to look at; attaching does the rest.
        self.adopted = self.attached.then_some(left);
    }

    /// Whether this instance is the one that acts on the engine from now on. Plans that wait are
    /// decided about anew with the next `step`, which is due at once.
    pub fn elect(&mut self, acts: bool) {
        self.reconsider |= self.settings.elected != acts;
        self.settings.elected = acts;
    }

    /// What [`Engine::adopt`] and [`Engine::elect`] left to do.
    pub(crate) fn take_over(&mut self, turn: &mut Turn) {
        if let Some(left) = self.adopted.take() {
            self.resume_earlier(turn);
            for anomaly in left {
                self.route_again(anomaly, turn);
            }
        }
        if std::mem::take(&mut self.reconsider) {
            self.decide_anew(NotActing::NotElected, turn);
        }
    }

    /// Decides about all staged plans anew, now that `code` may not hold any more, or does.
    pub(crate) fn decide_anew(&mut self, code: NotActing, turn: &mut Turn) {
        for id in self.open_ids() {
            let staged = self.incidents.get(&id).and_then(|o| o.incident.plan.as_ref());
            if !staged.is_some_and(Plan::is_staged) {
                continue;
            }
            let code = code.as_str();
            if let Some((incident, work)) = self.edit(&id, turn) {
                work.told.remove(code);
                incident.not_acting.retain(|line| !line.starts_with(code));
            }
            self.consider(&id, turn);
        }
    }
}

/// Whether the keeper's incident is about the fault of ours.
fn is_same(kept: &Incident, ours: &Incident) -> bool {
    let same_time = kept.observed_at.duration_since(ours.observed_at).abs() <= SAME_FAULT;
    let concerns = kept.container.id == ours.container.id || kept.root == ours.root;
    concerns && (!kept.state.is_closed() || same_time)
}
