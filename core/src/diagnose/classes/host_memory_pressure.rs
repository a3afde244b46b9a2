//! `host_memory_pressure`: the kernel killed it although it has no limit of its own: the host ran
//! out of memory. Who used it up is for a person to decide.

use crate::diagnose::classes::Rule;
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;
use crate::domain::size::bytes_words;

pub(super) const RULE: Rule = Rule { class: FailureClass::HostMemoryPressure, judge, excluded };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let oom = case.last(AnomalyKind::OomKill)?;
    let facts = case.facts().filter(|f| f.container.memory_limit.is_none())?;
    // The one that uses most is the one to look at.
    let most = case
        .world
        .containers
        .values()
        .filter_map(|f| Some((f.usage.as_ref()?.mem_used, &f.container.of.name)))
        .max();
    let offender = most.map_or_else(String::new, |(used, name)| {
        format!(" Most is used by {name}: {}.", bytes_words(used))
    });
    let cause = format!("{} although it has no limit of its own", oom.summary);
    Some(
        Hypothesis::of(case, FailureClass::HostMemoryPressure, 0.95, cause)
            .proved_by(oom.evidence.clone())
            .proved_by(facts.last_words(2))
            .advising(format!(
                "The host ran out of memory: find what uses it and give it a limit.{offender}"
            )),
    )
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let limit = case.facts()?.container.memory_limit?;
    case.last(AnomalyKind::OomKill)?;
    Some(format!("it hit its own limit of {}, not that of the host", bytes_words(limit)))
}
