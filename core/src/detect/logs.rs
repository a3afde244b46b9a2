//! Anomalies in the lines of one container: signatures, repeated signatures, error bursts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::detect::burst::ErrorRate;
use crate::detect::signatures::{Signature, Signatures};
use crate::detect::{Finding, peer};
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::ContainerRef;
use crate::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use crate::domain::ids::EvidenceId;
use crate::domain::log::{Level, LogLine};
use crate::domain::severity::Severity;

/// A signature seen this often within [`PERSIST_WINDOW`] persists: it is raised to high.
const PERSIST_COUNT: usize = 3;
/// See [`PERSIST_COUNT`].
const PERSIST_WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// A signature is told again after this long, so that "quiet" can be seen.
const REPEAT: SignedDuration = SignedDuration::from_secs(5);
/// Lines of evidence kept for an anomaly.
const EVIDENCE: usize = 3;

/// What is remembered of one signature.
#[derive(Debug, Default)]
struct Seen {
    recent: VecDeque<Evidence>,
    told: Option<(Timestamp, Severity)>,
}

/// The log detectors of one container.
#[derive(Debug, Default)]
pub struct LogDetector {
    seen: HashMap<Arc<str>, Seen>,
    rate: ErrorRate,
    recent_errors: VecDeque<Evidence>,
    /// It has run before, as far as it was watched.
    ran: bool,
}

impl LogDetector {
    /// A new process: what its predecessor repeated is no longer counted against it.
    pub fn process_started(&mut self, at: Timestamp) {
        self.seen.clear();
        // A process that ends before it is known how loud it is tells nothing of the next one.
        self.rate.begins(at, self.ran && !self.rate.is_learning(at));
        self.ran = true;
    }

    /// The watch begins; the container `runs` already, or is about to.
    pub fn watch_begins(&mut self, at: Timestamp, runs: bool) {
        self.rate.begins(at, runs);
        self.ran = runs;
    }

    /// Looks at one line.
    pub fn line(
        &mut self,
        line: &LogLine,
        of: &ContainerRef,
        signatures: &Signatures,
    ) -> Vec<Finding> {
        let level = line.reading.level;
        let mut findings = Vec::new();
        if let Some(signature) = signatures.find(&line.text)
            // A line that calls itself ordinary is believed: `INFO retrying after connection refused`.
            && (signature.always || level.is_none_or(|l| l >= Level::Warn))
        {
            findings.extend(self.signature(signature, line, of));
        }
        if level.is_some_and(|l| l >= Level::Error) {
            findings.extend(self.error(line, of));
        }
        findings
    }

    fn signature(
        &mut self,
        signature: &Signature,
        line: &LogLine,
        of: &ContainerRef,
    ) -> Option<Finding> {
        let seen = self.seen.entry(Arc::clone(&signature.name)).or_default();
        push_bounded(&mut seen.recent, evidence(line, of), PERSIST_COUNT);
        let persists = signature.severity > Severity::Low
            && seen.recent.len() == PERSIST_COUNT
            && seen.recent.front().is_some_and(|e| line.at.duration_since(e.ts) <= PERSIST_WINDOW);
        let severity =
            if persists { signature.severity.max(Severity::High) } else { signature.severity };
        let due = seen
            .told
            .is_none_or(|(at, told)| severity > told || line.at.duration_since(at) >= REPEAT);
        if !due {
            return None;
        }
        seen.told = Some((line.at, severity));
        let peers = if signature.peer { peer::candidates(&line.text) } else { Vec::new() };
        let to = peers.first().map(|p| format!(" ({p})")).unwrap_or_default();
        Some(Finding {
            kind: signature.kind(),
            severity,
            score: if persists { 0.9 } else { 0.6 },
            summary: format!("{} {}{to}", of.name, signature.words),
            observed_at: line.at,
            evidence: seen.recent.iter().cloned().collect(),
            detail: AnomalyDetail {
                signature: Some(signature.name.to_string()),
                class: Some(signature.class),
                words: Some(signature.words.to_string()),
                // All that the line may mean: diagnosis knows which of them is a sibling.
                peer: (!peers.is_empty()).then(|| peers.join(",")),
                ..AnomalyDetail::default()
            },
        })
    }

