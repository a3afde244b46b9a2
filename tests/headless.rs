//! The main job without a screen: the built binary, real containers, the JSONL contract.

mod support;

use std::process::Stdio;
use std::time::Duration;

use bollard::models::{HealthConfig, RestartPolicy, RestartPolicyNameEnum};
use serde_json::{Value, json};
use support::process::{Headless, PATIENCE, command};
use support::{CRASHES, Corner, Fallible, eventually};

fn of(corner: &Corner, short: &str) -> impl Fn(&Value) -> bool + use<> {
    let name = corner.full(short);
    move |event| event["incident"]["container"] == name.as_str()
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_crash_is_healed_verified_and_written_down() -> Fallible {
    let corner = Corner::new("heal")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let before = corner.running_since("api").await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("api").await?;
    let opened = app.until("incident_opened", of(&corner, "api"))?;
    assert_eq!(opened["v"], 1);
    assert_eq!(opened["incident"]["severity"], "critical");
    let diagnosis = app.until("diagnosis_ready", |_| true)?;
    assert_eq!(diagnosis["diagnosis"]["class"], "transient_crash");
    let evidence = diagnosis["diagnosis"]["evidence"].as_array().ok_or("no evidence")?;
    assert!(
        evidence.iter().any(|e| e["kind"] == "log" && e["excerpt"] == "FATAL: lost the index"),
        "the last line before the death is evidence: {evidence:?}"
    );
    let staged = app.until("fix_staged", |_| true)?;
    assert_eq!(staged["fix"]["tool"], "start_container");
    assert_eq!(staged["fix"]["risk"], "R1");
    let applied = app.until("fix_applied", |_| true)?;
    assert_eq!(applied["by"], "policy");
    let verified = app.until("verification", |_| true)?;
    assert_eq!(verified["passed"], true);
    let resolved = app.until("incident_resolved", |_| true)?;
    assert!(
        resolved["incident"]["explanation"].as_str().is_some_and(|e| e.contains("docker start"))
    );
    assert_ne!(corner.running_since("api").await?, before);
    assert!(corner.running_since("api").await?.is_some());
    let seqs: Vec<u64> = app.events.iter().filter_map(|e| e["seq"].as_u64()).collect();
    assert!(seqs.windows(2).all(|w| w[1] == w[0] + 1), "{seqs:?}");
    assert_eq!(app.stop()?, 0);

    // The written record: every call, in order, and a chain that holds.
    let audit = command(&corner, folder.path()).args(["audit", "show", "--json"]).output()?;
    let actions: Vec<String> = String::from_utf8(audit.stdout)?
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).map(|r| r["record"]["action"].clone()))
        .filter_map(|a| a.ok()?.as_str().map(str::to_owned))
        .collect();
    assert_eq!(actions, ["staged", "approved", "applying", "applied", "verified"]);
    let verify = command(&corner, folder.path()).args(["audit", "verify"]).output()?;
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_an_operator_stops_and_what_ends_well_is_no_incident() -> Fallible {
    let corner = Corner::new("intent")?;
    let folder = tempfile::tempdir()?;
    for name in ["stopped", "killed", "restarted"] {
        corner.run(name, "trap 'exit 143' TERM; echo up; while true; do sleep 0.05; done").await?;
    }
    corner.run("done", "until [ -e /crash ]; do sleep 0.02; done; exit 0").await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.docker.stop_container(&corner.full("stopped"), None).await?;
    corner.docker.kill_container(&corner.full("killed"), None).await?;
    corner.docker.restart_container(&corner.full("restarted"), None).await?;
    corner.crash("done").await?;
    let gone = corner.full("done");
    app.until("container_changed", |e| {
        e["container"]["name"] == gone.as_str() && e["container"]["state"] == "exited"
    })?;
    app.after(Duration::from_secs(2));
    assert!(app.all("incident_opened").is_empty(), "{:#?}", app.all("incident_opened"));
    assert!(app.all("fix_staged").is_empty());
    assert_eq!(corner.running_since("stopped").await?, None);
    assert_eq!(corner.running_since("killed").await?, None);
    assert_eq!(app.stop()?, 0);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn incident_audit_and_judged_lines_survive_a_kill() -> Fallible {
    let corner = Corner::new("survive")?;
    let folder = tempfile::tempdir()?;
    corner
        .run(
            "api",
            "echo 'ERROR: no space left on device'; until [ -e /crash ]; do sleep 0.02; done; rm /crash; echo 'ERROR: no space left on device'; sleep 600",
        )
        .await?;
    let mut first = Headless::start(&corner, folder.path(), &[])?;
    corner.crash("api").await?;
    let opened = first.until("incident_opened", of(&corner, "api"))?;
    let id = opened["incident"]["id"].as_str().ok_or("no id")?.to_owned();
    first.until("diagnosis_ready", |_| true)?;
    // The stream is news, the store is the truth: what is told is on disk a moment later.
    let listed = || -> Fallible<bool> {
        let list = command(&corner, folder.path()).args(["incidents", "list"]).output()?;
        Ok(String::from_utf8(list.stdout)?.contains(&id))
    };
    eventually("it is on disk", PATIENCE, async || Ok(listed()?.then_some(()))).await?;
    first.kill()?;
    assert!(listed()?, "shown after the kill");
    let show = command(&corner, folder.path()).args(["incidents", "show", &id]).output()?;
    let page = String::from_utf8(show.stdout)?;
    assert!(page.contains("no space left on device") && page.contains("Timeline"), "{page}");

    let mut second = Headless::start(&corner, folder.path(), &["--logs"])?;
    let events = second.after(Duration::from_secs(2)).to_vec();
    let repeated: Vec<&Value> = events
        .iter()
        .filter(|e| {
            ["anomaly", "incident_opened", "log"].contains(&e["type"].as_str().unwrap_or_default())
        })
        .collect();
    assert!(repeated.is_empty(), "no line is judged twice: {repeated:#?}");
    second.stop()?;
    let list = command(&corner, folder.path()).args(["incidents", "list"]).output()?;
    assert_eq!(String::from_utf8(list.stdout)?.lines().count(), 1, "one incident, continued");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn without_auto_heal_a_person_decides_and_read_only_refuses() -> Fallible {
    let corner = Corner::new("ask")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &[])?;
    corner.crash("api").await?;
    app.until("fix_staged", |_| true)?;
    let reason = app.until("not_acting", |_| true)?;
    assert_eq!(reason["code"], "auto_heal_off");
    app.after(Duration::from_secs(1));
    assert_eq!(corner.running_since("api").await?, None, "nothing was done");
    assert_eq!(app.stop()?, 3);

    let mut app = Headless::start(&corner, folder.path(), &["--read-only"])?;
    let started = app.until("monitor_started", |_| true)?;
    assert_eq!(started["mode"], "read_only");
    let call = command(&corner, folder.path())
        .args(["tools", "call", "start_container", "--read-only"])
        .arg(json!({ "container_name": corner.full("api") }).to_string())
        .output()?;
    assert!(!call.status.success());
    let answer: Value = serde_json::from_slice(&call.stdout)?;
    assert_eq!(answer["success"], false);
    assert_eq!(corner.running_since("api").await?, None);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_call_by_hand_is_carried_out_and_on_record() -> Fallible {
    let corner = Corner::new("byhand")?;
    let folder = tempfile::tempdir()?;
    let mut body = corner.body("api", "sleep 600");
    if let Some(host) = &mut body.host_config {
        host.memory = Some(64 << 20);
    }
    corner.start("api", body).await?;
    // The very form that the earlier system's callers use.
    let arguments = json!({
        "container_name": corner.full("api"),
        "resources": { "memory": "128m", "cpu": "1.0" }
    });
    let call = command(&corner, folder.path())
        .args(["tools", "call", "update_resources"])
        .arg(arguments.to_string())
        .output()?;
    assert!(call.status.success(), "{}", String::from_utf8_lossy(&call.stderr));
    let found = corner.docker.inspect_container(&corner.full("api"), None).await?;
    let host = found.host_config.unwrap_or_default();
    assert_eq!((host.memory, host.nano_cpus), (Some(128 << 20), Some(1_000_000_000)));
    let audit = command(&corner, folder.path()).args(["audit", "show"]).output()?;
    let lines = String::from_utf8(audit.stdout)?;
    assert!(lines.contains("applying") && lines.contains("applied"), "{lines}");
    assert!(lines.contains("tester"), "it names the person: {lines}");

    let refused = command(&corner, folder.path())
        .args(["tools", "call", "restart_container", r#"{"container_name":"x","extra":1}"#])
        .output()?;
    assert!(!refused.status.success());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn opt_out_and_cooldown_hold_auto_heal_back() -> Fallible {
    let corner = Corner::new("brakes")?;
    let folder = tempfile::tempdir()?;
    corner.run("twice", CRASHES).await?;
    let mut never = corner.body("never", CRASHES);
    if let Some(labels) = &mut never.labels {
        labels.insert("sre-sentinel.auto-heal".to_owned(), "false".to_owned());
    }
    corner.start("never", never).await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("never").await?;
    app.until("not_acting", |e| e["code"] == "not_opted_in")?;
    corner.crash("twice").await?;
    app.until("incident_resolved", of(&corner, "twice"))?;
    corner.crash("twice").await?;
    app.until("not_acting", |e| e["code"] == "cooldown")?;
    app.after(Duration::from_secs(1));
    assert_eq!(corner.running_since("never").await?, None);
    assert_eq!(corner.running_since("twice").await?, None, "it is in its cooldown");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn memory_is_raised_before_what_was_killed_for_it_starts_again() -> Fallible {
    let corner = Corner::new("oom")?;
    let folder = tempfile::tempdir()?;
    let mut body = corner
        .body("eater", "until [ -e /crash ]; do sleep 0.02; done; rm /crash; exec tail /dev/zero");
    if let Some(host) = &mut body.host_config {
        host.memory = Some(32 << 20);
        host.memory_swap = Some(32 << 20);
    }
    corner.start("eater", body).await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("eater").await?;
    app.until("diagnosis_ready", |e| e["diagnosis"]["class"] == "oom_kill")?;
    app.until("fix_applied", |e| e["tool"] == "update_resources")?;
    app.until("fix_applied", |e| e["tool"] == "start_container")?;
    app.until("incident_resolved", of(&corner, "eater"))?;
    let found = corner.docker.inspect_container(&corner.full("eater"), None).await?;
    assert_eq!(found.host_config.and_then(|h| h.memory), Some(48 << 20));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_hanging_service_is_restarted_and_a_broken_probe_is_not() -> Fallible {
    let corner = Corner::new("health")?;
    let folder = tempfile::tempdir()?;
    let second = 1_000_000_000;
    let check = |test: &[&str]| HealthConfig {
        test: Some(test.iter().map(ToString::to_string).collect()),
        interval: Some(second / 2),
        timeout: Some(second),
        retries: Some(2),
        ..Default::default()
    };
    let mut hangs = corner.body("hangs", "rm -f /crash; sleep 600");
    hangs.healthcheck = Some(check(&["CMD", "sh", "-c", "! [ -e /crash ]"]));
    corner.start("hangs", hangs).await?;
    let mut broken = corner.body("broken", "sleep 600");
    broken.healthcheck = Some(check(&["CMD", "curl", "-f", "http://localhost/"]));
    broken.stop_timeout = Some(0);
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.start("broken", broken).await?;
    let verdict =
        app.until("diagnosis_ready", |e| e["diagnosis"]["root"] == corner.full("broken").as_str())?;
    assert_eq!(verdict["diagnosis"]["class"], "bad_healthcheck");
    assert_eq!(verdict["diagnosis"]["plan"], json!([]));
    let before = corner.running_since("hangs").await?;
    corner.crash("hangs").await?;
    app.until("fix_applied", |e| e["tool"] == "restart_container")?;
    app.until("incident_resolved", of(&corner, "hangs"))?;
    assert_ne!(corner.running_since("hangs").await?, before);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_crash_loop_is_escalated_and_ends_a_run_that_waits_for_it() -> Fallible {
    let corner = Corner::new("loop")?;
    let folder = tempfile::tempdir()?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal", "--exit-on-resolve"])?;
    let mut body =
        corner.body("api", "echo 'FATAL: environment variable DB_URL is required'; exit 1");
    if let Some(host) = &mut body.host_config {
        host.restart_policy = Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::ALWAYS),
            maximum_retry_count: None,
        });
    }
    corner.start("api", body).await?;
    let escalated = app.until("incident_escalated", of(&corner, "api"))?;
    assert_eq!(escalated["incident"]["class"], "bad_config");
    assert_eq!(app.status()?, 3);
    assert!(app.all("fix_staged").is_empty(), "a restart mends no deterministic failure");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn callers_of_a_dead_service_are_affected_and_the_dead_one_is_started() -> Fallible {
    let corner = Corner::new("dep")?;
    let folder = tempfile::tempdir()?;
    corner.run("db", CRASHES).await?;
    let mut api = corner.body(
        "api",
        "while true; do sleep 0.2; [ -e /db-down ] && echo 'ERROR cannot reach db:5432: connection refused'; done",
    );
    if let Some(labels) = &mut api.labels {
        labels.insert("sre-sentinel.depends-on".to_owned(), "db".to_owned());
    }
    corner.start("api", api).await?;
    let mut app = Headless::start(&corner, folder.path(), &[])?;
    corner.touch("api", "/db-down").await?;
    corner.crash("db").await?;
    let incident = app.until("incident_updated", |e| {
        e["incident"]["affected"].as_array().is_some_and(|a| a.contains(&json!(corner.full("api"))))
    })?;
    assert_eq!(incident["incident"]["root"], corner.full("db").as_str());
    app.after(Duration::from_secs(3));
    assert_eq!(app.all("incident_opened").len(), 1, "one incident per cause");
    let staged = app.until("fix_staged", |_| true)?;
    assert_eq!(staged["fix"]["target"], corner.full("db").as_str());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn one_instance_acts_and_the_next_one_only_watches() -> Fallible {
    let corner = Corner::new("elect")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    corner.run("later", CRASHES).await?;
    let mut first = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    let mut second = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("api").await?;
    second.until("not_acting", |e| e["code"] == "not_elected")?;
    first.until("incident_resolved", of(&corner, "api"))?;
    assert!(second.all("fix_applying").is_empty());

    // The acting one dies; the one that watched takes over its record and its work.
    first.kill()?;
    eventually("the takeover", PATIENCE, async || {
        let calls = ["instance.lock"].map(|name| folder.path().join("state").join(name));
        let free = calls
            .iter()
            .any(|path| std::fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok()));
        Ok((!free).then_some(()))
    })
    .await?;
    corner.crash("later").await?;
    second.until("incident_resolved", of(&corner, "later"))?;
    assert!(corner.running_since("later").await?.is_some());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_reader_that_goes_away_ends_the_run_quietly() -> Fallible {
    let corner = Corner::new("pipe")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", "while true; do echo line; sleep 0.02; done").await?;
    let mut child = command(&corner, folder.path())
        .args(["--headless", "--output", "jsonl", "--logs", "--filter", &corner.filter()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    drop(child.stdout.take());
    let status = eventually("the end", PATIENCE, async || Ok(child.try_wait()?)).await?;
    assert_eq!(status.code(), Some(0));
    Ok(())
}

#[test]
fn an_engine_that_is_not_there_is_exit_status_4_and_says_what_to_do() -> Fallible {
    let folder = tempfile::tempdir()?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder.path())
        .args(["--headless", "--host", "unix:///nonexistent/docker.sock"])
        .output()?;
    let error = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert!(
        error.contains("/nonexistent/docker.sock") && error.contains("apt-get install"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_wrong_setting_is_exit_status_2_and_names_the_nearest_key() -> Fallible {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "watchall = true\n")?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder.path())
        .args(["--headless", "--config"])
        .arg(&config)
        .output()?;
    let error = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("line 1") && error.contains("watch_all"), "{error}");
    Ok(())
}
