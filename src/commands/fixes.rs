//! `fixes`: what can be done with a staged fix besides yes and no, from another terminal.

use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Report, bail, eyre};
use sentinel_core::diagnose::amend;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{Fix, Plan};

use crate::cli::deciding::FixesVerb;
use crate::commands::decide::{carry_out, question, shown, staged};
use crate::commands::out;
use crate::config::Settings;
use crate::control::client::ask;
use crate::control::words::{Answer, Ask};

/// Does what the verb says.
pub async fn run(settings: &Settings, verb: FixesVerb) -> Result<ExitCode, Report> {
    match verb {
        FixesVerb::Edit { fix, set } => edit(settings, &fix, &set).await,
        FixesVerb::DryRun { fix } => {
            let incident = staged(settings, &fix).await?;
            let fix = step(&incident, &fix)?.id.clone();
            carry_out(settings, Command::DryRun { fix }).await
        }
        FixesVerb::Snooze { fix, duration, end } => {
            let incident = staged(settings, &fix).await?;
            let fix = step(&incident, &fix)?.id.clone();
            let seconds = duration.filter(|_| !end).map_or(0, |d| d.as_secs());
            carry_out(settings, Command::Snooze { fix, seconds }).await
        }
        FixesVerb::Allow { fix, duration, max, yes } => {
            let incident = staged(settings, &fix).await?;
            let plan = plan(&incident)?;
            for line in shown(&incident, plan) {
                out::note(&line);
            }
            let typed = if yes {
                Some("y".to_owned())
            } else {
                question("run fixes like this one without asking, this one first? [y/N] ")?
            };
            if !typed.is_some_and(|t| matches!(t.as_str(), "y" | "Y" | "yes")) {
                bail!("nothing was allowed; without a terminal say --yes");
            }
            let (fix, sha256) = (step(&incident, &fix)?.id.clone(), plan.sha256.clone());
            let seconds = duration.as_secs();
            carry_out(settings, Command::Grant { fix, sha256, seconds, uses: max }).await
        }
        FixesVerb::Grants => grants(settings).await,
        FixesVerb::Revoke { grant, reason } => {
            carry_out(settings, Command::Revoke { grant, reason }).await
        }
    }
}

fn plan(incident: &Arc<Incident>) -> Result<&Plan, Report> {
    incident.plan.as_ref().ok_or_else(|| eyre!("{} has no plan", incident.id))
}

/// The step that is meant; the first one, if the incident is named.
fn step<'i>(incident: &'i Arc<Incident>, id: &str) -> Result<&'i Fix, Report> {
    let plan = plan(incident)?;
    let named = plan.steps.iter().find(|s| s.id.as_str() == id);
    named.or_else(|| plan.steps.first()).ok_or_else(|| eyre!("{} has no plan", incident.id))
}

async fn edit(settings: &Settings, id: &str, set: &[String]) -> Result<ExitCode, Report> {
    let incident = staged(settings, id).await?;
    let step = step(&incident, id)?;
    let mut typed = Vec::new();
    for pair in set {
        let Some((path, value)) = pair.split_once('=') else {
            bail!("{pair}: write it like resources.memory=160m");
        };
        typed.push((path, value));
    }
    let arguments = amend::with(step, typed);
    let (fix, sha256) = (step.id.clone(), plan(&incident)?.sha256.clone());
    carry_out(settings, Command::Edit { fix, sha256, arguments }).await
}

async fn grants(settings: &Settings) -> Result<ExitCode, Report> {
    let Answer::State { grants, .. } = ask(&settings.state_dir, &Ask::State).await? else {
        bail!("the running sentinel-tui did not say what is allowed");
    };
    let lines = grants
        .iter()
        .map(|g| format!("{:>3}  {}, until {:.0}, by {}", g.id, g.words(), g.until, g.by));
    out::lines(lines)
}
