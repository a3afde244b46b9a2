//! `demo`: starts the stack, opens the screen on it or injects one fault, removes everything.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use color_eyre::eyre::Report;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::snapshot::{Mode, Snapshot};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::app::{self, AppError, Extras};
use crate::cli::{DemoArgs, Output, Scenario};
use crate::commands::{ENDED, OPEN, out, watch};
use crate::config::Settings;
use crate::config::filter::WatchFilter;
use crate::demo::{fault, stack};
use crate::headless;
use crate::ports::PortError;
use crate::tui;

/// A verification that holds this long is enough for a demonstration.
const VERIFY: SignedDuration = SignedDuration::from_secs(5);
/// A scenario that is not over by then is not going to be.
const LONGEST: Duration = Duration::from_mins(3);

/// Runs the demo; what it started is removed at the end, however it ends.
pub async fn run(mut settings: Settings, arguments: DemoArgs) -> Result<ExitCode, Report> {
    if !arguments.headless {
        // Told before anything is started.
        tui::terminal::check()?;
    }
    let docker = connect(&settings).await?;
    settings.mode = if arguments.auto_heal { Mode::AutoHeal } else { settings.mode };
    // Only the demo's own containers are watched, and its incidents are kept apart.
    settings.filters = vec![WatchFilter::Label(stack::LABEL.to_owned(), Some("true".to_owned()))];
    settings.state_dir = settings.state_dir.join("demo");
    begin_anew(&settings.state_dir)?;
    settings.verify_hold = settings.verify_hold.min(VERIFY);
    if let Some(theme) = &arguments.theme {
        settings.theme.clone_from(theme);
    }
    out::note("starting the demo stack (demo-data, demo-api, demo-worker) …");
    let outcome = tokio::select! {
        outcome = play(&settings, &arguments, &docker) => outcome,
        interrupted = interrupted_early() => interrupted,
    };
    if arguments.keep {
        out::note(
            "the demo stack goes on running; `sentinel-tui demo` or scripts/break-service.sh use it",
        );
    } else {
        out::note("removing the demo stack …");
        stack::remove(&docker).await?;
    }
    out::note(&format!(
        "its incidents: sentinel-tui --state-dir {} incidents list",
        settings.state_dir.display()
    ));
    outcome
}

/// Incidents of an earlier demo are about containers that are gone.
fn begin_anew(folder: &Path) -> Result<(), Report> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Report::new(error).wrap_err(format!("cannot clear {}", folder.display())))
        }
        _ => Ok(()),
    }
}

/// While the stack starts nobody else listens for Ctrl-C; later the loop's own handler does, and
/// this one must not be quicker.
async fn interrupted_early() -> Result<ExitCode, Report> {
    tokio::signal::ctrl_c().await?;
    tokio::time::sleep(LONGEST).await;
    Ok(ExitCode::from(ENDED))
}

async fn connect(settings: &Settings) -> Result<Docker, Report> {
    let endpoint = app::greet(settings).await?;
    let variables = endpoint.variables();
    let lookup =
        |key: &str| variables.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone());
    let kit = mcp_kit::Settings::from_environment(lookup);
    let docker = mcp_kit::engine::Engine::new(kit)
        .docker(Duration::from_mins(2))
        .await
        .map_err(|e| AppError::Unreachable(PortError(e.to_string())))?;
    Ok(docker)
}

async fn play(
    settings: &Settings,
    arguments: &DemoArgs,
    docker: &Docker,
) -> Result<ExitCode, Report> {
    stack::start(docker).await?;
    match arguments.scenario {
        Some(scenario) if arguments.headless => {
            in_words(settings, scenario, arguments.output, docker).await
        }
        _ => watch::on_screen(settings, Some(menu(docker.clone()))).await,
    }
}

