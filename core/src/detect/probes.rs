//! Runs of the health check as evidence.

use jiff::Timestamp;

use crate::domain::container::{ContainerRef, Probe};
use crate::domain::evidence::{Evidence, EvidenceKind};

/// Failed runs that are shown.
const SHOWN: usize = 2;
/// Characters of output that are shown of each.
const OUTPUT: usize = 300;

/// The last runs that failed, newest last, at most two.
pub(in crate::detect) fn failed(
    probes: &[Probe],
    of: &ContainerRef,
    now: Timestamp,
) -> Vec<Evidence> {
    let failed = probes.iter().enumerate().rev().take_while(|(_, p)| p.exit_code != 0).take(SHOWN);
    let mut evidence: Vec<Evidence> = failed
        .map(|(number, probe)| Evidence {
            id: probe.evidence_id(of, number),
            kind: EvidenceKind::Probe,
            container: of.name.clone(),
            ts: probe.ended_at.unwrap_or(now),
            excerpt: words(probe),
            line: None,
        })
        .collect();
    evidence.reverse();
    evidence
}

fn words(probe: &Probe) -> String {
    // The engine writes -1 where it ended the run itself.
    let ended = match probe.exit_code {
        -1 => "timed out".to_owned(),
        code => format!("ended with {code}"),
    };
    let output: String = probe.output.trim().chars().take(OUTPUT).collect();
    let output = if output.is_empty() { "it printed nothing" } else { &output };
    format!("probe {ended} after {:.1} s: {output}", probe.duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_failed_runs_are_shown_with_status_duration_and_words() {
        let of = ContainerRef {
            id: "abcdef123456789".into(),
            name: "api".into(),
            service: "api".into(),
            project: None,
        };
        let probe = |exit_code, output: &str| Probe {
            exit_code,
            output: output.to_owned(),
            ended_at: None,
            duration: Duration::from_millis(1250),
        };
        let probes =
            [probe(1, "old"), probe(0, "fine"), probe(1, "a"), probe(22, "b\n"), probe(-1, "")];
        let texts: Vec<String> =
            failed(&probes, &of, Timestamp::UNIX_EPOCH).into_iter().map(|e| e.excerpt).collect();
        let expected = [
            "probe ended with 22 after 1.2 s: b",
            "probe timed out after 1.2 s: it printed nothing",
        ];
        assert_eq!(texts, expected);
        assert!(failed(&[probe(1, "x"), probe(0, "")], &of, Timestamp::UNIX_EPOCH).is_empty());
    }
}
