//! `replay`: a recorded session once more, without engine, tools and store.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr as _, eyre};
use sentinel_core::domain::event::Envelope;
use sentinel_core::redact::{self, display};
use sentinel_core::session::Session;

use crate::cli::ReplayArgs;
use crate::commands::out;
use crate::recording::read::{End, Next, Recording};

/// Bytes of what is said of a failure.
const WORDS: usize = 500;

/// Tells what the recorded run told.
pub async fn run(arguments: &ReplayArgs) -> Result<ExitCode, Report> {
    let path = arguments.file.clone();
    let name = path.display().to_string();
    let playing = move || -> Result<ExitCode, Report> {
        let out = BufWriter::new(io::stdout());
        if path.as_os_str() == "-" {
            return play(io::stdin().lock(), out);
        }
        play(BufReader::new(File::open(&path)?), out)
    };
    panic::set_hook(Box::new(note_down));
    // It reads and computes: nothing that the runtime's own threads are for.
    tokio::task::spawn_blocking(playing).await?.wrap_err(name)
}

fn play(from: impl BufRead, mut out: impl Write) -> Result<ExitCode, Report> {
    let (head, mut recording) = Recording::open(from)?;
    let ours = env!("CARGO_PKG_VERSION");
    if head.program != ours {
        let theirs = display::safe(&head.program).into_owned();
        out::note(&format!(
            "recorded by sentinel-tui {theirs} and replayed by {ours}: what is told may differ"
        ));
    }
    let mut session = taken(1, || Session::new(head.start))?;
    loop {
        let given = match recording.read_on() {
            Ok(Next::Given(given)) => *given,
            Ok(Next::End(end)) => {
                note(&end);
                return out::written(out.flush());
            }
            Err(error) => {
                // What came before is told.
                out.flush().wrap_err("cannot write to standard output")?;
                return Err(error.into());
            }
        };
        let line = recording.line();
        match taken(line, || session.replay(given.input, given.at))? {
            Ok(facts) => {
                for fact in &facts {
                    if let Err(error) = write(fact, &mut out) {
                        return out::written(Err(error));
                    }
                }
            }
            // As in the run that was recorded: it is said, and learning begins anew.
            Err(error) => out::note(&format!("line {line}: {error}")),
        }
    }
}

/// The core takes whatever an engine says, but a recording may be made up: times and sizes that no
/// engine has are told with their line, as everything else that is wrong with a recording. So is a
/// defect of the core, with its place: that may be what the recording was made for. The session is
/// not used after it.
fn taken<T>(line: u64, work: impl FnOnce() -> T) -> Result<T, Report> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let why = PLACE.take();
        eyre!("line {line}: the core cannot work with this input: {why}")
    })
}

thread_local! {
    /// What the last failure of the core on this thread said, and where that was.
    static PLACE: Cell<String> = const { Cell::new(String::new()) };
}

/// In place of the report for a defect of the program: the line that brought it about says more.
fn note_down(failure: &PanicHookInfo<'_>) {
    let what = failure.payload_as_str().unwrap_or("it failed");
    let place = failure.location().map(|at| format!(" ({at})")).unwrap_or_default();
    let what = redact::clean(format!("{what}{place}").as_bytes(), WORDS);
    PLACE.set(what);
}

/// One fact as the live stream has it. What could harm a terminal is never in a recording of ours,
/// and is escaped where somebody put it there; it can only stand inside a string.
fn write(fact: &Envelope, out: &mut impl Write) -> io::Result<()> {
    let line = serde_json::to_string(fact)?;
    if line.chars().any(display::is_harmful) {
        for c in line.chars() {
            if display::is_harmful(c) {
                write!(out, "\\u{:04x}", u32::from(c))?;
            } else {
                write!(out, "{c}")?;
            }
        }
        return out.write_all(b"\n");
    }
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")
}

fn note(end: &End) {
    match end {
        End::Told(_) => {}
        End::Missing => out::note(
            "the recording has no end: what was recording it was killed, or its disk was full; everything before is told",
        ),
        End::Cut { line } => out::note(&format!(
            "line {line} is not complete, as after a kill: it is left out, everything before is told"
        )),
    }
}
