//! `demo`: starts the stack, opens the screen on it or injects one fault, removes everything.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use color_eyre::eyre::{Report, bail};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::not_acting::NotActing;
use sentinel_core::domain::snapshot::{Mode, Snapshot};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::app::{self, AppError, Extras};
use crate::cli::{DemoArgs, Output, Scenario};
use crate::commands::{ENDED, OPEN, out, watch};
use crate::config::Settings;
use crate::config::filter::WatchFilter;
use crate::demo::simulated::Simulation;
use crate::demo::{fault, image, stack};
use crate::election;
use crate::headless;
use crate::ports::PortError;
use crate::tui;

/// A verification that holds this long is enough for a demonstration.
const VERIFY: SignedDuration = SignedDuration::from_secs(5);
/// A scenario that is not over by then is not going to be.
const LONGEST: Duration = Duration::from_mins(3);

/// Runs the demo; what it started is removed at the end, however it ends.
pub async fn run(mut settings: Settings, mut arguments: DemoArgs) -> Result<ExitCode, Report> {
    if !arguments.headless {
        // Told before anything is started.
        tui::terminal::check()?;
    }
    // Kept to the end: with it the simulated engine goes.
    let simulation = simulated(&mut settings, arguments.simulated).await?;
    arguments.simulated = simulation.is_some();
    let (docker, engine_id) = connect(&settings).await?;
    let locks = settings.environment.path("SENTINEL_LOCK_DIR");
    let Some(_only) = election::demo_lock(locks.as_deref(), &engine_id) else {
        bail!("a demo runs already on this engine; end it first");
    };
    settings.mode = if arguments.auto_heal { Mode::AutoHeal } else { settings.mode };
    // Only the demo's own containers are watched, and its incidents are kept apart.
    settings.filters = vec![WatchFilter::Label(stack::LABEL.to_owned(), Some("true".to_owned()))];
    // A folder of its own for each run: incidents of an earlier one are about other containers.
    let run = Timestamp::now().strftime("demo-%Y%m%d-%H%M%S").to_string();
    settings.state_dir = settings.state_dir.join(run);
    settings.verify_hold = settings.verify_hold.min(VERIFY);
    if let Some(theme) = &arguments.theme {
        settings.theme.clone_from(theme);
    }
    out::note("starting the demo stack (demo-data, demo-api, demo-worker) …");
    let outcome = match started(&docker, arguments.simulated).await {
        Ok(true) => play(&settings, &arguments, &docker).await,
        Ok(false) => Ok(ExitCode::from(ENDED)),
        Err(error) => Err(error),
    };
    if arguments.simulated {
        out::note("the simulated engine ends, and the stack with it");
    } else if arguments.keep {
        out::note(
            "the demo stack goes on running; `sentinel-tui demo` or scripts/break-service.sh use it",
        );
    } else {
        out::note("removing the demo stack and its image …");
        stack::remove(&docker).await?;
        image::remove(&docker).await?;
    }
    out::note(&format!(
        "its incidents: sentinel-tui --state-dir {} incidents list",
        settings.state_dir.display()
    ));
    outcome
}

/// Starts the stack. False: somebody asked to stop meanwhile.
async fn started(docker: &Docker, simulated: bool) -> Result<bool, Report> {
    let stop = CancellationToken::new();
    let listening = watch::stop_on_signals(stop.clone())?;
    let outcome = tokio::select! {
        outcome = start(docker, simulated) => outcome.map(|()| true),
        () = stop.cancelled() => Ok(false),
    };
    // From here on the run loop has its own.
    listening.abort();
    outcome
}

async fn start(docker: &Docker, simulated: bool) -> Result<(), Report> {
    let image = if simulated { Simulation::IMAGE.to_owned() } else { image::build(docker).await? };
    stack::start(docker, &image).await
}

/// A simulated engine, if one is asked for or no other can be reached; the settings lead to it.
async fn simulated(settings: &mut Settings, asked: bool) -> Result<Option<Simulation>, Report> {
    let why = if asked {
        None
    } else {
        match app::greet(settings).await {
            Ok(_) => return Ok(None),
            Err(error @ (AppError::NoEngine(_) | AppError::Unreachable(_))) => {
                Some(error.to_string())
            }
            Err(error) => return Err(error.into()),
        }
    };
    let folder = settings.environment.path("XDG_RUNTIME_DIR").filter(|folder| folder.is_dir());
    let simulation = Simulation::start(folder.as_deref())?;
    if let Some(why) = why {
        out::note(&why);
    }
    out::note(Simulation::WORDS);
    settings.host = Some(simulation.url());
    Ok(Some(simulation))
}

async fn connect(settings: &Settings) -> Result<(Docker, String), Report> {
    let (endpoint, engine_id) = app::greet(settings).await?;
    let variables = endpoint.variables();
    let lookup =
        |key: &str| variables.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone());
    let kit = mcp_kit::Settings::from_environment(lookup);
    let docker = mcp_kit::engine::Engine::new(kit)
        .docker(Duration::from_mins(2))
        .await
        .map_err(|e| AppError::Unreachable(PortError(e.to_string())))?;
    Ok((docker, engine_id))
}

async fn play(
    settings: &Settings,
    arguments: &DemoArgs,
    docker: &Docker,
) -> Result<ExitCode, Report> {
    match arguments.scenario {
        Some(scenario) if arguments.headless => {
            in_words(settings, scenario, arguments.output, docker).await
        }
        _ => {
            watch::on_screen(
                settings,
                Extras::default(),
                Some(menu(docker.clone(), arguments.simulated)),
            )
            .await
        }
    }
}

/// The faults as a menu.
fn menu(docker: Docker, simulated: bool) -> tui::options::Menu {
    let faults = fault::all();
    tui::options::Menu {
        title: format!("Break something{}", if simulated { " (simulated engine)" } else { "" }),
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
        let envelope = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            event = events.recv() => match event {
                Ok(envelope) => envelope,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Ok(()),
            },
        };
        match &envelope.event {
            Event::MonitorStarted { .. } => {
                if let Err(error) = fault::inject(&docker, scenario).await {
                    stop.cancel();
                    return Err(error);
                }
            }
            Event::FixStaged { .. } if mode != Mode::AutoHeal => stop.cancel(),
            // Nobody is there to approve what the policy leaves to a person.
            Event::NotActing {
                code: NotActing::RiskTooHigh | NotActing::ClassNotAllowed, ..
            } => {
                stop.cancel();
            }
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
            "  class     {} on {}, opened {} after it could be observed",
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
