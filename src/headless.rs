//! The same events on standard output: JSON lines for programs, sentences for people.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::event::{Envelope, Event};
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
/// True if it ended because an incident was escalated.
pub async fn run(
    handle: &Handle,
    mut events: Receiver<Arc<Envelope>>,
    options: Options,
    stop: CancellationToken,
    out: &mut (impl Write + Send),
) -> bool {
    let deadline = options.duration.map(|d| Instant::now() + d);
    let mut open = 0_usize;
    let mut escalated = false;
    let mut last = 0;
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            () = sleep_or_never(deadline) => {
                stop.cancel();
                break;
            }
        };
        let envelope = match event {
            Ok(envelope) => envelope,
            Err(RecvError::Lagged(missed)) => {
                let snapshot = handle.snapshot();
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
        if write(&envelope, options.output, out).is_err() {
            // The reader has gone (`| head`): nothing more to say.
            stop.cancel();
            break;
        }
        match &envelope.event {
            Event::IncidentOpened { .. } => open += 1,
            Event::IncidentResolved { .. }
            | Event::IncidentDismissed { .. }
            | Event::IncidentMerged { .. } => {
                open = open.saturating_sub(1);
                if open == 0 && options.exit_on_resolve {
                    stop.cancel();
                }
            }
            Event::IncidentEscalated { .. } if options.exit_on_resolve => {
                escalated = true;
                stop.cancel();
            }
            Event::MonitorStopped { .. } => break,
            _ => {}
        }
    }
    escalated
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
                writeln!(out, "{}  {sentence}", local_time(&envelope.ts))?;
            }
        }
    }
    out.flush()
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
            "watching {} containers on {} (Docker {}), mode {mode}",
            watched.len(),
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
        Event::IncidentMerged { id, into } => format!("{id} merged into {into}"),
        Event::IncidentReopened { incident } => format!(
            "{} continues {}",
            incident.id,
            incident.reopens.as_ref().map(ToString::to_string).unwrap_or_default()
        ),
        Event::IncidentResolved { incident } => format!(
            "RESOLVED {}: {}",
            incident.id,
            incident.explanation.as_deref().unwrap_or("it recovered")
        ),
        Event::IncidentEscalated { incident } => {
            format!("ESCALATED {}: {}", incident.id, incident.title)
        }
        Event::IncidentDismissed { incident } => format!(
            "dismissed {}: {}",
            incident.id,
            incident.explanation.as_deref().unwrap_or_default()
        ),
        Event::DiagnosisReady { diagnosis, .. } => format!(
            "diagnosis: {} ({:.0} %): {}",
            diagnosis.class,
            diagnosis.confidence * 100.0,
            diagnosis.cause
        ),
        Event::FixStaged { fix, .. } => {
            format!("fix {} staged ({}): {}", fix.id, fix.risk, fix.preview)
        }
        Event::FixApproved(w) => format!("fix {} approved by {}", w.fix_id, w.by),
        Event::FixRejected(w) => format!("fix {} rejected by {}", w.fix_id, w.by),
        Event::FixExpired(w) => format!("fix {} expired", w.fix_id),
        Event::FixStale(w) => {
            format!("fix {} is stale: {}", w.fix_id, w.reason.as_deref().unwrap_or_default())
        }
        Event::FixApplying(w) => format!("applying {} on {}", w.tool, w.target),
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
        Event::Degraded { part, detail } => format!("DEGRADED {part}: {detail}"),
        Event::Recovered { part, detail } => format!("recovered {part}: {detail}"),
    })
}

fn health(health: &str) -> String {
    if health == "none" { String::new() } else { format!(", {health}") }
}
