//! The same fault before.

use crate::answer::facts::Facts;
use crate::domain::ids::IncidentId;
use crate::report::{similar, spans};

/// Other incidents named at most.
const NAMED: usize = 5;

/// What is known from before.
pub(super) fn write(facts: &Facts<'_>) -> Vec<String> {
    let past = &facts.snapshot.past;
    let mut lines = Vec::new();
    if let Some(incident) = facts.incident() {
        let seen = similar::seen(incident, past);
        match similar::words(&seen, facts.now) {
            Some(words) => {
                lines.push(format!("The same fault before: {words}."));
                let ids: Vec<&str> = seen.which.iter().map(IncidentId::as_str).collect();
                lines.push(format!("Last ones: {}.", ids.join(", ")));
            }
            None => lines.push("This fault is not in the record yet.".to_owned()),
        }
    }
    let name = facts.name();
    let this = facts.incident().map(|i| &i.id);
    let others: Vec<String> = past
        .iter()
        .rev()
        .filter(|p| p.root == name && Some(&p.id) != this)
        .take(NAMED)
        .map(|p| {
            let end = p.state.as_str().replace('_', " ");
            format!("{} ({}, {end} {})", p.id, p.class.words(), spans::ago(facts.now, p.closed_at))
        })
        .collect();
    if !others.is_empty() {
        lines.push(format!("Earlier incidents of {name}: {}.", others.join("; ")));
    } else if lines.is_empty() {
        lines.push(format!("No earlier incident of {name} is in the record."));
    }
    lines
}
