//! `cpu_runaway`: it spins at its quota, or all of the host's processors, without more work to do. A
//! restart ends that; whether it may be lost a person decides.
//!
//! Backups, builds and migrations use the processor on purpose, and so does who has more requests to
//! answer.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::CpuRunaway, judge, excluded: silent };

/// Words of lines that say that it works hard on purpose.
const BUSY: &[&str] = &[
    "backup", "build", "compil", "migrat", "reindex", "vacuum", "compact", "import", "export",
    "batch", "snapshot", "dump",
];

/// Times its usual traffic that explain a busy processor.
const MORE: f64 = 2.0;

/// Its traffic rose far above its usual, too: it is busy because it has more to do.
fn more_traffic<'a>(case: &Case<'a>) -> Option<&'a Anomaly> {
    case.own(AnomalyKind::UsageShift).rfind(|a| {
        let net = a.detail.measure.as_deref().is_some_and(|m| m.starts_with("net_"));
        let rose = a.detail.value.zip(a.detail.usual).is_some_and(|(now, was)| now >= was * MORE);
        net && rose
    })
}

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = measured(case, FailureClass::CpuRunaway, AT_THE_LIMIT)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let said = |text: &str| {
        let text = text.to_ascii_lowercase();
        BUSY.iter().any(|word| text.contains(word))
    };
    let busy = facts.tail.iter().any(|l| said(&l.text)) || said(&facts.container.command);
    if let Some(traffic) = more_traffic(case) {
        return Some(hypothesis.proved_by(traffic.evidence.clone()).advising(format!(
            "{name} has more to do ({}); give it more processor, or more of its kind.",
            traffic.summary
        )));
    }
    if busy || !facts.container.is_up() {
        return Some(hypothesis.advising(format!(
            "{name} seems to work hard on purpose; wait for its end, or give it a processor limit."
        )));
    }
    let why = format!("{name} uses up its processor without more to do");
    Some(hypothesis.planning(vec![actions::restart(&facts.container, why)]))
}
