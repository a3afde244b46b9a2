//! `patterns`: what a log repeats. One pass over a file or standard input; what is kept is bounded
//! by the number of templates, not by the length of the input (see [`spool`] for the one exception).

pub mod place;
pub mod row;
pub mod spark;
pub mod spool;
pub mod survey;
pub mod table;
pub mod tally;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr as _};
use tokio_util::sync::CancellationToken;

use crate::cli::{PatternsArgs, PatternsFormat};
use crate::commands::input::Input;
use crate::commands::out;
use crate::commands::patterns::spool::SpoolError;
use crate::commands::patterns::survey::{OTHER, Survey};
use crate::commands::progress::Progress;
use crate::commands::watch::stop_on_signals;
use crate::tui::terminal;

/// Bytes of output that are gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// Reads to the end, or until a signal says that this is enough, and writes what was found.
pub async fn run(arguments: &PatternsArgs) -> Result<ExitCode, Report> {
    let mut input = Input::open(&arguments.file)?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let mut survey = Survey::new(arguments.format == PatternsFormat::Csv);
    let broken = read(&mut input, &mut survey, &stop).await?;
    let mut out = BufWriter::with_capacity(GATHERED, io::stdout().lock());
    let status = match arguments.format {
        PatternsFormat::Csv => csv(survey, &mut out)?,
        PatternsFormat::Json => out::written(json(&survey, &mut out))?,
        PatternsFormat::Table => {
            out::written(table::write(&survey, arguments.count, terminal::columns(), &mut out))?
        }
    };
    // What came before the break is worth having; that it broke off is still an error.
    broken.map_or(Ok(status), Err)
}

/// Everything that comes. Gives the error that the input broke off with, if it did.
async fn read(
    input: &mut Input,
    survey: &mut Survey,
    stop: &CancellationToken,
) -> Result<Option<Report>, Report> {
    let progress = Progress::of(input);
    let broken = loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => break None,
            next = input.next() => next,
        };
        match next {
            Ok(Some(block)) => {
                let before = survey.lines();
                for line in block.lines() {
                    survey.line(line)?;
                }
                input.taken(survey.lines() - before);
                progress.at(input);
            }
            Ok(None) => break None,
            Err(error) => break Some(Report::new(error)),
        }
    };
    progress.done();
    Ok(broken)
}

/// Why rows could not be written.
enum CsvError {
    /// Standard output refuses them.
    Out(io::Error),
    /// The ids cannot be read back.
    Spool(SpoolError),
}

impl From<SpoolError> for CsvError {
    fn from(error: SpoolError) -> Self {
        Self::Spool(error)
    }
}

/// One row per line of the input.
fn csv(survey: Survey, out: &mut impl Write) -> Result<ExitCode, Report> {
    let mut line = 0_u64;
    let write = || -> Result<(), CsvError> {
        writeln!(out, "line,cluster").map_err(CsvError::Out)?;
        survey.ids(|id| {
            line += 1;
            match id {
                Some(id) => writeln!(out, "{line},{id}"),
                None => writeln!(out, "{line},{OTHER}"),
            }
            .map_err(CsvError::Out)
        })?;
        out.flush().map_err(CsvError::Out)
    };
    match write() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(CsvError::Out(error)) => out::written(Err(error)),
        Err(CsvError::Spool(error)) => Err(error).wrap_err("cannot tell the final ids"),
    }
}

/// One object per template.
fn json(survey: &Survey, out: &mut impl Write) -> io::Result<()> {
    for row in survey.rows() {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
