//! Who needs whom: edges between watched containers, each with its source and how sure it is.
//! What a name means to a container is asked of `names`.

mod names;

use std::collections::{BTreeSet, VecDeque};

use crate::diagnose::topology::names::{common_network, meant, only};
use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::Anomaly;
use crate::domain::container::{Container, LABEL_DEPENDS_ON};
use crate::domain::topology::{Edge, EdgeSource};

/// How a network mode begins that shares another container's network.
const SHARED_NAMESPACE: &str = "container:";
/// Edges shown at most.
const MOST_SHOWN: usize = 500;
/// Hosts of one environment that are looked up.
const MOST_HOSTS: usize = 64;
/// Steps that a chain of needs may have; a longer one is a circle or a mistake.
const DEEPEST: usize = 8;

/// How sure an edge of a source is: what a person wrote down for this purpose is certain, what
/// a setting names is needed most of the time, a line may name anything, and neighbours on one
/// network need not even speak.
pub fn confidence(source: EdgeSource) -> f64 {
    match source {
        EdgeSource::Label | EdgeSource::Namespace => 1.0,
        EdgeSource::Compose => 0.95,
        EdgeSource::Environment => 0.8,
        EdgeSource::Log => 0.7,
        EdgeSource::Network => 0.2,
    }
}

fn edge(from: &Facts, to: &Facts, source: EdgeSource, why: String) -> Edge {
    Edge {
        from: from.container.of.name.clone(),
        to: to.container.of.name.clone(),
        source,
        confidence: confidence(source),
        why,
    }
}

fn same(a: &Facts, b: &Facts) -> bool {
    a.container.of.id == b.container.of.id
}

/// What `of` needs directly, the surest edge to each, the surest first: by label, compose, shared
/// namespace or environment.
pub fn upstream<'w>(world: &'w World, of: &Facts) -> Vec<(Edge, &'w Facts)> {
    let mut found: Vec<(Edge, &Facts)> = Vec::new();
    let mut add = |to: &'w Facts, source: EdgeSource, why: String| {
        let new = edge(of, to, source, why);
        match found.iter_mut().find(|(_, known)| same(known, to)) {
            Some((known, _)) if known.confidence < new.confidence => *known = new,
            Some(_) => {}
            None => found.push((new, to)),
        }
    };
    // The operator wrote the label, so a service that lives elsewhere may be meant, if only one
    // has that name.
    for service in of.container.labelled_dependencies() {
        let mut siblings = meant(world, of, service);
        if siblings.is_empty() {
            siblings.extend(only(world, of, service));
        }
        for to in siblings {
            add(to, EdgeSource::Label, format!("its label {LABEL_DEPENDS_ON} names {service}"));
        }
    }
    // Compose speaks of its own project alone.
    for service in of.container.compose_dependencies() {
        for to in meant(world, of, service) {
            add(to, EdgeSource::Compose, format!("compose says that it depends on {service}"));
        }
    }
    if let Some(to) = namespace_owner(world, of) {
        add(to, EdgeSource::Namespace, "it shares its network namespace".to_owned());
    }
    let hosts =
        of.container.env.iter().flat_map(|(name, v)| v.hosts.iter().map(move |h| (name, h)));
    for (name, host) in hosts.take(MOST_HOSTS) {
        for to in meant(world, of, host) {
            add(to, EdgeSource::Environment, format!("{name} names {host}"));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.confidence.total_cmp(&a.confidence).then(a.to.cmp(&b.to)));
    found
}

/// Who needs `of` directly.
pub fn dependents<'w>(world: &'w World, of: &Facts) -> Vec<(Edge, &'w Facts)> {
    let others = world.containers.values().filter(|f| !same(f, of));
    others.filter_map(|f| Some((needs(world, f, of, None)?, f))).collect()
}

/// The siblings that `of` says it needs, by its own label or compose's.
pub fn declared<'w>(world: &'w World, of: &Facts) -> Vec<&'w Facts> {
    let says = |e: &Edge| matches!(e.source, EdgeSource::Label | EdgeSource::Compose);
    upstream(world, of).into_iter().filter(|(e, _)| says(e)).map(|(_, f)| f).collect()
}

/// The siblings that an anomaly's lines name as the peer that does not answer. Anybody may write
/// a line, so only what `of` can reach under that name is meant.
pub fn named<'w>(world: &'w World, of: &Facts, anomaly: &Anomaly) -> Vec<&'w Facts> {
    let peers = anomaly.detail.peer.iter().flat_map(|peers| peers.split(','));
    peers.flat_map(|host| meant(world, of, host)).collect()
}

/// Whether `of` needs `other`, and how that is known best.
pub fn needs(world: &World, of: &Facts, other: &Facts, anomaly: Option<&Anomaly>) -> Option<Edge> {
    let known = upstream(world, of).into_iter().find(|(_, f)| same(f, other)).map(|(e, _)| e);
    known.or_else(|| {
        let named = anomaly.is_some_and(|a| named(world, of, a).iter().any(|f| same(f, other)));
        named.then(|| edge(of, other, EdgeSource::Log, "its log names it as the peer".to_owned()))
    })
}

