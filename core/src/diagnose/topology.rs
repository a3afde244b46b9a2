//! Who needs whom: edges between watched containers, each with its source.

use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::Anomaly;
use crate::domain::topology::EdgeSource;

/// The engine's default network.
const DEFAULT_BRIDGE: &str = "bridge";

/// The siblings that `of` says it needs. The operator wrote it, so a service that lives
/// elsewhere may be meant, if only one has that name.
pub fn declared<'w>(world: &'w World, of: &Facts) -> Vec<&'w Facts> {
    of.container
        .declared_dependencies()
        .iter()
        .filter_map(|service| sibling(world, of, service).or_else(|| only(world, of, service)))
        .collect()
}

/// The siblings that an anomaly's lines name as the peer that does not answer. Anybody may write
/// a line, so only what `of` can reach under that name is meant.
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
        return Some(EdgeSource::Label);
    }
    if anomaly.is_some_and(|a| named(world, of, a).iter().any(is_other)) {
        return Some(EdgeSource::Log);
    }
    None
}

/// A container by a host name or address as `of` would resolve it: of the same project, or on a
/// network that both share. Never any other: equal names in another project are strangers.
fn sibling<'w>(world: &'w World, of: &Facts, host: &str) -> Option<&'w Facts> {
    world.containers.values().find(|f| {
        if f.container.of.id == of.container.of.id {
            return false;
        }
        let shared = || {
            f.container
                .networks
                .iter()
                .filter(|n| of.container.networks.iter().any(|m| m.network == n.network))
        };
        let by_name = f.container.host_names().any(|n| n == host);
        let same_project =
            of.container.of.project.is_some() && f.container.of.project == of.container.of.project;
        // The default bridge resolves no names; whoever is on it is reached by address only.
        let near = same_project || shared().any(|n| n.network != DEFAULT_BRIDGE);
        (by_name && near) || shared().any(|n| !n.address.is_empty() && n.address == host)
    })
}

/// The one container of that service or name; none if there are several.
fn only<'w>(world: &'w World, of: &Facts, service: &str) -> Option<&'w Facts> {
    let mut found = world.containers.values().filter(|f| {
        let other = &f.container.of;
        other.id != of.container.of.id && (other.service == service || other.name == service)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::tests_support::container;
    use crate::domain::container::{Attachment, Container, LABEL_DEPENDS_ON};

    fn world(containers: Vec<Container>) -> World {
        World {
            containers: containers.into_iter().map(|c| (c.of.id.clone(), Facts::new(c))).collect(),
            ..World::default()
        }
    }

    fn on(mut container: Container, network: &str, address: &str) -> Container {
        container.networks.push(Attachment {
            network: network.to_owned(),
            aliases: Vec::new(),
            address: address.to_owned(),
        });
        container
    }

    fn of_project(mut container: Container, project: &str, service: &str) -> Container {
        container.of.project = Some(project.to_owned());
        container.of.service = service.to_owned();
        container
    }

    fn found(world: &World, from: &str, host: &str) -> Option<String> {
        let of = world.by_name(from).unwrap();
        sibling(world, of, host).map(|f| f.container.of.name.clone())
    }

    #[test]
    fn a_name_means_the_sibling_of_the_same_project_or_network() {
        let world = world(vec![
            of_project(container("shop-api"), "shop", "api"),
            of_project(container("blog-db"), "blog", "db"),
            of_project(container("shop-db"), "shop", "db"),
            on(container("lone"), "net-a", "10.0.0.2"),
            on(container("cache"), "net-a", "10.0.0.3"),
        ]);
        assert_eq!(found(&world, "shop-api", "db").as_deref(), Some("shop-db"));
        assert_eq!(found(&world, "lone", "cache").as_deref(), Some("cache"));
        assert_eq!(found(&world, "lone", "10.0.0.3").as_deref(), Some("cache"));
    }

    #[test]
    fn a_stranger_of_that_name_or_address_is_never_meant() {
        let world = world(vec![
            of_project(container("shop-api"), "shop", "api"),
            of_project(container("blog-db"), "blog", "db"),
            on(container("lone"), "net-a", "10.0.0.2"),
            on(container("other"), "net-b", "10.0.0.3"),
            on(container("left"), "bridge", "172.17.0.2"),
            on(container("right"), "bridge", "172.17.0.3"),
        ]);
        assert_eq!(found(&world, "shop-api", "db"), None);
        assert_eq!(found(&world, "shop-api", "blog-db"), None);
        assert_eq!(found(&world, "lone", "other"), None);
        assert_eq!(found(&world, "lone", "10.0.0.3"), None);
        assert_eq!(found(&world, "left", "right"), None);
        assert_eq!(found(&world, "left", "172.17.0.3").as_deref(), Some("right"));
        assert_eq!(found(&world, "left", "left"), None);
    }

    #[test]
    fn a_label_may_mean_a_service_elsewhere_if_only_one_has_that_name() {
        let mut api = container("api");
        api.labels.insert(LABEL_DEPENDS_ON.to_owned(), "db, cache".to_owned());
        let world = world(vec![
            api,
            of_project(container("one"), "a", "db"),
            of_project(container("two"), "b", "cache"),
            of_project(container("three"), "c", "cache"),
        ]);
        let names: Vec<&str> = declared(&world, world.by_name("api").unwrap())
            .iter()
            .map(|f| f.container.of.name.as_str())
            .collect();
        assert_eq!(names, ["one"]);
    }
}
