//! One paragraph per topic.

use crate::answer::facts::{Facts, Pieces};
use crate::answer::history;
use crate::answer::topic::Topic;
use crate::domain::container::Health;
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::plan::Plan;
use crate::domain::size::bytes_words;
use crate::domain::topology::EdgeSource;
use crate::report::{explanation, spans};
use crate::runbook::text::{self, Line};

/// Pieces of evidence shown at most.
const MOST_EVIDENCE: usize = 8;
/// Error lines shown at most.
const MOST_LINES: usize = 5;
/// Steps of a runbook shown at most.
const MOST_STEPS: usize = 8;

/// The paragraph about a topic.
pub(super) fn write(topic: Topic, facts: &Facts<'_>, pieces: &mut Pieces) -> String {
    let lines = match topic {
        Topic::Order => order(facts),
        Topic::Help => help(),
        Topic::Cause => cause(facts, pieces),
        Topic::Evidence => evidence(facts, pieces),
        Topic::Changes => changes(facts),
        Topic::Fix => fix(facts),
        Topic::History => history::write(facts),
        Topic::Dependencies => dependencies(facts),
        Topic::Metrics => metrics(facts),
        Topic::Logs => logs(facts, pieces),
        Topic::Status => status(facts),
        Topic::Summary => {
            let mut lines = status(facts);
            lines.extend(cause(facts, pieces));
            lines.extend(fix(facts).into_iter().take(2));
            lines.extend(history::write(facts).into_iter().take(1));
            lines
        }
    };
    lines.join("\n")
}

fn help() -> Vec<String> {
    vec![
        "Ask about: status, cause (why), evidence, what changed, what to do and how risky it is, history and similar incidents, dependencies, metrics, logs and last errors."
            .to_owned(),
        "Nothing that is typed here changes anything: fixes are approved in their own dialog."
            .to_owned(),
    ]
}

fn order(facts: &Facts<'_>) -> Vec<String> {
    let mut lines = vec![
        "I do nothing from here, and text never approves anything.".to_owned(),
        "Close this with esc. Then, on the incident or its fix: A approves the staged fix after showing the exact call, R rejects it, U takes an applied one back, D dismisses the incident, Z silences the service."
            .to_owned(),
    ];
    let staged = facts.incident().and_then(|i| i.plan.as_ref()).filter(|plan| plan.is_staged());
    lines.push(match staged {
        Some(plan) => format!("Staged now: {}.", calls(plan)),
        None => "No fix is staged for it now.".to_owned(),
    });
    lines
}

fn calls(plan: &Plan) -> String {
    let calls: Vec<&str> = plan.steps.iter().map(|s| s.docker_line.as_str()).collect();
    calls.join("; then ")
}

fn nothing_open(facts: &Facts<'_>) -> String {
    format!("There is no incident of {} in the record that is shown.", facts.name())
}

fn status(facts: &Facts<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(incident) = facts.incident() {
        let state = incident.state.as_str().replace('_', " ");
        lines.push(match incident.closed_at {
            Some(closed) => {
                format!(
                    "{}: {state} {}. {}",
                    incident.id,
                    spans::ago(facts.now, closed),
                    incident.title
                )
            }
            None => format!(
                "{}: {state}, {}, for {}. {}",
                incident.id,
                incident.severity.as_str(),
                spans::words(facts.now.duration_since(incident.observed_at)),
                incident.title
            ),
        });
        if let Some(next) = next(incident) {
            lines.push(next.to_owned());
        }
    }
    if let Some(view) = facts.container() {
        let container = &view.container;
        let health = match container.health {
            Health::None => "no health check".to_owned(),
            other => other.as_str().to_owned(),
        };
        let mut parts =
            vec![format!("{} is {} ({health})", container.of.name, container.state.as_str())];
        if !container.is_up() {
            parts.push(format!("exit code {}", container.exit_code));
        }
        if view.deaths > 0 {
            parts.push(format!("died {} since sentinel-tui watches", times(view.deaths)));
        }
        lines.push(sentence(&parts.join(", ")));
    } else {
        lines.push(format!("The container {} is not there any more.", facts.name()));
    }
    lines
}

