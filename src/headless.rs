//! The same events on standard output: JSON lines for programs, sentences for people.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::seen::Seen;
use sentinel_core::report::{explanation, similar};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::cli::Output;
use crate::runtime::handle::Handle;

/// What to write and when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The form.
    pub output: Output,
    /// Stop after this long.
    pub duration: Option<Duration>,
    /// Stop when every incident is resolved or one is escalated.
    pub exit_on_resolve: bool,
}

/// Writes events until told to stop, until an option says so, or until nobody reads any more.
/// True if it ended because an incident was escalated; an error if the output refuses them.
pub async fn run(
    handle: &Handle,
    mut events: Receiver<Arc<Envelope>>,
    options: Options,
    stop: CancellationToken,
    out: &mut (impl Write + Send),
) -> std::io::Result<bool> {
    let mut deadline = options.duration.map(|d| Instant::now() + d);
    let mut open = open_now(handle);
    let mut escalated = false;
    let mut last = 0;
    loop {
        let event = tokio::select! {
            biased;
            () = sleep_or_never(deadline) => {
                // The last words are still to come.
                deadline = None;
                stop.cancel();
                continue;
            }
            event = events.recv() => event,
        };
        let envelope = match event {
            Ok(envelope) => envelope,
            Err(RecvError::Lagged(missed)) => {
                let snapshot = handle.snapshot();
                open = open_now(handle);
                Arc::new(Envelope {
                    v: 1,
                    seq: last + missed,
                    ts: format!("{:.3}", snapshot.at),
                    host: snapshot.engine.as_ref().map(|e| e.name.clone()).unwrap_or_default(),
                    event: handle.snapshot_event(missed),
                })
            }
            Err(RecvError::Closed) => break,
        };
        last = envelope.seq;
        if let Err(error) = write(&envelope, options.output, out) {
            stop.cancel();
            // A reader that has gone (`| head`) has heard enough.
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                return Err(error);
            }
            break;
        }
        match &envelope.event {
            Event::IncidentOpened { incident } => {
                open.insert(incident.id.clone());
            }
            Event::IncidentResolved { incident } | Event::IncidentDismissed { incident } => {
                settled(&mut open, &incident.id, options, &stop);
            }
            Event::IncidentMerged { id, .. } => settled(&mut open, id, options, &stop),
            Event::IncidentEscalated { .. } if options.exit_on_resolve => {
                escalated = true;
                stop.cancel();
            }
            Event::MonitorStopped { .. } => break,
            _ => {}
        }
    }
    Ok(escalated)
}

/// Incidents that somebody still owes something, those of earlier runs included.
fn open_now(handle: &Handle) -> BTreeSet<IncidentId> {
    let snapshot = handle.snapshot();
    snapshot.incidents.iter().filter(|i| !i.state.is_closed()).map(|i| i.id.clone()).collect()
}

/// One incident less; the last one ends a run that waits for it.
fn settled(
    open: &mut BTreeSet<IncidentId>,
    id: &IncidentId,
    options: Options,
    stop: &CancellationToken,
) {
    if open.remove(id) && open.is_empty() && options.exit_on_resolve {
        stop.cancel();
    }
}

