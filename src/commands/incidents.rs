//! `incidents`: what is and was wrong, from the store. Works beside a running instance.

use std::process::ExitCode;

use color_eyre::eyre::Report;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::past::{MAX_PAST, Past};
use sentinel_core::report::{markdown, postmortem};

use crate::app::AppError;
use crate::cli::{IncidentsVerb, ReportFormat};
use crate::commands::out;
use crate::config::Settings;
use crate::store::sqlite::SqliteStore;

/// Lists, shows or exports incidents.
pub async fn run(settings: &Settings, verb: IncidentsVerb) -> Result<ExitCode, Report> {
    let store = SqliteStore::open(&settings.state_dir).map_err(AppError::Store)?;
    match verb {
        IncidentsVerb::List { count, json } => {
            let incidents = store.list(count).await.map_err(AppError::Earlier)?;
            if json {
                return out::lines(
                    incidents.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?,
                );
            }
            if incidents.is_empty() {
                return out::lines([format!("no incidents in {}", settings.state_dir.display())]);
            }
            out::lines(incidents.iter().map(line))
        }
        IncidentsVerb::Export { id, format } => {
            let incident = store.find(&id).await?;
            let earlier = store.list(MAX_PAST).await.map_err(AppError::Earlier)?;
            let past: Vec<Past> = earlier.iter().filter_map(Past::of).collect();
            let written = postmortem::write(&incident, &past);
            match format {
                ReportFormat::Md => out::bytes(markdown::write(&written).as_bytes()),
                ReportFormat::Json => out::lines([serde_json::to_string_pretty(&written)?]),
            }
        }
        IncidentsVerb::Show { id, json } => {
            let incident = store.find(&id).await?;
            if json {
                return out::lines([serde_json::to_string_pretty(&incident)?]);
            }
            out::lines(page(&incident))
        }
    }
}

fn line(incident: &Incident) -> String {
    format!(
        "{}  {:<19} {:<8} {:<16} {:<16} {}",
        incident.id,
        incident.state.as_str(),
        incident.severity.as_str(),
        incident.class.as_str(),
        incident.container.name,
        incident.title
    )
}

fn page(incident: &Incident) -> Vec<String> {
    let mut lines = vec![
        incident.id.to_string(),
        format!("  {} · {} · {}", incident.state, incident.severity, incident.class),
        format!("  {}", incident.title),
        format!(
            "  on {} (service {}), root {}",
            incident.container.name, incident.container.service, incident.root
        ),
        format!("  opened {}", local(incident.opened_at)),
    ];
    if !incident.affected.is_empty() {
        lines.push(format!("  affected: {}", incident.affected.join(", ")));
    }
    if let Some(earlier) = &incident.reopens {
        lines.push(format!("  continues {earlier}"));
    }
    if let Some(diagnosis) = &incident.diagnosis {
        lines.push(String::new());
        lines.push(format!(
            "Cause ({:.0} % sure): {}",
            diagnosis.confidence * 100.0,
            diagnosis.cause
        ));
        for evidence in &diagnosis.evidence {
            lines.push(format!(
                "  {}  {}: {}",
                local(evidence.ts),
                evidence.container,
                evidence.excerpt
            ));
        }
        for rejected in &diagnosis.rejected {
            lines.push(format!("  not {} on {}: {}", rejected.class, rejected.root, rejected.why));
        }
        if let Some(advice) = &diagnosis.advice {
            lines.push(format!("  advice: {advice}"));
        }
    }
    if let Some(plan) = &incident.plan {
        lines.push(String::new());
        lines.push("Plan".to_owned());
        for step in &plan.steps {
            lines.push(format!(
                "  {}. {} · {} · {} ({})",
                step.step,
                step.docker_line,
                step.diff,
                step.risk,
                step.state.as_str()
            ));
            if let Some(result) = &step.result {
                lines.push(format!("     {} ms: {}", result.duration_ms, result.message));
            }
        }
    }
    if !incident.checks.is_empty() {
        lines.push(String::new());
        lines.push("Verification".to_owned());
        for check in &incident.checks {
            let mark = if check.passed { "passed" } else { "failed" };
            lines.push(format!("  {mark}  {}: {}", check.name, check.detail));
        }
    }
    lines.push(String::new());
    lines.push("Timeline".to_owned());
    for entry in &incident.timeline {
        let state = entry.state.map(|s| format!(" [{s}]")).unwrap_or_default();
        lines.push(format!("  {}  {}: {}{state}", local(entry.at), entry.actor, entry.what));
    }
    if let Some(explanation) = &incident.explanation {
        lines.push(String::new());
        lines.extend(explanation.lines().map(str::to_owned));
    }
    lines
}

/// A time as people here read it.
pub fn local(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
