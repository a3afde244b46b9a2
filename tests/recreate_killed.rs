//! The server of recreates is killed at every step of a change, and the next start of the built
//! program puts things right and says so: on real containers, with a detour in front of the engine
//! that stops the server at a chosen request.
//!
//! Two moments for each request that changes something: it has not reached the engine; the engine
//! has done it and its answer has not come back. Requests that only look lie between these.

#![expect(clippy::print_stdout, reason = "what each kill came to is a table for the reader")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use mcp_kit::detour::{Detour, Way};
use mcp_kit::testing::{Bench, good};
use rmcp::model::{CallToolRequestParams, JsonObject};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use sentinel_core::domain::names::{is_parked_name, is_staged_name};
use serde_json::{Value, json};

use support::process::{Headless, PATIENCE};
use support::{Corner, Fallible, eventually};

/// Cases at a time.
const AT_ONCE: usize = 5;
/// Longest wait for a server that is told to do something.
const LONG: Duration = Duration::from_mins(1);

const UPDATE: &str = "update_env_vars";
const ROLLBACK: &str = "rollback_container";

/// When the server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The request has not reached the engine.
    Before,
    /// The engine has done it, and nobody has heard so.
    After,
}

/// A container of which nearly every kind of request is needed to make it anew.
struct Place {
    bench: Bench,
    corner: Corner,
    folder: tempfile::TempDir,
}

impl Place {
    /// With a container that runs, and for a rollback with a predecessor.
    async fn new(tool: &str) -> Fallible<Self> {
        let bench = Bench::new("killed")?;
        let host = bench.settings().docker_host.unwrap_or_default();
        let place =
            Self { corner: Corner::on(&host, "killed")?, bench, folder: tempfile::tempdir()? };
        let (front, back) = (place.bench.name("front"), place.bench.name("back"));
        for network in [&front, &back] {
            place.bench.post("/networks/create", Some(&json!({"Name": network}))).await?;
        }
        let mut body = place
            .bench
            .body("echo $MODE > /written; mkdir -p /kept; echo x > /kept/$MODE; exec sleep 600");
        body["Env"] = json!(["MODE=one"]);
        body["Volumes"] = json!({"/anon": {}});
        body["Healthcheck"] = json!({
            "Test": ["CMD-SHELL", "test -e /written"], "Interval": 300_000_000,
            "Timeout": 5_000_000_000_u64, "Retries": 5,
        });
        body["HostConfig"] = json!({"NetworkMode": front, "RestartPolicy": {"Name": "always"}});
        let id = place.bench.create("api", &body).await?;
        let path = format!("/networks/{back}/connect");
        place.bench.post(&path, Some(&json!({"Container": id}))).await?;
        place.bench.post(&format!("/containers/{id}/start"), None).await?;
        place.healthy().await?;
        if tool == ROLLBACK {
            let server = config_patcher::server::ConfigPatcher::new(mcp_kit::Settings {
                state_dir: Some(place.state()),
                ..place.bench.settings()
            });
            let client = mcp_kit::testing::client(server).await?;
            let asked =
                json!({"container_name": place.bench.name("api"), "env_updates": {"MODE": "two"}});
            good(&client, UPDATE, asked).await?;
            client.cancel().await?;
        }
        Ok(place)
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    async fn healthy(&self) -> Fallible<Value> {
        Ok(self.bench.until("api", |now| now["State"]["Health"]["Status"] == "healthy").await?)
    }

    fn arguments(&self, tool: &str) -> Value {
        let name = self.bench.name("api");
        if tool == UPDATE {
            json!({"container_name": name, "env_updates": {"MODE": "new", "ADDED": "1"}})
        } else {
            json!({"container_name": name})
        }
    }

    /// How many entries of the journal there are.
    fn entries(&self) -> Fallible<usize> {
        let folder = self.state().join("recreate");
        let mut count = 0;
        for file in std::fs::read_dir(folder)? {
            count += usize::from(file?.path().extension().is_some_and(|e| e == "json"));
        }
        Ok(count)
    }

    /// The names that there are, but for the predecessors that are kept.
    async fn standing(&self) -> Fallible<Vec<String>> {
        let names = self.bench.names().await?;
        Ok(names.into_iter().filter(|name| !is_parked_name(name)).collect())
    }

    /// How many containers of the service run, under whichever name.
    async fn running(&self) -> Fallible<usize> {
        let mut count = 0;
        for name in self.bench.names().await? {
            if let Ok(found) = self.bench.engine.inspect(&name).await {
                count += usize::from(found.switch("/State/Running"));
            }
        }
        Ok(count)
    }
}

/// The built program as the server, with a client in front of it.
struct Server {
    client: RunningService<RoleClient, ()>,
    pid: u32,
}

impl Server {
    async fn start(place: &Place, socket: &Path) -> Fallible<Self> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sentinel-tui"));
        command
            .args(["mcp-server", "config-patcher"])
            .env_clear()
            .env("HOME", place.folder.path())
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .env("SENTINEL_STATE_DIR", place.state())
            .kill_on_drop(true);
        let (transport, _stderr) =
            TokioChildProcess::builder(command).stderr(Stdio::null()).spawn()?;
        let pid = transport.id().ok_or("the server has no process id")?;
        Ok(Self { client: ().serve(transport).await?, pid })
    }
}