async fn sleep_or_never(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn write(envelope: &Envelope, output: Output, out: &mut impl Write) -> std::io::Result<()> {
    match output {
        Output::Jsonl => {
            serde_json::to_writer(&mut *out, envelope)?;
            out.write_all(b"\n")?;
        }
        Output::Text => {
            if let Some(sentence) = sentence(&envelope.event) {
                // One line per sentence, whatever an error text looks like.
                let sentence = sentence.replace('\n', "; ");
                writeln!(out, "{}  {sentence}", local_time(&envelope.ts))?;
            }
        }
    }
    out.flush()
}

/// What is known of a fault from before.
fn before(seen: Option<&Seen>) -> String {
    let words = seen.and_then(|seen| similar::words(seen, Timestamp::now()));
    words.map_or_else(String::new, |words| format!(" (before: {words})"))
}

/// Paragraphs, one behind the other.
fn in_one_line(words: &str) -> String {
    words.replace(explanation::BETWEEN, " ")
}

/// The time of day here.
fn local_time(ts: &str) -> String {
    ts.parse::<Timestamp>().map_or_else(
        |_| ts.to_owned(),
        |at| at.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string(),
    )
}

/// An event as a sentence; `None` for what a person does not need to read.
pub fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::MonitorStarted { engine, mode, watched } => format!(
            "watching {} on {} (Docker {}), mode {mode}",
            match watched.len() {
                1 => "1 container".to_owned(),
                count => format!("{count} containers"),
            },
            engine.name,
            engine.version
        ),
        Event::MonitorStopped { reason, .. } => format!("stopped watching: {reason}"),
        Event::ContainerSeen { container } => {
            format!("{} is {}{}", container.name, container.state, health(&container.health))
        }
        Event::ContainerChanged { container } => {
            format!("{} is now {}{}", container.name, container.state, health(&container.health))
        }
        Event::ContainerGone { container } => format!("{} is gone", container.name),
        Event::Anomaly { anomaly } => {
            format!("anomaly ({}): {}", anomaly.severity, anomaly.summary)
        }
        Event::IncidentOpened { incident } => {
            format!("INCIDENT {} ({}): {}", incident.id, incident.severity, incident.title)
        }
        Event::IncidentUpdated { .. } | Event::Usage { .. } | Event::Snapshot { .. } => {
            return None;
        }
        Event::Suppressed { suppressed } => {
            format!("left alone ({}): {}", suppressed.reason.words(), suppressed.what)
        }
        Event::Silenced { silence } => {
            format!("{} is silenced until {} by {}", silence.service, silence.until, silence.by)
        }
        Event::SilenceEnded { service, .. } => format!("{service} is not silenced any more"),
        Event::IncidentMerged { id, into } => format!("{id} merged into {into}"),
        Event::IncidentReopened { incident } => format!(
            "{} continues {}",
            incident.id,
            incident.reopens.as_ref().map(ToString::to_string).unwrap_or_default()
        ),
        Event::IncidentResolved { incident } => format!(
            "RESOLVED {}: {}",
            incident.id,
            in_one_line(incident.explanation.as_deref().unwrap_or("it recovered"))
        ),
        Event::IncidentEscalated { incident } => {
            format!("ESCALATED {}: {}", incident.id, incident.title)
        }
        Event::IncidentDismissed { incident } => format!(
            "dismissed {}: {}",
            incident.id,
            in_one_line(incident.explanation.as_deref().unwrap_or_default())
        ),
        Event::DiagnosisReady { diagnosis, .. } => format!(
            "diagnosis: {} ({:.0} %): {}{}",
            diagnosis.class,
            diagnosis.confidence * 100.0,
            diagnosis.cause,
            before(diagnosis.seen_before.as_ref())
        ),
        Event::OpinionReady { .. } | Event::AnomalyJudged { .. } => return model_sentence(event),
        Event::FixStaged { fix, .. } => {
            format!("fix {} staged ({}): {}", fix.id, fix.risk, fix.preview)
        }
        Event::FixApproved(_)
        | Event::FixRejected(_)
        | Event::FixExpired(_)
        | Event::FixStale(_)
        | Event::FixApplying(_)
        | Event::FixProgress(_)
        | Event::FixApplied(_)
        | Event::FixFailed(_)
        | Event::FixUndone(_)
        | Event::FixEdited(_)
        | Event::FixSnoozed { .. }
        | Event::SnoozeEnded { .. } => return fix_sentence(event),
        Event::NotActing { code, reason, .. } => {
            format!("not acting ({}): {reason}", code.as_str())
        }
        Event::Verification { passed, checks, .. } => format!(
            "verification {}: {}",
            if *passed { "passed" } else { "failed" },
            checks.iter().map(|c| c.detail.as_str()).collect::<Vec<_>>().join("; ")
        ),
        Event::Log { container, message, .. } => format!("{container} | {message}"),
        Event::LogDropped { container, count, reason } => {
            format!("{container}: {count} log lines lost ({reason})")
        }
        Event::HealingHalted { .. }
        | Event::HealingResumed { .. }
        | Event::CircuitOpened { .. }
        | Event::CircuitClosed { .. }
        | Event::Granted { .. }
        | Event::GrantUsed { .. }
        | Event::GrantEnded { .. } => return brake_sentence(event),
        Event::Degraded { part, detail } => format!("DEGRADED {part}: {detail}"),
        Event::Recovered { part, detail } => format!("recovered {part}: {detail}"),
    })
}

