//! The closing words of an incident: what broke, why, what was done, what remains.

use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::FixState;
use crate::engine::records;

/// Why an incident is closed whose container came back by itself or by somebody else.
pub(crate) const RECOVERED: &str = "it recovered and stayed up";

/// The last word of the timeline.
fn ended_by(incident: &Incident) -> &str {
    incident.timeline.last().map_or("no reason is known", |e| e.what.as_str())
}

/// Bytes of an explanation that a model wrote.
const MOST: usize = 1600;

/// A model's two paragraphs, made safe and bounded; `None` if nothing is left of them.
pub(crate) fn from_model(text: &str) -> Option<String> {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|p| crate::consult::words(p, MOST / 2))
        .filter(|p| !p.is_empty())
        .take(2)
        .collect();
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}

/// Four short sentences for people who were not there.
pub(crate) fn closing_words(incident: &Incident) -> String {
    let what = format!("{} was affected ({}).", incident.root, incident.class.words());
    let why = incident.diagnosis.as_ref().map_or_else(
        || "The cause was not established.".to_owned(),
        |d| format!("Cause: {}.", d.cause.trim_end_matches('.')),
    );
    let lines = |state: FixState| -> String {
        let of_state: Vec<&str> = incident
            .plan
            .iter()
            .flat_map(|p| &p.steps)
            .filter(|s| s.state == state)
            .map(|s| s.docker_line.as_str())
            .collect();
        of_state.join("; ")
    };
    let by = records::approver(incident);
    let mut done: Vec<String> = Vec::new();
    for (state, words) in [
        (FixState::Applied, format!("Done (approved by {by})")),
        (FixState::Undoing, format!("Done (approved by {by}) and about to be taken back")),
        (FixState::Undone, format!("Done (approved by {by}) and taken back")),
        (FixState::Failed, format!("Tried without a known success (approved by {by})")),
    ] {
        let which = lines(state);
        if !which.is_empty() {
            done.push(format!("{words}: {which}."));
        }
    }
    if done.is_empty() {
        done.push("Nothing was changed by sentinel-tui.".to_owned());
    }
    let done = done.join(" ");
    let remains = match incident.state {
        IncidentState::Resolved => {
            let passed = incident.checks.iter().filter(|c| c.passed).count();
            format!(
                "Verified by {passed} checks. If a compose file describes the container, carry lasting changes over to it."
            )
        }
        IncidentState::ResolvedExternally if ended_by(incident).starts_with(RECOVERED) => {
            "It recovered without our doing.".to_owned()
        }
        IncidentState::ResolvedExternally | IncidentState::Dismissed => {
            format!("Closed: {}.", ended_by(incident))
        }
        IncidentState::Detected
        | IncidentState::Diagnosing
        | IncidentState::AwaitingApproval
        | IncidentState::Fixing
        | IncidentState::Verifying
        | IncidentState::Escalated => "It is still open.".to_owned(),
    };
    format!("{what} {why} {done} {remains}")
}
