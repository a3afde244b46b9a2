//! How a container was configured, so that a change can be told, weighed and taken back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::container::Container;
use crate::domain::ids::ContainerId;
use crate::domain::setup::{Mount, Published, Variable};
use crate::domain::size::bytes_words;

/// Hex digits of the name that the engine gives a volume which nobody named.
const VOLUME_DIGITS: usize = 64;
/// Hex digits of the alias that the engine gives a container: its short id.
const ID_DIGITS: usize = 12;
/// What stands for the name of a volume that nobody named.
const ANONYMOUS: &str = "(anonymous)";
/// What works is told again after this, so that what is kept stays fresh while nothing changes.
const TOLD_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Everything about a service's container that a deploy may change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Image reference.
    pub image: String,
    /// Digest of the image.
    pub image_id: String,
    /// Command line, redacted.
    pub command: String,
    /// Environment by name.
    pub env: BTreeMap<String, Variable>,
    /// Mounts by target.
    pub mounts: Vec<Mount>,
    /// Networks by name, with aliases.
    pub networks: BTreeMap<String, Vec<String>>,
    /// Memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// CPU limit in 1e-9 cores.
    pub nano_cpus: Option<u64>,
    /// Published ports.
    pub ports: Vec<Published>,
    /// User that the process runs as, as configured.
    pub user: String,
}

/// What part of a spec changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecField {
    /// The image.
    Image,
    /// The command line.
    Command,
    /// A variable of the environment; `name` is its name.
    Env,
    /// A mount; `name` is its path in the container.
    Mount,
    /// A network; `name` is the network's.
    Network,
    /// The memory limit.
    Memory,
    /// The CPU limit.
    Cpu,
    /// Published ports.
    Ports,
    /// The user.
    User,
}

/// One change of a service's spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecChange {
    /// When it took effect: the creation of the new container, or the event.
    pub at: Timestamp,
    /// The container that has it.
    pub container: ContainerId,
    /// What changed.
    pub field: SpecField,
    /// Which one of several, e.g. the variable's name.
    pub name: String,
    /// As it was; `None` for something that was not there. For a variable whose value is not
    /// known the word `(hidden)`.
    pub old: Option<String>,
    /// As it is.
    pub new: Option<String>,
}

impl SpecField {
    /// The field in a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Command => "command",
            Self::Env => "env",
            Self::Mount => "mount",
            Self::Network => "network",
            Self::Memory => "memory limit",
            Self::Cpu => "CPU limit",
            Self::Ports => "ports",
            Self::User => "user",
        }
    }
}

/// How an attachment to a network under other names is put into words.
const ATTACHED_AS: &str = "attached as ";
/// Stands between these names; no name has it.
const ALIAS_SEPARATOR: &str = ", ";

impl SpecChange {
    /// The names that it had on a network, if this is the change of one.
    pub fn lost_aliases(&self) -> Vec<String> {
        let old = self.old.as_deref().filter(|_| self.field == SpecField::Network);
        let names = old.and_then(|words| words.strip_prefix(ATTACHED_AS));
        let names = names.into_iter().flat_map(|names| names.split(ALIAS_SEPARATOR));
        names.map(str::to_owned).collect()
    }

    /// The change in words: `env PEER_URL http://data:9000 → (missing)`.
    pub fn words(&self) -> String {
        let side = |value: &Option<String>| match (self.field, value) {
            (SpecField::Memory | SpecField::Cpu, None) => "(none)".to_owned(),
            (_, None) => "(missing)".to_owned(),
            (SpecField::Memory, Some(bytes)) => bytes.parse().map_or(bytes.clone(), bytes_words),
            (SpecField::Cpu, Some(nanos)) => nanos.parse().map_or(nanos.clone(), cores),
            (_, Some(value)) => value.clone(),
        };
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", self.name) };
        format!("{}{name} {} → {}", self.field.words(), side(&self.old), side(&self.new))
    }