fn kill(pid: u32) -> Fallible {
    let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status()?;
    if done.success() { Ok(()) } else { Err("the server had ended already".into()) }
}

/// Requests without repetitions in a row: how often something is looked at is a matter of time.
fn steps(seen: &[String]) -> Vec<&String> {
    let mut steps: Vec<&String> = Vec::new();
    for request in seen {
        if steps.last() != Some(&request) {
            steps.push(request);
        }
    }
    steps
}

fn changes_something(request: &str) -> bool {
    !request.starts_with("GET ") && !request.starts_with("HEAD ")
}

/// The kind of request, without names and ids.
fn kind(request: &str) -> String {
    let path = request.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part.len() > 20 || part.contains("mcp-") { "…" } else { part })
        .collect();
    parts.join("/")
}

/// The steps of a change that nobody interrupts, as the detour sees them behind `from`.
struct Running {
    place: Place,
    detour: Detour,
    server: Server,
    /// Requests before the call.
    from: Arc<AtomicUsize>,
}

impl Running {
    /// A server that has looked for earlier work and is at rest; `stop_at` says which step of the
    /// call is its last, and how.
    async fn new(tool: &str, stop_at: Option<(usize, Moment)>) -> Fallible<Self> {
        let place = Place::new(tool).await?;
        let from = Arc::new(AtomicUsize::new(usize::MAX));
        let base = Arc::clone(&from);
        let detour = Detour::new(&place.bench, move |seen| {
            let Some((step, moment)) = stop_at else { return Way::Through };
            let own = seen.get(base.load(Ordering::SeqCst)..).unwrap_or_default();
            let done = steps(own).len();
            match moment {
                Moment::Before if done > step => Way::Held,
                Moment::After if done > step => Way::Unanswered,
                _ => Way::Through,
            }
        })?;
        let server = Server::start(&place, detour.socket()).await?;
        let listed = |seen: &[String]| seen.iter().any(|r| r.starts_with("GET /containers/json"));
        detour.until(listed).await?;
        // Its look for earlier work ends with that list; the lock of the journal tells when.
        let settings =
            mcp_kit::Settings { state_dir: Some(place.state()), ..place.bench.settings() };
        drop(config_patcher::journal::Journal::open(&settings).await.map_err(|e| e.to_string())?);
        from.store(detour.seen().len(), Ordering::SeqCst);
        Ok(Self { place, detour, server, from })
    }

    fn own(&self) -> Vec<String> {
        self.detour.seen().split_off(self.from.load(Ordering::SeqCst))
    }

    /// Calls the tool; gives what it answers if it comes to that.
    fn call(&self, tool: &'static str) -> tokio::task::JoinHandle<Fallible<bool>> {
        let (peer, asked) = (self.server.client.peer().clone(), self.place.arguments(tool));
        tokio::spawn(async move {
            let arguments: JsonObject = serde_json::from_value(asked)?;
            let params = CallToolRequestParams::new(tool).with_arguments(arguments);
            Ok(peer.call_tool(params).await?.is_error != Some(true))
        })
    }
}

/// What became of one case.
#[derive(Debug)]
struct Ended {
    request: String,
    moment: Moment,
    /// Containers of the service that ran when the server was dead.
    ran: usize,
    /// From the start of the program to a service that runs and is healthy.
    took: Duration,
    said: String,
}

