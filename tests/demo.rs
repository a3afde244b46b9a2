//! The demo on an engine of its own: it breaks, heals and leaves nothing behind.

mod support;

use std::process::{Command, Output};

use bollard::query_parameters::ListContainersOptionsBuilder;
use serde_json::Value;
use support::{Corner, Engine, Fallible};

fn demo(engine: &str, folder: &std::path::Path, arguments: &[&str]) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("SENTINEL_LOCK_DIR", folder)
        .env("DOCKER_HOST", engine)
        .args(["demo", "--headless"])
        .args(arguments)
        .output()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn each_end_of_the_demo_is_told_and_leaves_nothing_behind() -> Fallible {
    let engine = Engine::start()?;
    let folder = tempfile::tempdir()?;
    let corner = Corner::on(&engine.host, "demo")?;
    // What is healed ends well, what is not safe to heal goes to a person, and without auto-heal
    // nothing is done.
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--scenario", "crash", "--auto-heal"], 0, "resolved"),
        (&["--scenario", "oom", "--auto-heal"], 0, "docker update --memory 96m"),
        // The value that it had is known, and a recreate is a person's decision.
        (
            &["--scenario", "bad-config", "--auto-heal"],
            3,
            "recreate demo-worker with PEER_URL=http://api:3001,http://data:9000",
        ),
        (&["--scenario", "hang"], 3, "awaiting_approval"),
    ];
    for (arguments, status, words) in cases {
        let output = demo(&engine.host, folder.path(), arguments)?;
        let said = String::from_utf8(output.stdout)?;
        let told = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{said}\n{told}");
        assert!(said.contains(words), "{arguments:?}\n{said}");
        let all = ListContainersOptionsBuilder::default().all(true).build();
        assert!(corner.docker.list_containers(Some(all)).await?.is_empty());
        assert!(corner.docker.inspect_network("sentinel-demo", None).await.is_err());
    }
    Ok(())
}

/// The lines of a stream.
fn events(output: &Output) -> Fallible<Vec<Value>> {
    let text = std::str::from_utf8(&output.stdout)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[test]
fn without_an_engine_the_demo_is_simulated_and_says_what_is_missing_and_how_to_get_it() -> Fallible
{
    let folder = tempfile::tempdir()?;
    let arguments = ["--scenario", "crash", "--auto-heal", "--output", "jsonl"];
    let output = demo("unix:///nonexistent.sock", folder.path(), &arguments)?;
    let told = std::str::from_utf8(&output.stderr)?;
    assert_eq!(output.status.code(), Some(0), "{told}");
    for words in ["/nonexistent.sock", "apt-get install docker.io", "SIMULATED"] {
        assert!(told.contains(words), "{told}");
    }
    let events = events(&output)?;
    let find = |kind: &str| events.iter().find(|e| e["type"] == kind);
    let started = find("monitor_started").ok_or("nothing was watched")?;
    assert_eq!(started["engine"]["simulated"], true);
    // Detected, fixed by the real tools, verified.
    let opened = find("incident_opened").ok_or("nothing was detected")?;
    assert_eq!(opened["incident"]["container"], "demo-api");
    let staged = find("fix_staged").ok_or("no fix was found")?;
    assert_eq!(staged["fix"]["tool"], "start_container");
    let applied = find("fix_applied").ok_or("nothing was fixed")?;
    assert_eq!(applied["by"], "policy");
    assert!(find("incident_resolved").is_some(), "{told}");
    Ok(())
}

#[test]
fn each_end_of_the_simulated_demo_is_told_as_on_a_real_engine() -> Fallible {
    let folder = tempfile::tempdir()?;
    let cases: [(&[&str], i32, &str); 3] = [
        (&["--simulated", "--scenario", "oom", "--auto-heal"], 0, "docker update --memory 96m"),
        (
            &["--simulated", "--scenario", "bad-config", "--auto-heal"],
            3,
            "recreate demo-worker with PEER_URL=http://api:3001,http://data:9000",
        ),
        (&["--simulated", "--scenario", "hang"], 3, "awaiting_approval"),
    ];
    for (arguments, status, words) in cases {
        let output = demo("unix:///nonexistent.sock", folder.path(), arguments)?;
        let said = String::from_utf8(output.stdout)?;
        let told = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{said}\n{told}");
        assert!(said.contains(words), "{arguments:?}\n{said}");
        assert!(!told.contains("nonexistent"), "it was asked for: nothing is missing\n{told}");
    }
    Ok(())
}
