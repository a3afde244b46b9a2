//! Watching: on the screen, or as a stream of events.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr as _};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::plan::Actor;
use sentinel_core::session::input::Announced;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::app::{self, AppError, Built, Extras};
use crate::cli::WatchArgs;
use crate::commands::{ENDED, OPEN, UNREACHABLE, api, config, doctor, out};
use crate::config::Settings;
use crate::control::{self, serve};
use crate::headless;
use crate::runtime::handle::Handle;
use crate::runtime::parts::Outcome;
use crate::tui;
use crate::tui::theme::Theme;

/// What is still to be written when the loop has ended may take this long.
const LAST_EVENTS: Duration = Duration::from_secs(5);
/// Exit status after a second signal, as a shell writes that of SIGINT.
const INTERRUPTED: i32 = 130;

/// Watches until told to stop.
pub async fn run(settings: Settings, arguments: WatchArgs) -> Result<ExitCode, Report> {
    for note in &settings.ignored {
        tracing::warn!("{note}");
    }
    if arguments.headless {
        return in_words(&settings, &arguments).await;
    }
    on_screen(&settings, extras(&arguments), None).await
}

fn extras(arguments: &WatchArgs) -> Extras {
    Extras {
        announced: Announced { logs: arguments.logs, usage: arguments.usage },
        record: arguments.record.clone(),
    }
}

async fn in_words(settings: &Settings, arguments: &WatchArgs) -> Result<ExitCode, Report> {
    let built = app::build(settings, extras(arguments)).await?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    be_spoken_to(&built, settings, &stop);
    api::serve(settings, &built.handle, &stop, true)?;
    let options = headless::Options {
        output: arguments.output,
        duration: arguments.duration,
        exit_on_resolve: arguments.exit_on_resolve,
    };
    let (outcome, escalated) = stream(built, options, stop).await?;
    Ok(ended(&outcome, escalated))
}

/// Runs the loop and writes its events. The second value: whether it ended at an escalation.
pub async fn stream(
    built: Built,
    options: headless::Options,
    stop: CancellationToken,
) -> Result<(Outcome, bool), Report> {
    let Built { handle, state, .. } = built;
    halt_on_signal(&handle, &stop)?;
    let events = handle.subscribe();
    let mut running = tokio::spawn(state.run(stop.clone()));
    let mut out = std::io::stdout();
    let front = headless::run(&handle, events, options, stop, &mut out);
    tokio::pin!(front);
    let (escalated, outcome) = tokio::select! {
        escalated = &mut front => (escalated, running.await),
        // The last events are still on their way; a loop that failed has said none.
        outcome = &mut running => {
            let escalated = timeout(LAST_EVENTS, &mut front).await.unwrap_or(Ok(false));
            (escalated, outcome)
        }
    };
    let outcome = outcome.wrap_err("the run loop failed")?;
    Ok((outcome, escalated.wrap_err("cannot write to standard output")?))
}

/// Opens the screen over a running loop.
pub async fn on_screen(
    settings: &Settings,
    extras: Extras,
    menu: Option<tui::options::Menu>,
) -> Result<ExitCode, Report> {
    let options = options(settings, menu)?;
    tui::terminal::check()?;
    let built = app::build(settings, extras).await?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    be_spoken_to(&built, settings, &stop);
    api::serve(settings, &built.handle, &stop, false)?;
    let Built { handle, state, .. } = built;
    halt_on_signal(&handle, &stop)?;
    let running = tokio::spawn(state.run(stop.clone()));
    let shown = tui::run::run(handle, options, stop.clone()).await;
    stop.cancel();
    let outcome = running.await.wrap_err("the run loop failed")?;
    shown?;
    match outcome.unreachable {
        Some(why) => Err(AppError::Unreachable(crate::ports::PortError(why)).into()),
        None => Ok(ExitCode::from(ENDED)),
    }
}

/// The doctor, for the page that shows what it finds.
fn examine(settings: &Settings) -> tui::options::Examine {
    let settings = settings.clone();
    tui::options::Examine(Arc::new(move || {
        let settings = settings.clone();
        Box::pin(async move { doctor::examine(&settings).await })
    }))
}

/// What the screen is told when it starts.
pub fn options(
    settings: &Settings,
    menu: Option<tui::options::Menu>,
) -> Result<tui::options::Options, Report> {
    let is_demo = menu.is_some();
    Ok(tui::options::Options {
        theme: Theme::load(&settings.theme, settings.no_color)?,
        ascii: settings.ascii,
        operator: settings.operator.clone(),
        postmortems: settings.state_dir.join("postmortems"),
        saved_logs: settings.state_dir.join("logs"),
        menu,
        keymap: config::keymap(settings)?,
        mouse: settings.ui.mouse,
        notify: settings.ui.notify,
        tmux: settings.ui.tmux,
        frames: None,
        examine: Some(examine(settings)),
        display: settings.ui.display,
        columns: config::columns(settings)?,
        tour: (settings.ui.tour && !is_demo).then(|| settings.state_dir.join("tour-shown")),
    })
}

/// Listens for decisions from other terminals. Without that the rest works all the same.
fn be_spoken_to(built: &Built, settings: &Settings, stop: &CancellationToken) {
    if !built.keeps {
        return;
    }
    let listening = serve::listen(built.handle.clone(), &settings.state_dir, stop.clone());
    if let Err(error) = listening {
        let socket = control::path(&settings.state_dir);
        tracing::warn!(
            "no decisions from other terminals: cannot listen at {}: {error}",
            socket.display()
        );
    }
}

fn ended(outcome: &Outcome, escalated: bool) -> ExitCode {
    if let Some(why) = &outcome.unreachable {
        out::note(&format!("sentinel-tui: {why}"));
        return ExitCode::from(UNREACHABLE);
    }
    ExitCode::from(if escalated || outcome.open > 0 { OPEN } else { ENDED })
}

/// SIGUSR1 throws the kill switch. Releasing it takes a person: `resume`, or the key.
fn halt_on_signal(handle: &Handle, stop: &CancellationToken) -> Result<(), Report> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut asked = signal(SignalKind::user_defined1())?;
    let (handle, stop) = (handle.clone(), stop.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                heard = asked.recv() => if heard.is_none() { return },
            }
            let by = Actor::Person("whoever sent SIGUSR1".to_owned());
            let command = Command::Halt { reason: "SIGUSR1".to_owned() };
            if let Err(error) = handle.command(by, command).await {
                tracing::warn!("SIGUSR1: {error}");
            }
        }
    });
    Ok(())
}

/// SIGINT, SIGTERM and SIGHUP ask to stop; what is under way is brought to an end. A second one
/// ends the process at once.
pub fn stop_on_signals(stop: CancellationToken) -> Result<JoinHandle<()>, Report> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        for asked_before in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            stop.cancel();
            if asked_before {
                // Asked twice: nobody wants to wait for what is under way.
                std::process::exit(INTERRUPTED);
            }
        }
    }))
}
