//! What a client sees without any engine: tools, schemas, hints, errors, the binary itself.

use std::process::Stdio;

use docker_control::server::DockerControl;
use mcp_kit::Settings;
use mcp_kit::testing::{Outcome, bad, client, minimal};
use rmcp::ServiceExt;
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

fn nowhere() -> Settings {
    Settings {
        docker_host: Some("unix:///nonexistent/engine.sock".to_owned()),
        ..Settings::default()
    }
}

#[tokio::test]
async fn every_tool_has_schemas_and_all_four_hints() {
    let client = client(DockerControl::new(nowhere())).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "connect_network",
            "disconnect_network",
            "exec_command",
            "get_logs",
            "health_check",
            "inspect_container",
            "list_containers",
            "pause_container",
            "restart_container",
            "run_probe",
            "set_restart_policy",
            "start_container",
            "stats_snapshot",
            "stop_container",
            "top",
            "unpause_container",
            "update_resources",
        ]
    );
    // (read only, destructive, idempotent)
    let expected = [
        (false, false, true),
        (false, true, true),
        (false, true, false),
        (true, false, true),
        (true, false, true),
        (true, false, true),
        (true, false, true),
        (false, true, true),
        (false, true, false),
        (true, false, true),
        (false, false, true),
        (false, false, true),
        (true, false, true),
        (false, true, true),
        (true, false, true),
        (false, false, true),
        (false, false, true),
    ];
    for (tool, (read, destructive, idempotent)) in tools.iter().zip(expected) {
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!(hints.read_only_hint, Some(read), "{}", tool.name);
        assert_eq!(hints.destructive_hint, Some(destructive), "{}", tool.name);
        assert_eq!(hints.idempotent_hint, Some(idempotent), "{}", tool.name);
        assert_eq!(hints.open_world_hint, Some(false), "{}", tool.name);
        let input = &tool.input_schema;
        assert_eq!(input["additionalProperties"], json!(false), "{}", tool.name);
        if tool.name != "list_containers" {
            let required = input["required"].as_array().unwrap();
            assert!(required.contains(&json!("container_name")), "{}", tool.name);
        }
        for (field, schema) in input["properties"].as_object().unwrap() {
            let described = schema.get("description").is_some() || schema.get("$ref").is_some();
            assert!(described, "{}.{field} has no description", tool.name);
        }
        let output = tool.output_schema.as_ref().unwrap();
        assert_eq!(output["required"], json!(["success"]), "{}", tool.name);
        assert!(output["properties"].get("error").is_some(), "{}", tool.name);
    }
}

#[tokio::test]
async fn without_an_engine_every_call_names_the_endpoint() {
    let client = client(DockerControl::new(nowhere())).await.unwrap();
    for tool in
        ["restart_container", "start_container", "stop_container", "health_check", "get_logs"]
    {
        let error = bad(&client, tool, json!({"container_name": "x"})).await.unwrap();
        assert_eq!(error["code"], "engine_unreachable", "{error}");
        assert_eq!(error["tool"], tool);
        let text = error["error"].as_str().unwrap();
        assert!(text.contains("unix:///nonexistent/engine.sock"), "{text}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let client = client(DockerControl::new(nowhere())).await.unwrap();
    let cases = [
        ("restart_container", json!({}), "container_name"),
        ("restart_container", json!({"container_name": "x", "force": true}), "force"),
        ("restart_container", json!({"container_name": "../x"}), "no container name"),
        ("get_logs", json!({"container_name": "x", "tail": 0}), "tail"),
        ("get_logs", json!({"container_name": "x", "since": "soon"}), "since"),
        ("stop_container", json!({"container_name": "x", "timeout": 301}), "timeout"),
        ("connect_network", json!({"container_name": "x"}), "network"),
        ("connect_network", json!({"container_name": "x", "network": "a/b"}), "no name"),
        ("connect_network", json!({"container_name": "x", "network": "bridge"}), "user network"),
        (
            "connect_network",
            json!({"container_name": "x", "network": "n", "aliases": ["a b"]}),
            "aliases",
        ),
        ("disconnect_network", json!({"container_name": "x", "network": ""}), "network"),
        ("set_restart_policy", json!({"container_name": "x", "policy": "never"}), "variant"),
        (
            "set_restart_policy",
            json!({"container_name": "x", "policy": "always", "max_retries": 3}),
            "on-failure",
        ),
        (
            "set_restart_policy",
            json!({"container_name": "x", "policy": "on-failure", "max_retries": 1001}),
            "max_retries",
        ),
        ("list_containers", json!({"container_name": "x"}), "container_name"),
        ("exec_command", json!({"container_name": "x", "command": []}), "command"),
        ("exec_command", json!({"container_name": "x", "command": "ls"}), "command"),
        ("run_probe", json!({"container_name": "x", "probe": "df; rm -rf /"}), "variant"),
        (
            "run_probe",
            json!({"container_name": "x", "probe": "disk", "command": ["ls"]}),
            "command",
        ),
        ("update_resources", json!({"container_name": "x", "resources": {"ram": "1g"}}), "ram"),
    ];
    for (tool, arguments, word) in cases {
        let error = bad(&client, tool, arguments).await.unwrap();
        assert_eq!(error["code"], "invalid_arguments", "{error}");
        let text = error["error"].as_str().unwrap();
        assert!(text.contains(word) || (word == "command" && text.contains("sequence")), "{text}");
    }
}

/// Every tool of the list that does not call itself read-only is refused, whatever it is called:
/// one that is added without the gate fails here, and so does one that only looks and is refused.
#[tokio::test]
async fn a_read_only_server_refuses_every_change_before_it_looks() {
    let settings = Settings { read_only: true, ..nowhere() };
    let client = client(DockerControl::new(settings)).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let mut changing = 0;
    for tool in &tools {
        let arguments = minimal(&tool.input_schema).unwrap();
        let error = bad(&client, &tool.name, arguments).await.unwrap();
        let reads = tool.annotations.as_ref().and_then(|hints| hints.read_only_hint) == Some(true);
        let code = if reads { "engine_unreachable" } else { "read_only" };
        assert_eq!(error["code"], code, "{}: {error}", tool.name);
        changing += usize::from(!reads);
    }
    assert!(changing >= 10, "only {changing} tools change something");
}

async fn over_stdio() -> Outcome<(Vec<String>, Value)> {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_docker-control"));
    command.env_clear().env("DOCKER_HOST", "unix:///nonexistent/engine.sock");
    let (transport, _stderr) = TokioChildProcess::builder(command)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let client = ().serve(transport).await.map_err(|e| e.to_string())?;
    let tools = client.list_all_tools().await.map_err(|e| e.to_string())?;
    let error = bad(&client, "health_check", json!({"container_name": "x"})).await?;
    client.cancel().await.map_err(|e| e.to_string())?;
    Ok((tools.iter().map(|tool| tool.name.to_string()).collect(), error))
}

#[tokio::test]
async fn the_binary_speaks_over_standard_input_and_output() {
    let (tools, error) = over_stdio().await.unwrap();
    assert_eq!(tools.len(), 17);
    assert_eq!(error["code"], "engine_unreachable", "{error}");
}
