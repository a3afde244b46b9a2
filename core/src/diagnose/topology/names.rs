//! Which containers a name, an address or a published port means, seen from one of them.
//!
//! Equal names in another project or network are strangers: only what a container can reach under
//! a name is meant by it.

use std::net::Ipv4Addr;

use crate::diagnose::topology::same;
use crate::diagnose::world::{Facts, World};
use crate::domain::container::{Attachment, Container};

/// The engine's default network. It resolves no names; whoever is on it is reached by address.
const DEFAULT_BRIDGE: &str = "bridge";
/// The network of a container that has none of its own.
const HOST_NETWORK: &str = "host";
/// Names that lead to the host from inside a container.
const HOST_NAMES: [&str; 2] = ["host.docker.internal", "gateway.docker.internal"];

/// The containers that `of` means by `db`, `db:5432` or `10.0.0.2:5432`: several if they share a
/// name (a service with replicas), for any of them may be the one that does not answer.
pub(super) fn meant<'w>(world: &'w World, of: &Facts, said: &str) -> Vec<&'w Facts> {
    let (host, port) = split_port(said);
    if host.is_empty() {
        return Vec::new();
    }
    let all = |fits: &dyn Fn(&Facts) -> bool| -> Vec<&'w Facts> {
        world.containers.values().filter(|f| !same(f, of) && fits(f)).collect()
    };
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        let there = all(&|f| shared(of, f).any(|n| n.address == host));
        if there.is_empty() { publishing(world, of, host, Some(address), port) } else { there }
    } else {
        // What the engine's resolver answers comes before what the project calls it: a container
        // that lost its network is still meant by the name that it had there.
        let resolved = all(&|f| answers_to(of, f, host));
        let found = if resolved.is_empty() { all(&|f| is_called(of, f, host)) } else { resolved };
        if found.is_empty() { publishing(world, of, host, None, port) } else { found }
    }
}

/// The one container of that service or name; none if there are several.
pub(super) fn only<'w>(world: &'w World, of: &Facts, service: &str) -> Option<&'w Facts> {
    let mut found = world.containers.values().filter(|f| {
        let other = &f.container.of;
        !same(f, of) && (other.service == service || other.name == service)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The user network that both are on.
pub(super) fn common_network<'a>(of: &'a Facts, other: &'a Facts) -> Option<&'a Attachment> {
    shared(of, other).find(|n| n.network != DEFAULT_BRIDGE)
}

/// The attachments of `other` to networks that both are on.
fn shared<'a>(of: &'a Facts, other: &'a Facts) -> impl Iterator<Item = &'a Attachment> {
    let networks = other.container.networks.iter();
    networks.filter(|n| of.container.networks.iter().any(|m| m.network == n.network))
}

/// Whether the engine's resolver gives `other` for that name on a network that both are on.
fn answers_to(of: &Facts, other: &Facts, host: &str) -> bool {
    let named =
        |n: &Attachment| other.container.of.name == host || n.aliases.iter().any(|a| a == host);
    shared(of, other).any(|n| n.network != DEFAULT_BRIDGE && named(n))
}

/// Whether `other` has that name and is near: of the same project, or on a network that both
/// share. A job of compose has the name of its service and is not what others mean by it.
fn is_called(of: &Facts, other: &Facts, host: &str) -> bool {
    let (c, own) = (&other.container, &of.container);
    let called = if c.is_one_off() { c.of.name == host } else { c.host_names().any(|n| n == host) };
    let same_project = own.of.project.is_some() && c.of.project == own.of.project;
    called && (same_project || common_network(of, other).is_some())
}

/// The one container behind a port of the host, where `host` means the host.
fn publishing<'w>(
    world: &'w World,
    of: &Facts,
    host: &str,
    address: Option<Ipv4Addr>,
    port: Option<&str>,
) -> Vec<&'w Facts> {
    let Some(port) = port else { return Vec::new() };
    let anywhere = HOST_NAMES.contains(&host)
        || on_the_host(&of.container) && is_loopback(host, address)
        || address.is_some_and(|a| is_gateway(&of.container, a));
    let mut found: Vec<&Facts> = Vec::new();
    for f in world.containers.values().filter(|f| !same(f, of)) {
        let mut ports = f.container.ports.iter().filter(|p| p.host_port == port);
        if ports.any(|p| anywhere || p.host_address == host) {
            found.push(f);
        }
    }
    // Two that publish one port cannot both run: which one is meant, nobody knows.
    if found.len() == 1 { found } else { Vec::new() }
}

fn on_the_host(container: &Container) -> bool {
    container.network_mode == HOST_NETWORK
}

fn is_loopback(host: &str, address: Option<Ipv4Addr>) -> bool {
    host == "localhost" || address.is_some_and(|a| a.is_loopback())
}

/// Whether an address is the host's own on a network of the container: the engine gives the first
/// of a network to itself, and two bytes are common to all of one network as it makes them.
fn is_gateway(container: &Container, address: Ipv4Addr) -> bool {
    let [a, b, _, last] = address.octets();
    let own = container.networks.iter().filter_map(|n| n.address.parse::<Ipv4Addr>().ok());
    last == 1 && own.map(|own| own.octets()).any(|[c, d, _, _]| (a, b) == (c, d))
}

fn split_port(said: &str) -> (&str, Option<&str>) {
    match said.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (said, None),
    }
}
