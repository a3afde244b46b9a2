//! Parse, build, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use color_eyre::eyre::Report;
use sentinel_tui::app;
use sentinel_tui::cli::Cli;
use sentinel_tui::commands;
use sentinel_tui::commands::out;
use sentinel_tui::config::Settings;
use sentinel_tui::journal;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            out::note(&format!("sentinel-tui: {}", told(&error)));
            ExitCode::from(commands::status(&error))
        }
    }
}

fn start() -> Result<ExitCode, Report> {
    let cli = Cli::parse();
    color_eyre::install()?;
    // The only way that this fails is that a provider is there already.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    // The environment is read before there is a second thread.
    let settings = Settings::load(&cli.common, &cli.watch);
    app::hide_secrets(settings.as_ref().ok(), cli.verb.as_ref());
    let _journal = journal::open(&cli, settings.as_ref().ok());
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(commands::run(cli, settings))
}

/// An error as one chain of causes; the backtrace is for panics.
fn told(error: &Report) -> String {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    chain.join(": ")
}
