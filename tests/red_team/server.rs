//! A hostile MCP server: its list, its hints, its answers.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::not_acting::NotActing;
use sentinel_core::domain::plan::{Plan, Risk};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolHints, is_read};
use sentinel_core::policy::brakes::Brakes;
use sentinel_core::policy::rules::Rules;
use sentinel_core::policy::{Decision, Request, decide, risk};
use serde_json::{Value, json};

use crate::case::{Case, harm, texts};
use crate::support::Fallible;
use crate::world::{Fault, World};

fn example() -> Fallible<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let path = target.join("examples/hostile_server");
    if path.is_file() {
        Ok(path)
    } else {
        Err("examples/hostile_server is not built: run `cargo build --examples`".into())
    }
}

/// What the hostile server offers, as it reads it: several cases may share a tool's name, which only
/// the first then has.
fn offered() -> Fallible<Vec<Value>> {
    let tools = Case::at(&["tool"])?.into_iter().enumerate().map(|(number, case)| {
        let name = match &case.tool {
            Some(name) if name != "evil" => name.clone(),
            _ => format!("evil_{number}"),
        };
        json!({"name": name, "description": case.text(), "hints": case.hints, "result": case.answer()})
    });
    Ok(tools.collect())
}

fn program(folder: &Path, arguments: &[&str]) -> Fallible<Output> {
    let tools = folder.join("tools.json");
    if !tools.exists() {
        std::fs::write(&tools, serde_json::to_vec(&offered()?)?)?;
        // Ours come first, as in any catalogue that adds a server to them.
        let own = env!("CARGO_BIN_EXE_sentinel-tui");
        let catalog = format!(
            "registry:\n  docker-control: {{x-sentinel: {{exec: {}}}}}\n  hostile: {{x-sentinel: {{exec: {}}}}}\n",
            json!([own, "mcp-server", "docker-control"]),
            json!([example()?, tools]),
        );
        std::fs::write(folder.join("catalog.yaml"), catalog)?;
    }
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DOCKER_HOST", "unix:///nonexistent/engine.sock")
        .env("SENTINEL_CATALOG", folder.join("catalog.yaml"))
        .current_dir(folder)
        .arg("--state-dir")
        .arg(folder.join("state"))
        .args(arguments)
        .output()?)
}

/// What comes out of the program: nothing in it acts upon a terminal.
fn shown(output: &Output) -> Fallible<String> {
    let text = String::from_utf8(output.stdout.clone())?;
    for part in [text.as_str(), &String::from_utf8_lossy(&output.stderr)] {
        if let Some(found) = part.lines().find_map(harm) {
            return Err(format!("{found} in {part}").into());
        }
    }
    Ok(text)
}

#[test]
fn a_hostile_list_is_shown_harmless_and_hides_nothing_of_ours() -> Fallible {
    let folder = tempfile::tempdir()?;
    let plain = shown(&program(folder.path(), &["tools", "list"])?)?;
    let listed = shown(&program(folder.path(), &["tools", "list", "--json"])?)?;
    let tools: Vec<Tool> = listed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let hostile: Vec<&Tool> = tools.iter().filter(|tool| tool.server == "hostile").collect();
    assert!(hostile.len() >= 10, "{hostile:?}");
    assert_eq!(
        plain.lines().filter(|line| !line.is_empty()).count(),
        tools.len(),
        "a line is forged:\n{plain}"
    );
    // A tool of ours stays ours.
    for name in ["restart_container", "get_logs"] {
        let of: Vec<&str> =
            tools.iter().filter(|t| t.name == name).map(|t| t.server.as_str()).collect();
        assert_eq!(of, ["docker-control"], "{name}");
    }
    let mut all = Vec::new();
    for line in listed.lines() {
        texts(&serde_json::from_str(line)?, &mut all);
    }
    assert_eq!(all.iter().find_map(|text| harm(text)), None);
    assert!(all.iter().all(|text| text.len() < 8192), "a description is not bounded");
    Ok(())
}

#[test]
fn no_hint_makes_a_foreign_tool_harmless_and_no_list_gets_a_call_made() -> Fallible {
    let target = Container::plain(ContainerRef {
        id: ContainerId("d".repeat(64)),
        name: "db".to_owned(),
        service: "db".to_owned(),
        project: None,
    });
    let hint = |case: &Case, key: &str| case.hints.get(key).copied();
    let mut tools = Vec::new();
    for case in Case::at(&["tool"])? {
        let tool = Tool {
            server: "hostile".to_owned(),
            name: case.tool.clone().unwrap_or_default(),
            description: case.text(),
            input_schema: Value::Null,
            foreign: false,
            hints: ToolHints {
                read_only: hint(&case, "read_only"),
                destructive: hint(&case, "destructive"),
                idempotent: hint(&case, "idempotent"),
                open_world: hint(&case, "open_world"),
            },
        };
        let call = ToolCall::new(&tool.name, [("container_name", json!("d".repeat(64)))]);
        let risk = risk::of(&call, Some(&target), Some(&tool));
        let ours = ["restart_container", "get_logs"].contains(&tool.name.as_str());
        if ours {
            assert!(risk >= Risk::R2, "{}: {risk}", case.name);
        } else {
            assert_eq!(risk, Risk::R3, "{}", case.name);
            assert!(!is_read(&tool.name), "{}", case.name);
        }
        tools.push(tool);
    }
    // With all of them there, a fault gets what it gets without them.
    let case =
        Case::all()?.into_iter().find(|c| c.name == "suggested command").ok_or("no such case")?;
    for fault in crate::world::FAULTS {
        let (with, without) = (World::of(&case, fault, &tools), World::of(&case, fault, &[]));
        assert_eq!(with.calls(), without.calls(), "{fault:?}");
        let foreign = with.staged.values().flat_map(|p| &p.steps).any(|s| {
            tools.iter().any(|t| {
                t.name == s.call.tool && t.name != "restart_container" && t.name != "get_logs"
            })
        });
        assert!(!foreign, "{fault:?}: a foreign tool is staged");
    }
    assert!(!World::of(&case, Fault::Death, &tools).calls().is_empty());
    Ok(())
}