/// What a language model said.
fn model_sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::OpinionReady { opinion, .. } => format!(
            "the analyst ({}) {}: {}",
            opinion.by.model,
            opinion.agreement.words(),
            opinion.cause
        ),
        Event::AnomalyJudged { container, judgement, .. } => format!(
            "triage ({}) on {container} ({}): {}",
            judgement.model, judgement.severity, judgement.summary
        ),
        _ => return None,
    })
}

/// What holds auto-heal back, or does no longer.
fn brake_sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::HealingHalted { halt } => {
            format!(
                "KILL SWITCH ON by {}: nothing is done without a person ({})",
                halt.by, halt.reason
            )
        }
        Event::HealingResumed { by, .. } => format!("kill switch released by {by}"),
        Event::CircuitOpened { server, failures, .. } => {
            format!(
                "the last {failures} calls of the MCP server {server} failed: left alone for now"
            )
        }
        Event::CircuitClosed { server } => format!("the MCP server {server} answers again"),
        Event::Granted { grant } => {
            format!("allowed by {} until {:.0}: {}", grant.by, grant.until, grant.words())
        }
        Event::GrantUsed { grant, .. } => format!("allowed by {}: {}", grant.by, grant.words()),
        Event::GrantEnded { grant, by, reason } => {
            format!("not allowed any more ({reason}, {by}): {}", grant.words())
        }
        _ => return None,
    })
}

/// What became of a fix.
fn fix_sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::FixEdited(w) => {
            let what = w.reason.as_deref().unwrap_or_default();
            format!("fix {} edited by {}: {what}", w.fix_id, w.by)
        }
        Event::FixSnoozed { fix_id, until, by, .. } => {
            format!("fix {fix_id} put off by {by} until {until:.0}")
        }
        Event::SnoozeEnded { incident_id, reason, .. } => {
            format!("the plan of {incident_id} is not put off any more: {reason}")
        }
        Event::FixApproved(w) => format!("fix {} approved by {}", w.fix_id, w.by),
        Event::FixRejected(w) => format!("fix {} rejected by {}", w.fix_id, w.by),
        Event::FixExpired(w) => format!("fix {} expired", w.fix_id),
        Event::FixStale(w) => {
            format!("fix {} is stale: {}", w.fix_id, w.reason.as_deref().unwrap_or_default())
        }
        Event::FixApplying(w) => format!("applying {} on {}", w.tool, w.target),
        Event::FixProgress(w) => {
            format!("{} on {}: {}", w.tool, w.target, w.reason.as_deref().unwrap_or_default())
        }
        Event::FixApplied(w) => format!(
            "applied {} on {}{}",
            w.tool,
            w.target,
            w.result
                .as_ref()
                .map(|r| format!(" in {} ms: {}", r.duration_ms, r.message))
                .unwrap_or_default()
        ),
        Event::FixFailed(w) => format!(
            "{} on {} failed: {}",
            w.tool,
            w.target,
            w.reason.as_deref().unwrap_or_default()
        ),
        Event::FixUndone(w) => format!("{} on {} was taken back", w.tool, w.target),
        _ => return None,
    })
}

fn health(health: &str) -> String {
    if health == "none" { String::new() } else { format!(", {health}") }
}
