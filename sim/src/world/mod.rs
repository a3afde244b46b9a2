//! The simulated machine: containers, networks, images, and a clock that others set. Pure: the same
//! calls give the same world.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::container::Container;
use crate::event::{Event, Events};
use crate::refused::Refused;
use crate::version::Api;
use crate::world::execs::Execs;
use crate::world::images::Image;
use crate::world::networks::Network;

pub mod execs;
pub mod health;
pub mod images;
pub mod life;
pub mod making;
pub mod networks;
pub mod process;

/// Things done in one step at most: a clock that jumps is followed in several.
const MOST_PER_STEP: usize = 20_000;

/// What a world is like.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The API version that is spoken.
    pub api: Api,
    /// 1 or 2: the shape of statistics.
    pub cgroup: u8,
    /// Everything that looks random comes from it.
    pub seed: u64,
    /// Log lines kept of each container.
    pub log_lines: usize,
    /// The host's name.
    pub host: String,
    /// Processors.
    pub cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
    /// Containers outlive a restart of the daemon.
    pub live_restore: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            api: Api::DEFAULT,
            cgroup: 2,
            seed: 1,
            log_lines: 2000,
            host: "docker-sim".to_owned(),
            cpus: 4,
            memory: 8 << 30,
            live_restore: false,
        }
    }
}

/// The simulated machine.
#[derive(Debug)]
pub struct World {
    /// What it is like.
    pub setting: Setting,
    /// What time it is.
    pub now: Timestamp,
    /// When it began.
    pub began: Timestamp,
    /// What happened.
    pub events: Events,
    containers: BTreeMap<u64, Container>,
    ids: BTreeMap<String, u64>,
    names: HashMap<String, u64>,
    networks: BTreeMap<String, Network>,
    images: Vec<Image>,
    execs: Execs,
    schedule: BTreeSet<(Timestamp, u64)>,
    /// Containers about which there is something new, for those who wait.
    touched: BTreeSet<u64>,
    /// The moment of the newest event or line.
    told: Timestamp,
    rng: Rng,
    next: u64,
    next_pid: u32,
}

impl World {
    /// An empty machine with the engine's own networks.
    pub fn new(setting: Setting, now: Timestamp) -> Self {
        let mut world = Self {
            rng: Rng::with_seed(setting.seed),
            setting,
            now,
            began: now,
            told: now,
            events: Events::default(),
            containers: BTreeMap::new(),
            ids: BTreeMap::new(),
            names: HashMap::new(),
            networks: BTreeMap::new(),
            images: Vec::new(),
            execs: Execs::default(),
            schedule: BTreeSet::new(),
            touched: BTreeSet::new(),
            next: 1,
            next_pid: 5_000_000,
        };
        world.add_own_networks();
        world
    }

    /// Lets time pass up to `to`, and everything happen that is due by then. False: there was more
    /// to do than one step may; call again.
    pub fn step(&mut self, to: Timestamp) -> bool {
        for _ in 0..MOST_PER_STEP {
            let Some((at, key)) = self.schedule.first().copied().filter(|(at, _)| *at <= to) else {
                self.now = self.now.max(to);
                return true;
            };
            self.schedule.pop_first();
            if let Some(container) = self.containers.get_mut(&key) {
                container.due = None;
            }
            self.now = self.now.max(at);
            self.advance(key);
            self.plan(key);
        }
        false
    }

    /// Sets the clock forward without letting time pass.
    pub fn leap(&mut self, to: Timestamp) {
        self.now = self.now.max(to);
        let waiting: Vec<u64> = self.schedule.iter().map(|(_, key)| *key).collect();
        for key in waiting {
            if let Some(container) = self.containers.get_mut(&key) {
                container.thaw(to);
            }
            self.plan(key);
        }
    }

    /// When something is due next.
    pub fn due(&self) -> Option<Timestamp> {
        self.schedule.first().map(|(at, _)| *at)
    }

