//! The recreate on a real engine: what survives, and every way back.

use std::process::Stdio;

use config_patcher::journal::{Entry, Journal, Stage};
use config_patcher::rollback;
use config_patcher::server::ConfigPatcher;
use mcp_kit::Settings;
use mcp_kit::testing::{Bench, Client, Outcome, bad, client, good};
use rmcp::ServiceExt;
use rmcp::transport::TokioChildProcess;
use sentinel_core::domain::names::is_parked_name;
use serde_json::{Value, json};

const TOOL: &str = "update_env_vars";
const ROLLBACK: &str = "rollback_container";

struct Set {
    bench: Bench,
    client: Client,
    settings: Settings,
    _state: tempfile::TempDir,
}

async fn set() -> Outcome<Set> {
    let bench = Bench::new("cp")?;
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let settings = Settings { state_dir: Some(state.path().to_owned()), ..bench.settings() };
    let client = client(ConfigPatcher::new(settings.clone())).await?;
    Ok(Set { bench, client, settings, _state: state })
}

impl Set {
    /// Names on the bench without the parked ones, and how many those are.
    async fn standing(&self) -> Outcome<(Vec<String>, usize)> {
        let names = self.bench.names().await?;
        let parked = names.iter().filter(|name| is_parked_name(name)).count();
        Ok((names.into_iter().filter(|name| !is_parked_name(name)).collect(), parked))
    }

    async fn update(&self, part: &str, updates: Value) -> Outcome<Value> {
        let name = self.bench.name(part);
        good(&self.client, TOOL, json!({"container_name": name, "env_updates": updates})).await
    }

    async fn refused(&self, part: &str, updates: Value) -> Outcome<Value> {
        let name = self.bench.name(part);
        bad(&self.client, TOOL, json!({"container_name": name, "env_updates": updates})).await
    }