    /// The change in words, of a variable only its name: `variable PEER_URL was removed`.
    pub fn without_values(&self) -> String {
        if self.field != SpecField::Env {
            return self.words();
        }
        let how = match (&self.old, &self.new) {
            (None, _) => "was added",
            (_, None) => "was removed",
            _ => "was changed",
        };
        format!("variable {} {how}", self.name)
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

/// A volume that nobody named has another name in each container.
fn without_random_name(mount: &Mount) -> Mount {
    let mut mount = mount.clone();
    if mount.kind == "volume" && is_hex(&mount.source, VOLUME_DIGITS) {
        ANONYMOUS.clone_into(&mut mount.source);
    }
    mount
}

/// A CPU limit as people write it.
fn cores(nanos: u64) -> String {
    format!("{:.2} CPUs", nanos as f64 / 1e9)
}

impl Spec {
    /// The spec of a container.
    pub fn of(container: &Container) -> Self {
        // The engine adds the short id to the aliases when a container starts, and tools that make
        // one anew take that of its predecessor along: no deploy changed that.
        let networks = container.networks.iter().map(|n| {
            let chosen = n.aliases.iter().filter(|a| !is_hex(a, ID_DIGITS));
            (n.network.clone(), chosen.cloned().collect())
        });
        Self {
            image: container.image.clone(),
            image_id: container.image_id.clone(),
            command: container.command.clone(),
            env: container.env.clone(),
            mounts: container.mounts.iter().map(without_random_name).collect(),
            networks: networks.collect(),
            memory_limit: container.memory_limit,
            nano_cpus: container.nano_cpus,
            ports: container.ports.clone(),
            user: container.user.clone(),
        }
    }

    /// What is different in `new`, field by field.
    pub fn changes_to(
        &self,
        new: &Self,
        at: Timestamp,
        container: &ContainerId,
    ) -> Vec<SpecChange> {
        let mut changes = Vec::new();
        let mut push = |field, name: &str, old: Option<String>, new: Option<String>| {
            changes.push(SpecChange {
                at,
                container: container.clone(),
                field,
                name: name.to_owned(),
                old,
                new,
            });
        };
        if self.image_id != new.image_id || self.image != new.image {
            let shown = |spec: &Self, other: &Self| {
                if spec.image == other.image {
                    let digest = spec.image_id.trim_start_matches("sha256:");
                    let short = digest.get(..12).unwrap_or(digest);
                    format!("{}@{short}", spec.image)
                } else {
                    spec.image.clone()
                }
            };
            push(SpecField::Image, "", Some(shown(self, new)), Some(shown(new, self)));
        }
        if self.command != new.command {
            push(SpecField::Command, "", Some(self.command.clone()), Some(new.command.clone()));
        }
        for name in self.env.keys().chain(new.env.keys().filter(|n| !self.env.contains_key(*n))) {
            let (before, after) = (self.env.get(name), new.env.get(name));
            if before.map(|v| &v.hash) != after.map(|v| &v.hash) {
                push(SpecField::Env, name, before.map(Variable::shown), after.map(Variable::shown));
            }
        }
        let mount = |spec: &Self, target: &str| {
            let found = spec.mounts.iter().find(|m| m.target == target)?;
            let mode = if found.writable { "" } else { ":ro" };
            Some(format!("{} {}{mode}", found.kind, found.source))
        };
        let targets: BTreeSet<&str> =
            self.mounts.iter().chain(&new.mounts).map(|m| m.target.as_str()).collect();
        for target in targets {
            let (before, after) = (mount(self, target), mount(new, target));
            if before != after {
                push(SpecField::Mount, target, before, after);
            }
        }
        let attached = |spec: &Self, name: &str| {
            spec.networks.get(name).map(|aliases| {
                if aliases.is_empty() {
                    "attached".to_owned()
                } else {
                    format!("{ATTACHED_AS}{}", aliases.join(ALIAS_SEPARATOR))
                }
            })
        };
        let names: BTreeSet<&String> = self.networks.keys().chain(new.networks.keys()).collect();
        for name in names {
            let (before, after) = (attached(self, name), attached(new, name));
            if before != after {
                push(SpecField::Network, name, before, after);
            }
        }
        let limits = [
            (SpecField::Memory, self.memory_limit, new.memory_limit),
            (SpecField::Cpu, self.nano_cpus, new.nano_cpus),
        ];
        for (field, before, after) in limits {
            if before != after {
                let shown = |value: Option<u64>| value.map(|v| v.to_string());
                push(field, "", shown(before), shown(after));
            }
        }
        if self.ports != new.ports {
            let shown = |spec: &Self| {
                let ports = spec.ports.iter().map(|p| format!("{}→{}", p.host_port, p.port));
                Some(ports.collect::<Vec<_>>().join(", ")).filter(|p| !p.is_empty())
            };
            push(SpecField::Ports, "", shown(self), shown(new));
        }
        if self.user != new.user {
            let shown = |user: &str| Some(user.to_owned()).filter(|u| !u.is_empty());
            push(SpecField::User, "", shown(&self.user), shown(&new.user));
        }
        changes
    }
}

/// What is remembered of one service: how it was when it last worked, and what changed since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The spec as last seen.
    pub current: Spec,
    /// The last spec with which it ran well for a while, if that is another one or the same.
    pub good: Option<Spec>,
    /// When that was seen to run well, to the hour.
    pub good_at: Option<Timestamp>,
    /// The container that has it.
    pub container: Option<ContainerId>,
    /// What changed, oldest first, at most [`MAX_CHANGES`].
    pub changes: Vec<SpecChange>,
}

/// Changes kept of one service; the oldest gives way.
pub const MAX_CHANGES: usize = 50;

impl History {
    /// A service that is seen for the first time.
    pub fn begin(container: &Container) -> Self {
        Self {
            current: Spec::of(container),
            container: Some(container.of.id.clone()),
            ..Self::default()
        }
    }