    /// Containers about which there is something new since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.touched)
    }

    /// All containers, the oldest first, by the number that they have here.
    pub fn containers(&self) -> impl DoubleEndedIterator<Item = (u64, &Container)> {
        self.containers.iter().map(|(key, container)| (*key, container))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.containers.len()
    }

    /// A container by its number here.
    pub fn get(&self, key: u64) -> Option<&Container> {
        self.containers.get(&key)
    }

    /// The number of a container by full id, name, or a beginning of the id that is of one only.
    pub fn find(&self, name: &str) -> Result<u64, Refused> {
        let bare = name.strip_prefix('/').unwrap_or(name);
        if let Some(key) = self.ids.get(bare).or_else(|| self.names.get(bare)) {
            return Ok(*key);
        }
        let mut fitting =
            self.ids.range(bare.to_owned()..).take_while(|(id, _)| id.starts_with(bare));
        match (fitting.next(), fitting.next()) {
            (Some((_, key)), None) if !bare.is_empty() => Ok(*key),
            (Some(_), Some(_)) => {
                Err(Refused::bad(format!("multiple IDs found with provided prefix: {bare}")))
            }
            _ => Err(Refused::no_container(name)),
        }
    }

    /// A container by name or id.
    pub fn look(&self, name: &str) -> Result<(u64, &Container), Refused> {
        let key = self.find(name)?;
        let found = self.containers.get(&key).ok_or_else(|| Refused::no_container(name))?;
        Ok((key, found))
    }

    fn change(&mut self, key: u64) -> Result<&mut Container, Refused> {
        self.touched.insert(key);
        self.containers.get_mut(&key).ok_or_else(|| Refused::no_container("of that number"))
    }

    /// Puts a container's next moment on the schedule.
    fn plan(&mut self, key: u64) {
        let Some(container) = self.containers.get_mut(&key) else { return };
        let next = container.next();
        if container.due == next {
            return;
        }
        if let Some(old) = container.due {
            self.schedule.remove(&(old, key));
        }
        container.due = next;
        if let Some(next) = next {
            self.schedule.insert((next, key));
        }
    }

    /// Everything that is due for a container now.
    fn advance(&mut self, key: u64) {
        let now = self.now;
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let Some(container) = self.containers.get(&key) else { return };
        if due(container.restart_at) {
            self.start_again(key);
            return;
        }
        if let Some(stopping) = container.stopping {
            if due(stopping.ends_at) {
                self.end(key, 0, false);
                return;
            }
            if due(stopping.kill_at) {
                self.tell_signal(key, 9);
                self.end(key, 137, false);
                return;
            }
        }
        if due(container.health.as_ref().map(|h| h.next)) {
            self.probe(key);
        }
        self.work(key);
    }

    /// An event of a container.
    fn tell(&mut self, key: u64, action: &str, more: &[(&str, String)]) {
        let Some(container) = self.containers.get(&key) else { return };
        let mut attributes = container.spec.labels.clone();
        attributes.insert("image".to_owned(), container.spec.image_name().to_owned());
        attributes.insert("name".to_owned(), container.name.clone());
        attributes.extend(more.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
        let id = container.id.clone();
        self.touched.insert(key);
        self.note("container", action, id, attributes);
    }

    fn note(
        &mut self,
        kind: &'static str,
        action: &str,
        id: String,
        attributes: BTreeMap<String, String>,
    ) {
        let at = self.moment();
        self.events.push(Event { kind, action: action.to_owned(), id, attributes, at });
    }

    /// Now, a little after the last thing that happened: no two have the same moment, and their
    /// moments are in their order.
    fn moment(&mut self) -> Timestamp {
        self.told = self.now.max(self.told + SignedDuration::from_micros(1));
        self.told
    }

    /// 64 hexadecimal digits that nothing else has.
    fn new_id(&mut self) -> String {
        let mut half = || self.rng.u128(..);
        format!("{:032x}{:032x}", half(), half())
    }
}
