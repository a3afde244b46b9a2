//! `network_detached`: it lost a network that it had, and with it its siblings; or a sibling lost it.
//! The network is offered back with its names; never by itself, for somebody detached it.

use crate::diagnose::classes::Rule;
use crate::diagnose::world::Facts;
use crate::diagnose::{Case, Hypothesis, actions, proof, topology};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::failure::FailureClass;
use crate::domain::spec::{SpecChange, SpecField};

pub(super) const RULE: Rule = Rule { class: FailureClass::NetworkDetached, judge, excluded };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let sign = sign(case)?;
    let facts = case.facts()?;
    let needed = topology::upstream(case.world, facts).into_iter().map(|(_, f)| f);
    let said = topology::named(case.world, facts, sign);
    let (lost_by, change) = [facts]
        .into_iter()
        .chain(said)
        .chain(needed)
        .chain(once_named(case, facts))
        .find_map(|f| Some((f, lost(case, f)?)))?;
    let name = &case.subject.name;
    let whose = &lost_by.container.of.name;
    let network = &change.name;
    let cause = if whose == name {
        format!("{name} is not on network {network} any more and cannot reach its siblings there")
    } else {
        format!("{name} cannot reach {whose}, which is not on network {network} any more")
    };
    let aliases = change.lost_aliases();
    let why = format!("{whose} was on {network} until a moment ago");
    let mut hypothesis = Hypothesis::of(case, FailureClass::NetworkDetached, 0.92, cause)
        .proved_by(sign.evidence.clone())
        .proved_by([proof::change(&lost_by.container, change)])
        .planning(vec![actions::connect(&lost_by.container, network, &aliases, why)]);
    hypothesis.root = lost_by.container.of.clone();
    if whose != name {
        hypothesis.affected.push(name.clone());
    }
    Some(hypothesis)
}

/// A complaint that a lost network explains.
fn sign<'a>(case: &Case<'a>) -> Option<&'a Anomaly> {
    case.signature(FailureClass::DnsFailure)
        .or_else(|| case.last(AnomalyKind::ConnectionRefused))
        .or_else(|| case.signature(FailureClass::SlowDependency))
        .or_else(|| case.signature(FailureClass::DependencyDown))
        .or_else(|| case.last(AnomalyKind::Unhealthy))
}

/// The network that a container lost a short while ago and has not got back.
fn lost<'a>(case: &Case<'a>, facts: &Facts) -> Option<&'a SpecChange> {
    case.changes_of(&facts.container.of).into_iter().rev().find(|c| {
        let back = facts.container.networks.iter().any(|n| n.network == c.name);
        c.field == SpecField::Network && c.new.is_none() && !back
    })
}

/// Siblings that its settings name and that it cannot see any more, because one of the two lost
/// the network: by the name that they had on it.
fn once_named<'a>(case: &Case<'a>, facts: &Facts) -> Vec<&'a Facts> {
    let hosts = facts.container.env.values().flat_map(|v| &v.hosts);
    let hosts: Vec<&str> = hosts.map(|h| h.split(':').next().unwrap_or(h)).collect();
    let all = case.world.containers.values();
    all.filter(|f| {
        let known_as = f.container.host_names().any(|n| hosts.contains(&n));
        let was = lost(case, f)
            .is_some_and(|c| c.lost_aliases().iter().any(|a| hosts.contains(&a.as_str())));
        (known_as || was) && f.container.of.id != facts.container.of.id
    })
    .collect()
}

fn excluded(case: &Case<'_>) -> Option<String> {
    sign(case)?;
    Some("neither it nor what it needs lost a network in the ten minutes before".to_owned())
}
