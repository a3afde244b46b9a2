//! What an incident teaches: why it was not found earlier, and what is left to do. By rules, from
//! the record alone; each says only what the record shows.

use jiff::SignedDuration;

use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::FixState;
use crate::domain::seen::Seen;
use crate::report::phases::{DECISION, Phases};
use crate::report::spans;

/// A delay shorter than this is none to speak of.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(5);
/// A decision that took longer than this is worth a word.
const SLOW_DECISION: SignedDuration = SignedDuration::from_mins(2);

fn has(incident: &Incident, kinds: &[AnomalyKind]) -> bool {
    incident.anomalies.iter().any(|a| kinds.contains(&a.kind))
}

/// Why it was not found earlier.
pub fn not_earlier(incident: &Incident) -> Vec<String> {
    let mut why = Vec::new();
    let delay = incident.opened_at.duration_since(incident.observed_at);
    if delay >= NOTICEABLE {
        why.push(format!(
            "The first sign came {} before the incident was opened: alone it was not enough, or nobody watched yet.",
            spans::words(delay)
        ));
    }
    if has(incident, &[AnomalyKind::FoundDown]) {
        why.push(
            "It was down already when sentinel-tui began to watch: nobody watched before."
                .to_owned(),
        );
    }
    let observed = incident.anomalies.iter().position(|a| a.kind.is_engine_observed());
    match (observed, incident.anomalies.first()) {
        (Some(0), Some(first)) => why.push(format!(
            "No warning came before it: the first sign was the fault itself ({}).",
            first.kind.as_str().replace('_', " ")
        )),
        (Some(_), Some(first)) => why.push(format!(
            "Its log told of it before the engine saw it: {}",
            full_stop(&first.summary)
        )),
        (None, Some(_)) => {
            why.push("Only its log told of it; the engine saw no fault.".to_owned());
        }
        (_, None) => {}
    }
    let memory = matches!(incident.class, FailureClass::OomKill | FailureClass::MemoryLeak);
    if memory && !has(incident, &[AnomalyKind::MemoryGrowth, AnomalyKind::MemoryNearLimit]) {
        why.push(
            "Its memory was not seen near the limit before: it rose between two readings."
                .to_owned(),
        );
    }
    let lives = !has(
        incident,
        &[AnomalyKind::Death, AnomalyKind::OomKill, AnomalyKind::CrashLoop, AnomalyKind::FoundDown],
    );
    if lives && !has(incident, &[AnomalyKind::Unhealthy]) && !incident.anomalies.is_empty() {
        why.push("No health check reported it while the process lived on.".to_owned());
    }
    why
}

/// What is left to do.
pub fn action_items(incident: &Incident, seen: &Seen) -> Vec<String> {
    let mut items = Vec::new();
    if !incident.state.is_closed() {
        items.push(format!(
            "It is still {}: end it first.",
            incident.state.as_str().replace('_', " ")
        ));
    }
    if let Some(advice) = incident.diagnosis.as_ref().and_then(|d| d.advice.as_ref()) {
        items.push(full_stop(advice));
    }
    let steps = || incident.plan.iter().flat_map(|p| &p.steps);
    for step in steps().filter(|s| s.state == FixState::Applied) {
        if step.compose_patch.is_some() {
            items.push(format!(
                "Carry the change of {} over to its compose file (the patch is with the fix): the next `compose up` takes it back else.",
                step.target.name
            ));
        }
    }
    let brought_back = steps().any(|s| {
        s.state == FixState::Applied
            && matches!(s.call.tool.as_str(), "start_container" | "restart_container")
    });
    if brought_back {
        items.push("Remove the cause: a restart brought it back and changed nothing.".to_owned());
    }
    if steps().any(|s| s.state == FixState::Undone) {
        items.push("The fix was taken back: find another one.".to_owned());
    }
    if steps().any(|s| s.state == FixState::Failed) {
        items.push("A call failed or its outcome is not known: look at its target.".to_owned());
    }
    if incident.state == IncidentState::ResolvedExternally {
        items.push("It ended without our doing: find out what ended it.".to_owned());
    }
    if seen.times > 0 {
        items.push(format!(
            "It was seen {} before: mend the cause, not the symptom.",
            spans::times(seen.times)
        ));
    }
    let phases = Phases::of(incident);
    if let Some(longest) = phases.longest()
        && longest.name == DECISION
        && longest.lasted >= SLOW_DECISION
    {
        items.push(format!(
            "Waiting for a decision took longest ({}): see whether the policy may decide, or who is told.",
            spans::words(longest.lasted)
        ));
    }
    if incident.diagnosis.as_ref().is_none_or(|d| d.class == FailureClass::Unknown) {
        items.push("The cause was not established: keep the logs and look further.".to_owned());
    }
    items
}

fn full_stop(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
