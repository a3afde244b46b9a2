//! Diagnosing an incident, and what a diagnosis leads to.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::consult::check;
use crate::diagnose::{Case, diagnose};
use crate::domain::container::RunState;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::diagnosis_wire::DiagnosisWire;
use crate::domain::event::{Event, IncidentWire};
use crate::domain::failure::FailureClass;
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::{DIAGNOSED, IncidentState};
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Actor;
use crate::engine::work::EVIDENCE_WAIT;
use crate::engine::{Engine, Turn};

/// So many plans are carried out for one incident; then a person takes over.
const MAX_ATTEMPTS: usize = 3;
/// So many plans are staged for one incident, carried out or not.
pub(crate) const MAX_PLANS: u32 = 30;
/// A plan whose tools were not discovered waits this long for them.
pub(crate) const TOOLS_WAIT: SignedDuration = SignedDuration::from_secs(30);

impl Engine {
    /// Whether an incident is in a state in which thinking about it leads anywhere.
    pub(crate) fn may_diagnose(&self, id: &IncidentId) -> bool {
        self.attached
            && self.incidents.get(id).is_some_and(|o| {
                !o.work.undoing
                    && matches!(
                        o.incident.state,
                        IncidentState::Diagnosing
                            | IncidentState::AwaitingApproval
                            | IncidentState::Escalated
                    )
            })
    }

    pub(crate) fn diagnosis_due(&self, id: &IncidentId, now: Timestamp) -> bool {
        let Some(open) = self.incidents.get(id) else { return false };
        let work = &open.work;
        let wants = work.diagnose_by.is_some() || work.rethink;
        let ready = !work.need_log_end
            && !work.need_inspect
            && !self.seems_to_be_dying(&open.incident.container.id, now);
        let late = work.diagnose_by.is_none_or(|by| by <= now);
        wants && (ready || late) && self.may_diagnose(id)
    }

    /// Its log stream ended a moment ago, and the engine still calls it running: the news of its
    /// death is on its way, and a plan made before it would be for another state.
    fn seems_to_be_dying(&self, container: &ContainerId, now: Timestamp) -> bool {
        self.world.containers.get(container).is_some_and(|f| {
            let ended = f.log_ended_at.is_some_and(|at| now.duration_since(at) <= EVIDENCE_WAIT);
            ended && f.container.is_up()
        })
    }

    pub(crate) fn log_ended(&mut self, container: &ContainerId, turn: &Turn) {
        if let Some(facts) = self.world.containers.get_mut(container) {
            facts.log_ended_at = Some(turn.now);
        }
        for open in self.incidents.values_mut() {
            if &open.incident.container.id == container {
                open.work.need_log_end = false;
            }
        }
    }

    /// An inspect counts that shows `container` as it was at `shows` or later.
    pub(crate) fn seen_by_inspect(&mut self, container: &ContainerId, shows: Timestamp) {
        for open in self.incidents.values_mut() {
            if &open.incident.container.id == container {
                open.work.need_inspect = false;
            }
            if let Some(verification) = &mut open.work.verification {
                verification.saw(container, shows);
            }
        }
    }

    /// Diagnoses, and stages what the diagnosis proposes. A second diagnosis that says the same
    /// as the first changes at most the words.
    pub(crate) fn diagnose(&mut self, id: &IncidentId, turn: &mut Turn) {
        let now = turn.now;
        let Some(open) = self.incidents.get_mut(id) else { return };
        open.work.diagnose_by = None;
        open.work.rethink = false;
        open.work.need_log_end = false;
        open.work.need_inspect = false;
        let incident = Arc::clone(&open.incident);
        let mut diagnosis = diagnose(&Case {
            subject: &incident.container,
            anomalies: &incident.anomalies,
            world: &self.world,
            now,
        });
        self.weigh(&mut diagnosis, &incident, now);
        let same = incident.diagnosis.as_ref().is_some_and(|old| {
            old.class == diagnosis.class && old.root == diagnosis.root && old.plan == diagnosis.plan
        });
        if same && incident.state != IncidentState::Diagnosing {
            if let Some((incident, _)) = self.edit(id, turn) {
                let better = incident.title != diagnosis.cause;
                incident.title.clone_from(&diagnosis.cause);
                incident.diagnosis = Some(diagnosis);
                let wire = IncidentWire::from(&*incident);
                if better {
                    turn.emit(Event::IncidentUpdated { incident: wire });
                }
            }
            return;
        }
        if self.merge_into_root(id, &diagnosis, turn) {
            return;
        }
        self.withdraw_plan(id, "the diagnosis changed", turn);
        let Some((incident, work)) = self.edit(id, turn) else { return };
        if incident.state != IncidentState::Diagnosing {
            let moved = incident.transition(
                IncidentState::Diagnosing,
                now,
                Actor::System,
                "new evidence: thinking again",
            );
            debug_assert!(moved, "awaiting and escalated lead back to diagnosing");
        }
        if incident.diagnosis.is_some() && incident.root != diagnosis.root {
            incident.note(
                now,
                Actor::System,
                format!("the root moved from {} to {}", incident.root, diagnosis.root),
            );
        }
        incident.class = diagnosis.class;
        incident.root.clone_from(&diagnosis.root);
        incident.title.clone_from(&diagnosis.cause);
        for name in &diagnosis.affected {
            if !incident.affected.contains(name) {
                incident.affected.push(name.clone());
            }
        }
        incident.affected.retain(|name| name != &diagnosis.root);
        incident.note(
            now,
            Actor::System,
            format!(
                "{DIAGNOSED}{} ({:.0} %): {}",
                diagnosis.class,
                diagnosis.confidence * 100.0,
                diagnosis.cause
            ),
        );
        incident.diagnosis = Some(diagnosis.clone());
        // Who disagreed with an earlier diagnosis may agree with this one.
        if let Some(opinion) = &mut incident.opinion {
            let root = opinion.root.as_deref();
            opinion.agreement =
                check::agreement(opinion.class, root, diagnosis.class, &diagnosis.root);
        }
        // What spoke against the plan of another diagnosis.
        incident.not_acting.clear();
        work.told.clear();
        work.lacks_tools = false;
        work.tools_by = None;
        let wire = DiagnosisWire::from(&diagnosis);
        let updated = IncidentWire::from(&*incident);
        turn.emit(Event::DiagnosisReady { incident_id: id.clone(), diagnosis: wire });
        turn.emit(Event::IncidentUpdated { incident: updated });
        self.want_analysis(id, turn);
        self.follow_up(id, &diagnosis, turn);
    }

