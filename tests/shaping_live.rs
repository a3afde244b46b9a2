//! Editing, rehearsing and allowing a fix from another terminal, on real containers.

#[cfg(test)]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bollard::models::HostConfig;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt as _;
use serde_json::Value;
use support::process::{Headless, PATIENCE, command};
use support::{CRASHES, Corner, Fallible, eventually};

/// Takes memory without an end once it is told to: the kernel kills it at its limit.
const SWELLS: &str = "echo ready; until [ -e /crash ]; do sleep 0.02; done; rm /crash; a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done";

/// A verb of the built binary; what it wrote to standard output, if it worked. What an event told
/// is known to other terminals a moment later.
fn verb(corner: &Corner, folder: &Path, arguments: &[&str]) -> Fallible<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let output = command(corner, folder).args(arguments).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        let error = String::from_utf8_lossy(&output.stderr);
        if !error.contains("waits for a decision") || Instant::now() > deadline {
            return Err(format!("{arguments:?}: {error}").into());
        }
    }
}

fn id_of(staged: &Value) -> Fallible<String> {
    Ok(staged["fix"]["id"].as_str().ok_or("no id")?.to_owned())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_was_edited_and_approved_is_what_is_applied() -> Fallible {
    let corner = Corner::new("edit")?;
    let folder = tempfile::tempdir()?;
    let mut body = corner.body("api", SWELLS);
    let limit = Some(32 << 20);
    body.host_config = Some(HostConfig { memory: limit, memory_swap: limit, ..Default::default() });
    corner.start("api", body).await?;
    let mut app = Headless::start(&corner, folder.path(), &[])?;
    corner.crash("api").await?;
    let raises = |e: &Value| e["fix"]["tool"] == "update_resources";
    let old = app.until("fix_staged", raises)?;
    let (fix, old_hash) = (id_of(&old)?, old["fix"]["sha256"].clone());
    for (set, why) in [
        ("resources.memory=900t", "is possible"),
        ("container_name=other", "cannot be changed"),
        ("resources.image=evil", "no such limit"),
    ] {
        let refused = verb(&corner, folder.path(), &["fixes", "edit", &fix, "--set", set]);
        assert!(refused.is_err_and(|e| e.to_string().contains(why)), "{set}");
    }
    let set = "resources.memory=72m";
    let told = verb(&corner, folder.path(), &["fixes", "edit", &fix, "--set", set])?;
    assert!(told.contains("→ 72m"), "{told}");
    let new = app.until("fix_staged", |e| raises(e) && e["fix"]["sha256"] != old_hash)?;
    assert_eq!(new["fix"]["source"], "person");
    assert_eq!(app.until("fix_edited", |_| true)?["by"], "tester");
    let old_hash = old_hash.as_str().ok_or("no hash")?;
    let fix = id_of(&new)?;
    let approve = ["approve", fix.as_str(), "--yes", "--sha256", old_hash];
    assert!(verb(&corner, folder.path(), &approve).is_err(), "the old hash approves nothing");
    assert!(app.all("fix_applying").is_empty());
    verb(&corner, folder.path(), &["approve", &fix, "--yes"])?;
    app.until("fix_applied", |e| e["tool"] == "update_resources")?;
    let found = corner.docker.inspect_container(&corner.full("api"), None).await?;
    assert_eq!(found.host_config.and_then(|h| h.memory), Some(72 << 20));
    app.until("incident_resolved", |_| true)?;
    let trail = verb(&corner, folder.path(), &["audit", "show", "--json"])?;
    assert!(trail.contains("\"action\":\"edited\"") && trail.contains("→ 72m"), "{trail}");
    verb(&corner, folder.path(), &["audit", "verify"])?;
    assert_eq!(app.stop()?, 0);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_dry_run_leaves_the_engine_as_it_was() -> Fallible {
    let corner = Corner::new("dry")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &[])?;
    corner.crash("api").await?;
    let fix = id_of(&app.until("fix_staged", |_| true)?)?;
    let since = jiff::Timestamp::now();
    let inspect = || async {
        let found = corner.docker.inspect_container(&corner.full("api"), None).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(serde_json::to_value(found)?)
    };
    let before = inspect().await?;
    let told = verb(&corner, folder.path(), &["fixes", "dry-run", &fix])?;
    for part in [
        "nothing was changed",
        "its preconditions hold, and each tool takes its call",
        "auto_heal_off",
        "start_container on",
        "undo: stop_container",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert_eq!(inspect().await?, before);
    let filters = std::collections::HashMap::from([(
        "label".to_owned(),
        vec![corner.filter().trim_start_matches("label=").to_owned()],
    )]);
    let options = EventsOptionsBuilder::default()
        .since(&since.as_second().to_string())
        .until(&(jiff::Timestamp::now().as_second() + 1).to_string())
        .filters(&filters)
        .build();
    let mut events = corner.docker.events(Some(options));
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        let event = event?;
        let at = event.time_nano.unwrap_or_default();
        if i128::from(at) >= since.as_nanosecond() {
            seen.push(event.action);
        }
    }
    assert!(seen.is_empty(), "{seen:?}");
    assert!(app.after(Duration::from_millis(200)).iter().all(|e| e["type"] != "fix_applying"));
    // The world moves on, and the next one says so.
    corner.docker.start_container(&corner.full("api"), None).await?;
    let late = command(&corner, folder.path()).args(["fixes", "dry-run", &fix]).output()?;
    let told = String::from_utf8(late.stdout)?;
    assert!(!late.status.success() || told.contains("it would not run"), "{told}");
    app.stop()?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_grant_heals_without_a_person_until_it_is_over() -> Fallible {
    let corner = Corner::new("grant")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    corner.run("db", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &[])?;
    corner.crash("api").await?;
    let fix = id_of(&app.until("fix_staged", |_| true)?)?;
    let allow = ["fixes", "allow", &fix, "--for", "1h", "--max", "1"];
    let asked = verb(&corner, folder.path(), &allow);
    assert!(asked.is_err_and(|e| e.to_string().contains("--yes")), "it asks");
    assert!(corner.running_since("api").await?.is_none());
    let told = verb(&corner, folder.path(), &[&allow[..], &["--yes"]].concat())?;
    assert!(told.contains("start_container on api, 1 of 1 left"), "{told}");
    let applied = app.until("fix_applied", |_| true)?;
    assert_eq!(applied["by"], "policy");
    assert_eq!(app.until("grant_used", |_| true)?["grant"]["by"], "tester");
    assert_eq!(app.until("grant_ended", |_| true)?["reason"], "used up");
    app.until("incident_resolved", |_| true)?;
    eventually("it runs again", PATIENCE, async || corner.running_since("api").await).await?;
    assert_eq!(verb(&corner, folder.path(), &["fixes", "grants"])?, "");
    // What is over allows nothing, and it was about another service anyway.
    corner.crash("db").await?;
    let name = corner.full("db");
    app.until("fix_staged", |e| e["fix"]["target"] == name.as_str())?;
    app.after(Duration::from_secs(2));
    assert_eq!(app.all("fix_applying").len(), 1);
    assert!(corner.running_since("db").await?.is_none());
    let trail = verb(&corner, folder.path(), &["audit", "show", "--json"])?;
    for action in ["granted", "grant_used", "grant_ended"] {
        assert!(trail.contains(&format!("\"action\":\"{action}\"")), "{action}: {trail}");
    }
    app.stop()?;
    Ok(())
}