    /// Takes over how a container is configured now. True if something changed. What a new
    /// container has changed with its creation; what an old one has, a moment ago.
    pub fn see(&mut self, container: &Container, now: Timestamp) -> bool {
        let spec = Spec::of(container);
        let id = &container.of.id;
        let replaced = self.container.as_ref() != Some(id);
        if spec == self.current {
            self.container = Some(id.clone());
            return replaced;
        }
        let at = container.created_at.filter(|_| replaced).unwrap_or(now);
        self.changes.extend(self.current.changes_to(&spec, at, id));
        let excess = self.changes.len().saturating_sub(MAX_CHANGES);
        self.changes.drain(..excess);
        self.current = spec;
        self.container = Some(id.clone());
        true
    }

    /// It has run well for a while as it is. True if that is news, or was last told long ago.
    pub fn is_well(&mut self, now: Timestamp) -> bool {
        let news = self.good.as_ref() != Some(&self.current);
        if news {
            self.good = Some(self.current.clone());
        }
        let told = self.good_at.is_some_and(|at| now.duration_since(at) < TOLD_AGAIN);
        if news || !told {
            self.good_at = Some(now);
        }
        news || !told
    }

    /// When what it is now took effect, as far as a change was seen.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.changes.last().map(|c| c.at)
    }