/// Everything that `of` needs, directly or through others, the nearest first.
pub fn ancestors<'w>(world: &'w World, of: &Facts) -> Vec<&'w Facts> {
    let mut found: Vec<&Facts> = Vec::new();
    let mut next: VecDeque<(&Facts, usize)> =
        upstream(world, of).into_iter().map(|(_, f)| (f, 1)).collect();
    while let Some((facts, depth)) = next.pop_front() {
        if same(facts, of) || found.iter().any(|f| same(f, facts)) {
            continue;
        }
        found.push(facts);
        if depth < DEEPEST {
            next.extend(upstream(world, facts).into_iter().map(|(_, f)| (f, depth + 1)));
        }
    }
    found
}

/// The shortest chain of needs from one to another.
pub fn path(world: &World, from: &Facts, to: &Facts) -> Option<Vec<Edge>> {
    let mut seen = vec![&from.container.of.id];
    let mut next: VecDeque<(&Facts, Vec<Edge>)> = VecDeque::from([(from, Vec::new())]);
    while let Some((facts, edges)) = next.pop_front() {
        if same(facts, to) {
            return Some(edges);
        }
        if edges.len() >= DEEPEST {
            continue;
        }
        for (edge, other) in upstream(world, facts) {
            if !seen.contains(&&other.container.of.id) {
                seen.push(&other.container.of.id);
                let mut longer = edges.clone();
                longer.push(edge);
                next.push_back((other, longer));
            }
        }
    }
    None
}

/// For display: everything that is known, and who shares a user network with whom beyond that.
pub fn all(world: &World) -> Vec<Edge> {
    let each = world.containers.values();
    let mut edges: Vec<Edge> =
        each.flat_map(|of| upstream(world, of)).map(|(e, _)| e).take(MOST_SHOWN).collect();
    let joined: BTreeSet<(String, String)> = edges.iter().map(|e| ends(&e.from, &e.to)).collect();
    let all: Vec<&Facts> = world.containers.values().collect();
    for (at, of) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            if edges.len() >= MOST_SHOWN {
                return edges;
            }
            let Some(common) = common_network(of, other) else { continue };
            if !joined.contains(&ends(&of.container.of.name, &other.container.of.name)) {
                let why = format!("both are on network {}", common.network);
                edges.push(edge(of, other, EdgeSource::Network, why));
            }
        }
    }
    edges
}

/// Two names, whichever of them needs the other.
fn ends(a: &str, b: &str) -> (String, String) {
    (a.min(b).to_owned(), a.max(b).to_owned())
}

/// Whether nothing by which edges are known is different in a newer inspect.
pub fn is_wired_alike(old: &Container, new: &Container) -> bool {
    old.of == new.of
        && old.network_mode == new.network_mode
        && old.networks == new.networks
        && old.labels == new.labels
        && old.env == new.env
        && old.ports == new.ports
}

