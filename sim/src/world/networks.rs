//! Networks, and who is in them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::container::Endpoint;
use crate::refused::Refused;
use crate::spec::{labels, words};
use crate::world::World;

/// The engine's own.
const OWN: [(&str, &str); 3] = [("bridge", "bridge"), ("host", "host"), ("none", "null")];

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was made.
    pub created: Timestamp,
    /// The second number of its addresses: `172.N.0.0/16`.
    pub subnet: u8,
    next_host: u16,
}

impl World {
    pub(in crate::world) fn add_own_networks(&mut self) {
        for (name, driver) in OWN {
            self.add_network(name, driver, BTreeMap::new());
        }
    }

    fn add_network(
        &mut self,
        name: &str,
        driver: &str,
        labels: BTreeMap<String, String>,
    ) -> String {
        let id = self.new_id();
        let taken = self.networks.values().map(|n| n.subnet).max().unwrap_or(16);
        let network = Network {
            id: id.clone(),
            name: name.to_owned(),
            driver: driver.to_owned(),
            labels,
            created: self.now,
            subnet: taken.checked_add(1).unwrap_or(18),
            next_host: 1,
        };
        self.networks.insert(name.to_owned(), network);
        id
    }

    /// All networks.
    pub fn networks(&self) -> impl Iterator<Item = &Network> {
        self.networks.values()
    }

    /// A network by name or id.
    pub fn network(&self, name: &str) -> Result<&Network, Refused> {
        let by_id = || self.networks.values().find(|n| !name.is_empty() && n.id.starts_with(name));
        self.networks
            .get(name)
            .or_else(by_id)
            .ok_or_else(|| Refused::missing(format!("network {name} not found")))
    }

    /// Makes a network; answers with its id.
    pub fn create_network(&mut self, body: &Value) -> Result<String, Refused> {
        let name = body.get("Name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(Refused::bad("invalid network name"));
        }
        if self.networks.contains_key(name) {
            return Err(Refused::conflict(format!("network with name {name} already exists")));
        }
        let driver = body.get("Driver").and_then(Value::as_str).filter(|d| !d.is_empty());
        let driver = driver.unwrap_or("bridge");
        let id = self.add_network(name, driver, labels(body.get("Labels")));
        self.tell_network(name, "create", None);
        Ok(id)
    }

    /// Removes a network that nobody is in.
    pub fn remove_network(&mut self, name: &str) -> Result<(), Refused> {
        let network = self.network(name)?;
        let (name, id) = (network.name.clone(), network.id.clone());
        if OWN.iter().any(|(own, _)| *own == name) {
            return Err(Refused::forbidden(format!(
                "{name} is a pre-defined network and cannot be removed"
            )));
        }
        if self.inside(&name).next().is_some() {
            return Err(Refused::forbidden(format!(
                "error while removing network: network {name} id {id} has active endpoints"
            )));
        }
        self.tell_network(&name, "destroy", None);
        self.networks.remove(&name);
        Ok(())
    }

    /// Who is in a network and up: id, name and place.
    pub fn inside<'a>(
        &'a self,
        network: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Endpoint)> {
        self.containers().filter(|(_, c)| c.has_process()).filter_map(move |(_, c)| {
            Some((c.id.as_str(), c.name.as_str(), c.endpoints.get(network)?))
        })
    }

    /// Puts a container into a network.
    pub fn connect(&mut self, network: &str, body: &Value) -> Result<(), Refused> {
        let network = self.network(network)?.name.clone();
        let who = body.get("Container").and_then(Value::as_str).unwrap_or_default();
        let (key, container) = self.look(who)?;
        if container.endpoints.contains_key(&network) {
            return Err(Refused::forbidden(format!(
                "endpoint with name {} already exists in network {network}",
                container.name
            )));
        }
        let runs = container.has_process();
        let aliases = words(body.pointer("/EndpointConfig/Aliases"));
        let mut endpoint = Endpoint { aliases, ..Endpoint::default() };
        if runs {
            self.settle(&network, &mut endpoint)?;
        }
        self.change(key)?.endpoints.insert(network.clone(), endpoint);
        if runs {
            self.tell_network(&network, "connect", Some(key));
        }
        Ok(())
    }

    /// Takes a container out of a network.
    pub fn disconnect(&mut self, network: &str, body: &Value) -> Result<(), Refused> {
        let network = self.network(network)?.name.clone();
        let who = body.get("Container").and_then(Value::as_str).unwrap_or_default();
        let (key, container) = self.look(who)?;
        if !container.endpoints.contains_key(&network) {
            return Err(Refused::failed(format!(
                "container {} is not connected to network {network}",
                container.id
            )));
        }
        let runs = container.has_process();
        self.change(key)?.endpoints.remove(&network);
        if runs {
            self.tell_network(&network, "disconnect", Some(key));
        }
        Ok(())
    }

    /// Gives a container that starts its addresses.
    pub(in crate::world) fn join_networks(&mut self, key: u64) -> Result<(), Refused> {
        let Some(container) = self.containers.get(&key) else { return Ok(()) };
        let mut endpoints = container.endpoints.clone();
        for (network, endpoint) in &mut endpoints {
            self.settle(network, endpoint)?;
        }
        let names: Vec<String> = endpoints.keys().cloned().collect();
        self.change(key)?.endpoints = endpoints;
        for network in names {
            self.tell_network(&network, "connect", Some(key));
        }
        Ok(())
    }

    pub(in crate::world) fn leave_networks(&mut self, key: u64) {
        let Ok(container) = self.change(key) else { return };
        for endpoint in container.endpoints.values_mut() {
            endpoint.address.clear();
            endpoint.id.clear();
        }
        let names: Vec<String> = container.endpoints.keys().cloned().collect();
        for network in names {
            self.tell_network(&network, "disconnect", Some(key));
        }
    }

    fn settle(&mut self, network: &str, endpoint: &mut Endpoint) -> Result<(), Refused> {
        let id = self.new_id();
        let Some(network) = self.networks.get_mut(network) else {
            return Err(Refused::missing(format!("network {network} not found")));
        };
        endpoint.id = id;
        if network.driver == "bridge" {
            network.next_host = network.next_host.checked_add(1).unwrap_or(2);
            let [high, low] = network.next_host.to_be_bytes();
            endpoint.address = format!("172.{}.{high}.{low}", network.subnet);
        }
        Ok(())
    }

    fn tell_network(&mut self, network: &str, action: &str, who: Option<u64>) {
        let Some(network) = self.networks.get(network) else { return };
        let mut attributes: BTreeMap<String, String> = [
            ("name".to_owned(), network.name.clone()),
            ("type".to_owned(), network.driver.clone()),
        ]
        .into();
        if let Some(container) = who.and_then(|key| self.containers.get(&key)) {
            attributes.insert("container".to_owned(), container.id.clone());
        }
        let id = network.id.clone();
        self.note("network", action, id, attributes);
    }
}
