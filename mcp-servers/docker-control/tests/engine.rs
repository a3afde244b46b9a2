//! The tools on a real engine.

use std::time::{Duration, Instant};

use docker_control::server::DockerControl;
use mcp_kit::Settings;
use mcp_kit::testing::{Bench, Client, Outcome, bad, call, client, good};
use serde_json::{Value, json};

async fn bench() -> Outcome<(Bench, Client)> {
    let bench = Bench::new("dc")?;
    let client = client(DockerControl::new(bench.settings())).await?;
    Ok((bench, client))
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn stop_start_and_restart_say_what_they_did() {
    let (bench, client) = bench().await.unwrap();
    let id = bench.run("life", &bench.body("sleep 600")).await.unwrap();
    let name = bench.name("life");

    let started = good(&client, "start_container", json!({"container_name": name})).await.unwrap();
    assert_eq!(started["changed"], false, "{started}");

    let before = bench.inspect("life").await.unwrap()["State"]["StartedAt"].clone();
    let arguments = json!({"container_name": id, "reason": "test", "expect_started_at": before});
    let restarted = good(&client, "restart_container", arguments.clone()).await.unwrap();
    assert_eq!(restarted["status"], "running");
    assert_eq!(restarted["reason"], "test");
    assert_ne!(restarted["started_at"], before);

    let stale = bad(&client, "restart_container", arguments).await.unwrap();
    assert_eq!(stale["code"], "stale", "{stale}");
    assert!(stale["error"].as_str().unwrap().contains("stale"));

    let stop = json!({"container_name": &id[..12], "timeout": 0});
    let stopped = good(&client, "stop_container", stop.clone()).await.unwrap();
    assert_eq!((&stopped["changed"], &stopped["status"]), (&json!(true), &json!("exited")));
    let again = good(&client, "stop_container", stop).await.unwrap();
    assert_eq!(again["changed"], false, "{again}");

    let started = good(&client, "start_container", json!({"container_name": name})).await.unwrap();
    assert_eq!((&started["changed"], &started["status"]), (&json!(true), &json!("running")));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_start_ends_the_delay_of_a_restart_policy() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("exit 1");
    body["HostConfig"]["RestartPolicy"] = json!({"Name": "always"});
    bench.run("loop", &body).await.unwrap();
    let name = json!({"container_name": bench.name("loop")});
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        // The delay doubles from 100 ms: after six deaths there are seconds to act in.
        let waits = |now: &Value| {
            now["State"]["Restarting"] == true && now["RestartCount"].as_i64() >= Some(5)
        };
        let before = bench.until("loop", waits).await.unwrap();
        let started = good(&client, "start_container", name.clone()).await.unwrap();
        // On a busy machine the policy may be faster than the call, which then has nothing to
        // do and says so; the next delay is twice as long.
        if started["changed"] == false {
            assert!(Instant::now() < deadline, "it never waited when the call came: {started}");
            continue;
        }
        assert_ne!(started["started_at"], before["State"]["StartedAt"]);
        // Only a start that somebody asks for sets the count, and with it the delay, back.
        let after = bench.inspect("loop").await.unwrap();
        let count = |now: &Value| now["RestartCount"].as_i64();
        assert!(count(&after) < count(&before), "the policy started it: {after}");
        break;
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_restart_that_was_planned_for_a_running_container_is_stale_once_it_is_stopped() {
    let (bench, client) = bench().await.unwrap();
    bench.run("quiet", &bench.body("sleep 600")).await.unwrap();
    let name = bench.name("quiet");
    let planned = bench.inspect("quiet").await.unwrap()["State"]["StartedAt"].clone();
    bench.post(&format!("/containers/{name}/stop?t=0"), None).await.unwrap();

    let asked = json!({"container_name": name, "expect_started_at": planned});
    let stale = bad(&client, "restart_container", asked.clone()).await.unwrap();
    assert_eq!(stale["code"], "stale", "{stale}");
    assert!(stale["error"].as_str().unwrap().contains("is exited by now"), "{stale}");
    let state = bench.inspect("quiet").await.unwrap()["State"]["Status"].clone();
    assert_eq!(state, "exited", "who stopped it meant it");

    // A start is planned for a stopped one, and a restart by hand is for any.
    let started = good(&client, "start_container", asked.clone()).await.unwrap();
    assert_eq!(started["changed"], true, "{started}");
    let stale = bad(&client, "start_container", asked).await.unwrap();
    assert_eq!(stale["code"], "stale", "it was started meanwhile: {stale}");
    bench.post(&format!("/containers/{name}/stop?t=0"), None).await.unwrap();
    let by_hand = good(&client, "restart_container", json!({"container_name": name})).await;
    assert_eq!(by_hand.unwrap()["status"], "running");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_planned_restart_ends_the_delay_of_a_restart_policy() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("exit 1");
    body["HostConfig"]["RestartPolicy"] = json!({"Name": "always"});
    bench.run("loop", &body).await.unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let waits = |now: &Value| {
            now["State"]["Restarting"] == true && now["RestartCount"].as_i64() >= Some(5)
        };
        let now = bench.until("loop", waits).await.unwrap();
        let planned = now["State"]["StartedAt"].clone();
        let asked = json!({"container_name": bench.name("loop"), "expect_started_at": planned});
        let result = call(&client, "restart_container", asked).await.unwrap();
        let answer = result.structured_content.unwrap();
        if answer["success"] == true {
            assert_ne!(answer["started_at"], planned, "{answer}");
            break;
        }
        // The policy was faster, on a busy machine: another start, so really stale.
        let text = answer["error"].as_str().unwrap();
        assert!(text.contains("was started at"), "nobody stopped it: {answer}");
        assert!(Instant::now() < deadline, "it never waited when the call came: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn only_watched_containers_are_targets() {
    let (bench, watched_only) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    body["Labels"] = json!({});
    bench.run("stranger", &body).await.unwrap();
    body["Labels"] = json!({"sre-sentinel.monitor": "true", "sre-sentinel.self": "true"});
    bench.run("self", &body).await.unwrap();
    body["Labels"] = json!({"sre-sentinel.monitor": "true"});
    let id = bench.run("kept-parked-20261124031502", &body).await.unwrap();
    let everything = Settings { watch_all: true, ..bench.settings() };
    let everything = client(DockerControl::new(everything)).await.unwrap();

    let stranger = json!({"container_name": bench.name("stranger")});
    for tool in ["restart_container", "health_check", "get_logs"] {
        let error = bad(&watched_only, tool, stranger.clone()).await.unwrap();
        assert_eq!(error["code"], "not_watched", "{error}");
    }
    good(&everything, "health_check", stranger).await.unwrap();

    let own = json!({"container_name": bench.name("self")});
    for client in [&watched_only, &everything] {
        let error = bad(client, "stop_container", own.clone()).await.unwrap();
        assert_eq!(error["code"], "own_container", "{error}");
    }
    let parked = json!({"container_name": id});
    let error = bad(&everything, "start_container", parked).await.unwrap();
    assert_eq!(error["code"], "kept_aside", "{error}");
    let short = json!({"container_name": &id[..4]});
    let error = bad(&everything, "health_check", short).await.unwrap();
    assert_eq!(error["code"], "not_found", "{error}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn health_is_told_with_the_last_probe() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    body["Healthcheck"] = json!({
        "Test": ["CMD-SHELL", "echo DB_PASS=hunter2; exit 1"],
        "Interval": 200_000_000, "Timeout": 2_000_000_000, "Retries": 1,
    });
    bench.run("sick", &body).await.unwrap();
    bench.until("sick", |now| now["State"]["Health"]["Status"] == "unhealthy").await.unwrap();
    let name = json!({"container_name": bench.name("sick")});
    let health = good(&client, "health_check", name).await.unwrap();
    assert_eq!((&health["status"], &health["health"]), (&json!("running"), &json!("unhealthy")));
    assert_eq!(health["last_probe"], "DB_PASS=***\n");
    assert_eq!(health["exit_code"], Value::Null);

    bench.run("done", &bench.body("exit 3")).await.unwrap();
    bench.until("done", |now| now["State"]["Status"] == "exited").await.unwrap();
    let name = json!({"container_name": bench.name("done")});
    let health = good(&client, "health_check", name).await.unwrap();
    assert_eq!((&health["status"], &health["health"]), (&json!("stopped"), &json!("none")));
    assert_eq!(health["exit_code"], 3);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn limits_change_while_it_runs_and_swap_moves_along() {
    const MIB: i64 = 1 << 20;
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    body["HostConfig"] = json!({"Memory": 64 * MIB, "MemorySwap": 96 * MIB});
    bench.run("limits", &body).await.unwrap();
    let name = bench.name("limits");

    let asked = json!({"container_name": name, "resources": {"memory": "1g", "cpu": "1.0"}});
    let done = good(&client, "update_resources", asked.clone()).await.unwrap();
    assert_eq!(done["previous"]["memory"], 64 * MIB);
    assert_eq!(done["previous"]["cpu"], 0.0);
    assert_eq!(done["new"]["memory"], 1024 * MIB);
    assert_eq!(done["new"]["cpu"], 1.0);
    let host = bench.inspect("limits").await.unwrap()["HostConfig"].clone();
    assert_eq!(host["Memory"], 1024 * MIB);
    assert_eq!(host["NanoCpus"], 1_000_000_000);
    let swap = host["MemorySwap"].as_i64().unwrap();
    assert!(swap == -1 || swap == 1056 * MIB, "headroom is kept: {swap}");

    let again = good(&client, "update_resources", asked).await.unwrap();
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(again["previous"]["cpu"], 1.0);

    let number = json!({"container_name": name, "resources": {"memory": 256 * MIB}});
    let done = good(&client, "update_resources", number).await.unwrap();
    assert_eq!(done["new"]["memory"], 256 * MIB);

    for (resources, errors) in [
        (json!({}), 1),
        (json!({"memory": "1m", "cpu": "9999"}), 2),
        (json!({"memory": "90000g"}), 1),
    ] {
        let asked = json!({"container_name": name, "resources": resources});
        let error = bad(&client, "update_resources", asked).await.unwrap();
        assert_eq!(error["errors"].as_array().unwrap().len(), errors, "{error}");
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_container_without_limits_gets_them_and_one_with_a_quota_keeps_the_form() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    bench.run("free", &body).await.unwrap();
    body["HostConfig"] = json!({"CpuQuota": 50_000, "CpuPeriod": 100_000});
    bench.run("quota", &body).await.unwrap();
    for (part, before) in [("free", 0.0), ("quota", 0.5)] {
        let asked =
            json!({"container_name": bench.name(part), "resources": {"memory": "64m", "cpu": 1.5}});
        let done = good(&client, "update_resources", asked).await.unwrap();
        assert_eq!(done["previous"]["cpu"], before, "{done}");
        assert_eq!(done["new"]["cpu"], 1.5, "{done}");
        assert_eq!(done["new"]["memory"], 64 << 20, "{done}");
    }
    let quota = bench.inspect("quota").await.unwrap()["HostConfig"]["CpuQuota"].clone();
    assert_eq!(quota, 150_000);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_limit_below_use_is_refused() {
    let (bench, client) = bench().await.unwrap();
    // Files on a tmpfs are memory that the kernel cannot take back.
    let mut body = bench.body("dd if=/dev/zero of=/m/x bs=1M count=24 && exec sleep 600");
    // No swap: what is held could go there.
    body["HostConfig"] =
        json!({"Memory": 256 << 20, "MemorySwap": 256 << 20, "Tmpfs": {"/m": "size=64m"}});
    bench.run("full", &body).await.unwrap();
    let name = bench.name("full");
    let path = format!("/containers/{name}/stats?stream=false&one-shot=true");
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let stats = bench.engine.get(&path, "measure").await.unwrap();
        let used = stats["memory_stats"]["usage"].as_u64();
        if used >= Some(24 << 20) {
            break;
        }
        assert!(Instant::now() < deadline, "the container did not fill its memory: {used:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = json!({"container_name": name, "resources": {"memory": "16m"}});
    let error = bad(&client, "update_resources", asked).await.unwrap();
    assert!(error["error"].as_str().unwrap().contains("used now"), "{error}");
    let state = bench.inspect("full").await.unwrap()["State"]["Status"].clone();
    assert_eq!(state, "running");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn logs_are_plain_redacted_and_cut_with_a_word() {
    let (bench, client) = bench().await.unwrap();
    let script =
        "echo out; echo err >&2; printf 'DB_PASS=hunter2 \\033[31mred\\033[0m\\n'; sleep 600";
    bench.run("talk", &bench.body(script)).await.unwrap();
    let name = json!({"container_name": bench.name("talk")});
    let deadline = Instant::now() + Duration::from_secs(30);
    let logs = loop {
        let logs = good(&client, "get_logs", name.clone()).await.unwrap();
        if logs["returned"] == 3 {
            break logs;
        }
        assert!(Instant::now() < deadline, "{logs}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let text = logs["logs"].as_str().unwrap();
    assert!(text.contains("out\n") && text.contains("err\n"), "{text}");
    assert!(text.contains("DB_PASS=*** red\n"), "{text}");
    assert_eq!((&logs["lines"], &logs["truncated"]), (&json!(100), &json!(false)));

    let mut body = bench.body("seq 1 30000");
    body["Tty"] = json!(true);
    bench.run("long", &body).await.unwrap();
    bench.until("long", |now| now["State"]["Status"] == "exited").await.unwrap();
    let asked = json!({"container_name": bench.name("long"), "tail": 5000});
    let logs = good(&client, "get_logs", asked).await.unwrap();
    let text = logs["logs"].as_str().unwrap();
    assert!(text.ends_with("29999\n30000\n"), "{}", &text[text.len() - 40..]);
    let all = json!({"container_name": bench.name("long"), "tail": 2, "since": "1h"});
    assert_eq!(good(&client, "get_logs", all).await.unwrap()["logs"], "29999\n30000\n");

    let wide =
        bench.body("for i in $(seq 1 3000); do echo $i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    bench.run("wide", &wide).await.unwrap();
    bench.until("wide", |now| now["State"]["Status"] == "exited").await.unwrap();
    let asked = json!({"container_name": bench.name("wide"), "tail": 5000});
    let logs = good(&client, "get_logs", asked).await.unwrap();
    assert_eq!(logs["truncated"], true);
    let text = logs["logs"].as_str().unwrap();
    assert!(text.len() < 66_000 && text.starts_with("… [the first "), "{}", &text[..60]);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_command_gives_its_output_and_exit_code() {
    let (bench, client) = bench().await.unwrap();
    bench.run("exec", &bench.body("sleep 600")).await.unwrap();
    let run = |script: &str| json!({"container_name": bench.name("exec"), "command": ["sh", "-c", script]});
    let done = good(&client, "exec_command", run("echo a; echo b >&2; echo API_KEY=abcdef"))
        .await
        .unwrap();
    assert_eq!((&done["exit_code"], &done["timed_out"]), (&json!(0), &json!(false)));
    let output = done["output"].as_str().unwrap();
    assert!(
        output.contains("a\n") && output.contains("b\n") && output.contains("API_KEY=***"),
        "{output}"
    );
    assert!(!output.contains('\u{1}'), "no stream frames are left: {output}");

    let failed = bad(&client, "exec_command", run("echo why; exit 3")).await.unwrap();
    assert_eq!((&failed["exit_code"], &failed["output"]), (&json!(3), &json!("why\n")));
    assert!(failed["error"].as_str().unwrap().contains("exit code 3"), "{failed}");

    let missing = json!({"container_name": bench.name("exec"), "command": ["no-such-program"]});
    let failed = bad(&client, "exec_command", missing).await.unwrap();
    assert!(failed["error"].as_str().unwrap().contains(&bench.name("exec")), "{failed}");

    let flood = good(&client, "exec_command", run("seq 1 200000")).await.unwrap();
    assert_eq!(flood["truncated"], true);
    assert!(flood["output"].as_str().unwrap().len() < 66_000);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_command_that_runs_too_long_is_really_killed() {
    let (bench, client) = bench().await.unwrap();
    bench.run("slow", &bench.body("sleep 600")).await.unwrap();
    // A child, a child that ignores a polite request, and endless output.
    let script = "trap '' TERM; sleep 4321 & (trap '' TERM; sleep 4322) & yes";
    let asked = json!({"container_name": bench.name("slow"), "command": ["sh", "-c", script], "timeout": 0});
    let began = Instant::now();
    let error = bad(&client, "exec_command", asked).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((&error["timed_out"], &error["killed"]), (&json!(true), &json!(true)), "{error}");
    assert_eq!(error["code"], "timeout");
    assert!(error["output"].as_str().unwrap().contains("y\n"));

    let script = "cat /proc/[0-9]*/cmdline";
    let look = json!({"container_name": bench.name("slow"), "command": ["sh", "-c", script]});
    let left = good(&client, "exec_command", look).await.unwrap();
    let left = left["output"].as_str().unwrap();
    assert!(!left.contains("432") && !left.contains("yes"), "{left}");
    assert!(left.contains("600"), "the container's own process lives: {left}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_stop_that_would_remove_the_container_is_refused() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    body["HostConfig"]["AutoRemove"] = json!(true);
    bench.run("rm", &body).await.unwrap();
    let name = json!({"container_name": bench.name("rm")});
    let error = bad(&client, "stop_container", name).await.unwrap();
    assert_eq!(error["code"], "conflict", "{error}");
    let state = bench.inspect("rm").await.unwrap()["State"]["Status"].clone();
    assert_eq!(state, "running");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_command_is_killed_in_a_container_without_a_shell() {
    let (bench, client) = bench().await.unwrap();
    let id = bench.run("bare", &bench.body("rm /bin/sh; exec sleep 600")).await.unwrap();
    let gone = || async {
        let engine = bench.engine.clone();
        engine.get(&format!("/containers/{id}/archive?path=/bin/sh"), "look").await.is_err()
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !gone().await {
        assert!(Instant::now() < deadline, "the shell is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = json!({"container_name": id, "command": ["sleep", "4321"], "timeout": 1});
    let error = bad(&client, "exec_command", asked).await.unwrap();
    assert_eq!((&error["timed_out"], &error["killed"]), (&json!(true), &json!(true)), "{error}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_paused_container_is_told_and_goes_on() {
    let (bench, client) = bench().await.unwrap();
    bench.run("frozen", &bench.body("sleep 600")).await.unwrap();
    let name = json!({"container_name": bench.name("frozen")});
    let running = good(&client, "unpause_container", name.clone()).await.unwrap();
    assert_eq!(running["changed"], false, "{running}");
    let paused = good(&client, "pause_container", name.clone()).await.unwrap();
    assert_eq!((&paused["changed"], &paused["status"]), (&json!(true), &json!("paused")));
    let again = good(&client, "pause_container", name.clone()).await.unwrap();
    assert_eq!(again["changed"], false, "{again}");
    let on = good(&client, "unpause_container", name.clone()).await.unwrap();
    assert_eq!((&on["changed"], &on["status"]), (&json!(true), &json!("running")));

    good(&client, "stop_container", json!({"container_name": bench.name("frozen"), "timeout": 0}))
        .await
        .unwrap();
    let down = bad(&client, "pause_container", name).await.unwrap();
    assert!(down["error"].as_str().unwrap().contains("exited"), "{down}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_lost_network_is_given_back_with_its_names() {
    let (bench, client) = bench().await.unwrap();
    let network = bench.name("net");
    let labels = json!({"Name": network});
    bench.post("/networks/create", Some(&labels)).await.unwrap();
    let mut body = bench.body("sleep 600");
    body["HostConfig"]["NetworkMode"] = json!(network);
    body["NetworkingConfig"] = json!({"EndpointsConfig": {&network: {"Aliases": ["db"]}}});
    bench.run("db", &body).await.unwrap();
    let asked = |aliases: &[&str]| json!({"container_name": bench.name("db"), "network": network, "aliases": aliases});
    let there = good(&client, "connect_network", asked(&["db"])).await.unwrap();
    assert_eq!(there["changed"], false, "{there}");
    let other = bad(&client, "connect_network", asked(&["db", "store"])).await.unwrap();
    assert_eq!(other["code"], "conflict", "{other}");
    assert!(other["error"].as_str().unwrap().contains("store"), "{other}");

    let off = json!({"container_name": bench.name("db"), "network": network});
    let gone = good(&client, "disconnect_network", off.clone()).await.unwrap();
    assert_eq!((&gone["changed"], &gone["networks"]), (&json!(true), &json!([])), "{gone}");
    let gone = good(&client, "disconnect_network", off).await.unwrap();
    assert_eq!(gone["changed"], false, "{gone}");

    let back = good(&client, "connect_network", asked(&["db"])).await.unwrap();
    assert_eq!(back["changed"], true, "{back}");
    assert!(back["aliases"].as_array().unwrap().contains(&json!("db")), "{back}");
    let unknown = json!({"container_name": bench.name("db"), "network": "no-such-network"});
    let error = bad(&client, "connect_network", unknown).await.unwrap();
    assert!(error["error"].as_str().unwrap().contains("no-such-network"), "{error}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_container_is_listed_and_shown_without_its_secrets() {
    let (bench, client) = bench().await.unwrap();
    let mut body = bench.body("sleep 600");
    body["Env"] = json!(["DB_PASSWORD=hunter2", "DB_HOST=db"]);
    bench.run("shown", &body).await.unwrap();
    let mut stranger = bench.body("sleep 600");
    stranger["Labels"] = json!({});
    bench.run("stranger", &stranger).await.unwrap();

    let listed = good(&client, "list_containers", json!({})).await.unwrap();
    let names: Vec<&str> = listed["containers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["name"].as_str())
        .filter(|name| name.starts_with(&bench.prefix))
        .collect();
    assert_eq!(names, [bench.name("shown")], "only what is watched");

    let name = json!({"container_name": bench.name("shown")});
    let seen = good(&client, "inspect_container", name.clone()).await.unwrap();
    assert_eq!(seen["env"]["DB_HOST"], "db");
    assert!(!seen.to_string().contains("hunter2"), "{seen}");
    assert_eq!((&seen["state"], &seen["restart_policy"]), (&json!("running"), &json!("no")));

    let top = good(&client, "top", name.clone()).await.unwrap();
    assert!(top["processes"][0]["command"].as_str().unwrap().contains("sleep"), "{top}");
    let used = good(&client, "stats_snapshot", name.clone()).await.unwrap();
    assert!(used["memory"].as_u64() > Some(0) && used["pids"].as_u64() > Some(0), "{used}");

    let stranger = json!({"container_name": bench.name("stranger")});
    for tool in ["inspect_container", "top", "stats_snapshot"] {
        let error = bad(&client, tool, stranger.clone()).await.unwrap();
        assert_eq!(error["code"], "not_watched", "{tool}: {error}");
    }
    let stop = json!({"container_name": bench.name("shown"), "timeout": 0});
    good(&client, "stop_container", stop).await.unwrap();
    let down = bad(&client, "top", name).await.unwrap();
    assert!(down["error"].as_str().unwrap().contains("exited"), "{down}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_restart_policy_is_set_and_the_old_one_told() {
    let (bench, client) = bench().await.unwrap();
    bench.run("policy", &bench.body("sleep 600")).await.unwrap();
    let asked = |policy: &str, retries: Value| json!({"container_name": bench.name("policy"), "policy": policy, "max_retries": retries});
    let set = good(&client, "set_restart_policy", asked("on-failure", json!(5))).await.unwrap();
    assert_eq!((&set["previous"], &set["new"]), (&json!("no"), &json!("on-failure:5")));
    let again = good(&client, "set_restart_policy", asked("on-failure", json!(5))).await.unwrap();
    assert_eq!(again["changed"], false, "{again}");
    let back = good(&client, "set_restart_policy", asked("no", Value::Null)).await.unwrap();
    assert_eq!((&back["changed"], &back["new"]), (&json!(true), &json!("no")));
}
