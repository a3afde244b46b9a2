//! `cpu_throttled`: its processor quota is too small for its load. It is raised by half, within what
//! the host has.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::CpuThrottled, judge, excluded: silent };

/// Billionths of a processor, as the engine counts.
const NANO: u64 = 1_000_000_000;

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    // The quota explains a processor that is used up; used up alone does not explain the quota.
    let hypothesis = measured(case, FailureClass::CpuThrottled, AT_THE_LIMIT + 0.05)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let advice = format!("Raise the processor quota of {name}, or give it less to do.");
    let Some(old) = facts.container.nano_cpus else { return Some(hypothesis.advising(advice)) };
    let host = case.world.engine.cpus.saturating_mul(NANO);
    // In steps of a hundredth of a processor, as people write them.
    let new = (old + old / 2).min(host) / (NANO / 100) * (NANO / 100);
    let busy: f64 = case
        .world
        .containers
        .values()
        .filter_map(|f| f.usage.as_ref())
        .map(|usage| usage.cpu_pct)
        .sum();
    let full = case.world.engine.cpus as f64 * 90.0;
    if new <= old || busy >= full {
        return Some(hypothesis.advising(format!("{advice} The host has no processor to spare.")));
    }
    let why = format!("{name} is held back by its processor quota");
    Some(hypothesis.planning(vec![actions::raise_cpu(&facts.container, old, new, why)]))
}