/// However sure the diagnosis, whatever the engine saw and the server says: a free command waits for a
/// person.
#[test]
fn the_policy_never_runs_a_free_command() -> Fallible {
    let case =
        Case::all()?.into_iter().find(|c| c.name == "suggested command").ok_or("no such case")?;
    let world = World::of(&case, Fault::Death, &[]);
    let healed = world.applied.first().cloned().ok_or("a real death is healed")?;
    let snapshot = world.snapshot.as_ref().ok_or("no snapshot")?;
    let incident = snapshot.incidents.first().ok_or("no incident")?;
    let views = snapshot.containers.iter().map(|view| &view.container);
    let its = |container: &&std::sync::Arc<Container>| {
        healed.steps.iter().any(|step| step.target.id == container.of.id)
    };
    let target = views.into_iter().find(its).ok_or("no target")?;
    let decided = |plan: &Plan| {
        decide(&Request {
            mode: Mode::AutoHeal,
            elected: true,
            watch_all: false,
            rules: &Rules::default(),
            plan,
            tools: &[],
            class: FailureClass::TransientCrash,
            confidence: 1.0,
            target,
            operator_intent: false,
            refused_by_person: false,
            silenced: false,
            neighbour: None,
            anomalies: &incident.anomalies,
            brakes: &Brakes::default(),
            now: incident.opened_at,
        })
    };
    assert_eq!(decided(&healed), Decision::Allow, "the same with a start is allowed");
    for read_only in [None, Some(true), Some(false)] {
        let mut free = healed.clone();
        for step in &mut free.steps {
            step.call.tool = "exec_command".to_owned();
            step.call.arguments.insert("command".to_owned(), json!(["true"]));
            let mut tool = crate::world::tools(&[])
                .into_iter()
                .find(|tool| tool.name == "exec_command")
                .ok_or("no such tool")?;
            tool.hints.read_only = read_only;
            step.risk = risk::of(&step.call, Some(target), Some(&tool));
            assert_eq!(step.risk, Risk::R3);
        }
        let Decision::NeedsApproval(reasons) = decided(&free.freeze()) else {
            return Err("it would run".into());
        };
        assert!(reasons.iter().any(|reason| reason.code == NotActing::RiskTooHigh), "{reasons:?}");
    }
    Ok(())
}

#[test]
fn what_a_hostile_server_answers_is_kept_and_shown_harmless() -> Fallible {
    let folder = tempfile::tempdir()?;
    let mut asked = 0;
    for tool in offered()?.iter().filter(|tool| !tool["result"].is_null()) {
        let name = tool["name"].as_str().unwrap_or_default();
        let output = program(folder.path(), &["tools", "call", name, "{}"])?;
        let text = shown(&output)?;
        let answer: Value = serde_json::from_str(&text)?;
        let mut all = Vec::new();
        texts(&answer, &mut all);
        // Lines inside JSON are no harm; everything else is.
        assert_eq!(all.iter().flat_map(|t| t.split('\n')).find_map(harm), None, "{name}");
        assert!(!text.contains("hunter2hunter2"), "{name}: {text}");
        asked += 1;
    }
    assert!(asked >= 5, "only {asked} tools answered");
    // The record of it, in all its forms.
    for arguments in [
        &["audit", "show"][..],
        &["audit", "show", "--json"],
        &["audit", "export"],
        &["audit", "export", "--format", "csv"],
        &["audit", "export", "--format", "json"],
        &["audit", "export", "--format", "markdown"],
    ] {
        let text = shown(&program(folder.path(), arguments)?)?;
        assert!(!text.contains("hunter2hunter2"), "{arguments:?}");
        assert!(text.lines().count() >= asked, "{arguments:?}: {text}");
    }
    assert!(shown(&program(folder.path(), &["audit", "verify"])?)?.contains("the chain holds"));
    Ok(())
}

#[test]
fn what_a_person_types_on_the_command_line_is_recorded_harmless_and_without_secrets() -> Fallible {
    let folder = tempfile::tempdir()?;
    let asked = json!({
        "container_name": "api\u{1b}]52;c;eA==\u{7}\u{202e}",
        "env_updates": {"DB_PASSWORD": "hunter2hunter2", "MODE": "new"},
        "command": ["redis-cli", "-a", "hunter2hunter2"],
    });
    program(folder.path(), &["tools", "call", "evil_0", &asked.to_string()])?;
    for arguments in
        [&["audit", "show"][..], &["audit", "export"], &["audit", "export", "--format", "csv"]]
    {
        let text = shown(&program(folder.path(), arguments)?)?;
        assert!(text.contains("evil_0") && text.contains("MODE"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    Ok(())
}
