//! Many deaths at once have one cause, wherever it lies: one incident for all of them.

use jiff::SignedDuration;

use crate::diagnose::topology;
use crate::diagnose::world::Facts;
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::failure::FailureClass;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::engine::{Engine, Turn};

/// Deaths of one storm are this close to the moment at which it was told.
const TOGETHER: SignedDuration = SignedDuration::from_secs(15);

fn is_death(anomaly: &Anomaly) -> bool {
    matches!(anomaly.kind, AnomalyKind::Death | AnomalyKind::OomKill)
}

/// A death without a cause of its own. What has said why it died keeps its own incident.
fn is_plain(incident: &Incident) -> bool {
    matches!(incident.class, FailureClass::TransientCrash | FailureClass::RestartStorm)
}

/// The storm that was told on an incident.
pub(crate) fn storm(incident: &Incident) -> Option<&Anomaly> {
    incident.anomalies.iter().rfind(|a| a.kind == AnomalyKind::RestartStorm)
}

impl Engine {
    /// The open incident of the storm that a death belongs to.
    pub(crate) fn storm_of(&self, anomaly: &Anomaly) -> Option<IncidentId> {
        if !is_death(anomaly) {
            return None;
        }
        let mut open = self.incidents.values().filter(|o| !o.incident.state.is_closed());
        let found = open.find(|o| {
            is_plain(&o.incident)
                && storm(&o.incident).is_some_and(|storm| {
                    storm.observed_at.duration_since(anomaly.observed_at).abs() <= TOGETHER
                })
        });
        found.map(|o| o.incident.id.clone())
    }

    /// A storm was told on an incident: those of the other dead become part of it, or of that of
    /// the one that all of them need.
    pub(crate) fn gather_storm(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(told) = self.incidents.get(id).and_then(|o| storm(&o.incident)).cloned() else {
            return;
        };
        let at = told.observed_at;
        let part = |incident: &Incident| {
            let mut deaths = incident.anomalies.iter().filter(|a| is_death(a));
            is_plain(incident) && deaths.any(|d| d.observed_at.duration_since(at).abs() <= TOGETHER)
        };
        let all: Vec<(IncidentId, &Facts)> = self
            .incidents
            .values()
            .filter(|o| !o.incident.state.is_closed() && part(&o.incident))
            .filter_map(|o| {
                let facts = self.world.containers.get(&o.incident.container.id)?;
                Some((o.incident.id.clone(), facts))
            })
            .collect();
        let needs = |of: &Facts, other: &Facts| {
            let other = &other.container.of.id;
            let mut above = topology::ancestors(&self.world, of).into_iter();
            &of.container.of.id == other || above.any(|a| &a.container.of.id == other)
        };
        // The first to die may have a reason of its own: then the storm is that of the others.
        let Some(first) = all.iter().find(|(of, _)| of == id).or(all.first()) else { return };
        let ancestor = all.iter().find(|(_, one)| all.iter().all(|(_, of)| needs(of, one)));
        let into = ancestor.unwrap_or(first).0.clone();
        let others: Vec<IncidentId> =
            all.into_iter().map(|(other, _)| other).filter(|other| *other != into).collect();
        for other in others {
            self.merge_if_free(&other, &into, turn);
        }
        if into != *id
            && let Some((incident, work)) = self.edit(&into, turn)
            && storm(incident).is_none()
        {
            incident.attach(told);
            work.rethink = true;
        }
    }
}
