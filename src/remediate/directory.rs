//! What all servers offer, and how they are. Shared by those who serve and those who call; only
//! the latest state matters, so listeners are woken, not sent a history.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sentinel_core::domain::tool::Tool;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::remediate::calling::Link;
use crate::remediate::offer::Shared;

/// What a server is known by; never given twice, so that one which was taken out of the catalogue
/// and put back is another.
pub(crate) type Place = u64;

/// One server as it is now.
#[derive(Debug, Default)]
struct Entry {
    place: Place,
    name: String,
    /// Its connection, while there is one.
    link: Option<Link>,
    /// What it offers; kept while it is restarted.
    offers: Vec<Shared>,
    /// What is wrong with the connection.
    down: Option<String>,
    /// What is wrong with what it offers.
    words: Vec<String>,
    /// Whether the first attempt has ended, one way or the other.
    tried: bool,
}

impl Entry {
    fn way(&self) -> Result<Link, Absent> {
        match &self.link {
            Some(link) if !link.gone.is_cancelled() => Ok(link.clone()),
            _ => {
                let why = self.down.as_deref().unwrap_or("it is not running");
                Err(Absent::Down(format!("{}: {why}", self.name)))
            }
        }
    }
}

/// All servers, in the order of the catalogue.
#[derive(Debug)]
pub(crate) struct Directory {
    entries: Mutex<Vec<Entry>>,
    version: watch::Sender<u64>,
}

/// Why a tool cannot be called now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// No server offers it.
    Unknown,
    /// Its server is not connected: why.
    Down(String),
}

impl Directory {
    /// Knows no server yet.
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), version: watch::Sender::new(0) }
    }

    /// These servers and no others, in this order. What is known of one that stays stays.
    pub(crate) fn set(&self, servers: impl IntoIterator<Item = (Place, String)>) {
        let mut entries = self.lock();
        let mut known: BTreeMap<Place, Entry> =
            entries.drain(..).map(|entry| (entry.place, entry)).collect();
        entries.extend(servers.into_iter().map(|(place, name)| {
            known.remove(&place).unwrap_or_else(|| Entry { place, name, ..Entry::default() })
        }));
        drop(entries);
        self.version.send_modify(|version| *version += 1);
    }

    /// Wakes on every change.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// A server is connected and was asked what it offers.
    pub(crate) fn up(&self, server: Place, link: Link, offers: Vec<Shared>, words: Vec<String>) {
        self.change(server, |entry| {
            entry.link = Some(link);
            entry.offers = offers;
            entry.words = words;
            entry.down = None;
            entry.tried = true;
        });
    }

    /// A server could not be connected, or went away. Whether that is news.
    pub(crate) fn down(&self, server: Place, why: String) -> bool {
        let mut news = false;
        self.change(server, |entry| {
            news = entry.down.as_ref() != Some(&why);
            entry.link = None;
            entry.down = Some(why);
            entry.tried = true;
        });
        news
    }

    /// A server was ended on purpose.
    pub(crate) fn ended(&self, server: Place) {
        self.change(server, |entry| entry.link = None);
    }

    /// Every tool once; where two servers offer the same name the first in the catalogue has it.
    pub(crate) fn tools(&self) -> Vec<Tool> {
        merged(&self.lock()).0.into_values().map(|(_, offer)| offer.tool.clone()).collect()
    }

    /// Whether every server was tried at least once.
    pub(crate) fn settled(&self) -> bool {
        self.lock().iter().all(|entry| entry.tried)
    }

    /// Everything that is wrong, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let entries = self.lock();
        let mut problems = Vec::new();
        for entry in entries.iter() {
            let all = entry.down.iter().chain(&entry.words);
            problems.extend(all.map(|word| format!("{}: {word}", entry.name)));
        }
        problems.extend(merged(&entries).1);
        problems
    }

    /// The tool and the way to its server. Waits up to `patience` for a server that is being
    /// connected again, and until every server was tried (each is, within its own bounds).
    pub(crate) async fn find(
        &self,
        tool: &str,
        patience: Duration,
    ) -> Result<(Shared, Link), Absent> {
        let mut version = self.listen();
        let deadline = Instant::now() + patience;
        loop {
            version.borrow_and_update();
            let absent = match self.find_now(tool) {
                Ok(found) => return Ok(found),
                Err(absent) => absent,
            };
            if absent == Absent::Unknown && self.settled() {
                return Err(absent);
            }
            match timeout_at(deadline, version.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(absent),
            }
        }
    }

    /// What every server offers, in the order of the catalogue, by the server's name.
    pub(crate) fn offers(&self) -> Vec<(String, Vec<Shared>)> {
        let entries = self.lock();
        entries.iter().map(|entry| (entry.name.clone(), entry.offers.clone())).collect()
    }

    /// How many servers are connected.
    pub(crate) fn connected(&self) -> usize {
        let connected =
            |entry: &&Entry| entry.link.as_ref().is_some_and(|l| !l.gone.is_cancelled());
        self.lock().iter().filter(connected).count()
    }

    /// The way to a server. Waits up to `patience` for one that is being connected.
    pub(crate) async fn link(&self, server: &str, patience: Duration) -> Result<Link, Absent> {
        let mut version = self.listen();
        let deadline = Instant::now() + patience;
        loop {
            version.borrow_and_update();
            let absent = match self.link_now(server) {
                Ok(link) => return Ok(link),
                Err(Absent::Unknown) => return Err(Absent::Unknown),
                Err(absent) => absent,
            };
            if !matches!(timeout_at(deadline, version.changed()).await, Ok(Ok(()))) {
                return Err(absent);
            }
        }
    }

    fn link_now(&self, server: &str) -> Result<Link, Absent> {
        let entries = self.lock();
        let entry = entries.iter().find(|e| e.name == server).ok_or(Absent::Unknown)?;
        entry.way()
    }

    fn find_now(&self, tool: &str) -> Result<(Shared, Link), Absent> {
        let entries = self.lock();
        let (mut tools, _) = merged(&entries);
        let (server, offer) = tools.remove(tool).ok_or(Absent::Unknown)?;
        let Some(entry) = entries.get(server) else { return Err(Absent::Unknown) };
        entry.way().map(|link| (offer, link))
    }

    fn change(&self, server: Place, how: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().iter_mut().find(|entry| entry.place == server) {
            how(entry);
        }
        self.version.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tools by name, each with its server's place, and what was hidden by what.
fn merged(entries: &[Entry]) -> (BTreeMap<String, (usize, Shared)>, Vec<String>) {
    let mut tools: BTreeMap<String, (usize, Shared)> = BTreeMap::new();
    let mut hidden = Vec::new();
    for (server, entry) in entries.iter().enumerate() {
        for offer in &entry.offers {
            let name = &offer.tool.name;
            match tools.get(name) {
                None => {
                    tools.insert(name.clone(), (server, Shared::clone(offer)));
                }
                Some((first, _)) => {
                    let first = entries.get(*first).map_or("", |e| e.name.as_str());
                    hidden.push(format!(
                        "{}: its tool {name} is left out: {first} offers one of that name",
                        entry.name
                    ));
                }
            }
        }
    }
    (tools, hidden)
}
