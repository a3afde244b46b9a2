//! `doctor`: what works, what does not, and what to do about it.

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::process::command;
use support::{Corner, Fallible};

fn findings(output: &[u8]) -> Fallible<Vec<Value>> {
    let text = std::str::from_utf8(output)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn verdict<'a>(findings: &'a [Value], part: &str) -> Option<&'a str> {
    findings.iter().find(|f| f["part"] == part)?["verdict"].as_str()
}

/// The doctor of somebody whose home is that folder, without an engine.
fn doctor(home: &Path) -> Command {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    doctor.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    doctor.env("HOME", home).current_dir(home);
    doctor.args(["doctor", "--json", "--host", "unix:///no/such.sock"]);
    doctor
}

#[test]
fn without_an_engine_it_fails_and_says_how_to_get_one() -> Fallible {
    let home = tempfile::tempdir()?;
    let output = doctor(home.path()).output()?;
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&output.stdout)?;
    assert_eq!(verdict(&found, "engine"), Some("broken"));
    let engine = found.iter().find(|f| f["part"] == "engine").ok_or("no engine")?;
    assert!(engine["remedy"].as_str().is_some_and(|r| r.contains("--host")), "{engine}");
    // The rest is looked at all the same.
    for part in ["configuration", "state folder", "disk", "audit trail", "tools"] {
        assert!(verdict(&found, part).is_some(), "{part}: {found:?}");
    }
    assert_eq!(verdict(&found, "analyst"), Some("absent"));
    assert_eq!(verdict(&found, "redis"), Some("absent"));
    let store = home.path().join(".local/state/sentinel-tui/sentinel.db");
    assert!(!store.exists(), "looking makes no store");
    Ok(())
}

#[test]
fn a_model_that_is_not_there_is_named() -> Fallible {
    let home = tempfile::tempdir()?;
    let mut doctor = doctor(home.path());
    doctor.env("LLAMA_API_BASE", "http://127.0.0.1:9/v1").env("LLAMA_API_KEY", "of-no-use");
    let output = doctor.output()?;
    let found = findings(&output.stdout)?;
    assert_eq!(verdict(&found, "analyst"), Some("broken"));
    assert!(!String::from_utf8(output.stdout)?.contains("of-no-use"), "a key is never shown");
    Ok(())
}

#[test]
fn a_redis_that_is_not_there_is_named() -> Fallible {
    let home = tempfile::tempdir()?;
    let mut doctor = doctor(home.path());
    doctor.env("REDIS_URL", "redis://me:of-no-use@127.0.0.1:9/2");
    let output = doctor.output()?;
    let found = findings(&output.stdout)?;
    assert_eq!(verdict(&found, "redis"), Some("broken"));
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("redis://127.0.0.1:9/2") && !text.contains("of-no-use"), "{text}");
    Ok(())
}

#[test]
#[ignore = "needs redis-server: run scripts/test.sh"]
fn a_redis_that_answers_is_fine() -> Fallible {
    let redis = support::redis::Redis::start()?;
    redis.connection()?;
    let home = tempfile::tempdir()?;
    let mut doctor = doctor(home.path());
    doctor.env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", redis.port.to_string());
    let found = findings(&doctor.output()?.stdout)?;
    assert_eq!(verdict(&found, "redis"), Some("fine"), "{found:?}");
    Ok(())
}

#[test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
fn with_an_engine_all_is_well() -> Fallible {
    let corner = Corner::new("doctor")?;
    let folder = tempfile::tempdir()?;
    let output = command(&corner, folder.path()).args(["doctor", "--json"]).output()?;
    let found = findings(&output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{found:?}");
    for part in ["engine", "API", "clock", "readings", "state folder", "audit trail", "tools"] {
        assert_eq!(verdict(&found, part), Some("fine"), "{part}: {found:?}");
    }
    Ok(())
}
