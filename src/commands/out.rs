//! Standard output as one sink that may go away: `| head` is no error.

use std::io::Write;
use std::process::ExitCode;

use color_eyre::eyre::Report;

/// Writes lines to standard output. A reader that has gone ends it quietly.
pub fn lines<I: IntoIterator<Item = String>>(lines: I) -> Result<ExitCode, Report> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        if let Err(error) = writeln!(out, "{line}") {
            return gone_or(error);
        }
    }
    match out.flush() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => gone_or(error),
    }
}

/// Writes bytes to standard output.
pub fn bytes(bytes: &[u8]) -> Result<ExitCode, Report> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => gone_or(error),
    }
}

/// The exit status of writing to standard output piece by piece: a reader that has gone is no error.
pub fn written(result: std::io::Result<()>) -> Result<ExitCode, Report> {
    result.map_or_else(gone_or, |()| Ok(ExitCode::SUCCESS))
}

/// A word on standard error about what is going on.
pub fn note(text: &str) {
    if writeln!(std::io::stderr(), "{text}").is_err() {
        // Without standard error there is nobody to tell.
    }
}

fn gone_or(error: std::io::Error) -> Result<ExitCode, Report> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Report::new(error).wrap_err("cannot write to standard output"))
    }
}
