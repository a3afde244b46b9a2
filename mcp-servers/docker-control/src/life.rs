//! Start, stop, restart, pause, unpause.

use std::time::Duration;

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::reply::{reason, timestamp};
use mcp_kit::target::{Changeable, Target};

use crate::arguments::{Change, Stop};
use crate::results::Changed;

/// The engine's grace before a kill, if the container sets none, in seconds.
const GRACE: i64 = 10;
/// The longest grace that a call may ask for, in seconds.
const GRACE_MAX: u32 = 300;
/// What the engine may need beside the grace.
const SLACK: Duration = Duration::from_mins(1);

/// Restarts a container. Called by hand, whatever its state; with `expect_started_at` only one that
/// runs: the plan was made for a running one, and who stopped it meanwhile meant it.
pub async fn restart(engine: &Engine, asked: Change) -> Result<Changed, Failure> {
    let name = &asked.container_name;
    let target =
        engine.changeable("restart_container", name, asked.expect_started_at.as_deref()).await?;
    refuse_paused(&target, "restart")?;
    // In its restart policy's delay it counts as running: nobody stopped it.
    let runs = target.switch("/State/Running") || target.switch("/State/Restarting");
    if asked.expect_started_at.is_some() && !runs {
        return Err(Failure::NotRunning {
            container: target.name.clone(),
            status: target.status().to_owned(),
        });
    }
    let doing = format!("restart {}", target.name);
    let path = format!("/containers/{}/restart", target.id);
    engine.post(&path, None, patience(&target, None), &doing).await?;
    let message = format!("{} was restarted", target.name);
    after(engine, &target, true, message, asked.reason.as_deref()).await
}

/// Starts a container; one that runs already is left alone.
pub async fn start(engine: &Engine, asked: Change) -> Result<Changed, Failure> {
    let name = &asked.container_name;
    let target =
        engine.changeable("start_container", name, asked.expect_started_at.as_deref()).await?;
    refuse_paused(&target, "start")?;
    let waiting = target.switch("/State/Restarting");
    if target.switch("/State/Running") && !waiting {
        let message = format!("{} runs already; nothing was changed", target.name);
        return after(engine, &target, false, message, asked.reason.as_deref()).await;
    }
    let doing = format!("start {}", target.name);
    // One that waits in its restart policy's delay counts as running for the engine, which would
    // not start it: only a restart ends the delay.
    let verb = if waiting { "restart" } else { "start" };
    let path = format!("/containers/{}/{verb}", target.id);
    engine.post(&path, None, SLACK, &doing).await?;
    let message = format!("{} was started", target.name);
    after(engine, &target, true, message, asked.reason.as_deref()).await
}

/// Stops a container; one that is stopped already is left alone.
pub async fn stop(engine: &Engine, asked: Stop) -> Result<Changed, Failure> {
    if let Some(seconds) = asked.timeout.filter(|s| *s > GRACE_MAX) {
        return Err(Failure::Invalid(format!(
            "timeout {seconds} is too long; at most {GRACE_MAX} seconds"
        )));
    }
    let name = &asked.container_name;
    let target =
        engine.changeable("stop_container", name, asked.expect_started_at.as_deref()).await?;
    if !target.switch("/State/Running") && !target.switch("/State/Restarting") {
        let message = format!("{} is stopped already; nothing was changed", target.name);
        return after(engine, &target, false, message, asked.reason.as_deref()).await;
    }
    refuse_paused(&target, "stop")?;
    if target.switch("/HostConfig/AutoRemove") {
        return Err(Failure::Conflict(format!(
            "{} was created with --rm: stopping it would remove it and its files; nothing was changed",
            target.name
        )));
    }
    let doing = format!("stop {}", target.name);
    let query = asked.timeout.map(|t| format!("?t={t}")).unwrap_or_default();
    let path = format!("/containers/{}/stop{query}", target.id);
    engine.post(&path, None, patience(&target, asked.timeout), &doing).await?;
    let message = format!("{} was stopped", target.name);
    after(engine, &target, true, message, asked.reason.as_deref()).await
}

/// Freezes a container; one that is frozen already is left alone.
pub async fn pause(engine: &Engine, asked: Change) -> Result<Changed, Failure> {
    freeze(engine, asked, "pause", true).await
}

/// Lets a frozen container go on; one that is not frozen is left alone.
pub async fn unpause(engine: &Engine, asked: Change) -> Result<Changed, Failure> {
    freeze(engine, asked, "unpause", false).await
}

async fn freeze(
    engine: &Engine,
    asked: Change,
    verb: &str,
    frozen: bool,
) -> Result<Changed, Failure> {
    let name = &asked.container_name;
    let tool = format!("{verb}_container");
    let target = engine.changeable(&tool, name, asked.expect_started_at.as_deref()).await?;
    let why = asked.reason.as_deref();
    if !target.switch("/State/Running") {
        return Err(Failure::NotRunning {
            container: target.name.clone(),
            status: target.status().to_owned(),
        });
    }
    if target.switch("/State/Paused") == frozen {
        let state = if frozen { "paused already" } else { "not paused" };
        let message = format!("{} is {state}; nothing was changed", target.name);
        return after(engine, &target, false, message, why).await;
    }
    let doing = format!("{verb} {}", target.name);
    let path = format!("/containers/{}/{verb}", target.id);
    engine.post(&path, None, SLACK, &doing).await?;
    let message = format!("{} was {verb}d", target.name);
    after(engine, &target, true, message, why).await
}

fn refuse_paused(target: &Changeable, verb: &str) -> Result<(), Failure> {
    if target.switch("/State/Paused") {
        return Err(Failure::Conflict(format!(
            "{} is paused, which somebody did on purpose; unpause it before you {verb} it",
            target.name
        )));
    }
    Ok(())
}

/// How long a stop may take: the grace before the kill, and some slack.
fn patience(target: &Target, asked: Option<u32>) -> Duration {
    let own = target.inspect.pointer("/Config/StopTimeout").and_then(serde_json::Value::as_i64);
    let seconds = asked.map_or_else(|| own.unwrap_or(GRACE), i64::from);
    // A negative grace means "wait for ever" to the engine; this call does not.
    let seconds = u64::try_from(seconds).unwrap_or(u64::from(GRACE_MAX));
    Duration::from_secs(seconds.min(u64::from(GRACE_MAX))) + SLACK
}

async fn after(
    engine: &Engine,
    target: &Target,
    changed: bool,
    message: String,
    why: Option<&str>,
) -> Result<Changed, Failure> {
    let now = engine.inspect(&target.id).await?;
    Ok(Changed {
        success: true,
        message,
        reason: reason(why),
        timestamp: timestamp(),
        container: now.name.clone(),
        container_id: now.id.clone(),
        changed,
        status: now.status().to_owned(),
        started_at: now.started_at().to_owned(),
    })
}
