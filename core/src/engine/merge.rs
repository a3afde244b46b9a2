//! Two incidents that prove to have one cause become one.

use std::sync::Arc;

use crate::diagnose::topology;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::{Incident, IncidentState, MERGED};
use crate::domain::plan::Actor;
use crate::engine::{Engine, Open, Turn};
use crate::report::explanation;

impl Engine {
    /// Incidents that turn out to be symptoms of the one just opened are merged into it: they
    /// only have text that names its container, or were diagnosed with it as their root.
    pub(crate) fn swallow_symptoms(&mut self, into: &IncidentId, turn: &mut Turn) {
        let Some(root) = self
            .incidents
            .get(into)
            .and_then(|o| self.world.containers.get(&o.incident.container.id))
        else {
            return;
        };
        let name = &root.container.of.name;
        let is_symptom = |i: &Incident| {
            let diagnosed = i.diagnosis.as_ref().is_some_and(|d| &d.root == name);
            let only_text = !i.anomalies.iter().any(|a| a.kind.is_engine_observed());
            let names_it = || {
                self.world.containers.get(&i.container.id).is_some_and(|f| {
                    i.anomalies
                        .iter()
                        .any(|a| topology::needs(&self.world, f, root, Some(a)).is_some())
                })
            };
            diagnosed || (only_text && names_it())
        };
        let symptoms: Vec<IncidentId> = self
            .incidents
            .values()
            .filter(|o| &o.incident.id != into && may_merge(o) && is_symptom(&o.incident))
            .map(|o| o.incident.id.clone())
            .collect();
        for id in symptoms {
            self.merge(&id, into, turn);
        }
    }

    /// A diagnosis may name a root that has an incident of its own already. True if the incident
    /// was merged into that one.
    pub(crate) fn merge_into_root(
        &mut self,
        id: &IncidentId,
        diagnosis: &Diagnosis,
        turn: &mut Turn,
    ) -> bool {
        let Some(open) = self.incidents.get(id) else { return false };
        if open.incident.container.name == diagnosis.root || !may_merge(open) {
            return false;
        }
        let root: Option<&ContainerId> =
            self.world.by_name(&diagnosis.root).map(|f| &f.container.of.id);
        let into = self
            .incidents
            .values()
            .find(|o| {
                &o.incident.id != id
                    && !o.incident.state.is_closed()
                    && root.is_some_and(|root| root == &o.incident.container.id)
            })
            .map(|o| o.incident.id.clone());
        let Some(into) = into else { return false };
        self.merge(id, &into, turn);
        true
    }

    /// Makes one incident part of another, unless something of ours is under way for it.
    pub(crate) fn merge_if_free(&mut self, id: &IncidentId, into: &IncidentId, turn: &mut Turn) {
        if self.incidents.get(id).is_some_and(may_merge) {
            self.merge(id, into, turn);
        }
    }

    fn merge(&mut self, id: &IncidentId, into: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(old) = self.incidents.get(id).map(|o| Arc::clone(&o.incident)) else { return };
        self.withdraw_plan(id, "merged into another incident", turn);
        if let Some((incident, work)) = self.edit(id, turn) {
            let moved = incident.transition(
                IncidentState::Dismissed,
                now,
                Actor::System,
                format!("{MERGED}{into}"),
            );
            debug_assert!(moved, "what may merge may be dismissed");
            incident.explanation = Some(explanation::write(incident));
            work.settle();
        }
        turn.emit(Event::IncidentMerged { id: id.clone(), into: into.clone() });
        if let Some((incident, work)) = self.edit(into, turn) {
            incident.note(now, Actor::System, format!("{id} merged into this one"));
            for anomaly in &old.anomalies {
                incident.attach(anomaly.clone());
            }
            incident.observed_at = incident.observed_at.min(old.observed_at);
            work.last_sign = Some(now);
            work.rethink = true;
            // Who said no to a plan for the symptom said it about this cause.
            if incident.refused_by.is_none() {
                incident.refused_by.clone_from(&old.refused_by);
            }
            for name in old.affected.iter().chain([&old.container.name]) {
                if name != &incident.root && !incident.affected.contains(name) {
                    incident.affected.push(name.clone());
                }
            }
        }
    }
}

/// Whether nothing of ours is under way for it.
fn may_merge(open: &Open) -> bool {
    let free = match open.incident.state {
        IncidentState::Detected
        | IncidentState::Diagnosing
        | IncidentState::AwaitingApproval
        | IncidentState::Escalated => true,
        IncidentState::Verifying => open.work.verification.as_ref().is_none_or(|v| !v.ours),
        IncidentState::Fixing
        | IncidentState::Resolved
        | IncidentState::Dismissed
        | IncidentState::ResolvedExternally => false,
    };
    free && !open.work.undoing
}