/// The container whose network namespace `of` shares, if it is watched and there.
fn namespace_owner<'w>(world: &'w World, of: &Facts) -> Option<&'w Facts> {
    let owner = of.container.network_mode.strip_prefix(SHARED_NAMESPACE)?;
    // The engine turns a name into the id of the container that had it then.
    world.containers.values().find(|f| f.container.of.id.0 == owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::Attachment;
    use crate::domain::container::tests_support::container;
    use crate::domain::setup::{Published, Variable};

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
        let mut all = meant(world, of, host).into_iter();
        let first = all.next().map(|f| f.container.of.name.clone());
        assert!(all.next().is_none(), "{host} means one container");
        first
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

    fn naming(mut container: Container, name: &str, host: &str) -> Container {
        let variable = Variable { hosts: vec![host.to_owned()], ..Variable::default() };
        container.env.insert(name.to_owned(), variable);
        container
    }

    fn shop(name: &str) -> Container {
        of_project(container(name), "shop", name)
    }

    fn words(edges: &[Edge]) -> Vec<String> {
        edges.iter().map(|e| format!("{}>{} {:?}", e.from, e.to, e.source)).collect()
    }

    #[test]
    fn each_source_gives_an_edge_and_the_surest_counts() {
        let mut api = naming(naming(shop("api"), "DB_URL", "db:5432"), "CACHE", "cache");
        api.labels
            .insert("com.docker.compose.depends_on".to_owned(), "db:healthy:false".to_owned());
        let mut side = container("side");
        side.network_mode = format!("container:{}", shop("api").of.id.0);
        let world = world(vec![api, shop("db"), shop("cache"), side]);
        let of = |name: &str| world.by_name(name).unwrap();
        let edges = |name: &str| {
            words(&upstream(&world, of(name)).into_iter().map(|(e, _)| e).collect::<Vec<_>>())
        };
        assert_eq!(edges("api"), ["api>db Compose", "api>cache Environment"]);
        assert_eq!(edges("side"), ["side>api Namespace"]);
        assert_eq!(names_of(&ancestors(&world, of("side"))), ["api", "db", "cache"]);
        let chain = path(&world, of("side"), of("db")).unwrap();
        assert_eq!(words(&chain), ["side>api Namespace", "api>db Compose"]);
        assert_eq!(path(&world, of("db"), of("side")), None);
        let needy: Vec<Edge> = dependents(&world, of("db")).into_iter().map(|(e, _)| e).collect();
        assert_eq!(words(&needy), ["api>db Compose"]);
    }

    #[test]
    fn compose_never_means_a_service_of_another_project() {
        let mut api = shop("api");
        api.labels.insert("com.docker.compose.depends_on".to_owned(), "db:x:false".to_owned());
        let world = world(vec![api, of_project(container("blog-db"), "blog", "db")]);
        assert!(upstream(&world, world.by_name("api").unwrap()).is_empty());
    }

    fn called(mut container: Container, alias: &str) -> Container {
        container.networks[0].aliases.push(alias.to_owned());
        container
    }

    fn names_of(found: &[&Facts]) -> Vec<String> {
        found.iter().map(|f| f.container.of.name.clone()).collect()
    }

    #[test]
    fn an_alias_counts_on_its_own_network_and_a_lost_network_loses_no_name() {
        let mut api = on(shop("api"), "front", "10.0.0.2");
        let mut world = world(vec![
            api.clone(),
            called(on(shop("pg-one"), "front", "10.0.0.3"), "db"),
            called(on(shop("pg-two"), "back", "10.1.0.3"), "db"),
        ]);
        assert_eq!(found(&world, "api", "db").as_deref(), Some("pg-one"));
        api.networks.clear();
        world.containers.insert(api.of.id.clone(), Facts::new(api));
        let both = meant(&world, world.by_name("api").unwrap(), "db:5432");
        assert_eq!(names_of(&both), ["pg-one", "pg-two"]);
    }

    #[test]
    fn all_replicas_are_meant_and_a_job_of_the_service_is_not() {
        let replica = |name: &str| of_project(container(name), "shop", "db");
        let mut job = replica("db-run-1");
        job.labels.insert("com.docker.compose.oneoff".to_owned(), "True".to_owned());
        let world = world(vec![
            naming(shop("api"), "DB_HOST", "db:5432"),
            replica("db-1"),
            replica("db-2"),
            job,
        ]);
        let api = world.by_name("api").unwrap();
        assert_eq!(names_of(&meant(&world, api, "db")), ["db-1", "db-2"]);
        assert_eq!(names_of(&meant(&world, api, "db-run-1")), ["db-run-1"]);
        let needs: Vec<Edge> = upstream(&world, api).into_iter().map(|(e, _)| e).collect();
        assert_eq!(words(&needs), ["api>db-1 Environment", "api>db-2 Environment"]);
    }

    fn publishing(mut container: Container, host_address: &str, host_port: &str) -> Container {
        container.ports.push(Published {
            port: "5432/tcp".to_owned(),
            host_address: host_address.to_owned(),
            host_port: host_port.to_owned(),
        });
        container
    }

    #[test]
    fn a_port_of_the_host_means_whoever_publishes_it() {
        let mut onhost = container("onhost");
        onhost.network_mode = "host".to_owned();
        let world = world(vec![
            on(container("api"), "net", "172.20.0.5"),
            onhost,
            publishing(container("db"), "", "5432"),
            publishing(container("cache"), "192.168.7.7", "6379"),
        ]);
        for (from, host, to) in [
            ("api", "host.docker.internal:5432", Some("db")),
            ("api", "172.20.0.1:5432", Some("db")),
            ("api", "192.168.7.7:6379", Some("cache")),
            ("onhost", "localhost:5432", Some("db")),
            ("onhost", "127.0.0.1:5432", Some("db")),
            // Its own loopback, another network's gateway, another port, no port.
            ("api", "localhost:5432", None),
            ("api", "172.21.0.1:5432", None),
            ("api", "172.20.0.1:5433", None),
            ("api", "172.20.0.1", None),
            ("api", "192.168.7.8:6379", None),
        ] {
            assert_eq!(found(&world, from, host).as_deref(), to, "{from} says {host}");
        }
    }

    #[test]
    fn a_port_that_two_publish_means_neither() {
        let world = world(vec![
            on(container("api"), "net", "172.20.0.5"),
            publishing(container("old-db"), "", "5432"),
            publishing(container("new-db"), "", "5432"),
        ]);
        assert_eq!(found(&world, "api", "172.20.0.1:5432"), None);
    }

    #[test]
    fn a_circle_of_needs_ends() {
        let world = world(vec![
            naming(shop("a"), "X_HOST", "b"),
            naming(shop("b"), "X_HOST", "c"),
            naming(shop("c"), "X_HOST", "a"),
        ]);
        assert_eq!(ancestors(&world, world.by_name("a").unwrap()).len(), 2);
    }

    #[test]
    fn neighbours_on_a_network_are_shown_once_and_are_no_need() {
        let world = world(vec![
            on(container("a"), "net", "10.0.0.2"),
            on(container("b"), "net", "10.0.0.3"),
        ]);
        assert_eq!(words(&all(&world)), ["a>b Network"]);
        assert!(upstream(&world, world.by_name("a").unwrap()).is_empty());
    }
}