fn times(count: u32) -> String {
    spans::times(usize::try_from(count).unwrap_or(usize::MAX))
}

/// What an incident waits for.
fn next(incident: &Incident) -> Option<&'static str> {
    Some(match incident.state {
        IncidentState::Detected | IncidentState::Diagnosing => "Evidence is still being collected.",
        IncidentState::AwaitingApproval => "It waits for a person's decision.",
        IncidentState::Fixing => "The fix is being applied.",
        IncidentState::Verifying => "The checks after the fix, or after a recovery, must hold.",
        IncidentState::Escalated => "A person has to take over.",
        IncidentState::Resolved | IncidentState::Dismissed | IncidentState::ResolvedExternally => {
            return None;
        }
    })
}

fn cause(facts: &Facts<'_>, pieces: &mut Pieces) -> Vec<String> {
    let Some(incident) = facts.incident() else { return vec![nothing_open(facts)] };
    let Some(diagnosis) = &incident.diagnosis else {
        let told = explanation::cause(incident);
        return vec![told.map_or_else(
            || "The cause is not established yet.".to_owned(),
            |cause| format!("Last diagnosis: {cause}."),
        )];
    };
    let mut line = format!(
        "{} ({}, {:.0} % sure)",
        diagnosis.cause.trim_end_matches('.'),
        diagnosis.class.words(),
        diagnosis.confidence * 100.0
    );
    let marks = pieces.marks(3);
    if !marks.is_empty() {
        line.push(' ');
        line.push_str(&marks);
    }
    line.push('.');
    let mut lines = vec![line];
    if let Some(rival) = &diagnosis.near_tie {
        lines.push(format!("Not clear: {rival}"));
    }
    if let Some(other) = diagnosis.rejected.first() {
        lines.push(format!(
            "Not {} of {}: {}.",
            other.class.words(),
            other.root,
            other.why.trim_end_matches('.')
        ));
    }
    lines
}

fn evidence(facts: &Facts<'_>, pieces: &mut Pieces) -> Vec<String> {
    let mut lines = Vec::new();
    for at in 0..pieces.diagnosed.min(MOST_EVIDENCE) {
        if let Some((text, mark)) = pieces.cite(at) {
            lines.push(format!("{mark} {text}"));
        }
    }
    if lines.is_empty() {
        let seen = facts.incident().map(|i| &i.anomalies);
        lines.extend(seen.into_iter().flatten().take(MOST_EVIDENCE).map(|a| a.summary.clone()));
    }
    if lines.is_empty() {
        lines.push("No evidence is in the record.".to_owned());
    }
    lines
}

fn changes(facts: &Facts<'_>) -> Vec<String> {
    let changes = facts
        .incident()
        .and_then(|i| i.diagnosis.as_ref())
        .map_or(&[][..], |d| d.recent_changes.as_slice());
    if changes.is_empty() {
        return vec![format!("No change of {} shortly before is known.", facts.name())];
    }
    changes.iter().map(|change| format!("Changed shortly before: {change}.")).collect()
}

