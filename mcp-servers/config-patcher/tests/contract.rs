//! What a client sees without any engine: the tool, its schemas and hints, errors, the binary.

use std::process::Stdio;

use config_patcher::server::ConfigPatcher;
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
async fn the_tools_have_schemas_and_all_four_hints() {
    let client = client(ConfigPatcher::new(nowhere())).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|t| t.name.as_ref()).collect();
    assert_eq!(names, ["rollback_container", "update_env_vars"]);
    for (tool, idempotent) in tools.iter().zip([false, true]) {
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!(hints.read_only_hint, Some(false));
        assert_eq!(hints.destructive_hint, Some(true));
        assert_eq!(hints.idempotent_hint, Some(idempotent));
        assert_eq!(hints.open_world_hint, Some(false));
        assert_eq!(tool.input_schema["additionalProperties"], json!(false));
    }
    let tool = &tools[1];
    assert_eq!(tool.input_schema["required"], json!(["container_name", "env_updates"]));
    let updates = &tool.input_schema["properties"]["env_updates"];
    assert_eq!(updates["additionalProperties"]["anyOf"].as_array().unwrap().len(), 3);
    let output = tool.output_schema.as_ref().unwrap();
    assert_eq!(output["required"], json!(["success"]));
}

#[tokio::test]
async fn wrong_arguments_are_named_without_their_values() {
    let client = client(ConfigPatcher::new(nowhere())).await.unwrap();
    let cases = [
        (json!({"container_name": "x"}), "env_updates"),
        (json!({"container_name": "x", "env_updates": {}}), "empty"),
        (json!({"container_name": "x", "env_updates": {"1A": "hunter2"}}), "1A"),
        (json!({"container_name": "x", "env_updates": {"A=B": "hunter2"}}), "A=B"),
        (json!({"container_name": "x", "env_updates": {"A": 7}}), "expected a text"),
        (json!({"container_name": "x", "env_updates": {"A": {"secret": "b/C"}}}), "secret_ref"),
        (json!({"container_name": "x", "env_updates": {"A": "hunter2"}, "force": 1}), "force"),
    ];
    for (arguments, word) in cases {
        let error = bad(&client, "update_env_vars", arguments).await.unwrap();
        assert_eq!(error["code"], "invalid_arguments", "{error}");
        let text = error["error"].as_str().unwrap();
        assert!(text.contains(word) && !text.contains("hunter2"), "{text}");
    }
}

/// Whatever is on the list: a tool that is added without the gate fails here.
#[tokio::test]
async fn a_read_only_server_refuses_before_it_looks() {
    let settings = Settings { read_only: true, ..nowhere() };
    let client = client(ConfigPatcher::new(settings)).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    assert!(tools.len() >= 2, "{tools:?}");
    for tool in &tools {
        let reads = tool.annotations.as_ref().and_then(|hints| hints.read_only_hint) == Some(true);
        let arguments = minimal(&tool.input_schema).unwrap();
        let error = bad(&client, &tool.name, arguments).await.unwrap();
        let code = if reads { "engine_unreachable" } else { "read_only" };
        assert_eq!(error["code"], code, "{}: {error}", tool.name);
    }
}

async fn over_stdio() -> Outcome<Value> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_config-patcher"));
    command
        .env_clear()
        .env("DOCKER_HOST", "unix:///nonexistent/engine.sock")
        .env("SENTINEL_STATE_DIR", folder.path());
    let (transport, _stderr) = TokioChildProcess::builder(command)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let client = ().serve(transport).await.map_err(|e| e.to_string())?;
    let arguments = json!({"container_name": "x", "env_updates": {"A": "1"}});
    let error = bad(&client, "update_env_vars", arguments).await?;
    client.cancel().await.map_err(|e| e.to_string())?;
    Ok(error)
}

#[tokio::test]
async fn the_binary_starts_without_an_engine_and_names_the_endpoint() {
    let error = over_stdio().await.unwrap();
    assert_eq!(error["code"], "engine_unreachable", "{error}");
    assert!(error["error"].as_str().unwrap().contains("unix:///nonexistent/engine.sock"));
}
