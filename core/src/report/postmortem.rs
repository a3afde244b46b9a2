//! A postmortem as a value: complete without a model. Its fields are stable; additions only.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::diagnosis::{Rejected, Source};
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Check, Incident, IncidentState, TimelineEntry};
use crate::domain::opinion::Opinion;
use crate::domain::past::Past;
use crate::domain::plan::{Fix, Plan, Risk};
use crate::domain::seen::Seen;
use crate::domain::severity::Severity;
use crate::report::phases::{Phase, Phases};
use crate::report::{explanation, lessons, similar};

/// Who speaks when no model does.
pub const BY_RULES: &str = "rules and stored facts";

/// How long a phase lasted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lasted {
    /// Which.
    pub phase: &'static str,
    /// For how long.
    pub seconds: f64,
}

impl From<Phase> for Lasted {
    fn from(phase: Phase) -> Self {
        Self { phase: phase.name, seconds: phase.lasted.as_secs_f64() }
    }
}

/// Who suffered, from the first signal to the recovery.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// The first signal.
    pub from: Timestamp,
    /// The end; `None` while it lasts.
    pub to: Option<Timestamp>,
    /// Between them.
    pub seconds: Option<f64>,
    /// Containers that suffered, the one at fault first.
    pub containers: Vec<String>,
}

/// What a language model wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// Which.
    pub by: String,
    /// Two paragraphs.
    pub text: String,
}

/// Why it broke.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// In one sentence.
    pub sentence: String,
    /// 0 to 1, if the diagnosis still stood at the end.
    pub confidence: Option<f64>,
    /// Who says so, if the diagnosis still stood at the end.
    pub source: Option<Source>,
    /// What else it could have been.
    pub rejected: Vec<Rejected>,
    /// What changed a short while before.
    pub recent_changes: Vec<String>,
}

/// A step of a plan, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixLine {
    /// As a `docker` command line.
    pub docker_line: String,
    /// The tool that was, or would have been, called.
    pub tool: String,
    /// Its target.
    pub target: String,
    /// How much it could hurt.
    pub risk: Risk,
    /// Why.
    pub reason: String,
    /// What it changed.
    pub change: String,
    /// What became of it.
    pub state: &'static str,
    /// What came back.
    pub result: Option<String>,
    /// What to change in a compose file.
    pub compose_patch: Option<String>,
}

impl From<&Fix> for FixLine {
    fn from(fix: &Fix) -> Self {
        Self {
            docker_line: fix.docker_line.clone(),
            tool: fix.call.tool.clone(),
            target: fix.target.name.clone(),
            risk: fix.risk,
            reason: fix.reason.clone(),
            change: fix.diff.clone(),
            state: fix.state.as_str(),
            result: fix.result.as_ref().map(|r| r.message.clone()),
            compose_patch: fix.compose_patch.clone(),
        }
    }
}

/// A sign of the fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sign {
    /// When it could be observed.
    pub at: Timestamp,
    /// On which container.
    pub container: String,
    /// What was seen.
    pub summary: String,
}

/// The postmortem.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Postmortem {
    /// Of which incident.
    pub id: IncidentId,
    /// What broke, in one line.
    pub title: String,
    /// How it stands.
    pub state: IncidentState,
    /// How bad it was.
    pub severity: Severity,
    /// Its class.
    pub class: FailureClass,
    /// The service.
    pub service: String,
    /// The container at fault.
    pub root: String,
    /// What broke, why, what was done, what remains.
    pub summary: String,
    /// Who wrote the summary.
    pub summary_by: String,
    /// The same for people who were not there, by a language model. Not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// From the first signal to the recovery.
    pub impact: Impact,
    /// The moments.
    pub phases: Phases,
    /// How long each phase lasted.
    pub durations: Vec<Lasted>,
    /// Why it broke, as far as established.
    pub cause: Option<Cause>,
    /// What a language model made of it, checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analyst: Option<Box<Opinion>>,
    /// What supports the cause.
    pub evidence: Vec<Evidence>,
    /// The signs, oldest first.
    pub signs: Vec<Sign>,
    /// Signs beyond those that were kept.
    pub signs_dropped: u64,
    /// Every plan that was carried out, and the last one whatever became of it.
    pub fixes: Vec<FixLine>,
    /// The last verification.
    pub verification: Vec<Check>,
    /// Everything that happened.
    pub timeline: Vec<TimelineEntry>,
    /// What prevented it from being found earlier.
    pub not_found_earlier: Vec<String>,
    /// What is left to do.
    pub action_items: Vec<String>,
    /// What is known of this fault from before.
    pub seen_before: Seen,
    /// The incident before it that it continued.
    pub reopens: Option<IncidentId>,
}

/// Writes it. Of `past` only what ended before this incident did counts.
pub fn write(incident: &Incident, past: &[Past]) -> Postmortem {
    let seen_before = similar::seen(incident, past);
    let phases = Phases::of(incident);
    let mut containers = vec![incident.root.clone()];
    for name in incident.affected.iter().chain([&incident.container.name]) {
        if !containers.contains(name) {
            containers.push(name.clone());
        }
    }
    let unbegun = incident.plan.iter().filter(|p| !p.was_begun());
    let plans = incident.carried_out().chain(unbegun);
    Postmortem {
        id: incident.id.clone(),
        title: incident.title.clone(),
        state: incident.state,
        severity: incident.severity,
        class: incident.class,
        service: incident.service().to_owned(),
        root: incident.root.clone(),
        summary: explanation::write(incident),
        summary_by: BY_RULES.to_owned(),
        told: incident
            .explanation_by
            .clone()
            .zip(incident.explanation.clone())
            .map(|(by, text)| Told { by, text }),
        impact: Impact {
            from: phases.first_signal,
            to: phases.closed,
            seconds: phases.impact().map(|d| d.as_secs_f64()),
            containers,
        },
        durations: phases.each().into_iter().map(Lasted::from).collect(),
        phases,
        cause: explanation::cause(incident).map(|sentence| {
            let diagnosis = incident.diagnosis.as_ref();
            Cause {
                sentence: sentence.to_owned(),
                confidence: diagnosis.map(|d| d.confidence),
                source: diagnosis.map(|d| d.source),
                rejected: diagnosis.map_or_else(Vec::new, |d| d.rejected.clone()),
                recent_changes: diagnosis.map_or_else(Vec::new, |d| d.recent_changes.clone()),
            }
        }),
        evidence: incident.diagnosis.as_ref().map_or_else(Vec::new, |d| d.evidence.clone()),
        signs: incident
            .anomalies
            .iter()
            .map(|a| Sign {
                at: a.observed_at,
                container: a.container.name.clone(),
                summary: a.summary.clone(),
            })
            .collect(),
        signs_dropped: incident.anomalies_dropped,
        fixes: plans.flat_map(|plan: &Plan| &plan.steps).map(FixLine::from).collect(),
        verification: incident.checks.clone(),
        timeline: incident.timeline.clone(),
        not_found_earlier: lessons::not_earlier(incident),
        action_items: lessons::action_items(incident, &seen_before),
        analyst: incident.opinion.clone(),
        seen_before,
        reopens: incident.reopens.clone(),
    }
}
