//! Create, rename, update, remove.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::container::{Container, Endpoint, Status};
use crate::log::Log;
use crate::refused::Refused;
use crate::spec::{Spec, words};
use crate::world::World;
use crate::world::images::Image;

impl World {
    /// Creates a container from the body of a request. Answers with its number.
    pub fn create(&mut self, name: Option<&str>, body: &Value) -> Result<u64, Refused> {
        let Some(body) = body.as_object() else {
            return Err(Refused::bad("invalid JSON: got EOF while reading request body"));
        };
        let mut config = body.clone();
        let host = take_object(&mut config, "HostConfig");
        let networking = take_object(&mut config, "NetworkingConfig");
        let image_name = config.get("Image").and_then(Value::as_str).unwrap_or_default();
        let image = self
            .image(image_name)
            .map_err(|_| Refused::missing(format!("No such image: {image_name}")))?;
        inherit(&mut config, image);
        let spec = Spec::read(config, host, &image.id.clone())?;
        let id = self.new_id();
        let name = match name {
            Some(name) => self.free_name(name)?,
            None => format!("sim_{}", id.get(..8).unwrap_or_default()),
        };
        let key = self.insert(name, id, Arc::new(spec));
        if let Err(refused) = self.join_at_birth(key, &networking) {
            self.forget_quietly(key);
            return Err(refused);
        }
        self.tell(key, "create", &[]);
        Ok(key)
    }

    /// A container of an existing kind, without events: for worlds with very many.
    pub fn add(&mut self, name: String, spec: Arc<Spec>, ended: Option<i64>) -> u64 {
        let id = self.new_id();
        let key = self.insert(name, id, spec);
        let now = self.now;
        if let (Some(code), Some(container)) = (ended, self.containers.get_mut(&key)) {
            container.status = Status::Exited;
            container.exit_code = code;
            container.started = Some(now);
            container.finished = Some(now);
        }
        key
    }

    /// The configuration that a create with this body has.
    pub fn spec(&self, body: &Value) -> Result<Spec, Refused> {
        let mut config = body.as_object().cloned().unwrap_or_default();
        let host = take_object(&mut config, "HostConfig");
        let image = self.image(config.get("Image").and_then(Value::as_str).unwrap_or_default())?;
        inherit(&mut config, image);
        Spec::read(config, host, &image.id)
    }

    fn insert(&mut self, name: String, id: String, spec: Arc<Spec>) -> u64 {
        let key = self.next;
        self.next += 1;
        self.ids.insert(id.clone(), key);
        self.names.insert(name.clone(), key);
        self.containers.insert(
            key,
            Container {
                id,
                name,
                spec,
                created: self.now,
                status: Status::Created,
                exit_code: 0,
                oom_killed: false,
                started: None,
                finished: None,
                pid: 0,
                endpoints: BTreeMap::new(),
                log: Log::new(self.setting.log_lines),
                process: None,
                health: None,
                restarts: 0,
                delay: SignedDuration::ZERO,
                restart_at: None,
                stopping: None,
                stopped_by_hand: false,
                run: 0,
                written: Vec::new(),
                due: None,
            },
        );
        key
    }

    fn join_at_birth(&mut self, key: u64, networking: &Map<String, Value>) -> Result<(), Refused> {
        let Some(container) = self.containers.get(&key) else { return Ok(()) };
        let mode = container.spec.network_mode().to_owned();
        let mut wanted: BTreeMap<String, Endpoint> = BTreeMap::new();
        if !mode.starts_with("container:") {
            wanted.insert(mode, Endpoint::default());
        }
        let named = networking.get("EndpointsConfig").and_then(Value::as_object);
        for (network, endpoint) in named.into_iter().flatten() {
            let aliases = words(endpoint.get("Aliases"));
            wanted.insert(network.clone(), Endpoint { aliases, ..Endpoint::default() });
        }
        // Networks that are not there are told at the start, as the engine does it.
        self.change(key)?.endpoints = wanted;
        Ok(())
    }

