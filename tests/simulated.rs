//! The built binary on the simulated engine: what is broken is detected, fixed by the real MCP
//! servers, and resolved; broken streams and a daemon that starts anew lose and double nothing.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use docker_sim::engine::Engine;
use docker_sim::process::Fault;
use docker_sim::scenario::{Breakage, break_world, shop};
use docker_sim::server::Server;
use docker_sim::switches::{Switch, Wire};
use docker_sim::version::Api;
use docker_sim::world::Setting;
use jiff::Timestamp;
use serde_json::Value;
use support::process::Headless;
use support::{Corner, Fallible};
use tempfile::TempDir;

/// What is watched: the shop.
const SHOP: &str = "label=com.docker.compose.project=shop";

/// A shop whose health checks are quick.
fn served() -> Fallible<(Server, Corner, TempDir)> {
    let folder = tempfile::tempdir()?;
    let setting =
        Setting { api: Api::BEFORE_START_INTERVAL, live_restore: true, ..Setting::default() };
    let engine = Engine::new(shop(setting, Timestamp::now())?);
    let server = Server::start(engine, &folder.path().join("engine.sock"))?;
    let corner = Corner::on(&server.url(), "sim")?;
    Ok((server, corner, folder))
}

fn of(name: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["incident"]["container"] == name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_and_a_leak_are_healed_on_the_simulated_engine() -> Fallible {
    let (server, corner, folder) = served()?;
    let mut app = Headless::start_over(&corner, folder.path(), SHOP, &["--auto-heal"])?;
    server.engine.change(|world| world.inject("shop-api", Fault::Crash))?;
    app.until("incident_opened", of("shop-api"))?;
    let staged = app.until("fix_staged", |_| true)?;
    assert_eq!(staged["fix"]["tool"], "start_container");
    app.until("incident_resolved", of("shop-api"))?;
    let up = server.engine.look(|world| world.look("shop-api").map(|(_, c)| c.is_up()))?;
    assert!(up, "the MCP server started it");

    server.engine.change(|world| break_world(world, Breakage::OomLeak))?;
    app.until("incident_opened", of("shop-cache"))?;
    let raised = app.until("fix_staged", |event| event["fix"]["tool"] == "update_resources")?;
    assert!(
        raised["fix"]["docker"].to_string().contains("96m") || raised.to_string().contains("96m")
    );
    app.until("incident_resolved", of("shop-cache"))?;
    let limit = server.engine.look(|world| world.look("shop-cache").map(|(_, c)| c.spec.memory))?;
    assert_eq!(limit, Some(96 << 20));
    app.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_streams_and_a_restarted_daemon_lose_and_double_no_line() -> Fallible {
    const LINES: usize = 60;
    let (server, corner, folder) = served()?;
    let mut app = Headless::start_over(&corner, folder.path(), SHOP, &["--logs"])?;
    for i in 0..LINES {
        server.engine.change(|world| {
            world.say("shop-db", i % 2 == 0, &[format!("INFO  numbered line {i:03} of many")])
        })?;
        match i {
            10 | 30 => {
                let fault = Wire::Cut(200);
                let path = "/logs".to_owned();
                server.engine.switch_on(Switch { path, method: None, fault, times: Some(8) });
            }
            20 | 40 => server.engine.restart_daemon(Duration::from_millis(300)),
            _ => {}
        }
        // The lines must fall before, between and after the breaks.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let last = format!("numbered line {:03}", LINES - 1);
    app.until("log", |event| event["message"].as_str().is_some_and(|m| m.contains(&last)))?;
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for event in app.events.iter().filter(|e| e["type"] == "log") {
        let message = event["message"].as_str().unwrap_or_default();
        if message.contains("numbered line") {
            *seen.entry(message.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), LINES, "{seen:?}");
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    app.stop()?;
    Ok(())
}
