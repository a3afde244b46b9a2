//! The way forward.
//!
//! Order matters: the successor is created while the old one runs, which proves that the engine
//! takes it; the old one loses its restart policy before it is stopped, since a stopped one with
//! `always` would come back with the engine; the writable layer is read after the stop, so that
//! nothing written in the last moment is lost; names change last.

use std::time::{Duration, Instant};

use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::raw::segment;
use mcp_kit::steps::Steps;
use mcp_kit::target::{Changeable, Target};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::carry;
use crate::env::Hidden;
use crate::health;
use crate::journal::{Entry, Journal, Stage};
use crate::rollback;
use crate::spec;

/// The form of the stamps in names: fourteen digits, UTC.
pub const STAMP: &str = "%Y%m%d%H%M%S";
/// The engine's grace before a kill, if the container sets none, in seconds.
const GRACE: i64 = 10;
/// The longest grace with which a container is recreated, in seconds: longer than this no call
/// waits, and no rollback could wait for the stop to take effect.
const GRACE_MAX: i64 = 300;
/// How long the engine takes from the kill to the end, in seconds.
const KILL: i64 = 10;
/// What the engine may need beside the grace.
const SLACK: Duration = Duration::from_mins(1);

/// How long the engine may call a container restarting that it has stopped.
const STILL_RESTARTING: Duration = Duration::from_secs(5);
/// How often it is asked meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// The most differences that are told one by one.
const DIFFERENCES_MAX: usize = 50;

/// What the successor is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose set-up it gets: that of the old one itself, or of a predecessor of it.
    pub like: &'a Target,
    /// The image that this one was made from, as it is now.
    pub image: &'a Value,
    /// Its environment.
    pub env: &'a [String],
}

/// A recreate that ended well.
#[derive(Debug)]
pub struct Recreated {
    /// The container that is in place now.
    pub new: Target,
    /// The old one's name.
    pub parked: String,
    /// What is different beside the variables.
    pub notes: Vec<String>,
}

/// The image that a container was made from, as it is now.
pub async fn image(engine: &Engine, old: &Target) -> Result<Value, Failure> {
    let id = old.text("/Image");
    match engine.get(&format!("/images/{id}/json"), "look at an image").await {
        Err(failure) if failure.status() == Some(404) => Err(Failure::Conflict(format!(
            "the image of {} is no longer on the engine, so it cannot be recreated",
            old.name
        ))),
        other => other,
    }
}

/// Puts a successor in the place of `old`, with the restart policy and the files of `old`. On failure everything is
/// as it was, and the error says why; where even the way back fails, it says that too, and the
/// journal keeps the entry. No error shows what `hidden` hides.
pub async fn run(
    engine: &Engine,
    journal: &Journal,
    old: &Changeable,
    wanted: Wanted<'_>,
    hidden: &Hidden,
    steps: &Steps,
) -> Result<Recreated, Failure> {
    refuse(engine, old).await?;
    let stamp = jiff::Timestamp::now().strftime(STAMP).to_string();
    let engine_id = rollback::engine_id(engine).await?;
    let mut entry = Entry::new(engine_id, old.id.clone(), old.name.clone(), &stamp);
    entry.restart_policy =
        old.inspect.pointer("/HostConfig/RestartPolicy").cloned().unwrap_or(Value::Null);
    entry.was_running = old.switch("/State/Running") || old.switch("/State/Restarting");
    journal.write(&entry)?;
    let forward = Forward { engine, journal, old, wanted, stamp: &stamp, steps };
    match forward.run(&mut entry).await {
        Ok(recreated) => Ok(recreated),
        // Nothing was made, and what has that name is not ours to remove.
        Err(Failure::Conflict(cause)) if entry.stage == Stage::Preparing => {
            journal.remove(&entry)?;
            Err(Failure::Conflict(format!("{} was not changed: {cause}", old.name)))
        }
        Err(cause) => {
            steps.say("going back to the old container");
            let back = rollback::roll_back(engine, journal, &entry).await;
            let cause = hidden.mask(&cause.to_string());
            Err(Failure::RolledBack(match back {
                Ok(()) => {
                    format!("{} was not changed, everything is as it was: {cause}", old.name)
                }
                Err(back) => format!(
                    "{} could not be changed: {cause}; the way back failed too: {back}; it is tried again at the next call and at the next start",
                    old.name
                ),
            }))
        }
    }
}

