//! `completions` and `man`: both made from the one definition of the command line.

use std::process::ExitCode;

use clap::CommandFactory as _;
use color_eyre::eyre::Report;

use crate::cli::Cli;
use crate::commands::out;

/// Shell completions on standard output.
pub fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Report> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sentinel-tui", &mut text);
    out::bytes(&text)
}

/// The man page on standard output.
pub fn man() -> Result<ExitCode, Report> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    out::bytes(&text)
}
