//! Anomalies on standard output: sentences for people, or the event stream's own form.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::anomaly_wire::AnomalyWire;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::severity::Severity;

use crate::cli::Output;

/// Lines quoted below a sentence.
const QUOTED: usize = 3;

/// Writes anomalies and counts them.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output,
    out: W,
    seq: u64,
    /// Low, medium, high, critical.
    counts: [(Severity, u64); 4],
}

impl<W: Write> Writer<W> {
    /// Writes to `out` in this form.
    pub fn new(output: Output, out: W) -> Self {
        let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        Self { output, out, seq: 0, counts: all.map(|severity| (severity, 0)) }
    }

    /// Writes these, and sees to it that they are seen.
    pub fn write(&mut self, found: &[Anomaly]) -> io::Result<()> {
        for anomaly in found {
            for (severity, count) in &mut self.counts {
                *count += u64::from(*severity == anomaly.severity);
            }
            match self.output {
                Output::Jsonl => self.object(anomaly)?,
                Output::Text => self.sentence(anomaly)?,
            }
        }
        self.out.flush()
    }

    fn object(&mut self, anomaly: &Anomaly) -> io::Result<()> {
        self.seq += 1;
        let envelope = Envelope {
            v: 1,
            seq: self.seq,
            // When it would have been told, had it been watched: the run itself may be years later.
            ts: format!("{:.3}", anomaly.observed_at),
            host: String::new(),
            event: Event::Anomaly { anomaly: AnomalyWire::from(anomaly) },
        };
        serde_json::to_writer(&mut self.out, &envelope)?;
        self.out.write_all(b"\n")
    }

    fn sentence(&mut self, anomaly: &Anomaly) -> io::Result<()> {
        let at = local(anomaly.observed_at);
        // One line per sentence, whatever a text looks like.
        let summary = anomaly.summary.replace('\n', "; ");
        writeln!(self.out, "{at}  {:<8}  {summary}", anomaly.severity.as_str())?;
        let from = anomaly.evidence.len().saturating_sub(QUOTED);
        for evidence in anomaly.evidence.get(from..).unwrap_or_default() {
            let excerpt = evidence.excerpt.replace('\n', "; ");
            match &evidence.line {
                Some(line) => writeln!(self.out, "    line {}: {excerpt}", line.seq)?,
                None => writeln!(self.out, "    {excerpt}")?,
            }
        }
        Ok(())
    }

    /// Says what the whole was, to people.
    pub fn summary(&mut self, lines: u64) -> io::Result<()> {
        if self.output == Output::Text {
            let counted: Vec<String> = self
                .counts
                .iter()
                .rev()
                .filter(|(_, count)| *count > 0)
                .map(|(severity, count)| format!("{count} {severity}"))
                .collect();
            let found = if counted.is_empty() { "nothing".to_owned() } else { counted.join(", ") };
            let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
            writeln!(self.out, "{lines}: {found} out of the ordinary")?;
        }
        self.out.flush()
    }

    /// Whether something above medium was among them.
    pub fn is_alarmed(&self) -> bool {
        self.counts.iter().any(|(severity, count)| *severity > Severity::Medium && *count > 0)
    }
}

/// A time as people here read it.
fn local(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::anomaly::{AnomalyDetail, AnomalyKind};
    use sentinel_core::domain::container::ContainerRef;
    use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
    use sentinel_core::domain::ids::{AnomalyId, ContainerId, EvidenceId};

    use super::*;

    fn anomaly(severity: Severity) -> Anomaly {
        let of = ContainerRef {
            id: ContainerId("c".to_owned()),
            name: "app.log".to_owned(),
            service: "app.log".to_owned(),
            project: None,
        };
        let ts: Timestamp = "2026-11-24T03:15:02.5Z".parse().unwrap();
        let line = |seq| Evidence {
            id: EvidenceId(format!("E-{seq}")),
            kind: EvidenceKind::Log,
            container: of.name.clone(),
            ts,
            excerpt: format!("excerpt {seq}"),
            line: Some(LineAddress { container: of.id.clone(), seq }),
        };
        Anomaly {
            id: AnomalyId("A-1".to_owned()),
            kind: AnomalyKind::ErrorBurst,
            severity,
            score: 0.5,
            summary: "errors rose\nfar".to_owned(),
            observed_at: ts,
            evidence: (1..=5).map(line).collect(),
            detail: AnomalyDetail::default(),
            container: of,
        }
    }

    #[test]
    fn sentences_name_the_lines_of_the_input() {
        let mut writer = Writer::new(Output::Text, Vec::new());
        writer.write(&[anomaly(Severity::Medium)]).unwrap();
        assert!(!writer.is_alarmed());
        writer.write(&[anomaly(Severity::High), anomaly(Severity::Medium)]).unwrap();
        assert!(writer.is_alarmed());
        writer.summary(9).unwrap();
        let text = String::from_utf8(writer.out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3 * 4 + 1, "{text}");
        assert!(lines[0].ends_with("  medium    errors rose; far"), "{text}");
        assert_eq!(
            lines[1..4],
            ["    line 3: excerpt 3", "    line 4: excerpt 4", "    line 5: excerpt 5"]
        );
        assert_eq!(lines[12], "9 lines: 1 high, 2 medium out of the ordinary");
    }

    #[test]
    fn objects_are_those_of_the_event_stream() {
        let mut writer = Writer::new(Output::Jsonl, Vec::new());
        writer.write(&[anomaly(Severity::Low), anomaly(Severity::Critical)]).unwrap();
        writer.summary(9).unwrap();
        assert!(writer.is_alarmed());
        let text = String::from_utf8(writer.out).unwrap();
        let objects: Vec<serde_json::Value> =
            text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[1]["v"], 1);
        assert_eq!(objects[1]["seq"], 2);
        assert_eq!(objects[1]["ts"], "2026-11-24T03:15:02.500Z");
        assert_eq!(objects[1]["type"], "anomaly");
        assert_eq!(objects[1]["anomaly"]["severity"], "critical");
        assert_eq!(objects[1]["anomaly"]["evidence"][0]["line"]["seq"], 1);
    }

    #[test]
    fn nothing_found_is_said() {
        let mut writer = Writer::new(Output::Text, Vec::new());
        writer.summary(1).unwrap();
        assert_eq!(String::from_utf8(writer.out).unwrap(), "1 line: nothing out of the ordinary\n");
    }
}
