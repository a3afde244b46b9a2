//! Fault switches, the control address and the clock, over the socket.

use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::query_parameters::{EventsOptions, LogsOptionsBuilder};
use docker_sim::engine::Engine as Simulated;
use docker_sim::scenario::shop;
use docker_sim::server::Server;
use docker_sim::switches::{Switch, Wire};
use docker_sim::world::Setting;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::settings::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const WAIT: Duration = Duration::from_secs(20);

/// A shop on a socket, and a client.
fn served(setting: Setting) -> Fallible<(Engine, Server, TempDir)> {
    let folder = tempfile::tempdir()?;
    let world = shop(setting, Timestamp::now())?;
    let server = Server::start(Simulated::new(world), &folder.path().join("engine.sock"))?;
    let settings = Settings { docker_host: Some(server.url()), ..Settings::default() };
    Ok((Engine::new(settings), server, folder))
}

fn switch(path: &str, fault: Wire, times: Option<u32>) -> Switch {
    Switch { path: path.to_owned(), method: None, fault, times }
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) -> Fallible {
    let deadline = Instant::now() + WAIT;
    while !holds().await {
        if Instant::now() > deadline {
            return Err("it did not come true".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn requests_fail_hang_and_are_slow_as_the_switches_say() -> Fallible {
    let (client, server, _folder) = served(Setting::default())?;
    let post = async |path: &str, body: Value| client.post(path, Some(&body), WAIT, path).await;
    post("/sim/switches", json!({"path": "/info", "fault": {"fail": 500}, "times": 1})).await?;
    let failed = client.get("/info", "ask").await;
    assert!(matches!(failed, Err(Failure::Engine { status: Some(500), .. })), "{failed:?}");
    client.get("/info", "ask").await?;

    server.engine.switch_on(switch("/version", Wire::Slow(150), Some(1)));
    let began = Instant::now();
    client.get("/version", "ask").await?;
    assert!(began.elapsed() >= Duration::from_millis(150));

    post("/sim/switches", json!({"path": "/info", "fault": "hang"})).await?;
    let short = Duration::from_millis(200);
    assert!(tokio::time::timeout(short, client.get("/info", "ask")).await.is_err());
    client.delete("/sim/switches", "clear").await?;
    client.get("/info", "ask").await?;
    let odd = post("/sim/switches", json!({"fault": "gone"})).await;
    assert!(matches!(odd, Err(Failure::Engine { status: Some(400), .. })), "{odd:?}");
    Ok(())
}

#[tokio::test]
async fn a_stream_is_cut_and_a_rotated_log_goes_on() -> Fallible {
    let (client, server, _folder) = served(Setting::default())?;
    let docker = client.docker(WAIT).await?;
    let follow = || LogsOptionsBuilder::default().stdout(true).stderr(true).follow(true).build();
    server.engine.switch_on(switch("/logs", Wire::Cut(300), Some(1)));
    let cut: Result<Vec<LogOutput>, _> =
        docker.logs("shop-api", Some(follow())).try_collect().await;
    assert!(cut.is_err(), "the end was no clean one");

    let mut lines = docker.logs("shop-api", Some(follow()));
    lines.next().await.ok_or("no line")??;
    let rotate = json!({"keep": 0});
    client.post("/sim/containers/shop-api/rotate", Some(&rotate), WAIT, "rotate").await?;
    let say = json!({"lines": ["after the rotation"], "error": true});
    client.post("/sim/containers/shop-api/say", Some(&say), WAIT, "say").await?;
    let found = tokio::time::timeout(WAIT, async {
        while let Some(line) = lines.next().await {
            if line?.to_string().contains("after the rotation") {
                return Ok::<_, bollard::errors::Error>(true);
            }
        }
        Ok(false)
    });
    assert!(found.await??);
    let fresh = LogsOptionsBuilder::default().stdout(true).stderr(true).tail("1").build();
    let all: Vec<LogOutput> = docker.logs("shop-api", Some(fresh)).try_collect().await?;
    assert_eq!(all.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_restart_of_the_daemon_cuts_everything_and_takes_the_socket_away() -> Fallible {
    let (client, _server, _folder) = served(Setting { live_restore: true, ..Setting::default() })?;
    let docker = client.docker(WAIT).await?;
    let mut events = docker.events(None::<EventsOptions>);
    let listening = tokio::spawn(async move { while let Some(Ok(_)) = events.next().await {} });
    // The stream is open once something that happens arrives; then it must end.
    client.post("/containers/shop-web/restart?t=0", None, WAIT, "restart").await?;
    let before = client.get("/containers/shop-db/json", "look").await?;
    let away = json!({"seconds": 0.5});
    client.post("/sim/daemon/restart", Some(&away), WAIT, "restart").await?;
    tokio::time::timeout(WAIT, listening).await??;
    eventually(async || client.get("/info", "ask").await.is_err()).await?;
    eventually(async || client.get("/info", "ask").await.is_ok()).await?;
    let after = client.get("/containers/shop-db/json", "look").await?;
    assert_eq!(before["State"]["StartedAt"], after["State"]["StartedAt"], "it lived on");
    Ok(())
}

#[tokio::test]
async fn a_fast_clock_lets_minutes_pass_in_a_moment() -> Fallible {
    let (client, _server, _folder) = served(Setting::default())?;
    client.post("/sim/clock", Some(&json!({"factor": 200.0})), WAIT, "clock").await?;
    client.post("/sim/break", Some(&json!({"scenario": "oom_leak"})), WAIT, "break").await?;
    // Twenty seconds of a leak, several times.
    eventually(async || {
        let cache = client.get("/containers/shop-cache/json", "look").await.unwrap_or_default();
        cache["RestartCount"].as_u64() >= Some(2)
    })
    .await?;
    let ahead = json!({"ahead_seconds": 86_400});
    client.post("/sim/clock", Some(&ahead), WAIT, "clock").await?;
    eventually(async || {
        let state = client.get("/sim/state", "look").await.unwrap_or_default();
        let now = state["now"].as_str().and_then(|now| now.parse::<Timestamp>().ok());
        now.is_some_and(|now| now.duration_since(Timestamp::now()).as_hours() >= 24)
    })
    .await
}