/// What cannot be recreated safely.
async fn refuse(engine: &Engine, old: &Changeable) -> Result<(), Failure> {
    let conflict = |text: String| Err(Failure::Conflict(format!("{} {text}", old.name)));
    if old.switch("/HostConfig/AutoRemove") {
        return conflict(
            "was created with --rm: stopping it would remove it, and there would be no way back"
                .to_owned(),
        );
    }
    if old.switch("/State/Paused") {
        return conflict("is paused, which somebody did on purpose; unpause it first".to_owned());
    }
    if ["removing", "dead"].contains(&old.status()) {
        return conflict(format!("is {}", old.status()));
    }
    let grace = grace(old);
    if old.switch("/State/Running") && !(0..=GRACE_MAX).contains(&grace) {
        return conflict(format!(
            "may take longer than {GRACE_MAX} s to stop (its stop timeout is {grace} s); recreate it by hand"
        ));
    }
    let all = engine.get("/containers/json?all=true", "list its containers").await?;
    let shared = [format!("container:{}", old.id), format!("container:{}", old.name)];
    let sharing: Vec<&str> = all
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter(|c| {
            let mode = c.pointer("/HostConfig/NetworkMode").and_then(Value::as_str);
            mode.is_some_and(|mode| shared.iter().any(|s| s == mode))
        })
        .filter_map(|c| c.pointer("/Names/0").and_then(Value::as_str))
        .collect();
    if !sharing.is_empty() {
        return conflict(format!(
            "lends its network to {}, which would lose it; recreate them together by hand",
            mcp_kit::text::line(&sharing.join(", "))
        ));
    }
    Ok(())
}

struct Forward<'a> {
    engine: &'a Engine,
    journal: &'a Journal,
    old: &'a Target,
    wanted: Wanted<'a>,
    stamp: &'a str,
    steps: &'a Steps,
}

