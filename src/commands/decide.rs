//! `approve`, `reject`, `dismiss`, `undo`, `silence`: decisions from another terminal, made by the instance
//! that runs with the same state folder.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Report, bail};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{FixState, Plan, Risk};

use crate::cli::deciding::{ApproveArgs, RejectArgs, SilenceArgs, UndoArgs};
use crate::commands::{FAILED, out};
use crate::config::Settings;
use crate::control::client::ask;
use crate::control::words::{Answer, Ask};

/// Approves the staged plan of a fix or an incident, after it was shown.
pub async fn approve(settings: &Settings, arguments: &ApproveArgs) -> Result<ExitCode, Report> {
    let incident = staged(settings, &arguments.fix).await?;
    let Some(plan) = &incident.plan else { bail!("{} has no plan", incident.id) };
    for line in shown(&incident, plan) {
        out::note(&line);
    }
    if let Some(seen) = arguments.sha256.as_deref().filter(|seen| *seen != plan.sha256) {
        bail!("the plan is not the one with the hash {seen}; it is {} now", plan.sha256);
    }
    let target = plan.steps.first().map(|s| s.target.name.clone()).unwrap_or_default();
    if plan.risk() >= Risk::R3 && arguments.confirm.as_deref() != Some(target.as_str()) {
        let typed = question(&format!("type {target} to approve: "))?;
        if typed.as_deref() != Some(target.as_str()) {
            bail!("not approved: it replaces or stops something; give --confirm {target}");
        }
    } else if !arguments.yes && plan.risk() < Risk::R3 {
        let typed = question("approve? [y/N] ")?;
        if !typed.is_some_and(|t| matches!(t.as_str(), "y" | "Y" | "yes")) {
            bail!("not approved; without a terminal say --yes");
        }
    }
    let Some(first) = plan.steps.first() else { bail!("{} has no plan", incident.id) };
    let command = Command::Approve { fix: first.id.clone(), sha256: plan.sha256.clone() };
    carry_out(settings, command).await
}

/// Takes back what was applied of the plan of a fix or an incident, after it was shown.
pub async fn undo(settings: &Settings, arguments: &UndoArgs) -> Result<ExitCode, Report> {
    let incident = meant(settings, &arguments.fix, Plan::can_undo, "can be taken back").await?;
    let Some(plan) = &incident.plan else { bail!("{} has no plan", incident.id) };
    out::note(&format!("{}  {}", incident.id, incident.title));
    for step in plan.steps.iter().rev().filter(|s| s.state == FixState::Applied) {
        out::note(&match &step.inverse {
            Some(call) => {
                format!("  {} on {} (it was: {})", call.tool, step.target.name, step.diff)
            }
            None => format!("  {} stays: it cannot be taken back", step.diff),
        });
    }
    if !arguments.yes {
        let typed = question("take it back? [y/N] ")?;
        if !typed.is_some_and(|t| matches!(t.as_str(), "y" | "Y" | "yes")) {
            bail!("nothing was taken back; without a terminal say --yes");
        }
    }
    let Some(first) = plan.steps.first() else { bail!("{} has no plan", incident.id) };
    let command = Command::Undo { fix: first.id.clone(), sha256: plan.sha256.clone() };
    carry_out(settings, command).await
}

/// Rejects the staged plan of a fix or an incident.
pub async fn reject(settings: &Settings, arguments: &RejectArgs) -> Result<ExitCode, Report> {
    let incident = staged(settings, &arguments.id).await?;
    let first = incident.plan.iter().flat_map(|p| &p.steps).next();
    let Some(first) = first else { bail!("{} has no plan", incident.id) };
    let reason = arguments.reason.clone();
    carry_out(settings, Command::Reject { fix: first.id.clone(), reason }).await
}

/// Says that an incident is nothing.
pub async fn dismiss(settings: &Settings, arguments: &RejectArgs) -> Result<ExitCode, Report> {
    let incident = IncidentId(arguments.id.clone());
    let reason = arguments.reason.clone();
    carry_out(settings, Command::Dismiss { incident, reason }).await
}

