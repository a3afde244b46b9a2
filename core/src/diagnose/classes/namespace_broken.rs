//! `namespace_broken`: the container whose network it shares was replaced: it is left with a network
//! that leads nowhere. It has to be made anew behind the new one.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;
use crate::domain::ids::ContainerId;

pub(super) const RULE: Rule =
    Rule { class: FailureClass::NamespaceBroken, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts()?;
    let owner = ContainerId(facts.container.network_mode.strip_prefix("container:")?.to_owned());
    let state = match case.world.containers.get(&owner) {
        Some(owner) if owner.container.state == RunState::Running => {
            // It runs, but began after the one that shares its network: that one has the old one.
            let newer = owner.container.started_at > facts.container.started_at;
            newer.then(|| format!("{} was started again", owner.container.of.name))?
        }
        Some(owner) => format!("{} is {}", owner.container.of.name, owner.container.state),
        None => format!("container {} is gone", owner.short()),
    };
    let name = &case.subject.name;
    let cause = format!("{name} shares the network of another container, and {state}");
    let field = format!("network mode container:{}; {state}", owner.short());
    let own = case.all_own().next_back().map(|a| a.evidence.clone()).unwrap_or_default();
    Some(
        Hypothesis::of(case, FailureClass::NamespaceBroken, 0.93, cause)
            .proved_by(own)
            .proved_by([proof::inspect(&facts.container, "network", case.first_sign(), field)])
            .advising(format!(
                "Make {name} anew (`docker compose up -d --force-recreate` of its service) once the other container runs."
            )),
    )
}
