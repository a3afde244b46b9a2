//! The closing words of an incident, for people who were not there: what broke and why in the
//! first paragraph, what was done and what remains in the second. Written from the record alone.

use crate::domain::incident::{DIAGNOSED, Incident, IncidentState};
use crate::domain::plan::{Actor, FixState, Plan};
use crate::report::phases::Phases;
use crate::report::spans;

/// Stands between the paragraphs.
pub const BETWEEN: &str = "\n\n";

/// Why an incident is closed whose container came back by itself or by somebody else.
pub const RECOVERED: &str = "it recovered and stayed up";

/// How the timeline entry of an escalation begins.
const ESCALATED: &str = "escalated: ";

/// Writes both paragraphs.
pub fn write(incident: &Incident) -> String {
    format!("{}{BETWEEN}{}", broke(incident), done(incident))
}

/// What broke, for how long, and why.
fn broke(incident: &Incident) -> String {
    let mut parts = vec![format!("{} was affected ({}).", incident.root, incident.class.words())];
    let affected: Vec<&str> =
        incident.affected.iter().map(String::as_str).filter(|n| *n != incident.root).collect();
    if !affected.is_empty() {
        parts.push(format!("It took {} with it.", affected.join(", ")));
    }
    if incident.merged_into().is_none()
        && let Some(lasted) = Phases::of(incident).impact()
    {
        let lasted = spans::words(lasted);
        parts.push(format!("From the first signal to the end it took {lasted}."));
    }
    parts.push(cause(incident).map_or_else(
        || "The cause was not established.".to_owned(),
        |cause| format!("Cause: {}", sentence(cause)),
    ));
    parts.join(" ")
}

/// The cause in one sentence: that of the diagnosis, or of the last one that the timeline has.
pub fn cause(incident: &Incident) -> Option<&str> {
    let told = || {
        let words = incident.timeline.iter().rev().find_map(|e| e.what.strip_prefix(DIAGNOSED))?;
        words.split_once("%): ").map(|(_, cause)| cause)
    };
    incident.diagnosis.as_ref().map(|d| d.cause.as_str()).or_else(told)
}

/// What was done by whom, and what remains.
fn done(incident: &Incident) -> String {
    let mut parts: Vec<String> = Vec::new();
    let last = approver(incident);
    for plan in &incident.earlier_plans {
        parts.extend(acts(plan, None, "did not mend it"));
    }
    if let Some(plan) = &incident.plan {
        let by = last.as_ref();
        parts.extend(acts(plan, by, ""));
        if plan.was_begun() && incident.state != IncidentState::Resolved {
            parts.push(aftermath(incident));
        }
    }
    if parts.is_empty() {
        parts.push("Nothing was changed by sentinel-tui.".to_owned());
    }
    if let Some(by) = &incident.refused_by {
        parts.push(format!("{by} had decided against a fix."));
    }
    parts.push(remains(incident));
    parts.join(" ")
}

/// What became of the calls of a plan, one sentence for each kind of end.
fn acts(plan: &Plan, by: Option<&Actor>, aside: &str) -> Vec<String> {
    let by = by.map_or_else(String::new, |by| format!(" (approved by {by})"));
    let applied = if aside.is_empty() { String::new() } else { format!(", which {aside}") };
    let kinds = [
        (FixState::Applied, format!("Done{by}{applied}")),
        (FixState::Applying, format!("Called{by}, with an outcome that is not known")),
        (FixState::Undoing, format!("Done{by} and about to be taken back")),
        (FixState::Undone, format!("Done{by} and taken back")),
        (FixState::Failed, format!("Tried without a known success{by}")),
        (FixState::Skipped, "Not made, because a step before it failed".to_owned()),
    ];
    let mut sentences = Vec::new();
    for (state, words) in kinds {
        let of_state: Vec<&str> = plan
            .steps
            .iter()
            .filter(|s| s.state == state)
            .map(|s| s.docker_line.as_str())
            .collect();
        if !of_state.is_empty() {
            sentences.push(format!("{words}: {}.", of_state.join("; ")));
        }
    }
    sentences
}

/// Who approved the plan that was called last.
fn approver(incident: &Incident) -> Option<Actor> {
    let moves = incident.timeline.iter().rev();
    moves.into_iter().find(|e| e.state == Some(IncidentState::Fixing)).map(|e| e.actor.clone())
}

/// What came after the calls of a plan that did not end as verified.
fn aftermath(incident: &Incident) -> String {
    let moves =
        incident.timeline.iter().rev().take_while(|e| e.state != Some(IncidentState::Fixing));
    moves.filter(|e| e.state == Some(IncidentState::Escalated)).last().map_or_else(
        || "It was not verified.".to_owned(),
        |e| format!("After it: {}", sentence(e.what.trim_start_matches(ESCALATED))),
    )
}

fn remains(incident: &Incident) -> String {
    let end = incident.timeline.iter().rev().find(|e| e.state == Some(incident.state));
    let why = end.map_or("no reason is known", |e| e.what.as_str());
    let advice = incident
        .diagnosis
        .as_ref()
        .and_then(|d| d.advice.as_ref())
        .map_or_else(String::new, |advice| format!(" Still open: {}", sentence(advice)));
    match incident.state {
        IncidentState::Resolved if is_taken_back(incident) => {
            "It had been verified before it was taken back: look whether the fault returns."
                .to_owned()
        }
        IncidentState::Resolved => {
            let passed = incident.checks.iter().filter(|c| c.passed).count();
            format!(
                "Verified by {passed} checks. If a compose file describes the container, carry lasting changes over to it."
            )
        }
        IncidentState::ResolvedExternally if why.starts_with(RECOVERED) => {
            format!("It recovered without our doing.{advice}")
        }
        IncidentState::Dismissed if incident.merged_into().is_some() => {
            let into = incident.merged_into().unwrap_or_default();
            format!("It proved to be a symptom of {into}; what was done and what remains is there.")
        }
        IncidentState::Dismissed => {
            let who = end.map_or(&Actor::System, |e| &e.actor);
            format!("Closed by {who}: {}", sentence(why))
        }
        IncidentState::ResolvedExternally => format!("Closed: {}{advice}", sentence(why)),
        IncidentState::Detected
        | IncidentState::Diagnosing
        | IncidentState::AwaitingApproval
        | IncidentState::Fixing
        | IncidentState::Verifying
        | IncidentState::Escalated => format!("It is still open.{advice}"),
    }
}

/// Whether what had mended it does not stand any more, or perhaps not.
fn is_taken_back(incident: &Incident) -> bool {
    let steps = incident.plan.iter().flat_map(|p| &p.steps);
    steps.into_iter().any(|s| s.state.was_called() && s.state != FixState::Applied)
}

/// With one full stop at the end.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
