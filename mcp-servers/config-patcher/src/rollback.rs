//! The way back, and the end of an interrupted way forward.
//!
//! Both work from what is, not from what was planned: each step looks first, so that they can be
//! repeated after another interruption.

use std::time::{Duration, Instant};

use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use serde_json::json;

use crate::carry::REPOSITORY;
use crate::journal::{Entry, Journal, Stage};

/// What the engine may need to start a container.
pub const STARTING: Duration = Duration::from_mins(1);

/// How often a container is looked at that may still go down.
const POLL: Duration = Duration::from_millis(200);
/// The shortest and the longest time for which it is looked at.
const LATE_STOP: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(6));

/// Puts everything as it was: the successor removed (never with its volumes), the old container
/// under its name, with its restart policy, running if it ran. Forgets the entry at its end.
/// Removes nothing if the old container is gone: then the successor is all there is.
pub async fn roll_back(engine: &Engine, journal: &Journal, entry: &Entry) -> Result<(), Failure> {
    engine.inspect(&entry.old_id).await?;
    if let Some(successor) = successor(engine, entry).await? {
        let doing = format!("remove {}", successor.name);
        // `v` stays off: the volumes are the old container's too.
        let path = format!("/containers/{}?force=true", successor.id);
        missing_is_fine(engine.delete(&path, &doing).await.map(drop))?;
    }
    let old = engine.inspect(&entry.old_id).await?;
    if old.name != entry.name {
        rename(engine, &old.id, &entry.name).await?;
    }
    if entry.stage >= Stage::Stopping {
        set_policy(engine, &old.id, &entry.name, &entry.restart_policy).await?;
        if entry.was_running {
            bring_up(engine, entry).await?;
        }
    }
    if let Some(tag) = &entry.carried {
        let path = format!("/images/{REPOSITORY}:{tag}");
        let removed = engine.delete(&path, &format!("remove {REPOSITORY}:{tag}")).await;
        missing_is_fine(removed.map(drop))?;
    }
    journal.remove(entry)
}

/// Starts the old container if it is down. Where a stop was asked for and not answered, it may run
/// now and go down later: then it is watched for as long as that stop may take.
async fn bring_up(engine: &Engine, entry: &Entry) -> Result<(), Failure> {
    let watch = entry.stop_by.map_or(Duration::ZERO, |by| {
        let left = by.saturating_sub(jiff::Timestamp::now().as_second());
        Duration::from_secs(u64::try_from(left).unwrap_or_default()).clamp(LATE_STOP.0, LATE_STOP.1)
    });
    let deadline = Instant::now() + watch;
    loop {
        match engine.inspect(&entry.old_id).await {
            Ok(old) if !old.switch("/State/Running") && !old.switch("/State/Restarting") => {
                let doing = format!("start {} again", entry.name);
                let path = format!("/containers/{}/start", old.id);
                return engine.post(&path, None, STARTING, &doing).await.map(drop);
            }
            Ok(_) if Instant::now() >= deadline => return Ok(()),
            Err(failure) if Instant::now() >= deadline => return Err(failure),
            Ok(_) => {}
            // An engine that did not answer the stop may miss a look too.
            Err(error) => tracing::debug!(%error, "the old container cannot be looked at"),
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Gives the successor its name and the old one its parking name. For entries that are
/// [`Stage::Accepted`]. The entry stays: whoever calls this removes it.
pub async fn settle(engine: &Engine, entry: &Entry) -> Result<(), Failure> {
    match engine.inspect(&entry.old_id).await {
        Ok(old) if old.name != entry.parked => rename(engine, &old.id, &entry.parked).await?,
        // It has its name, or somebody removed it, which takes nothing from the successor.
        Ok(_) | Err(Failure::Unknown(_)) => {}
        Err(failure) => return Err(failure),
    }
    match engine.inspect(&entry.staged).await {
        Ok(successor) => rename(engine, &successor.id, &entry.name).await,
        // It has its name already, or somebody removed it.
        Err(Failure::Unknown(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Ends every interrupted recreate on this engine: forward if the successor had proved healthy
/// and still runs or has its name already, back otherwise. Answers with a sentence each; one that cannot be ended stays
/// in the journal for the next time.
pub async fn recover(engine: &Engine, journal: &Journal) -> Result<Vec<String>, Failure> {
    let id = engine_id(engine).await?;
    let mut done = Vec::new();
    for entry in journal.interrupted(&id)? {
        // One that has its name has taken over: stopping it was then somebody's wish.
        let forward = entry.stage == Stage::Accepted
            && successor(engine, &entry).await?.is_some_and(|successor| {
                successor.name == entry.name || successor.switch("/State/Running")
            });
        let ended = if forward {
            settle(engine, &entry).await.and_then(|()| journal.remove(&entry))
        } else {
            roll_back(engine, journal, &entry).await
        };
        let name = &entry.name;
        match ended {
            Ok(()) if forward => {
                done.push(format!("an interrupted recreate of {name} was completed"));
            }
            Ok(()) => done.push(format!("an interrupted recreate of {name} was rolled back")),
            Err(Failure::Unknown(_)) => {
                // The old container is gone: somebody else took over, and nothing is ours to do.
                journal.remove(&entry)?;
                done.push(format!(
                    "an interrupted recreate of {name} was dropped: the old container is gone; what is left of the new one is named {}",
                    entry.staged
                ));
            }
            Err(error) => {
                tracing::error!(%error, name, "an interrupted recreate could not be ended yet");
            }
        }
    }
    for text in &done {
        tracing::warn!("{text}");
    }
    Ok(done)
}

/// The engine's own id.
pub async fn engine_id(engine: &Engine) -> Result<String, Failure> {
    let info = engine.get("/info", "say who it is").await?;
    Ok(info.get("ID").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
}

/// Renames a container.
pub async fn rename(engine: &Engine, id: &str, name: &str) -> Result<(), Failure> {
    let path = format!("/containers/{id}/rename?name={name}");
    engine.post(&path, None, WAIT, &format!("give a container the name {name}")).await.map(drop)
}

/// Sets a restart policy.
pub async fn set_policy(
    engine: &Engine,
    id: &str,
    name: &str,
    policy: &serde_json::Value,
) -> Result<(), Failure> {
    if policy.is_null() {
        return Ok(());
    }
    let doing = format!("set the restart policy of {name}");
    let path = format!("/containers/{id}/update");
    engine.post(&path, Some(&json!({ "RestartPolicy": policy })), WAIT, &doing).await.map(drop)
}

/// The successor, under whichever of its two names.
async fn successor(engine: &Engine, entry: &Entry) -> Result<Option<Target>, Failure> {
    for name in [&entry.staged, &entry.name] {
        match engine.inspect(name).await {
            // Under the final name it is ours only while the old one is parked: anything else
            // under that name belongs to somebody else.
            Ok(found) if found.id == entry.old_id => {}
            Ok(found) if *name == entry.staged => return Ok(Some(found)),
            Ok(found) => {
                let old = engine.inspect(&entry.old_id).await?;
                if old.name == entry.parked && entry.stage == Stage::Accepted {
                    return Ok(Some(found));
                }
            }
            Err(Failure::Unknown(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

fn missing_is_fine(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.status() == Some(404) => Ok(()),
        other => other,
    }
}
