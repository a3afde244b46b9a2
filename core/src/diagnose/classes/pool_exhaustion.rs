//! `pool_exhaustion`: a pool of connections is used up. Who holds most of them is at fault, not the
//! store that has no more to give.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, topology};
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;
use crate::domain::topology::Edge;

pub(super) const RULE: Rule = Rule { class: FailureClass::PoolExhaustion, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::PoolExhaustion;
    let mut hypothesis = told(case, class, false)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let dependents = topology::dependents(case.world, facts);
    if let Some((edge, client)) = named_most(case, &dependents) {
        let whose = &client.container.of.name;
        hypothesis.cause = format!("{whose} holds the connections of which {name} has run out");
        hypothesis.root = client.container.of.clone();
        hypothesis.affected = vec![name.clone()];
        hypothesis.edges = vec![edge.clone()];
        let why = format!("{whose} gives its connections to {name} back when it starts anew");
        return Some(hypothesis.planning(vec![actions::restart(&client.container, why)]));
    }
    let clients: Vec<String> =
        dependents.iter().map(|(_, f)| f.container.of.name.clone()).collect();
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

/// The one that runs of those known to need it which the lines behind the complaint name, as the
/// holder of the connections; none if they name two equally often. A line chooses among clients, it
/// makes nobody a client.
fn named_most<'a>(
    case: &Case<'_>,
    dependents: &'a [(Edge, &'a Facts)],
) -> Option<&'a (Edge, &'a Facts)> {
    let line = case.signature(FailureClass::PoolExhaustion)?;
    let count = |facts: &Facts| {
        let addresses = facts.container.networks.iter().map(|n| n.address.as_str());
        let known_as: Vec<&str> =
            facts.container.host_names().chain(addresses).filter(|n| !n.is_empty()).collect();
        let words = line.evidence.iter().flat_map(|e| {
            e.excerpt.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        });
        words.filter(|word| known_as.contains(word)).count()
    };
    let mut named: Vec<_> = dependents
        .iter()
        .filter(|(_, f)| f.container.state == RunState::Running)
        .map(|client| (count(client.1), client))
        .filter(|(times, _)| *times > 0)
        .collect();
    named.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    match named.as_slice() {
        [(_, one)] => Some(one),
        [(most, one), (next, _), ..] if most > next => Some(one),
        _ => None,
    }
}