fn fix(facts: &Facts<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let incident = facts.incident();
    match incident.and_then(|i| i.plan.as_ref()) {
        Some(plan) if plan.is_staged() => {
            lines.push(format!(
                "Proposed: {} (risk {}: {}).",
                calls(plan),
                plan.risk(),
                plan.risk().words()
            ));
            for step in &plan.steps {
                lines.push(format!(
                    "Step {}: {} Downtime: {}. {}",
                    step.step,
                    sentence(&step.reason),
                    step.downtime.trim_end_matches('.'),
                    if step.inverse.is_some() {
                        "It can be taken back."
                    } else {
                        "It cannot be taken back."
                    }
                ));
            }
            lines.push("Only the dialog on A approves it.".to_owned());
        }
        Some(plan) => {
            let state = plan.steps.last().map_or("empty", |step| step.state.as_str());
            lines.push(format!("The last plan ({}) is {state}.", calls(plan)));
        }
        None => lines.push("No fix is staged.".to_owned()),
    }
    let diagnosis = incident.and_then(|i| i.diagnosis.as_ref());
    lines.extend(diagnosis.and_then(|d| d.advice.clone()));
    lines.extend(diagnosis.and_then(|d| d.doubt.clone()).map(|doubt| sentence(&doubt)));
    for book in facts.runbooks {
        lines.push(format!("Runbook {}:", book.name));
        let steps = text::read(&book.lines).into_iter().filter_map(|line| match line {
            Line::Item(_, mark, words) => Some(format!("  {mark} {words}")),
            Line::Text(words) => Some(format!("  {words}")),
            Line::Heading(_) | Line::Code(_) | Line::Blank => None,
        });
        lines.extend(steps.take(MOST_STEPS));
    }
    lines
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn dependencies(facts: &Facts<'_>) -> Vec<String> {
    let name = facts.name();
    let mut lines = Vec::new();
    for edge in facts.snapshot.edges.iter() {
        if edge.from == name || edge.to == name {
            lines.push(match edge.source {
                EdgeSource::Network => {
                    format!("{} and {} may speak ({}).", edge.from, edge.to, edge.why)
                }
                _ => format!(
                    "{} needs {} ({:.0} % sure: {}).",
                    edge.from,
                    edge.to,
                    edge.confidence * 100.0,
                    edge.why
                ),
            });
        }
        if lines.len() == MOST_EVIDENCE {
            break;
        }
    }
    if let Some(incident) = facts.incident().filter(|i| !i.affected.is_empty()) {
        lines.push(format!("Affected: {}.", incident.affected.join(", ")));
    }
    if lines.is_empty() {
        lines.push(format!("Nobody is known to need {name}, and it is not known to need anybody."));
    }
    lines
}

fn metrics(facts: &Facts<'_>) -> Vec<String> {
    let Some(view) = facts.container() else {
        return vec![format!("The container {} is not there any more.", facts.name())];
    };
    let name = &view.container.of.name;
    let restarts = view.container.restart_count;
    let Some(usage) = &view.usage else {
        return vec![format!(
            "No reading of {name}: it does not run. Restarts by its policy: {restarts}."
        )];
    };
    let memory = if usage.mem_limit > 0 {
        format!(
            "{} of {} ({:.0} %)",
            bytes_words(usage.mem_used),
            bytes_words(usage.mem_limit),
            usage.mem_pct()
        )
    } else {
        bytes_words(usage.mem_used)
    };
    vec![format!(
        "{name}: CPU {:.0} %, memory {memory}, {} processes, restarts by its policy {restarts}, error lines {} of {}.",
        usage.cpu_pct, usage.pids, view.errors, view.lines
    )]
}

fn logs(facts: &Facts<'_>, pieces: &mut Pieces) -> Vec<String> {
    let mut lines = Vec::new();
    for at in pieces.count().saturating_sub(MOST_LINES).max(pieces.diagnosed)..pieces.count() {
        if let Some((text, mark)) = pieces.cite(at) {
            lines.push(format!("{mark} {text}"));
        }
    }
    if lines.is_empty() {
        for at in 0..pieces.diagnosed.min(MOST_LINES) {
            if let Some((text, mark)) = pieces.cite_line(at) {
                lines.push(format!("{mark} {text}"));
            }
        }
    }
    if lines.is_empty() {
        lines.push(format!("No error line of {} is kept.", facts.name()));
    } else {
        lines.insert(0, format!("Last error lines of {}:", facts.name()));
    }
    lines
}
