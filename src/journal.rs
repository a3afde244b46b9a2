//! Diagnostics of sentinel-tui itself: to a file under the screen, to standard error otherwise.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Verb};
use crate::config::Settings;

/// Days of log files that are kept.
const FILES: usize = 7;

/// Opens the journal. The guard writes out what is left when it is dropped. A file that cannot be
/// written is no reason not to start.
pub fn open(cli: &Cli, settings: Option<&Settings>) -> Option<WorkerGuard> {
    let asked = settings.and_then(|s| s.environment.text("SENTINEL_LOG"));
    let on_screen = match &cli.verb {
        None => !cli.watch.headless,
        Some(Verb::Demo(arguments)) => !arguments.headless,
        Some(Verb::Attach(_)) => true,
        Some(_) => false,
    };
    let filter =
        // What goes wrong between us and an MCP server we say ourselves, in words.
        EnvFilter::try_new(asked.as_deref().unwrap_or(if on_screen { "info" } else { "warn,rmcp=off" }))
            .unwrap_or_else(|_| EnvFilter::new("warn"));
    if !on_screen {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_target(false)
            .init();
        return None;
    }
    let folder = settings?.state_dir.join("log");
    // Log files may hold what the rest of the state folder holds: for nobody else's eyes.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("sentinel-tui")
        .filename_suffix("log")
        .max_log_files(FILES)
        .build(folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).init();
    Some(guard)
}