    fn free_name(&self, name: &str) -> Result<String, Refused> {
        let bare = name.strip_prefix('/').unwrap_or(name);
        let fits = bare.len() > 1
            && bare.starts_with(|c: char| c.is_ascii_alphanumeric())
            && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if !fits {
            return Err(Refused::bad(format!(
                "Invalid container name ({bare}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            )));
        }
        match self.names.get(bare).and_then(|key| self.containers.get(key)) {
            Some(other) => Err(Refused::conflict(format!(
                "Conflict. The container name \"/{bare}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                other.id
            ))),
            None => Ok(bare.to_owned()),
        }
    }

    /// Gives a container another name.
    pub fn rename(&mut self, name: &str, to: &str) -> Result<(), Refused> {
        if to.is_empty() {
            return Err(Refused::bad("Neither old nor new names may be empty"));
        }
        let (key, container) = self.look(name)?;
        let old = container.name.clone();
        if old == to.trim_start_matches('/') {
            return Err(Refused::bad(
                "Renaming a container with the same name as its current name",
            ));
        }
        let new = self.free_name(to)?;
        self.names.remove(&old);
        self.names.insert(new.clone(), key);
        self.change(key)?.name = new;
        self.tell(key, "rename", &[("oldName", format!("/{old}"))]);
        Ok(())
    }

    /// Changes limits or the restart policy.
    pub fn update(&mut self, name: &str, change: &Value) -> Result<Value, Refused> {
        let (key, container) = self.look(name)?;
        let Some(change) = change.as_object() else {
            return Err(Refused::bad("invalid JSON: got EOF while reading request body"));
        };
        if container.status == Status::Restarting && self.setting.api.guards_delays() {
            return Err(Refused::conflict(format!(
                "Cannot update container {}: Container {} is restarting, wait until the container is running",
                container.id, container.id
            )));
        }
        let spec = container.spec.updated(change).map_err(|refused| Refused {
            message: format!("Cannot update container {}: {}", container.id, refused.message),
            ..refused
        })?;
        let over = spec
            .memory
            .zip(container.process.as_ref())
            .is_some_and(|(limit, process)| process.memory > limit);
        if over {
            return Err(Refused::failed(format!(
                "Cannot update container {}: unable to set memory limit: device or resource busy",
                container.id
            )));
        }
        self.change(key)?.spec = Arc::new(spec);
        self.tell(key, "update", &[]);
        Ok(json!({"Warnings": null}))
    }

    /// Removes a container.
    pub fn remove(&mut self, name: &str, force: bool) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        if container.is_up() {
            if !force {
                let paused = container.status == Status::Paused;
                let (what, how) = if paused {
                    ("paused", "Unpause and then stop the container before attempting removal")
                } else {
                    ("running", "Stop the container before attempting removal")
                };
                return Err(Refused::conflict(format!(
                    "You cannot remove a {what} container {}. {how} or force remove",
                    container.id
                )));
            }
            let runs = container.has_process();
            self.change(key)?.stopped_by_hand = true;
            if runs {
                self.tell_signal(key, 9);
                self.end(key, 137, false);
            }
        }
        self.forget(key);
        Ok(())
    }

    /// The container is gone.
    pub(in crate::world) fn forget(&mut self, key: u64) {
        self.tell(key, "destroy", &[]);
        self.forget_quietly(key);
    }

    fn forget_quietly(&mut self, key: u64) {
        self.execs.forget(key);
        let Some(container) = self.containers.remove(&key) else { return };
        self.touched.insert(key);
        self.ids.remove(&container.id);
        if self.names.get(&container.name) == Some(&key) {
            self.names.remove(&container.name);
        }
        if let Some(due) = container.due {
            self.schedule.remove(&(due, key));
        }
    }
}

fn take_object(body: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match body.remove(name) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// What a container has from its image where its own configuration is silent.
fn inherit(config: &mut Map<String, Value>, image: &Image) {
    let silent = |config: &Map<String, Value>, key: &str| words(config.get(key)).is_empty();
    if silent(config, "Cmd") && silent(config, "Entrypoint") {
        config.insert("Cmd".to_owned(), image.config.get("Cmd").cloned().unwrap_or_default());
    }
    if silent(config, "Entrypoint") {
        let entry = image.config.get("Entrypoint").cloned().unwrap_or_default();
        config.insert("Entrypoint".to_owned(), entry);
    }
    for key in ["Healthcheck", "ExposedPorts", "WorkingDir", "User"] {
        let empty = config.get(key).is_none_or(|v| v.is_null() || *v == json!(""));
        if let Some(value) = image.config.get(key).filter(|_| empty) {
            config.insert(key.to_owned(), value.clone());
        }
    }
    let mut env = words(config.get("Env"));
    for pair in words(image.config.get("Env")) {
        let name = pair.split('=').next().unwrap_or_default();
        if !env.iter().any(|own| own.split('=').next() == Some(name)) {
            env.push(pair);
        }
    }
    // A name without a value means nothing here: there is no client whose value it could be.
    env.retain(|pair| pair.contains('='));
    config.insert("Env".to_owned(), json!(env));
    let mut labels =
        image.config.get("Labels").and_then(Value::as_object).cloned().unwrap_or_default();
    labels.extend(config.get("Labels").and_then(Value::as_object).cloned().unwrap_or_default());
    config.insert("Labels".to_owned(), Value::Object(labels));
}
