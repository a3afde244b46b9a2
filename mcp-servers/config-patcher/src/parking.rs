//! Replaced containers, kept for a time.
//!
//! A parked container is the way back by hand: stopped, complete, out of the way. After its time
//! it is removed, never with its volumes, and only while its successor stands. The image that
//! carried its files goes with it if nothing else needs it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::raw::segment;
use mcp_kit::settings::DEFAULT_PARK_FOR;
use sentinel_core::domain::names;
use serde_json::Value;

use crate::carry::REPOSITORY;
use crate::journal::Journal;
use crate::recreate::STAMP;

/// Removes the parked containers whose time is over and answers with their names. Each is
/// looked at by itself: one that cannot be removed is left for the next time, with a word in the
/// log. Only who holds the journal may: a recreate that is under way may be about to need one.
pub async fn clear(
    engine: &Engine,
    _held: &Journal,
    now: Timestamp,
) -> Result<Vec<String>, Failure> {
    let keep = engine.settings().park_for.unwrap_or(DEFAULT_PARK_FOR);
    let names = names_of_all(engine).await?;
    let mut removed = Vec::new();
    for name in &names {
        let Some((successor, stamp)) = names::unparked(name) else { continue };
        if !names.iter().any(|name| name == successor) || !is_over(stamp, keep, now) {
            continue;
        }
        match remove(engine, name).await {
            Ok(true) => removed.push(name.clone()),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, name, "a parked container is left"),
        }
    }
    Ok(removed)
}

/// The name of every container on the engine, running or not.
pub async fn names_of_all(engine: &Engine) -> Result<Vec<String>, Failure> {
    let all = engine.get("/containers/json?all=true", "list its containers").await?;
    let all = all.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let names = all.filter_map(|c| c.pointer("/Names/0").and_then(Value::as_str));
    Ok(names.map(|name| name.trim_start_matches('/').to_owned()).collect())
}

/// Removes a parked container, if it is one that we left so: watched, stopped, without a restart
/// policy.
async fn remove(engine: &Engine, name: &str) -> Result<bool, Failure> {
    let parked = engine.watched(name).await?;
    let policy = parked.text("/HostConfig/RestartPolicy/Name");
    if parked.switch("/State/Running") || !["", "no"].contains(&policy) {
        return Ok(false);
    }
    let doing = format!("remove {name}");
    // Neither `force` nor `v`: one that somebody just started stays, and so do all volumes.
    engine.delete(&format!("/containers/{}", parked.id), &doing).await?;
    let image = parked.text("/Config/Image");
    if image.strip_prefix(REPOSITORY).is_some_and(|rest| rest.starts_with(':'))
        && let Err(error) = engine.delete(&format!("/images/{}", segment(image)), &doing).await
    {
        tracing::debug!(%error, image, "the image is still needed");
    }
    Ok(true)
}

fn is_over(stamp: &str, keep: Duration, now: Timestamp) -> bool {
    let parked = DateTime::strptime(STAMP, stamp).and_then(|time| TimeZone::UTC.to_timestamp(time));
    parked.is_ok_and(|parked| now.duration_since(parked).unsigned_abs() > keep && now > parked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_counts_from_the_stamp() {
        let now: Timestamp = "2026-11-24T03:15:02Z".parse().unwrap();
        let hour = Duration::from_hours(1);
        assert!(is_over("20261124021501", hour, now));
        assert!(!is_over("20261124021503", hour, now));
        assert!(!is_over("20271124021501", hour, now), "a stamp of the future is not over");
        assert!(!is_over("99999999999999", hour, now), "no moment");
    }
}
