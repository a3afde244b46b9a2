//! The fixed looks on a real engine: what they see, whom they reach, what they refuse.

use docker_control::arguments::Probe;
use docker_control::server::DockerControl;
use mcp_kit::Settings;
use mcp_kit::testing::{Bench, Client, Outcome, bad, client, good};
use serde_json::{Value, json};

const TOOL: &str = "run_probe";

async fn bench() -> Outcome<(Bench, Client)> {
    let bench = Bench::new("probe")?;
    // A read-only server: nothing here may count as a change.
    let settings = Settings { read_only: true, ..bench.settings() };
    let client = client(DockerControl::new(settings)).await?;
    Ok((bench, client))
}

fn asked(bench: &Bench, probe: &str) -> Value {
    json!({"container_name": bench.name("web"), "probe": probe})
}

fn at(bench: &Bench, probe: &str, part: &str) -> Value {
    json!({"container_name": bench.name("web"), "probe": probe, "target": bench.name(part)})
}

/// A container on the network of this bench, watched, exposing these ports.
async fn on_network(bench: &Bench, part: &str, script: &str, ports: &Value) -> Outcome<String> {
    let mut body = bench.body(script);
    body["HostConfig"] = json!({"NetworkMode": bench.name("net")});
    body["ExposedPorts"] = ports.clone();
    bench.run(part, &body).await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_container_is_looked_at_without_being_changed() {
    let (bench, client) = bench().await.unwrap();
    bench.post("/networks/create", Some(&json!({"Name": bench.name("net")}))).await.unwrap();
    on_network(&bench, "web", "exec sleep 600", &json!({})).await.unwrap();
    let before = bench.inspect("web").await.unwrap();
    for (probe, word) in [
        ("disk", "Filesystem"),
        ("inodes", "Inodes"),
        ("memory", "MemTotal"),
        ("processes", "sleep 600"),
        ("limits", "Max open files"),
        ("mounts", " / "),
        ("sockets", "local_address"),
        ("resolver", "nameserver 127.0.0.11"),
        ("hosts", "localhost"),
    ] {
        let seen = good(&client, TOOL, asked(&bench, probe)).await.unwrap();
        assert!(seen["output"].as_str().unwrap().contains(word), "{probe}: {seen}");
        assert_eq!((&seen["probe"], &seen["exit_code"]), (&json!(probe), &json!(0)));
    }
    let after = bench.inspect("web").await.unwrap();
    assert_eq!((&after["State"], &after["Config"]), (&before["State"], &before["Config"]));
    let id = after["Id"].as_str().unwrap();
    let changes = bench.engine.get(&format!("/containers/{id}/changes"), "look").await.unwrap();
    assert_eq!(changes, Value::Null, "no look writes anything");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_neighbour_is_reached_by_name_and_by_its_own_port() {
    let (bench, client) = bench().await.unwrap();
    bench.post("/networks/create", Some(&json!({"Name": bench.name("net")}))).await.unwrap();
    on_network(&bench, "web", "exec sleep 600", &json!({})).await.unwrap();
    let serves = "mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www";
    on_network(&bench, "db", serves, &json!({"9999/tcp": {}, "8080/tcp": {}})).await.unwrap();
    on_network(&bench, "deaf", "exec sleep 600", &json!({"5432/tcp": {}})).await.unwrap();
    on_network(&bench, "plain", "exec sleep 600", &json!({})).await.unwrap();
    bench.run("far", &bench.body("exec sleep 600")).await.unwrap();

    let found = good(&client, TOOL, at(&bench, "resolve", "db")).await.unwrap();
    assert!(found["output"].as_str().unwrap().contains("Address"), "{found}");
    assert_eq!(found["target"], bench.name("db"));
    // It may need a moment to listen.
    let deadline = std::time::Instant::now() + mcp_kit::testing::PATIENCE;
    while good(&client, TOOL, at(&bench, "connect", "db")).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "the neighbour never listened");
    }
    let open = good(&client, TOOL, at(&bench, "connect", "db")).await.unwrap();
    // The nc of this image knows no -z.
    let command = open["command"].as_str().unwrap();
    assert!(command.contains(&format!(" -w 3 {} 8080", bench.name("db"))), "{command}");
    let page = good(&client, TOOL, at(&bench, "http", "db")).await.unwrap();
    assert_eq!(page["command"], format!("wget -q --spider http://{}:8080/", bench.name("db")));

    let deaf = bad(&client, TOOL, at(&bench, "connect", "deaf")).await.unwrap();
    assert_eq!((&deaf["code"], &deaf["exit_code"]), (&json!("exit_code"), &json!(1)), "{deaf}");
    for (probe, part, code, word) in [
        ("connect", "plain", "conflict", "exposes no TCP port"),
        ("resolve", "far", "conflict", "share no network"),
        ("resolve", "web", "conflict", "itself"),
        ("disk", "db", "invalid_arguments", "leave target out"),
        ("resolve", "nobody", "not_found", "no container"),
    ] {
        let error = bad(&client, TOOL, at(&bench, probe, part)).await.unwrap();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["error"].as_str().unwrap().contains(word), "{error}");
    }
    let error = bad(&client, TOOL, asked(&bench, "http")).await.unwrap();
    assert!(error["error"].as_str().unwrap().contains("name it in target"), "{error}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn no_word_of_a_caller_gets_into_a_command() {
    let (bench, client) = bench().await.unwrap();
    bench.run("web", &bench.body("exec sleep 600")).await.unwrap();
    for target in ["db; touch /hit", "$(touch /hit)", "-h", "a b", "db/../x", "db\ntouch /hit"] {
        let asked =
            json!({"container_name": bench.name("web"), "probe": "resolve", "target": target});
        let error = bad(&client, TOOL, asked).await.unwrap();
        assert_eq!(error["code"], "invalid_arguments", "{target}: {error}");
    }
    for probe in Probe::ALL {
        for word in [";ls", " ", "\u{0}"] {
            let asked = json!({"container_name": bench.name("web"), "probe": format!("{}{word}", probe.as_str())});
            let error = bad(&client, TOOL, asked).await.unwrap();
            assert_eq!(error["code"], "invalid_arguments", "{error}");
        }
    }
    let id = bench.inspect("web").await.unwrap()["Id"].as_str().unwrap().to_owned();
    let hit = bench.engine.get(&format!("/containers/{id}/archive?path=/hit"), "look").await;
    assert!(hit.is_err(), "something was run");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_program_that_is_not_there_or_hangs_is_told() {
    let (bench, client) = bench().await.unwrap();
    let script = "rm /bin/df; rm /bin/ps; printf '#!/bin/sh\\nsleep 600\\n' > /bin/ps; chmod +x /bin/ps; echo ready > /ready; exec sleep 600";
    let id = bench.run("web", &bench.body(script)).await.unwrap();
    let ready = format!("/containers/{id}/archive?path=/ready");
    let deadline = std::time::Instant::now() + mcp_kit::testing::PATIENCE;
    while bench.engine.get(&ready, "look").await.is_err() {
        assert!(std::time::Instant::now() < deadline, "it never got ready");
    }
    let missing = bad(&client, TOOL, asked(&bench, "disk")).await.unwrap();
    assert!(missing["error"].as_str().unwrap().contains(&bench.name("web")), "{missing}");
    let slow = bad(&client, TOOL, asked(&bench, "processes")).await.unwrap();
    assert_eq!((&slow["code"], &slow["timed_out"]), (&json!("timeout"), &json!(true)), "{slow}");
    bench.post(&format!("/containers/{id}/stop?t=0"), None).await.unwrap();
    let stopped = bad(&client, TOOL, asked(&bench, "disk")).await.unwrap();
    assert_eq!(stopped["code"], "conflict", "{stopped}");
}
