//! Who needs whom: edges between watched containers, each with its source.

use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::Anomaly;

/// How an edge is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeSource {
    /// A label says so (`sre-sentinel.depends-on`, compose).
    Declared,
    /// A log line names the sibling.
    Named,
}

/// The siblings that `of` says it needs.
pub fn declared<'w>(world: &'w World, of: &Facts) -> Vec<&'w Facts> {
    of.container
        .declared_dependencies()
        .iter()
        .filter_map(|service| sibling(world, of, service))
        .collect()
}

/// The siblings that an anomaly's lines name as the peer that does not answer.
pub fn named<'w>(world: &'w World, of: &Facts, anomaly: &Anomaly) -> Vec<&'w Facts> {
    anomaly
        .detail
        .peer
        .iter()
        .flat_map(|peers| peers.split(','))
        .filter_map(|host| sibling(world, of, host))
        .collect()
}

/// Whether `of` needs `other`, and how that is known.
pub fn needs(
    world: &World,
    of: &Facts,
    other: &Facts,
    anomaly: Option<&Anomaly>,
) -> Option<EdgeSource> {
    let is_other = |f: &&Facts| f.container.of.id == other.container.of.id;
    if declared(world, of).iter().any(is_other) {
        return Some(EdgeSource::Declared);
    }
    if anomaly.is_some_and(|a| named(world, of, a).iter().any(is_other)) {
        return Some(EdgeSource::Named);
    }
    None
}

/// A container by a host name as `of` would resolve it: on a shared network or of the same
/// project first, then any.
fn sibling<'w>(world: &'w World, of: &Facts, host: &str) -> Option<&'w Facts> {
    let matches = |f: &&Facts| {
        f.container.of.id != of.container.of.id
            && (f.container.host_names().any(|n| n == host)
                || f.container.networks.iter().any(|n| !n.address.is_empty() && n.address == host))
    };
    let near = |f: &&Facts| {
        (of.container.of.project.is_some() && f.container.of.project == of.container.of.project)
            || f.container
                .networks
                .iter()
                .any(|n| of.container.networks.iter().any(|m| m.network == n.network))
    };
    world
        .containers
        .values()
        .filter(matches)
        .find(near)
        .or_else(|| world.containers.values().find(matches))
}
