//! What does not work as it should, above all: the container engine is out of sight. Then nothing
//! is verified, for what is known is what was.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::fleet::{self, AskedEnd};
use crate::diagnose::world::Facts;
use crate::domain::container::RunState;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::IncidentState;
use crate::domain::plan::{Actor, Plan};
use crate::domain::snapshot::{Degraded, ENGINE_PART};
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn, oracles};

/// Parts that can be degraded at a time; there are only a handful.
const DEGRADED_KEPT: usize = 32;

impl Engine {
    pub(crate) fn part_degraded(&mut self, part: String, detail: String, turn: &mut Turn) {
        let now = turn.now;
        let known = self.degraded.iter().position(|d| d.part == part);
        let since = known.map_or(now, |at| self.degraded.remove(at).since);
        if self.degraded.len() >= DEGRADED_KEPT {
            self.degraded.remove(0);
        }
        self.degraded.push(Degraded { part: part.clone(), detail: detail.clone(), since });
        if part == ENGINE_PART && self.blind_since.is_none() {
            self.blind_since = Some(now);
            for open in self.incidents.values_mut() {
                if let Some(verification) = &mut open.work.verification {
                    verification.loses_sight();
                }
            }
            self.engine_shut_down(turn);
        }
        turn.emit(Event::Degraded { part, detail });
    }

    pub(crate) fn part_recovered(&mut self, part: String, detail: String, turn: &mut Turn) {
        let now = turn.now;
        self.degraded.retain(|d| d.part != part);
        if part == ENGINE_PART
            && let Some(since) = self.blind_since.take()
        {
            let mut look_at = BTreeSet::new();
            for open in self.incidents.values_mut() {
                let Some(verification) = &mut open.work.verification else { continue };
                let lost = now.duration_since(since.max(verification.began));
                verification.sees_again(lost, now);
                look_at.extend(verification.targets.iter().cloned());
            }
            turn.effects.extend(look_at.into_iter().map(Effect::Inspect));
        }
        turn.emit(Event::Recovered { part, detail });
    }

    /// Whether the container engine is out of sight.
    pub(crate) fn is_blind(&self) -> bool {
        self.blind_since.is_some()
    }

    /// A container ended while nobody could see why: it may have been meant.
    pub(crate) fn ended_unseen(&mut self, container: &ContainerId) {
        for open in self.incidents.values_mut() {
            let mut steps = open.incident.plan.iter().flat_map(|p| &p.steps);
            let its = &open.incident.container.id == container;
            if its || steps.any(|s| &s.target.id == container) {
                open.work.unwitnessed = true;
            }
        }
    }

    /// Says why a verification does not go on.
    pub(crate) fn wait_for_sight(&mut self, id: &IncidentId, turn: &mut Turn) {
        let words = "the container engine cannot be seen; every check waits and begins anew";
        let checks = vec![oracles::check("engine_in_sight", false, words.to_owned())];
        if let Some(open) = self.incidents.get_mut(id)
            && open.work.verification.is_some()
            && open.incident.checks != checks
        {
            Arc::make_mut(&mut open.incident).checks = checks;
            turn.dirty.insert(id.clone());
        }
    }

    /// The events have ended: if it was the engine that took everything down before, no operator
    /// has decided anything about what it took along.
    fn engine_shut_down(&mut self, turn: &mut Turn) {
        let all = || self.world.containers.values();
        let running = all().filter(|f| f.container.state == RunState::Running).count();
        let ends: Vec<AskedEnd> = all().filter_map(Facts::asked_end).collect();
        let Some(last) = fleet::shut_down(running, &ends, turn.now) else { return };
        let mut taken_along = BTreeSet::new();
        for (id, facts) in &mut self.world.containers {
            if facts.asked_end().is_some_and(|end| fleet::belongs(end.at, last)) {
                facts.stopped_by_operator = None;
                facts.killed_at = None;
                taken_along.insert(id.clone());
            }
        }
        for id in self.open_ids() {
            self.goes_on_after_shutdown(&id, &taken_along, turn);
        }
    }

    fn goes_on_after_shutdown(
        &mut self,
        id: &IncidentId,
        taken_along: &BTreeSet<ContainerId>,
        turn: &mut Turn,
    ) {
        let Some(open) = self.incidents.get_mut(id) else { return };
        if !taken_along.contains(&open.incident.container.id) {
            return;
        }
        let waited: Option<Timestamp> = open.work.stopped_until.take();
        // Nobody knows what else happened meanwhile.
        open.work.unwitnessed = true;
        let withdrawn = open.incident.state == IncidentState::AwaitingApproval
            && !open.incident.plan.as_ref().is_some_and(Plan::is_staged);
        if waited.is_some() {
            let what = "the engine shut down; it was no operator who stopped the container";
            self.note(id, Actor::System, what.to_owned(), turn);
            if withdrawn {
                self.plan_again(id);
            }
        }
    }
}