impl Forward<'_> {
    async fn run(&self, entry: &mut Entry) -> Result<Recreated, Failure> {
        let Self { engine, journal, old, .. } = self;
        let mut notes = Vec::new();
        self.steps.say("creating the new container");
        let base = self.base_image(&mut notes).await;
        let mut id = self.create(&base, entry).await?;

        self.steps.say("stopping the old container");
        self.reach(entry, Stage::Stopping)?;
        self.forbid_restarts(entry).await?;
        if entry.was_running {
            self.stop(entry).await?;
        } else {
            notes.push(format!("{} was not running; the new container was started", old.name));
        }
        if carry::is_needed(engine, old).await? {
            self.steps.say("carrying its files over");
            let tag = carry::tag(&old.name, self.stamp);
            entry.carried = Some(tag.clone());
            journal.write(entry)?;
            notes.extend(carry::write(engine, old, self.wanted.image, &tag).await?);
            let doing = format!("make room for the successor of {}", old.name);
            engine.delete(&format!("/containers/{id}?force=true"), &doing).await?;
            let carried = format!("{}:{tag}", carry::REPOSITORY);
            id = self.create(&carried, entry).await?;
            notes.push(format!("files written inside are kept in the image {carried}"));
        }

        self.steps.say("starting the new container");
        self.reach(entry, Stage::Starting)?;
        let doing = format!("start the successor of {}", old.name);
        let path = format!("/containers/{id}/start");
        engine.post(&path, None, rollback::STARTING, &doing).await?;
        self.steps.say("waiting until it is healthy");
        let proved = health::wait(engine, &id).await?;

        self.reach(entry, Stage::Accepted)?;
        rollback::settle(engine, entry).await?;
        // The successor is in place: from here on nothing is an error, or a rollback without an
        // entry would take it down.
        if let Err(error) = journal.remove(entry) {
            notes.push(format!("{error}; it is tried again at the next call"));
        }
        let new = match engine.inspect(&id).await {
            Ok(new) => new,
            Err(error) => {
                notes.push(format!("the new container could not be looked at again: {error}"));
                Target { name: entry.name.clone(), ..proved }
            }
        };
        notes.extend(differences(&old.inspect, &new.inspect));
        Ok(Recreated { new, parked: entry.parked.clone(), notes })
    }

    /// Takes the restart policy away from the old one.
    async fn forbid_restarts(&self, entry: &mut Entry) -> Result<(), Failure> {
        let Self { engine, old, .. } = self;
        let none = json!({"Name": "no"});
        let mut stopped_at = None;
        loop {
            match rollback::set_policy(engine, &old.id, &old.name, &none).await {
                // In the delay of its restart policy the engine changes nothing of a container, nor
                // while one that dies is not noted as dead; a stop ends either, and what is
                // stopped can be changed. The engine answers the stop a moment before it has
                // noted that the delay is over.
                Err(failure) if is_between_runs(&failure) => match stopped_at {
                    None => {
                        self.stop(entry).await?;
                        stopped_at = Some(Instant::now());
                    }
                    Some(at) if at.elapsed() < STILL_RESTARTING => sleep(LOOK).await,
                    Some(_) => return Err(failure),
                },
                other => return other,
            }
        }
    }

    /// Notes a stage on disk before anything of it is done.
    fn reach(&self, entry: &mut Entry, stage: Stage) -> Result<(), Failure> {
        entry.stage = stage;
        self.journal.write(entry)
    }

    /// The image by its name, or by its id where the name means another image by now.
    async fn base_image(&self, notes: &mut Vec<String>) -> String {
        let id = self.wanted.like.text("/Image");
        let name = self.wanted.like.text("/Config/Image");
        let plain = !name.is_empty()
            && !name.contains("..")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b));
        if plain {
            let named = self.engine.get(&format!("/images/{name}/json"), "look at an image").await;
            match named {
                Ok(image) if image.get("Id").and_then(Value::as_str) == Some(id) => {
                    return name.to_owned();
                }
                Ok(_) => {
                    notes.push(format!("{name} is another image by now; the old one was kept"));
                }
                Err(error) => tracing::debug!(%error, name, "the image has lost its name"),
            }
        }
        id.to_owned()
    }

    async fn create(&self, image: &str, entry: &Entry) -> Result<String, Failure> {
        let name = &entry.staged;
        let mut spec = spec::successor(&self.wanted.like.inspect, self.wanted.env, image);
        // One that was parked has lost its own.
        if let Some(host) = spec.body.get_mut("HostConfig").and_then(Value::as_object_mut)
            && !entry.restart_policy.is_null()
        {
            host.insert("RestartPolicy".to_owned(), entry.restart_policy.clone());
        }
        let doing = format!("create the successor of {}", self.old.name);
        let path = format!("/containers/create?name={name}");
        let made = match self.engine.post(&path, Some(&spec.body), SLACK, &doing).await {
            Err(failure) if failure.status() == Some(409) => {
                return Err(Failure::Conflict(format!(
                    "the name {name} is taken, so another recreate of it is under way: {failure}"
                )));
            }
            other => other?,
        };
        let id = made.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(network) = &spec.disconnect {
            let path = format!("/networks/{}/disconnect", segment(network));
            let body = json!({"Container": id, "Force": true});
            self.engine.post(&path, Some(&body), WAIT, &doing).await?;
        }
        for (network, endpoint) in &spec.connect {
            let path = format!("/networks/{}/connect", segment(network));
            let body = json!({"Container": id, "EndpointConfig": endpoint});
            self.engine.post(&path, Some(&body), WAIT, &doing).await?;
        }
        Ok(id)
    }

    /// Stops the old one. Until the engine has answered, the entry says that this may yet happen.
    async fn stop(&self, entry: &mut Entry) -> Result<(), Failure> {
        let grace = grace(self.old).clamp(0, GRACE_MAX);
        let now = jiff::Timestamp::now().as_second();
        entry.stop_by = Some(now.saturating_add(grace + KILL));
        self.journal.write(entry)?;
        let wait = Duration::from_secs(grace.unsigned_abs()) + SLACK;
        let doing = format!("stop {}", self.old.name);
        let path = format!("/containers/{}/stop", self.old.id);
        self.engine.post(&path, None, wait, &doing).await?;
        // Not written by itself: the next stage is, and a watch too many does no harm.
        entry.stop_by = None;
        Ok(())
    }
}