    async fn env(&self, part: &str) -> Outcome<Vec<String>> {
        let now = self.bench.inspect(part).await?;
        let env = now["Config"]["Env"].as_array().cloned().unwrap_or_default();
        Ok(env.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    async fn network(&self, part: &str, subnet: Option<&str>) -> Outcome<String> {
        let name = self.bench.name(part);
        let mut body = json!({"Name": name});
        if let Some(subnet) = subnet {
            body["IPAM"] = json!({"Config": [{"Subnet": subnet}]});
        }
        self.bench.post("/networks/create", Some(&body)).await?;
        Ok(name)
    }
}

/// A health check that wants `MODE` not to be `broken`.
fn check() -> Value {
    json!({
        "Test": ["CMD-SHELL", "test \"$MODE\" != broken"],
        "Interval": 200_000_000, "Timeout": 5_000_000_000_u64, "Retries": 2,
    })
}

/// What must be the same after a recreate.
fn lasting(inspect: &Value) -> Value {
    let mut config = inspect["Config"].clone();
    let mut host = inspect["HostConfig"].clone();
    for field in ["Hostname", "Env", "Image"] {
        if let Some(fields) = config.as_object_mut() {
            fields.remove(field);
        }
    }
    if let Some(fields) = host.as_object_mut() {
        fields.remove("Binds");
    }
    json!({"config": config, "host": host, "name": inspect["Name"]})
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_healthy_successor_takes_the_place() {
    let set = set().await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["Env"] = json!(["MODE=old", "KEEP=a b", "GONE=1", "SECRET=hunter2"]);
    body["Healthcheck"] = check();
    body["User"] = json!("1000:1000");
    body["Entrypoint"] = json!(["env"]);
    body["Labels"]["com.docker.compose.service"] = json!("web");
    body["HostConfig"] = json!({
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4},
        "Memory": 64 << 20, "NanoCpus": 500_000_000, "CapDrop": ["NET_RAW"],
        "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "Tmpfs": {"/scratch": ""}, "ReadonlyRootfs": true, "PidsLimit": 64,
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
        "ExtraHosts": ["one:127.0.0.1"],
    });
    body["ExposedPorts"] = json!({"80/tcp": {}});
    let old_id = set.bench.run("api", &body).await.unwrap();
    let before = set.bench.inspect("api").await.unwrap();

    let arguments = json!({
        "container_name": set.bench.name("api"),
        "env_updates": {"MODE": "new = \"x\"", "GONE": null, "ADDED": ""},
        "reason": "test", "expect_started_at": before["State"]["StartedAt"],
    });
    let done = good(&set.client, TOOL, arguments.clone()).await.unwrap();
    assert_eq!(done["changed"], true);
    assert_eq!(done["updates"], json!({"MODE": "***", "GONE": null, "ADDED": "***"}));
    assert_eq!(done["previous_container_id"], old_id);
    assert_eq!(done["new_env"]["SECRET"], "***");
    assert!(!done.to_string().contains("hunter2"), "{done}");
    let notes = done["notes"].to_string();
    assert!(notes.contains("tmpfs") && notes.contains("/scratch"), "{notes}");

    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!(after["Id"], done["new_container_id"]);
    assert_eq!(after["State"]["Health"]["Status"], "healthy");
    assert_eq!(lasting(&after), lasting(&before));
    assert_eq!(after["Image"], before["Image"], "nothing was written: the same image");
    let env = set.env("api").await.unwrap();
    assert!(env.contains(&"MODE=new = \"x\"".to_owned()), "{env:?}");
    assert!(env.contains(&"KEEP=a b".to_owned()) && env.contains(&"ADDED=".to_owned()));
    assert!(!env.iter().any(|pair| pair.starts_with("GONE")), "{env:?}");

    let parked = done["parked_container"].as_str().unwrap();
    assert!(is_parked_name(parked), "{parked}");
    let kept = set.bench.engine.inspect(parked).await.unwrap();
    assert_eq!(kept.id, old_id);
    assert_eq!(kept.status(), "exited");
    assert_eq!(kept.text("/HostConfig/RestartPolicy/Name"), "no", "it must not come back");

    let stale = bad(&set.client, TOOL, arguments).await.unwrap();
    assert_eq!(stale["code"], "stale", "{stale}");
    let again = set.update("api", json!({"MODE": "new = \"x\"", "GONE": null})).await.unwrap();
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(again["parked_container"], Value::Null);
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 1));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_unhealthy_successor_gives_way_again() {
    let set = set().await.unwrap();
    let mut body = set.bench.body("echo mode $MODE DB_PASS=hunter2; exec sleep 600");
    body["Env"] = json!(["MODE=good"]);
    body["Healthcheck"] = check();
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
    let old_id = set.bench.run("api", &body).await.unwrap();
    let before = set.bench.inspect("api").await.unwrap();

    let error = set.refused("api", json!({"MODE": "broken"})).await.unwrap();
    assert_eq!(error["code"], "rolled_back", "{error}");
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("unhealthy") && text.contains("everything is as it was"), "{text}");
    assert!(text.contains("mode broken") && !text.contains("hunter2"), "{text}");

    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!(after["Id"], old_id);
    assert_eq!(after["State"]["Running"], true);
    assert_eq!(lasting(&after), lasting(&before), "restart policy and name are back");
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_successor_that_dies_gives_way_again() {
    let set = set().await.unwrap();
    let mut body =
        set.bench.body("test -z \"$MODE\" || { echo no such mode; exit 7; }; exec sleep 600");
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "unless-stopped"}});
    let old_id = set.bench.run("api", &body).await.unwrap();
    let error = set.refused("api", json!({"MODE": "x"})).await.unwrap();
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("no such mode"), "{text}");
    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!((&after["Id"], &after["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_eq!(after["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_start_that_the_engine_refuses_gives_way_again() {
    let set = set().await.unwrap();
    // The program is found through PATH: with another PATH the start fails.
    let mut body = set.bench.body("");
    body["Cmd"] = json!(["sleep", "600"]);
    let old_id = set.bench.run("api", &body).await.unwrap();
    let error = set.refused("api", json!({"PATH": "/nowhere"})).await.unwrap();
    assert_eq!(error["code"], "rolled_back", "{error}");
    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!((&after["Id"], &after["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_create_that_the_engine_refuses_changes_nothing() {
    let set = set().await.unwrap();
    let network = set.network("net", None).await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["HostConfig"] = json!({"NetworkMode": network});
    let old_id = set.bench.create("api", &body).await.unwrap();
    // A container that was created on a network which is gone by now.
    let engine = &set.bench.engine;
    engine.delete(&format!("/networks/{network}"), "remove it").await.unwrap();
    let error = set.refused("api", json!({"A": "1"})).await.unwrap();
    assert_eq!(error["code"], "rolled_back", "{error}");
    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!((&after["Id"], &after["State"]["Status"]), (&json!(old_id), &json!("created")));
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn networks_aliases_and_addresses_survive() {
    let set = set().await.unwrap();
    let byte = set.bench.prefix.bytes().fold(0_u8, u8::wrapping_add);
    let front = set.network("front", Some(&format!("10.213.{byte}.0/24"))).await.unwrap();
    let back = set.network("back", Some(&format!("10.214.{byte}.0/24"))).await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["MacAddress"] = json!("02:00:00:00:00:07");
    body["HostConfig"] = json!({"NetworkMode": front});
    body["NetworkingConfig"] = json!({"EndpointsConfig": {&front: {
        "Aliases": ["web", "api.internal"],
        "IPAMConfig": {"IPv4Address": format!("10.213.{byte}.77")},
    }}});
    let id = set.bench.create("api", &body).await.unwrap();
    let endpoint = json!({
        "Container": id,
        "EndpointConfig": {
            "Aliases": ["web"], "IPAMConfig": {"IPv4Address": format!("10.214.{byte}.88")},
        },
    });
    set.bench.post(&format!("/networks/{back}/connect"), Some(&endpoint)).await.unwrap();
    set.bench.post(&format!("/containers/{id}/start"), None).await.unwrap();

    set.update("api", json!({"A": "1"})).await.unwrap();
    let after = set.bench.inspect("api").await.unwrap();
    let networks = &after["NetworkSettings"]["Networks"];
    assert_eq!(networks.as_object().unwrap().len(), 2, "{networks}");
    assert_eq!(networks[&front]["IPAddress"], format!("10.213.{byte}.77"));
    assert_eq!(networks[&back]["IPAddress"], format!("10.214.{byte}.88"));
    assert_eq!(networks[&front]["MacAddress"], "02:00:00:00:00:07");
    let aliases = networks[&front]["Aliases"].to_string();
    assert!(aliases.contains("api.internal") && aliases.contains("web"), "{aliases}");
    assert!(!aliases.contains(&id[..12]), "the old id is gone: {aliases}");

    // A neighbour reaches it by alias and by name.
    let name = set.bench.name("api");
    let mut probe = set.bench.body(&format!("busybox nslookup web && busybox nslookup {name}"));
    probe["HostConfig"] = json!({"NetworkMode": front});
    set.bench.run("probe", &probe).await.unwrap();
    let ended = set.bench.until("probe", |now| now["State"]["Status"] == "exited").await.unwrap();
    assert_eq!(ended["State"]["ExitCode"], 0, "both names resolve");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_network_of_any_name_survives() {
    let set = set().await.unwrap();
    // The engine takes nearly everything as a network's name.
    let network = format!("odd net?x=1%2e/{}", set.bench.name("net"));
    set.bench.post("/networks/create", Some(&json!({"Name": network}))).await.unwrap();
    let id = set.bench.run("api", &set.bench.body("exec sleep 600")).await.unwrap();
    let path = format!("/networks/{}/connect", mcp_kit::raw::segment(&network));
    set.bench.post(&path, Some(&json!({"Container": id}))).await.unwrap();
    set.update("api", json!({"A": "1"})).await.unwrap();
    let after = set.bench.inspect("api").await.unwrap();
    let networks = after["NetworkSettings"]["Networks"].as_object().unwrap();
    assert!(networks.contains_key(&network) && networks.len() == 2, "{networks:?}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn volumes_and_written_files_survive() {
    let set = set().await.unwrap();
    let part = "Api.UPPER";
    let script = "test -e /anon/x || { echo one > /anon/x; echo two > /named/x; \
                  echo three > '/a file'; rm /bin/true; }; \
                  trap 'echo last > /at-stop; exit 0' TERM; while :; do sleep 0.1; done";
    let mut body = set.bench.body(script);
    body["Env"] = json!(["SECRET=hunter2", "MODE=1"]);
    body["Volumes"] = json!({"/anon": {}});
    body["StopTimeout"] = json!(10);
    body["HostConfig"] = json!({"Binds": [format!("{}:/named", set.bench.name("data"))]});
    let old_id = set.bench.run(part, &body).await.unwrap();
    let written = |path: &'static str| {
        let ask = format!("/containers/{old_id}/archive?path={path}");
        let engine = set.bench.engine.clone();
        async move { engine.get(&ask, "look at a file").await.is_ok() }
    };
    let deadline = std::time::Instant::now() + mcp_kit::testing::PATIENCE;
    while !written("/a%20file").await {
        assert!(std::time::Instant::now() < deadline, "the container did not write");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let before = set.bench.inspect(part).await.unwrap();

    let done = set.update(part, json!({"MODE": "2"})).await.unwrap();
    let after = set.bench.inspect(part).await.unwrap();
    let volume = |inspect: &Value, path: &str| {
        let mounts = inspect["Mounts"].as_array().cloned().unwrap_or_default();
        mounts.iter().find(|m| m["Destination"] == path).map(|m| m["Name"].clone())
    };
    assert_eq!(volume(&after, "/anon"), volume(&before, "/anon"));
    assert!(volume(&after, "/anon").is_some());
    assert_eq!(lasting(&after), lasting(&before), "labels too");
    // Files, what was written while stopping, and deletions.
    let id = after["Id"].as_str().unwrap();
    let engine = &set.bench.engine;
    for (path, there) in
        [("/a%20file", true), ("/at-stop", true), ("/bin/true", false), ("/anon/x", true)]
    {
        let found = engine.get(&format!("/containers/{id}/archive?path={path}"), "look").await;
        assert_eq!(found.is_ok(), there, "{path}: {found:?}");
    }
    let notes = done["notes"].to_string();
    assert!(notes.contains("sre-sentinel/carried:"), "{notes}");
    let image = engine
        .get(&format!("/images/{}/json", after["Image"].as_str().unwrap()), "look")
        .await
        .unwrap();
    assert!(!image.to_string().contains("hunter2"), "no value in the image: {image}");

    // And once more, on top of the carried image.
    set.update(part, json!({"MODE": null, "SECRET": "other value"})).await.unwrap();
    let env = set.env(part).await.unwrap();
    assert!(env.contains(&"SECRET=other value".to_owned()), "{env:?}");
    assert!(!env.iter().any(|pair| pair.starts_with("MODE")), "{env:?}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_variable_of_the_image_can_be_removed() {
    let set = set().await.unwrap();
    let donor = set.bench.run("donor", &set.bench.body("exit 0")).await.unwrap();
    let tag = set.bench.name("image");
    let path = format!("/commit?container={donor}&repo=sentinel-test/env&tag={tag}");
    set.bench.post(&path, Some(&json!({"Env": ["FROM_IMAGE=1"]}))).await.unwrap();
    let mut body = set.bench.body("test -z \"${FROM_IMAGE+x}\" && echo removed; exec sleep 600");
    body["Image"] = json!(format!("sentinel-test/env:{tag}"));
    set.bench.run("api", &body).await.unwrap();
    let done = set.update("api", json!({"FROM_IMAGE": null})).await.unwrap();
    assert_eq!(done["new_env"].get("FROM_IMAGE"), None, "{done}");
    let docker = set.bench.engine.docker(mcp_kit::testing::PATIENCE).await.unwrap();
    let options = bollard::query_parameters::LogsOptions { stdout: true, ..Default::default() };
    let mut logs = docker.logs(&set.bench.name("api"), Some(options));
    let line = futures_util::StreamExt::next(&mut logs).await.unwrap().unwrap();
    assert_eq!(line.to_string(), "removed\n");
    let again = set.update("api", json!({"FROM_IMAGE": null})).await.unwrap();
    assert_eq!(again["changed"], false);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_secret_travels_by_reference() {
    let set = set().await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["Env"] = json!(["POSTGRES_PASSWORD=s3 cr=et"]);
    set.bench.run("db", &body).await.unwrap();
    body["Env"] = json!(["DB_PASSWORD=wrong"]);
    set.bench.run("api", &body).await.unwrap();
    body["Labels"] = json!({});
    set.bench.run("stranger", &body).await.unwrap();

    let from = |part: &str, key: &str| json!({"DB_PASSWORD": {"secret_ref": format!("{}/{key}", set.bench.name(part))}});
    let error = set.refused("api", from("stranger", "DB_PASSWORD")).await.unwrap();
    assert_eq!(error["code"], "not_watched", "{error}");
    let error = set.refused("api", from("db", "NO_SUCH")).await.unwrap();
    assert_eq!(error["code"], "conflict", "{error}");

    let done = set.update("api", from("db", "POSTGRES_PASSWORD")).await.unwrap();
    assert!(!done.to_string().contains("s3 cr"), "{done}");
    let env = set.env("api").await.unwrap();
    assert!(env.contains(&"DB_PASSWORD=s3 cr=et".to_owned()), "{env:?}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_cannot_be_recreated_is_refused() {
    let set = set().await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    let lender = set.bench.run("lender", &body).await.unwrap();
    body["HostConfig"] = json!({"NetworkMode": format!("container:{lender}")});
    set.bench.run("borrower", &body).await.unwrap();
    body["HostConfig"] = json!({"AutoRemove": true});
    set.bench.run("rm", &body).await.unwrap();
    for (part, word) in [("rm", "--rm"), ("lender", "lends its network")] {
        let error = set.refused(part, json!({"A": "1"})).await.unwrap();
        assert_eq!(error["code"], "conflict", "{error}");
        assert!(error["error"].as_str().unwrap().contains(word), "{error}");
        let now = set.bench.inspect(part).await.unwrap();
        assert_eq!(now["State"]["Running"], true, "{part}");
    }
    // One that borrows a network stack can be recreated.
    set.update("borrower", json!({"A": "1"})).await.unwrap();
}

/// Leaves things as a process leaves them that died in the middle.
async fn interrupted(set: &Set, stage: Stage) -> Outcome<(String, Entry)> {
    let mut body = set.bench.body("exec sleep 600");
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
    let old_id = set.bench.run("api", &body).await?;
    let engine = &set.bench.engine;
    let id = rollback::engine_id(engine).await.map_err(|e| e.to_string())?;
    // A stamp of now: an old one would be cleared away by the servers of other tests.
    let stamp = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S").to_string();
    let mut entry = Entry::new(id, old_id.clone(), set.bench.name("api"), &stamp);
    entry.restart_policy = json!({"Name": "always", "MaximumRetryCount": 0});
    entry.was_running = true;
    entry.stage = stage;
    set.bench.create(&format!("api-staged-{stamp}"), &body).await?;
    let never = json!({"RestartPolicy": {"Name": "no"}});
    set.bench.post(&format!("/containers/{old_id}/update"), Some(&never)).await?;
    set.bench.post(&format!("/containers/{old_id}/stop?t=0"), None).await?;
    let journal = Journal::open(&set.settings).await.map_err(|e| e.to_string())?;
    journal.write(&entry).map_err(|e| e.to_string())?;
    Ok((old_id, entry))
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_interrupted_recreate_is_rolled_back_at_the_next_start() {
    let set = set().await.unwrap();
    let (old_id, entry) = interrupted(&set, Stage::Starting).await.unwrap();
    let new_start = ConfigPatcher::new(set.settings.clone());
    new_start.recover_in_background();
    let back = set.bench.until("api", |now| now["State"]["Running"] == true).await.unwrap();
    assert_eq!(back["Id"], old_id);
    assert_eq!(back["HostConfig"]["RestartPolicy"]["Name"], "always");
    let journal = Journal::open(&set.settings).await.unwrap();
    assert!(journal.interrupted(&entry.engine).unwrap().is_empty());
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_interrupted_recreate_that_was_accepted_is_completed() {
    let set = set().await.unwrap();
    let (old_id, entry) = interrupted(&set, Stage::Accepted).await.unwrap();
    // The process died between the two renames.
    let engine = &set.bench.engine;
    set.bench.post(&format!("/containers/{}/start", entry.staged), None).await.unwrap();
    rollback::rename(engine, &old_id, &entry.parked).await.unwrap();
    let new = engine.inspect(&entry.staged).await.unwrap().id;
    let journal = Journal::open(&set.settings).await.unwrap();
    let done = rollback::recover(engine, &journal).await.unwrap();
    assert_eq!(done.len(), 1, "{done:?}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(new), &json!(true)));
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 1));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_accepted_successor_that_died_meanwhile_gives_way() {
    let set = set().await.unwrap();
    let (old_id, _) = interrupted(&set, Stage::Accepted).await.unwrap();
    let journal = Journal::open(&set.settings).await.unwrap();
    rollback::recover(&set.bench.engine, &journal).await.unwrap();
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn parked_containers_go_after_their_time() {
    let set = set().await.unwrap();
    let body = set.bench.body("exec sleep 600");
    set.bench.run("api", &body).await.unwrap();
    let long_ago = "api-parked-20200101000000";
    set.bench.create(long_ago, &body).await.unwrap();
    // Somebody runs this one; another has no successor; a third is not watched.
    set.bench.run("api-parked-20200101000001", &body).await.unwrap();
    set.bench.create("gone-parked-20200101000000", &body).await.unwrap();
    let mut stranger = body.clone();
    stranger["Labels"] = json!({});
    set.bench.create("api-parked-20200101000002", &stranger).await.unwrap();

    let done = set.update("api", json!({"A": "1"})).await.unwrap();
    let fresh = done["parked_container"].as_str().unwrap().to_owned();
    let mut expected: Vec<String> = [
        "api",
        "api-parked-20200101000001",
        "api-parked-20200101000002",
        "gone-parked-20200101000000",
    ]
    .iter()
    .map(|part| set.bench.name(part))
    .collect();
    expected.push(fresh);
    expected.sort();
    // Servers of other tests clear this engine too: whoever was first, it ends the same.
    let deadline = std::time::Instant::now() + mcp_kit::testing::PATIENCE;
    while set.bench.names().await.unwrap() != expected {
        let names = set.bench.names().await.unwrap();
        assert!(std::time::Instant::now() < deadline, "{names:?} instead of {expected:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The server's own binary with a client in front of it.
async fn process(set: &Set) -> Outcome<(Client, u32)> {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_config-patcher"));
    let host = set.settings.docker_host.clone().unwrap_or_default();
    let state = set.settings.state_dir.clone().unwrap_or_default();
    command.env_clear().env("DOCKER_HOST", host).env("SENTINEL_STATE_DIR", state);
    let (transport, _stderr) = TokioChildProcess::builder(command)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let id = transport.id().ok_or("the server has no process id")?;
    Ok((().serve(transport).await.map_err(|e| e.to_string())?, id))
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_killed_server_leaves_a_way_back_for_the_next_one() {
    let set = set().await.unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["Env"] = json!(["MODE=good"]);
    body["Healthcheck"] = check();
    // Long enough to be killed in between.
    body["Healthcheck"]["Retries"] = json!(1000);
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
    let old_id = set.bench.run("api", &body).await.unwrap();
    let before = set.bench.inspect("api").await.unwrap();
    let (client, server) = process(&set).await.unwrap();
    let arguments =
        json!({"container_name": set.bench.name("api"), "env_updates": {"MODE": "broken"}});
    let calling = tokio::spawn(async move { bad(&client, TOOL, arguments).await });
    set.bench.until("api", |now| now["State"]["Running"] == false).await.unwrap();
    let mut kill = tokio::process::Command::new("kill");
    assert!(kill.args(["-9", &server.to_string()]).status().await.unwrap().success());
    calling.await.unwrap().unwrap_err();
    assert_eq!(set.bench.inspect("api").await.unwrap()["State"]["Running"], false);

    let (_next, _) = process(&set).await.unwrap();
    let after = set.bench.until("api", |now| now["State"]["Running"] == true).await.unwrap();
    assert_eq!(after["Id"], old_id);
    assert_eq!(lasting(&after), lasting(&before));
    // The successor went before the old one started.
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 0));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_rollback_brings_the_predecessors_settings_and_keeps_what_was_written_since() {
    let set = set().await.unwrap();
    let none = bad(&set.client, ROLLBACK, json!({"container_name": set.bench.name("api")})).await;
    assert_eq!(none.unwrap()["code"], "not_found");
    let mut body = set.bench.body("touch /since-$MODE; exec sleep 600");
    body["Env"] = json!(["MODE=good", "KEEP=1"]);
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
    set.bench.run("api", &body).await.unwrap();
    let before = set.bench.inspect("api").await.unwrap();
    let arguments = json!({"container_name": set.bench.name("api"), "reason": "it was better"});
    let nothing = bad(&set.client, ROLLBACK, arguments.clone()).await.unwrap();
    assert_eq!(nothing["code"], "conflict", "{nothing}");
    assert!(nothing["error"].as_str().unwrap().contains("nothing to go back to"), "{nothing}");

    let updated =
        set.update("api", json!({"MODE": "bad", "KEEP": null, "NEW": "x"})).await.unwrap();
    let back = good(&set.client, ROLLBACK, arguments).await.unwrap();
    assert_eq!(back["updates"], json!({"MODE": "***", "KEEP": "***", "NEW": null}));
    assert_eq!(back["previous_container_id"], updated["new_container_id"]);
    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!(after["Id"], back["new_container_id"]);
    assert_eq!(lasting(&after), lasting(&before), "as it was, its restart policy with it");
    assert_eq!(after["Config"]["Env"], before["Config"]["Env"]);
    // Both that came before are kept, stopped.
    assert_eq!(set.standing().await.unwrap(), (vec![set.bench.name("api")], 2));
}
