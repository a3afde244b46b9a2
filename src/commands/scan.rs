//! `scan`: the anomalies of a log file, or of `docker logs` piped in, by the same detectors that
//! watch containers. Lines are replayed by their own times; without any, they count as now.

pub mod clock;
pub mod envelope;
pub mod feed;
pub mod writer;

use std::io::{self, Stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use color_eyre::eyre::Report;
use jiff::Timestamp;
use sentinel_core::domain::anomaly::Anomaly;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cli::ScanArgs;
use crate::commands::input::{Block, Input, InputError};
use crate::commands::progress::Progress;
use crate::commands::scan::feed::Feed;
use crate::commands::scan::writer::Writer;
use crate::commands::watch::stop_on_signals;
use crate::commands::{ENDED, OPEN, out};

/// A pipe that is silent for so long lets the detector's clock tick on.
const SILENT: Duration = Duration::from_secs(1);

/// Reads to the end, or until a signal says that this is enough.
pub async fn run(arguments: &ScanArgs) -> Result<ExitCode, Report> {
    let mut input = Input::open(&arguments.file)?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let progress = Progress::of(&input);
    let mut writer = Writer::new(arguments.output, io::stdout());
    let mut feed = Feed::new(input.name());
    let result = follow(&mut input, &mut feed, &mut writer, &progress, &stop).await;
    progress.done();
    if let Err(Ended::Out(error)) = result {
        // A reader that has gone (`| head`) has heard enough.
        return out::written(Err(error));
    }
    out::written(writer.summary(feed.lines()))?;
    match result {
        Err(Ended::Input(error)) => Err(Report::new(error)),
        _ => Ok(ExitCode::from(if writer.is_alarmed() { OPEN } else { ENDED })),
    }
}

/// Why a scan ended early.
enum Ended {
    Input(InputError),
    Out(io::Error),
}

async fn follow(
    input: &mut Input,
    feed: &mut Feed,
    writer: &mut Writer<Stdout>,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<(), Ended> {
    let mut heard = Instant::now();
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(Ok(None)),
            next = timeout(SILENT, input.next()) => next,
        };
        let (found, ended) = match next {
            Ok(Ok(Some(block))) => {
                heard = Instant::now();
                (take(&block, input, feed), None)
            }
            Ok(Ok(None)) => (feed.pause(None), Some(Ok(()))),
            Ok(Err(error)) => (feed.pause(None), Some(Err(Ended::Input(error)))),
            Err(_) => (feed.pause(Some(heard.elapsed())), None),
        };
        progress.at(input);
        if !found.is_empty() {
            progress.aside(|| writer.write(&found)).map_err(Ended::Out)?;
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// The anomalies in a block. What can be judged now is: the next block of a pipe may be long in
/// coming.
fn take(block: &Block, input: &mut Input, feed: &mut Feed) -> Vec<Anomaly> {
    let arrived = Timestamp::now();
    let before = feed.lines();
    let mut found: Vec<Anomaly> = block.lines().flat_map(|line| feed.line(line, arrived)).collect();
    found.extend(feed.pause(None));
    input.taken(feed.lines() - before);
    found
}