/// Whether the engine refuses a change because a container's last run ends or its next one waits.
fn is_between_runs(failure: &Failure) -> bool {
    // "… is restarting, wait until the container is running", "… cannot update a stopped
    // container", "… task … not found", all behind this.
    failure.to_string().contains("Cannot update container")
}

/// Seconds between the polite request to end and the kill.
fn grace(old: &Target) -> i64 {
    old.inspect.pointer("/Config/StopTimeout").and_then(Value::as_i64).unwrap_or(GRACE)
}

/// What is different afterwards, as far as it may be.
fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let ports = |inspect: &Value| inspect.pointer("/NetworkSettings/Ports").cloned();
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (ports(old), ports(new)) {
        for (port, bindings) in &before {
            let host = |value: Option<&Value>| {
                let port = value.and_then(|v| v.pointer("/0/HostPort")).and_then(Value::as_str);
                port.map(str::to_owned)
            };
            if let (Some(was), Some(is)) = (host(Some(bindings)), host(after.get(port)))
                && was != is
            {
                notes.push(format!("port {port}: host port {was} -> {is}"));
            }
        }
    }
    let networks = |inspect: &Value| inspect.pointer("/NetworkSettings/Networks").cloned();
    if let (Some(Value::Object(before)), Some(Value::Object(after))) =
        (networks(old), networks(new))
    {
        for (network, endpoint) in &before {
            let address = |value: Option<&Value>| {
                let text = value.and_then(|v| v.get("IPAddress")).and_then(Value::as_str);
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            if let (Some(was), Some(is)) = (address(Some(endpoint)), address(after.get(network)))
                && was != is
            {
                notes.push(format!("network {network}: address {was} -> {is}"));
            }
        }
    }
    let tmpfs = old.pointer("/HostConfig/Tmpfs").and_then(Value::as_object);
    let mut lost: Vec<&str> =
        tmpfs.into_iter().flat_map(|all| all.keys().map(String::as_str)).collect();
    let mounts = old.get("Mounts").and_then(Value::as_array);
    lost.extend(
        mounts
            .into_iter()
            .flatten()
            .filter(|m| m.get("Type").and_then(Value::as_str) == Some("tmpfs"))
            .filter_map(|m| m.get("Destination").and_then(Value::as_str)),
    );
    lost.sort_unstable();
    lost.dedup();
    if !lost.is_empty() {
        notes.push(format!("contents of tmpfs are lost: {}", lost.join(", ")));
    }
    // Names of networks and paths are somebody's text, and a range of ports is a note a port.
    let over = notes.len().saturating_sub(DIFFERENCES_MAX);
    notes.truncate(DIFFERENCES_MAX);
    if over > 0 {
        notes.push(format!("and {over} more differences"));
    }
    notes.iter().map(|note| mcp_kit::text::line(note)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_that_may_be_are_told() {
        let side = |port: &str, address: &str| {
            json!({
                "HostConfig": {"Tmpfs": {"/run": ""}},
                "Mounts": [{"Type": "tmpfs", "Destination": "/run"}],
                "NetworkSettings": {
                    "Ports": {"80/tcp": [{"HostPort": port}], "81/tcp": null},
                    "Networks": {"front": {"IPAddress": address}},
                },
            })
        };
        let notes = differences(&side("32768", "10.0.0.2"), &side("32769", "10.0.0.3"));
        assert_eq!(
            notes,
            [
                "port 80/tcp: host port 32768 -> 32769",
                "network front: address 10.0.0.2 -> 10.0.0.3",
                "contents of tmpfs are lost: /run",
            ]
        );
        assert!(differences(&json!({}), &json!({})).is_empty());
    }
}