/// Kills the server at a step, starts the program, and looks at what it did.
async fn case(tool: &'static str, step: usize, moment: Moment) -> Fallible<Ended> {
    let running = Running::new(tool, Some((step, moment))).await?;
    let before = running.place.bench.inspect("api").await?;
    let call = running.call(tool);
    let stuck = async || Ok((running.detour.stuck() > 0).then_some(()));
    eventually("the server stands at its step", LONG, stuck).await?;
    kill(running.server.pid)?;
    let own = running.own();
    let request = steps(&own).last().map(|r| kind(r)).unwrap_or_default();
    // The call ends with its server.
    if matches!(tokio::time::timeout(LONG, call).await?, Ok(Ok(true))) {
        return Err(format!("{request}: a killed server answered").into());
    }
    let Running { place, .. } = &running;
    let (ran, entries) = (place.running().await?, place.entries()?);

    let began = Instant::now();
    let filter = format!("name={}", place.bench.prefix);
    let mut app = Headless::start_over(&place.corner, place.folder.path(), &filter, &[])?;
    let said = if entries > 0 {
        let told = |event: &Value| event["part"] == "recreate";
        let event = app.until("recovered", told)?;
        event["detail"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    let after = place.healthy().await?;
    let took = began.elapsed();
    let name = place.bench.name("api");
    let problem = |what: String| format!("{request} {moment:?}: {what}; it said {said:?}");

    // One container, under its name, with its policy and on its networks; no half of another.
    if place.standing().await? != [name] {
        return Err(problem(format!("{:?} are there", place.standing().await?)).into());
    }
    if place.running().await? != 1 || place.entries()? != 0 {
        return Err(problem("something is left over".to_owned()).into());
    }
    let networks = after["NetworkSettings"]["Networks"].as_object().map_or(0, serde_json::Map::len);
    if after["HostConfig"]["RestartPolicy"]["Name"] != "always" || networks != 2 {
        return Err(problem("its policy or its networks are not what they were".to_owned()).into());
    }
    let is_old = after["Id"] == before["Id"];
    if is_old && after["Config"] != before["Config"] {
        return Err(problem("the old one is not what it was".to_owned()).into());
    }
    let written = format!(
        "/containers/{}/archive?path=/kept/{}",
        after["Id"].as_str().unwrap_or_default(),
        if tool == UPDATE { "one" } else { "two" }
    );
    if place.bench.engine.get(&written, "look at a file").await.is_err() {
        return Err(problem("what it had written is gone".to_owned()).into());
    }
    // What it says is what it did.
    let honest = match said.as_str() {
        "" => true,
        said if said.contains("was rolled back") => is_old,
        said if said.contains("was completed") => !is_old,
        _ => false,
    };
    if !honest {
        return Err(problem(format!(
            "the container is the {} one",
            if is_old { "old" } else { "new" }
        ))
        .into());
    }
    app.stop()?;
    Ok(Ended { request, moment, ran, took, said })
}

/// Every step of one tool's change, at both moments.
async fn every_step_of(tool: &'static str) -> Fallible {
    let whole = Running::new(tool, None).await?;
    if !tokio::time::timeout(LONG, whole.call(tool)).await??? {
        return Err("the change fails even if nobody interrupts it".into());
    }
    let own = whole.own();
    let all: Vec<String> = steps(&own).into_iter().cloned().collect();
    drop(whole);
    let cases: Vec<(usize, Moment)> = all
        .iter()
        .enumerate()
        .filter(|(_, request)| changes_something(request))
        .flat_map(|(step, _)| [(step, Moment::Before), (step, Moment::After)])
        .collect();
    // Two creates (the second with the carried files), two connects, stop, commit, load, start, …
    if cases.len() < 24 {
        return Err(format!("only {} cases: {all:?}", cases.len()).into());
    }
    let mut ended = futures_util::stream::iter(cases)
        .map(|(step, moment)| case(tool, step, moment))
        .buffered(AT_ONCE);
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    while let Some(one) = ended.next().await {
        match one {
            Ok(one) => good.push(one),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    for one in &good {
        println!(
            "{tool}: killed {:<6} {:<38} ran {} healthy after {:>5} ms  {}",
            format!("{:?}", one.moment).to_lowercase(),
            one.request,
            one.ran,
            one.took.as_millis(),
            one.said.rsplit(" was ").next().unwrap_or_default(),
        );
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n").into());
    }
    // The set says something: the service was down in some cases, and both ways were gone.
    let words = |part: &str| good.iter().filter(|one| one.said.contains(part)).count();
    let slow = good.iter().map(|one| one.took).max().unwrap_or_default();
    let down = good.iter().filter(|one| one.ran == 0).count();
    println!(
        "{tool}: {} kills, {down} with the service down, {} rolled back, {} completed, longest {} ms",
        good.len(),
        words("rolled back"),
        words("completed"),
        slow.as_millis()
    );
    if down == 0 || words("rolled back") == 0 || words("completed") == 0 || slow > PATIENCE {
        return Err("the cases do not cover what they are for".into());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_change_of_variables_that_is_killed_at_any_step_is_put_right_by_the_next_start()
-> Fallible {
    every_step_of(UPDATE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_rollback_that_is_killed_at_any_step_is_put_right_by_the_next_start() -> Fallible {
    every_step_of(ROLLBACK).await
}

#[test]
fn steps_are_requests_without_repetitions_in_a_row() {
    let seen: Vec<String> = ["GET /a", "GET /a", "POST /b", "GET /a"].map(str::to_owned).to_vec();
    assert_eq!(steps(&seen), [&seen[0], &seen[2], &seen[3]]);
    assert!(is_staged_name("api-staged-20260101000000"));
    let by_kind: BTreeMap<String, usize> = seen.iter().map(|r| (kind(r), 1)).collect();
    assert_eq!(by_kind.len(), 2);
}
