//! What a person does from another terminal, on real containers: taking a fix back, the kill switch.

#[cfg(test)]
mod support;

use std::time::Duration;

use serde_json::Value;
use support::process::{Headless, PATIENCE, command};
use support::{CRASHES, Corner, Fallible, eventually};

/// A verb of the built binary; what it wrote to standard output, if it worked.
fn verb(corner: &Corner, folder: &std::path::Path, arguments: &[&str]) -> Fallible<String> {
    let output = command(corner, folder).args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_fix_that_was_verified_is_taken_back_after_a_restart_of_sentinel_tui() -> Fallible {
    let corner = Corner::new("undo")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("api").await?;
    let staged = app.until("fix_staged", |_| true)?;
    let fix = staged["fix"]["id"].as_str().ok_or("no id")?.to_owned();
    app.until("incident_resolved", |_| true)?;
    assert_eq!(app.stop()?, 0);
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    let asked = verb(&corner, folder.path(), &["undo", &fix]);
    assert!(asked.is_err_and(|e| e.to_string().contains("--yes")), "it asks");
    assert!(corner.running_since("api").await?.is_some());
    let told = verb(&corner, folder.path(), &["undo", &fix, "--yes"])?;
    assert!(told.contains("taking it back: stop_container"), "{told}");
    let undone = app.until("fix_undone", |_| true)?;
    assert_eq!(undone["by"], "tester");
    assert!(corner.running_since("api").await?.is_none(), "it is as it was before the fix");
    // Our own stop is no incident, and what a person took back is not healed again.
    app.after(Duration::from_secs(2));
    assert!(app.all("incident_opened").is_empty(), "{:#?}", app.events);
    assert!(corner.running_since("api").await?.is_none());
    assert!(verb(&corner, folder.path(), &["undo", &fix, "--yes"]).is_err(), "once is enough");
    let trail = verb(&corner, folder.path(), &["audit", "show", "--json"])?;
    let actions: Vec<Value> = trail
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).map(|r| r["record"]["action"].clone()))
        .collect::<Result<_, _>>()?;
    assert_eq!(actions.last(), Some(&Value::from("undone")));
    assert_eq!(app.stop()?, 0);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_kill_switch_holds_over_a_restart_until_it_is_released() -> Fallible {
    let corner = Corner::new("halt")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    app.signal("USR1")?;
    let halted = app.until("healing_halted", |_| true)?;
    assert_eq!(halted["halt"]["reason"], "SIGUSR1");
    assert!(verb(&corner, folder.path(), &["halt"]).is_err(), "it is on already");
    corner.crash("api").await?;
    app.until("not_acting", |e| e["code"] == "halted")?;
    app.kill()?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    app.until("not_acting", |e| e["code"] == "halted")?;
    app.after(Duration::from_secs(2));
    assert!(app.all("fix_applying").is_empty(), "{:#?}", app.events);
    assert!(corner.running_since("api").await?.is_none());
    let told = verb(&corner, folder.path(), &["resume", "--reason", "over"])?;
    assert!(told.contains("auto_heal"), "{told}");
    app.until("incident_resolved", |_| true)?;
    eventually("it runs again", PATIENCE, async || corner.running_since("api").await).await?;
    let trail = verb(&corner, folder.path(), &["audit", "show", "--json"])?;
    for action in ["halted", "resumed"] {
        assert!(trail.contains(&format!("\"action\":\"{action}\"")), "{action}: {trail}");
    }
    assert_eq!(app.stop()?, 0);
    Ok(())
}
