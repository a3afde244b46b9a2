//! `oom_kill`: the kernel killed it at its memory limit. The fix raises the limit (swap with it) by
//! half, within label, host and sense, then starts what is down.

use crate::diagnose::classes::Rule;
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::LABEL_MAX_MEMORY;
use crate::domain::failure::FailureClass;
use crate::domain::size::{bytes_words, parse_bytes};

pub(super) const RULE: Rule = Rule { class: FailureClass::OomKill, judge, excluded };

/// Limits are rounded up to this.
const STEP: u64 = 4 << 20;

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    case.last(AnomalyKind::OomKill)?;
    let facts = case.facts()?;
    let container = &facts.container;
    let old = container.memory_limit?;
    let name = &case.subject.name;
    let kills = case.own(AnomalyKind::OomKill).flat_map(|a| a.evidence.clone());
    let leaks = case.last(AnomalyKind::MemoryGrowth);
    let limit = bytes_words(old);
    let cause = match leaks {
        Some(growth) => format!(
            "{name} grew until the kernel killed it at its memory limit of {limit}: {}",
            growth.summary
        ),
        None => {
            format!("{name} needed more than its memory limit of {limit} and the kernel killed it")
        }
    };
    let base = Hypothesis::of(case, FailureClass::OomKill, 0.97, cause)
        .proved_by(kills)
        .proved_by(leaks.into_iter().flat_map(|g| g.evidence.clone()))
        .proved_by(facts.last_words(2));
    let Some(new) = raised(case, container.label(LABEL_MAX_MEMORY), old) else {
        return Some(base.advising(format!(
            "The limit of {name} cannot be raised further (its own maximum or the host's free memory); find out what needs the memory."
        )));
    };
    let only_time = if leaks.is_some() { "; it leaks, so this only buys time" } else { "" };
    let mut plan = vec![actions::raise_memory(
        container,
        old,
        new,
        format!("the kernel killed {name} at its limit of {limit}{only_time}"),
    )];
    let comes_back = container
        .restart_policy
        .restarts_after(case.exit_code().unwrap_or(137), container.restart_count);
    if !container.is_up() && !comes_back {
        plan.push(actions::start(container, format!("{name} is down since the kernel killed it")));
    }
    Some(base.planning(plan))
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

fn excluded(case: &Case<'_>) -> Option<String> {
    let death = case.death()?;
    let code = death.detail.exit_code?;
    Some(if code == 137 {
        "killed, but the engine told of no memory kill and its memory was not near its limit"
            .to_owned()
    } else {
        format!("exit status {code}, and the engine told of no memory kill")
    })
}
