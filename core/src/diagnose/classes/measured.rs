//! What readings and the usual of a log tell by themselves: growing memory, a processor used up,
//! silence, numbers out of their range. The detector's sentence is the cause; nothing is mended
//! without a fault that the engine itself observed.

use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

/// Less sure than any class that knows what broke.
const SCORE: f64 = 0.55;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let own = case.anomalies.iter().filter(|a| a.container.id == case.subject.id);
    let told = own.filter(|a| a.kind.measures().is_some()).max_by_key(|a| a.severity)?;
    let class = told.kind.measures()?;
    Some(Hypothesis {
        class,
        root: case.subject.clone(),
        score: SCORE,
        cause: told.summary.clone(),
        evidence: told.evidence.clone(),
        affected: Vec::new(),
        plan: Vec::new(),
        advice: Some(advice(class, &case.subject.name)),
    })
}

fn advice(class: FailureClass, name: &str) -> String {
    match class {
        FailureClass::MemoryLeak => format!(
            "Restart {name} at a quiet moment before it reaches its limit; a higher limit only buys time."
        ),
        FailureClass::CpuRunaway => {
            format!("Look at what {name} computes; if its work has not grown, restart it.")
        }
        FailureClass::CpuThrottled => {
            format!("Raise the processor quota of {name}, or give it less to do.")
        }
        FailureClass::PidLimit => {
            format!("Look for processes that {name} starts and never ends; a restart frees them.")
        }
        FailureClass::FdExhaustion => format!(
            "Look for files and connections that {name} never closes; a restart frees them, a higher limit buys time."
        ),
        FailureClass::LogSilence => {
            format!("Check whether {name} still works: its health, its processor, its peers.")
        }
        FailureClass::LatencyRise => {
            format!("Find what {name} waits for: a peer, a disk, the processor.")
        }
        _ => format!("Read the quoted lines of {name}; what changed before they began?"),
    }
}