/// Silences a service for a while, ends that, or lists what is silenced and what was left alone.
pub async fn silence(settings: &Settings, arguments: &SilenceArgs) -> Result<ExitCode, Report> {
    let Some(service) = arguments.service.clone().filter(|_| !arguments.list) else {
        return list_quiet(settings).await;
    };
    let seconds = match (arguments.end, arguments.duration) {
        (true, _) => 0,
        (false, Some(duration)) if duration.as_secs() > 0 => duration.as_secs(),
        (false, _) => bail!("for how long? e.g. sentinel-tui silence {service} 30m"),
    };
    let reason = arguments.reason.clone();
    carry_out(settings, Command::Silence { service, seconds, reason }).await
}

async fn list_quiet(settings: &Settings) -> Result<ExitCode, Report> {
    let Answer::State { silences, suppressed, .. } = ask(&settings.state_dir, &Ask::State).await?
    else {
        bail!("the running sentinel-tui did not say how things are");
    };
    let silences = silences.into_iter().map(|s| {
        format!("silenced  {:<24} until {:.0} by {} {}", s.service, s.until, s.by, s.reason)
    });
    let suppressed = suppressed.into_iter().map(|s| {
        format!("{:>4} times  {:<24} {}: {}", s.count, s.container, s.reason.words(), s.what)
    });
    out::lines(silences.chain(suppressed))
}

/// The open incident whose staged plan is meant: by the id of a fix, or its own.
pub(super) async fn staged(settings: &Settings, id: &str) -> Result<Arc<Incident>, Report> {
    meant(settings, id, Plan::is_staged, "waits for a decision").await
}

/// The incident that is meant, by the id of a fix or its own, if its plan is as wanted.
async fn meant(
    settings: &Settings,
    id: &str,
    is_wanted: fn(&Plan) -> bool,
    words: &str,
) -> Result<Arc<Incident>, Report> {
    let Answer::State { incidents, .. } = ask(&settings.state_dir, &Ask::State).await? else {
        bail!("the running sentinel-tui did not say what is open");
    };
    let is_wanted = |i: &&Arc<Incident>| i.plan.as_ref().is_some_and(is_wanted);
    let meant = |i: &&Arc<Incident>| {
        i.id.as_str() == id || i.plan.iter().flat_map(|p| &p.steps).any(|s| s.id.0 == id)
    };
    if let Some(found) = incidents.iter().filter(is_wanted).find(meant) {
        return Ok(Arc::clone(found));
    }
    let others: Vec<&str> = incidents.iter().filter(is_wanted).map(|i| i.id.as_str()).collect();
    if others.is_empty() {
        bail!("no fix {words}");
    }
    bail!("no fix of {id} {words}; of these one does: {}", others.join(", "))
}

pub(super) fn shown(incident: &Incident, plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", incident.id, incident.title)];
    for step in &plan.steps {
        lines.push(format!("  {}  {} ({})", step.step, step.docker_line, step.diff));
        lines.push(format!(
            "     {} {}; downtime: {}; {}",
            step.risk,
            step.risk.words(),
            step.downtime,
            if step.inverse.is_some() {
                "can be taken back"
            } else {
                "cannot be taken back by a call"
            }
        ));
        for line in step.compose_patch.iter().flat_map(|p| p.lines()) {
            lines.push(format!("     | {line}"));
        }
    }
    lines
}

/// What a person types; `None` without a terminal.
pub(super) fn question(text: &str) -> Result<Option<String>, Report> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut error = std::io::stderr();
    write!(error, "{text}")?;
    error.flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(Some(line.trim().to_owned()))
}

/// Asks the running instance to do something, in the name of the operator.
pub async fn carry_out(settings: &Settings, command: Command) -> Result<ExitCode, Report> {
    let actor = settings.operator.clone();
    match ask(&settings.state_dir, &Ask::Do { actor, command }).await? {
        Answer::Done { message } => out::lines([message]),
        Answer::Refused { error } => {
            out::note(&format!("sentinel-tui: {error}"));
            Ok(ExitCode::from(FAILED))
        }
        Answer::State { .. } => bail!("the running sentinel-tui answered another question"),
    }
}
