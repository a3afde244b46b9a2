//! What the verbs do, one file each. Start at [`run`].

pub mod api;
pub mod attach;
pub mod audit;
pub mod config;
pub mod decide;
pub mod demo;
pub mod doctor;
pub mod fixes;
pub mod gateway;
pub mod generate;
pub mod incidents;
pub mod input;
pub mod out;
pub mod patterns;
pub mod progress;
pub mod replay;
pub mod scan;
pub mod servers;
pub mod tools;
pub mod watch;

use std::process::ExitCode;

use color_eyre::eyre::Report;
use sentinel_core::domain::command::Command;

use crate::app::AppError;
use crate::cli::{Cli, Verb};
use crate::config::{ConfigError, Settings};

/// Nothing more is to be done; nothing is open.
pub const ENDED: u8 = 0;
/// Something failed.
pub const FAILED: u8 = 1;
/// The command line or the settings are not usable.
pub const USAGE: u8 = 2;
/// An incident is open or escalated at the end.
pub const OPEN: u8 = 3;
/// The engine could not be reached.
pub const UNREACHABLE: u8 = 4;

/// Does what the command line says.
pub async fn run(cli: Cli, settings: Result<Settings, ConfigError>) -> Result<ExitCode, Report> {
    let Cli { common: _, watch, verb } = cli;
    // Without a home folder there is no file that could have any.
    if let (Err(error), Some(Verb::Patterns(_) | Verb::Scan(_))) = (&settings, &verb)
        && !matches!(error, ConfigError::NoHome)
    {
        out::note(&format!("your own patterns of what is hidden are not in force: {error}"));
    }
    // These need no settings.
    match &verb {
        Some(Verb::Completions { shell }) => return generate::completions(*shell),
        Some(Verb::Man) => return generate::man(),
        Some(Verb::DemoService { role, path }) => {
            return Ok(crate::demo::service::run(*role, path).await);
        }
        Some(Verb::Config(crate::cli::ConfigVerb::Default)) => return config::default(),
        Some(Verb::Patterns(arguments)) => return patterns::run(arguments).await,
        Some(Verb::Scan(arguments)) => return scan::run(arguments).await,
        Some(Verb::Replay(arguments)) => return replay::run(arguments).await,
        _ => {}
    }
    let settings = settings.map_err(AppError::Config)?;
    match verb {
        None => watch::run(settings, watch).await,
        Some(Verb::Demo(arguments)) => demo::run(settings, arguments).await,
        Some(Verb::Incidents(verb)) => incidents::run(&settings, verb).await,
        Some(Verb::Approve(arguments)) => decide::approve(&settings, &arguments).await,
        Some(Verb::Reject(arguments)) => decide::reject(&settings, &arguments).await,
        Some(Verb::Dismiss(arguments)) => decide::dismiss(&settings, &arguments).await,
        Some(Verb::Undo(arguments)) => decide::undo(&settings, &arguments).await,
        Some(Verb::Halt(arguments)) => {
            decide::carry_out(&settings, Command::Halt { reason: arguments.reason }).await
        }
        Some(Verb::Resume(arguments)) => {
            decide::carry_out(&settings, Command::Resume { reason: arguments.reason }).await
        }
        Some(Verb::Fixes(verb)) => fixes::run(&settings, verb).await,
        Some(Verb::Silence(arguments)) => decide::silence(&settings, &arguments).await,
        Some(Verb::Audit(verb)) => audit::run(&settings, &verb).await,
        Some(Verb::Tools(verb)) => tools::run(settings, verb).await,
        Some(Verb::Doctor(arguments)) => doctor::run(settings, &arguments).await,
        Some(Verb::McpServer(arguments)) => servers::run(&settings, arguments).await,
        Some(Verb::Gateway(arguments)) => gateway::run(settings, arguments).await,
        Some(Verb::Attach(arguments)) => attach::run(settings, arguments).await,
        Some(Verb::Config(verb)) => config::run(&settings, &verb),
        Some(
            Verb::Completions { .. }
            | Verb::Man
            | Verb::DemoService { .. }
            | Verb::Patterns(_)
            | Verb::Scan(_)
            | Verb::Replay(_),
        ) => Ok(ExitCode::SUCCESS),
    }
}

/// The exit status of an error: what it is about decides.
pub fn status(error: &Report) -> u8 {
    error.downcast_ref::<AppError>().map_or(FAILED, AppError::status)
}