/// The faults as a menu.
fn menu(docker: Docker) -> tui::options::Menu {
    let faults = fault::all();
    tui::options::Menu {
        title: "Break something".to_owned(),
        items: faults.iter().map(|f| fault::words(*f).to_owned()).collect(),
        pick: Arc::new(move |index| {
            let docker = docker.clone();
            async move {
                let Some(scenario) = faults.get(index).copied() else {
                    return Err("there is no such fault".to_owned());
                };
                match fault::inject(&docker, scenario).await {
                    Ok(()) => Ok(format!("injected {}", fault::words(scenario))),
                    Err(error) => Err(format!("{error:#}")),
                }
            }
            .boxed()
        }),
    }
}

async fn in_words(
    settings: &Settings,
    scenario: Scenario,
    output: Output,
    docker: &Docker,
) -> Result<ExitCode, Report> {
    let built = app::build(settings, Extras::default()).await?;
    let handle = built.handle.clone();
    let stop = CancellationToken::new();
    watch::stop_on_signals(stop.clone())?;
    let director = tokio::spawn(direct(
        handle.subscribe(),
        docker.clone(),
        scenario,
        settings.mode,
        stop.clone(),
    ));
    let options = headless::Options { output, duration: Some(LONGEST), exit_on_resolve: true };
    let (_, _) = watch::stream(built, options, stop).await?;
    director.await??;
    let summary = summary(&handle.snapshot(), scenario);
    for line in &summary.lines {
        match output {
            Output::Text => drop(out::lines([line.clone()])?),
            Output::Jsonl => out::note(line),
        }
    }
    Ok(ExitCode::from(if summary.healed { ENDED } else { OPEN }))
}

/// Injects the fault once everything is watched; without auto-heal there is nobody to approve, so
/// the run ends when the fix is staged.
async fn direct(
    mut events: Receiver<Arc<Envelope>>,
    docker: Docker,
    scenario: Scenario,
    mode: Mode,
    stop: CancellationToken,
) -> Result<(), Report> {
    loop {
        let envelope = match events.recv().await {
            Ok(envelope) => envelope,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(()),
        };
        match &envelope.event {
            Event::MonitorStarted { .. } => {
                if let Err(error) = fault::inject(&docker, scenario).await {
                    stop.cancel();
                    return Err(error);
                }
            }
            Event::FixStaged { .. } if mode != Mode::AutoHeal => stop.cancel(),
            Event::MonitorStopped { .. } => return Ok(()),
            _ => {}
        }
    }
}

/// How a scenario went.
struct Summary {
    lines: Vec<String>,
    healed: bool,
}

fn summary(snapshot: &Snapshot, scenario: Scenario) -> Summary {
    let mut lines = vec![String::new(), format!("scenario {}", fault::words(scenario))];
    let incidents: Vec<&Incident> = snapshot.incidents.iter().rev().map(AsRef::as_ref).collect();
    if incidents.is_empty() {
        lines.push("no incident was opened".to_owned());
    }
    for incident in &incidents {
        let seconds = |from: jiff::Timestamp, to: jiff::Timestamp| {
            format!("{:.2} s", to.duration_since(from).as_secs_f64())
        };
        lines.push(format!("{}  {}", incident.id, incident.state));
        lines.push(format!("  cause     {}", incident.title));
        lines.push(format!(
            "  class     {} on {}, seen {} after the fault",
            incident.class,
            incident.root,
            seconds(incident.observed_at, incident.opened_at)
        ));
        for step in incident.plan.iter().flat_map(|p| &p.steps) {
            lines.push(format!("  fix       {} ({})", step.docker_line, step.state.as_str()));
        }
        for check in incident.checks.iter().filter(|c| !c.passed) {
            lines.push(format!("  not well  {}", check.detail));
        }
        if let Some(end) = incident.closed_at {
            lines.push(format!("  over      after {}", seconds(incident.observed_at, end)));
        } else if let Some(advice) = incident.diagnosis.as_ref().and_then(|d| d.advice.as_ref()) {
            lines.push(format!("  advice    {advice}"));
        }
    }
    let healed = !incidents.is_empty()
        && incidents.iter().all(|i| {
            matches!(
                i.state,
                IncidentState::Resolved
                    | IncidentState::ResolvedExternally
                    | IncidentState::Dismissed
            )
        });
    Summary { lines, healed }
}
