//! `pool_exhaustion`: a pool of connections is used up. Who holds most of them is at fault, not the
//! store that has no more to give.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, topology};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::PoolExhaustion, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::PoolExhaustion, false)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let clients: Vec<String> = topology::dependents(case.world, facts)
        .into_iter()
        .map(|(_, f)| f.container.of.name.clone())
        .collect();
    Some(hypothesis.advising(if clients.is_empty() {
        format!(
            "Find the client that holds the connections of which {name} has run out, and restart that one, not the store."
        )
    } else {
        format!(
            "{name} has no connection left. Its clients: {}; restart the one that holds most idle ones, not {name}.",
            clients.join(", ")
        )
    }))
}