    fn error(&mut self, line: &LogLine, of: &ContainerRef) -> Option<Finding> {
        push_bounded(&mut self.recent_errors, evidence(line, of), EVIDENCE);
        let burst = self.rate.error(line.at)?;
        Some(Finding {
            kind: AnomalyKind::ErrorBurst,
            severity: Severity::High,
            score: (f64::from(burst.count) / (burst.baseline + 1.0) / 20.0).min(1.0),
            summary: format!(
                "errors of {} rose from about {:.0} to {} in 10 s",
                of.name, burst.baseline, burst.count
            ),
            observed_at: line.at,
            evidence: self.recent_errors.iter().cloned().collect(),
            detail: AnomalyDetail::default(),
        })
    }
}

/// A log line as evidence.
pub fn evidence(line: &LogLine, of: &ContainerRef) -> Evidence {
    const EXCERPT: usize = 400;
    let excerpt: String = line.text.chars().take(EXCERPT).collect();
    Evidence {
        id: EvidenceId(format!("log-{}-{}", of.id.short(), line.seq)),
        kind: EvidenceKind::Log,
        container: of.name.clone(),
        ts: line.at,
        excerpt,
        line: Some(LineAddress { container: line.container.clone(), seq: line.seq }),
    }
}

fn push_bounded(queue: &mut VecDeque<Evidence>, evidence: Evidence, bound: usize) {
    if queue.len() == bound {
        queue.pop_front();
    }
    queue.push_back(evidence);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::reader;
    use crate::domain::log::Stream;

    fn of() -> ContainerRef {
        ContainerRef {
            id: "abcdef123456789".into(),
            name: "api".into(),
            service: "api".into(),
            project: None,
        }
    }

    fn line(seq: u64, millis: i64, text: &str) -> LogLine {
        LogLine {
            container: "abcdef123456789".into(),
            seq,
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis),
            stream: Stream::Stderr,
            text: text.into(),
            reading: reader::one(text),
            history: false,
        }
    }

    #[test]
    fn a_refused_connection_is_medium_once_and_high_when_it_persists() {
        let mut logs = LogDetector::default();
        let text = "ERROR cannot reach db:5432: connection refused";
        let told: Vec<_> = (0..4)
            .flat_map(|i| {
                logs.line(
                    &line(i, i64::try_from(i).unwrap() * 500, text),
                    &of(),
                    Signatures::builtin(),
                )
            })
            .collect();
        let severities: Vec<_> = told.iter().map(|f| f.severity).collect();
        assert_eq!(severities, [Severity::Medium, Severity::High]);
        assert_eq!(told[1].detail.peer.as_deref(), Some("db"));
        assert_eq!(told[1].evidence.len(), 3);
    }

    #[test]
    fn a_line_that_calls_itself_ordinary_is_believed() {
        let mut logs = LogDetector::default();
        assert!(
            logs.line(
                &line(1, 0, "INFO retry after connection refused"),
                &of(),
                Signatures::builtin()
            )
            .is_empty()
        );
    }

    #[test]
    fn lines_that_only_name_an_error_are_no_errors() {
        // Each was shown as an error, or alarmed, in a tool of this kind.
        let mut logs = LogDetector::default();
        for seq in 0..20 {
            for text in [
                "INFO request done, 0 failed",
                "level=info msg=\"sync done\" err=nil",
                "level=info msg=\"retrying after connection refused\"",
                "10.0.0.1 - - [24/Nov/2026:03:15:02 +0000] \"GET /error HTTP/1.1\" 200 12",
                "GET /error 200",
                "INFO handler for connection refused errors registered",
                "{\"level\":\"info\",\"msg\":\"error budget: 99 %\"}",
                "loaded 12 error templates",
            ] {
                let told = logs.line(
                    &line(seq, i64::try_from(seq).unwrap() * 10, text),
                    &of(),
                    Signatures::builtin(),
                );
                assert!(told.is_empty(), "{text}: {told:?}");
            }
        }
    }

    #[test]
    fn a_burst_of_errors_is_told_with_its_lines() {
        let mut logs = LogDetector::default();
        let told: Vec<_> = (0..40)
            .flat_map(|i| {
                logs.line(
                    &line(i, i64::try_from(i).unwrap() * 50, "ERROR request failed"),
                    &of(),
                    Signatures::builtin(),
                )
            })
            .collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, AnomalyKind::ErrorBurst);
        assert_eq!(told[0].evidence.len(), 3);
    }
}