    /// What changed since `since`, newest last.
    pub fn since(&self, since: Timestamp) -> impl Iterator<Item = &SpecChange> {
        self.changes.iter().filter(move |c| c.at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::Attachment;
    use crate::domain::container::tests_support::container;

    fn with_env(value: &str) -> Container {
        let mut container = container("api");
        let variable =
            Variable { hash: value.to_owned(), value: Some(value.to_owned()), hosts: Vec::new() };
        container.env.insert("PEER".to_owned(), variable);
        container
    }

    #[test]
    fn a_change_is_told_with_both_sides_and_the_time_of_the_new_container() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut history = History::begin(&with_env("db"));
        assert!(!history.see(&with_env("db"), at(5)), "nothing changed");
        let mut new = with_env("bd");
        new.of.id = ContainerId("f".repeat(64));
        new.created_at = Some(at(10));
        new.image = "shop:2".to_owned();
        new.memory_limit = Some(128 << 20);
        assert!(history.see(&new, at(12)));
        let words: Vec<String> = history.changes.iter().map(SpecChange::words).collect();
        assert_eq!(words.len(), 3, "{words:?}");
        assert_eq!(words[1], "env PEER db → bd");
        assert_eq!(words[2], "memory limit (none) → 128 MiB");
        assert!(history.changes.iter().all(|c| c.at == at(10)));
        assert_eq!(history.since(at(11)).count(), 0);

        new.env.clear();
        assert!(history.see(&new, at(20)), "the same container, changed while it runs");
        let last = history.changes.last().unwrap();
        assert_eq!((last.words().as_str(), last.at), ("env PEER bd → (missing)", at(20)));
    }

    #[test]
    fn what_the_engine_names_by_itself_is_no_change() {
        let made = |id: &str, volume: &str, alias: &str| {
            let mut made = container("api");
            made.of.id = ContainerId(id.repeat(64));
            made.networks.push(Attachment {
                network: "net".to_owned(),
                aliases: vec!["db".to_owned(), alias.to_owned()],
                address: String::new(),
            });
            made.mounts.push(Mount {
                kind: "volume".to_owned(),
                source: volume.repeat(64),
                target: "/data".to_owned(),
                writable: true,
            });
            made
        };
        let mut history = History::begin(&made("a", "1", "aaaaaaaaaaaa"));
        let again = made("b", "2", "bbbbbbbbbbbb");
        assert!(history.see(&again, Timestamp::UNIX_EPOCH), "another container has it");
        assert_eq!(history.changes, []);
        assert_eq!(history.container.as_ref(), Some(&again.of.id));
        let mut named = again.clone();
        named.mounts[0].source = "orders".to_owned();
        history.see(&named, Timestamp::UNIX_EPOCH);
        let words: Vec<String> = history.changes.iter().map(SpecChange::words).collect();
        assert_eq!(words, ["mount /data volume (anonymous) → volume orders"]);
    }

    #[test]
    fn limits_are_told_as_people_write_them() {
        let change = |field, old: Option<&str>, new: Option<&str>| {
            let id = ContainerId("a".repeat(64));
            let (old, new) = (old.map(str::to_owned), new.map(str::to_owned));
            let at = Timestamp::UNIX_EPOCH;
            SpecChange { at, container: id, field, name: String::new(), old, new }.words()
        };
        let cpu = change(SpecField::Cpu, Some("500000000"), None);
        assert_eq!(cpu, "CPU limit 0.50 CPUs → (none)");
        let image = change(SpecField::Image, Some("shop:1"), Some("shop:2"));
        assert_eq!(image, "image shop:1 → shop:2");
    }

    #[test]
    fn what_works_is_told_again_after_an_hour() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let mut history = History::begin(&with_env("db"));
        let told: Vec<i64> = (0..200).filter(|m| history.is_well(at(*m))).collect();
        assert_eq!(told, [0, 60, 120, 180]);
    }

    #[test]
    fn what_works_is_kept_until_something_else_works() {
        let mut history = History::begin(&with_env("db"));
        let at = Timestamp::UNIX_EPOCH;
        assert!(history.is_well(at));
        assert!(!history.is_well(at), "no news");
        history.see(&with_env("bd"), at);
        let good = history.good.as_ref().unwrap();
        assert_eq!(good.env["PEER"].value.as_deref(), Some("db"));
        assert!(history.is_well(at));
    }

    #[test]
    fn changes_are_bounded() {
        let mut history = History::begin(&with_env("0"));
        for number in 1..200 {
            history.see(&with_env(&number.to_string()), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(history.changes.len(), MAX_CHANGES);
        assert_eq!(history.changes.last().unwrap().new.as_deref(), Some("199"));
    }
}