    /// What a diagnosis leads to: a staged plan, a recovery to watch, or a person.
    fn follow_up(&mut self, id: &IncidentId, diagnosis: &Diagnosis, turn: &mut Turn) {
        if diagnosis.plan.is_empty() {
            if self.comes_back_by_itself(id, diagnosis) {
                self.not_acting(
                    id,
                    NotActing::RestartPolicy,
                    "the engine's restart policy brings it back; watching",
                    turn,
                );
                self.watch_recovery(id, turn);
                return;
            }
            let advice =
                diagnosis.advice.clone().unwrap_or_else(|| "A person has to look.".to_owned());
            self.not_acting(
                id,
                NotActing::NoSafeFix,
                &format!("there is no safe fix. {advice}"),
                turn,
            );
            self.escalate(id, &format!("no safe fix: {advice}"), turn);
            return;
        }
        let missing: Vec<&str> = diagnosis
            .plan
            .iter()
            .map(|a| a.call.tool.as_str())
            .filter(|tool| !self.world.has_tool(tool))
            .collect();
        if !missing.is_empty() {
            // Tools may still be on their way; `tools_changed` comes back here.
            if self.knows_tools(turn.now) {
                let why = format!("no MCP server offers {}", missing.join(", "));
                self.not_acting(id, NotActing::ToolMissing, &why, turn);
            }
            if let Some(open) = self.incidents.get_mut(id) {
                open.work.lacks_tools = true;
                open.work.tools_by = Some(turn.now + TOOLS_WAIT);
            }
            return;
        }
        let Some((attempts, staged)) =
            self.incidents.get(id).map(|o| (o.incident.attempts().count(), o.incident.plans))
        else {
            return;
        };
        if attempts >= MAX_ATTEMPTS {
            self.escalate(id, &format!("{attempts} plans did not mend it"), turn);
            return;
        }
        if staged >= MAX_PLANS {
            self.escalate(id, &format!("{staged} plans were staged and none was made"), turn);
            return;
        }
        self.stage(id, diagnosis, turn);
        self.consider(id, turn);
    }

    /// The engine's restart policy has brought back what is at fault, or is about to.
    fn comes_back_by_itself(&self, id: &IncidentId, diagnosis: &Diagnosis) -> bool {
        let passing = matches!(
            diagnosis.class,
            FailureClass::TransientCrash
                | FailureClass::NativeCrash
                | FailureClass::OomKill
                | FailureClass::DependencyDown
                | FailureClass::Hang
        );
        let subject = self.incidents.get(id).map(|o| &o.incident.container);
        let root = subject.and_then(|s| {
            if s.name == diagnosis.root {
                self.world.containers.get(&s.id)
            } else {
                self.world.by_name(&diagnosis.root)
            }
        });
        let back = root.is_some_and(|f| {
            let container = &f.container;
            container.is_up()
                || container.state == RunState::Restarting
                || container
                    .restart_policy
                    .restarts_after(container.exit_code, container.restart_count)
        });
        passing && back && diagnosis.advice.is_none()
    }

    /// Whether it is known which tools there are: they were announced, or should have been. Before
    /// that none is called missing.
    pub(crate) fn knows_tools(&self, now: Timestamp) -> bool {
        self.tools_announced || self.tools_due.is_some_and(|due| due <= now)
    }

    /// A plan whose tools never came goes to a person.
    pub(crate) fn give_up_on_tools(&mut self, id: &IncidentId, turn: &mut Turn) {
        let Some(open) = self.incidents.get_mut(id) else { return };
        if open.work.tools_by.is_none_or(|by| by > turn.now) {
            return;
        }
        open.work.tools_by = None;
        if open.incident.state == IncidentState::Diagnosing {
            let why = "no MCP server offers the tools that the fix needs";
            self.not_acting(id, NotActing::ToolMissing, why, turn);
            self.escalate(id, why, turn);
        }
    }

    /// Tools were discovered: plans that waited for them go on.
    pub(crate) fn tools_changed(&mut self, turn: &mut Turn) {
        for id in self.open_ids() {
            if !self.may_diagnose(&id) {
                continue;
            }
            let Some(open) = self.incidents.get_mut(&id) else { continue };
            if !std::mem::take(&mut open.work.lacks_tools) {
                continue;
            }
            open.work.tools_by = None;
            open.work.told.remove(NotActing::ToolMissing.as_str());
            if let Some(diagnosis) = open.incident.diagnosis.clone() {
                self.follow_up(&id, &diagnosis, turn);
            }
        }
    }
}
