//! `oom_kill`: the kernel killed it at its memory limit. The fix raises the limit (swap with
//! it) by half, within label, host and sense, then starts what is down.

use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::LABEL_MAX_MEMORY;
use crate::domain::failure::FailureClass;
use crate::domain::size::parse_bytes;

/// Limits are rounded up to this.
const STEP: u64 = 4 << 20;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let oom = case.own(AnomalyKind::OomKill).last()?;
    let facts = case.facts()?;
    let container = &facts.container;
    let name = &case.subject.name;
    let mut evidence: Vec<_> =
        case.own(AnomalyKind::OomKill).flat_map(|a| a.evidence.clone()).collect();
    evidence.extend(facts.last_words(2));
    let base = Hypothesis {
        class: FailureClass::OomKill,
        root: case.subject.clone(),
        score: 0.95,
        cause: match container.memory_limit {
            Some(limit) => format!(
                "{name} needed more than its memory limit of {} and the kernel killed it",
                actions::bytes_words(limit)
            ),
            None => format!("{} although it has no limit of its own", oom.summary),
        },
        evidence,
        affected: Vec::new(),
        plan: Vec::new(),
        advice: None,
    };
    let Some(old) = container.memory_limit else {
        return Some(Hypothesis {
            class: FailureClass::HostMemoryPressure,
            score: 0.7,
            advice: Some(
                "The host ran out of memory: find what uses it and give it a limit.".to_owned(),
            ),
            ..base
        });
    };
    let Some(new) = raised(case, container.label(LABEL_MAX_MEMORY), old) else {
        return Some(Hypothesis {
            advice: Some(format!(
                "The limit of {name} cannot be raised further (its own maximum or the host's free memory); find out what needs the memory."
            )),
            ..base
        });
    };
    let mut plan = vec![actions::raise_memory(
        container,
        old,
        new,
        format!("the kernel killed {name} at its limit of {}", actions::bytes_words(old)),
    )];
    let comes_back = container
        .restart_policy
        .restarts_after(case.exit_code().unwrap_or(137), container.restart_count);
    if !container.is_up() && !comes_back {
        plan.push(actions::start(container, format!("{name} is down since the kernel killed it")));
    }
    Some(Hypothesis { plan, ..base })
}

/// The new limit: half more, at most what the label and the host allow.
fn raised(case: &Case<'_>, label: Option<&str>, old: u64) -> Option<u64> {
    let wanted = (old + old / 2).div_ceil(STEP) * STEP;
    // A fifth of what the host has to give stays untouched.
    let host = case.world.unclaimed_memory() / 5 * 4 + old;
    let ceiling = label.and_then(parse_bytes).map_or(host, |own| own.min(host));
    let new = wanted.min(ceiling) / STEP * STEP;
    (new > old).then_some(new)
}
