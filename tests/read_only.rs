//! `--read-only`, for every tool that the built program offers: taken from `tools list`, so that a
//! tool that is added later is asked, too. No engine is needed: the refusal comes before any look.

use std::path::Path;
use std::process::{Command, Output};

use mcp_kit::testing::minimal;
use sentinel_core::domain::tool::is_read;
use serde_json::{Value, json};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn tools(folder: &Path, arguments: &[&str]) -> Fallible<Output> {
    let output = Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DOCKER_HOST", "unix:///nonexistent/engine.sock")
        .current_dir(folder)
        .arg("--state-dir")
        .arg(folder.join("state"))
        .arg("tools")
        .args(arguments)
        .output()?;
    Ok(output)
}

/// What is offered, one object a tool.
fn listed(folder: &Path, more: &[&str]) -> Fallible<Vec<Value>> {
    let output = tools(folder, &[&["list", "--json"], more].concat())?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The code of what a call answers, and whether its status told of a failure.
fn called(folder: &Path, tool: &str, arguments: &Value, more: &[&str]) -> Fallible<(Value, bool)> {
    let asked = arguments.to_string();
    let output = tools(folder, &[&["call", tool, &asked], more].concat())?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("{tool}: {e}: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((answer["code"].clone(), output.status.code() == Some(1)))
}

#[test]
fn every_tool_that_is_not_a_read_is_refused_by_the_program() -> Fallible {
    let folder = tempfile::tempdir()?;
    let tools = listed(folder.path(), &[])?;
    let mut refused = Vec::new();
    for tool in &tools {
        let name = tool["name"].as_str().ok_or("a tool without a name")?;
        let schema = tool["input_schema"].as_object().ok_or("no schema")?;
        let arguments = minimal(schema)?;
        let (code, failed) = called(folder.path(), name, &arguments, &["--read-only"])?;
        let says_it_reads = tool["hints"]["read_only"] == true;
        assert_eq!(says_it_reads, is_read(name), "{name}: its hint and our table differ");
        let expected = if says_it_reads { "engine_unreachable" } else { "read_only" };
        assert_eq!((code, failed), (json!(expected), true), "{name}");
        if !says_it_reads {
            refused.push(name.to_owned());
        }
    }
    assert!(refused.len() >= 12, "only {refused:?}");
    // Without the flag the same calls go as far as the engine, so the flag is what stops them.
    for name in &refused {
        let schema = tools
            .iter()
            .find(|t| t["name"] == name.as_str())
            .and_then(|t| t["input_schema"].as_object());
        let arguments = minimal(schema.ok_or("no schema")?)?;
        let (code, _) = called(folder.path(), name, &arguments, &[])?;
        assert_ne!(code, json!("read_only"), "{name}");
    }
    Ok(())
}

#[test]
fn another_servers_tool_is_refused_whatever_it_says_of_itself() -> Fallible {
    let folder = tempfile::tempdir()?;
    let own = std::env::current_exe()?;
    let fixture = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let fixture = fixture.join("examples/fixture_server");
    assert!(fixture.is_file(), "examples/fixture_server is not built: cargo build --examples");
    let calls = folder.path().join("calls");
    let catalog = folder.path().join("catalog.yaml");
    let exec = json!([fixture, "first", calls]);
    std::fs::write(&catalog, format!("registry:\n  other: {{x-sentinel: {{exec: {exec}}}}}\n"))?;
    let config = folder.path().join("config.toml");
    std::fs::write(&config, format!("catalog = {:?}\n", catalog.display().to_string()))?;
    let config = config.display().to_string();
    let more = ["--config", config.as_str()];
    let offered = listed(folder.path(), &more)?;
    assert!(offered.iter().any(|tool| tool["name"] == "ok"), "{offered:?}");
    let read_only = ["--read-only", "--config", config.as_str()];
    let (code, failed) = called(folder.path(), "ok", &json!({}), &read_only)?;
    assert_eq!((code, failed), (json!("read_only"), true));
    assert!(!calls.exists(), "the server was called");
    called(folder.path(), "ok", &json!({}), &more)?;
    assert!(calls.exists(), "without the flag it is");
    Ok(())
}
