//! The contract: the same assertions on the simulated engine and on a real one. What a container
//! does stands in it twice, as a script for the real engine and as a program for the simulated one.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::{EventsOptionsBuilder, LogsOptionsBuilder};
use docker_sim::engine::Engine as Simulated;
use docker_sim::program::LABEL;
use docker_sim::server::Server;
use docker_sim::version::Api;
use docker_sim::world::{Setting, World};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::settings::Settings;
use mcp_kit::testing::{Bench, Outcome};
use serde_json::{Map, Value, json};

const IMAGE: &str = "sentinel-test/busybox:1";
const WAIT: Duration = Duration::from_secs(30);

/// A simulated engine for one test, and a bench on it.
fn simulated(setting: Setting) -> Outcome<(Bench, Server, tempfile::TempDir)> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut world = World::new(setting, Timestamp::now());
    let config = json!({"Cmd": ["sh"], "Env": ["PATH=/bin"]});
    world.add_image(IMAGE, serde_json::from_value(config).map_err(|e| e.to_string())?);
    let server = Server::start(Simulated::new(world), &folder.path().join("engine.sock"))
        .map_err(|e| e.to_string())?;
    let settings = Settings { docker_host: Some(server.url()), ..Settings::default() };
    let bench = Bench {
        engine: Engine::new(settings),
        prefix: "contract".to_owned(),
        image: IMAGE.to_owned(),
    };
    Ok((bench, server, folder))
}

/// The same contract on both engines.
macro_rules! contract {
    ($name:ident) => {
        mod $name {
            use super::{Api, Bench, Outcome, Setting, simulated};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn simulated_engine() -> Outcome<()> {
                for api in ["1.40", "1.41", "1.47", "1.53"] {
                    let api: Api = api.parse()?;
                    let cgroup = if api == Api::DEFAULT { 2 } else { 1 };
                    let (bench, _server, _folder) =
                        simulated(Setting { api, cgroup, ..Setting::default() })?;
                    super::check::$name(&bench).await.map_err(|e| format!("API {api}: {e}"))?;
                }
                Ok(())
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a Docker engine: run scripts/test.sh"]
            async fn real_engine() -> Outcome<()> {
                super::check::$name(&Bench::new("contract")?).await
            }
        }
    };
}

contract!(life);
contract!(pauses);
contract!(events);
contract!(logs);
contract!(terminal_logs);
contract!(statistics);
contract!(updates);
contract!(names);
contract!(networks);
contract!(commands);
contract!(restart_policy);
contract!(health);
contract!(waiting);
contract!(nothing_there);
contract!(images);

/// A container that runs until it is told to stop, and what it says first.
const PATIENT: &str = "trap 'exit 0' TERM; echo out; echo err >&2; while :; do sleep 0.02; done";

fn body(bench: &Bench, script: &str, program: &Value) -> Value {
    let mut body = bench.body(script);
    body["Labels"][LABEL] = json!(program.to_string());
    body
}

fn patient(bench: &Bench) -> Value {
    let says = json!({"says": [{"text": "out"}, {"text": "err", "error": true}]});
    body(bench, PATIENT, &says)
}

/// The status that a request was refused with.
fn status(result: Result<Value, Failure>) -> Outcome<(u16, String)> {
    match result {
        Err(Failure::Engine { status: Some(status), reason, .. }) => Ok((status, reason)),
        other => Err(format!("it should have been refused: {other:?}")),
    }
}

async fn refused(bench: &Bench, path: &str, body: Option<&Value>) -> Outcome<(u16, String)> {
    status(bench.engine.post(path, body, WAIT, path).await)
}

#[expect(clippy::needless_pass_by_value, reason = "the assertions read better with values")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, wanted: T) -> Outcome<()> {
    if is == wanted { Ok(()) } else { Err(format!("{what}: {is:?}, not {wanted:?}")) }
}

fn holds(what: &str, is: bool, seen: &impl std::fmt::Debug) -> Outcome<()> {
    if is { Ok(()) } else { Err(format!("{what}: {seen:?}")) }
}

fn keys(value: &Value, wanted: &[&str]) -> Outcome<()> {
    let missing: Vec<_> = wanted.iter().filter(|p| value.pointer(p).is_none()).collect();
    holds("every field is there", missing.is_empty(), &missing)
}

mod check {
    use super::*;

    pub(super) async fn life(bench: &Bench) -> Outcome<()> {
        let id = bench.create("life", &patient(bench)).await?;
        let name = bench.name("life");
        let made = bench.inspect("life").await?;
        same("created", &made["State"]["Status"], &json!("created"))?;
        same("never started", &made["State"]["StartedAt"], &json!("0001-01-01T00:00:00Z"))?;
        keys(
            &made,
            &[
                "/Created",
                "/Path",
                "/Args",
                "/Image",
                "/RestartCount",
                "/Mounts",
                "/State/Pid",
                "/State/OOMKilled",
                "/State/Error",
                "/State/FinishedAt",
                "/Config/Tty",
                "/Config/Env",
                "/Config/Cmd",
                "/Config/StopTimeout",
                "/HostConfig/Memory",
                "/HostConfig/MemorySwap",
                "/HostConfig/RestartPolicy/Name",
                "/HostConfig/AutoRemove",
                "/HostConfig/NanoCpus",
                "/HostConfig/ShmSize",
                "/HostConfig/LogConfig/Type",
                "/HostConfig/ReadonlyRootfs",
                "/NetworkSettings/Networks/bridge",
                "/HostConfig/NetworkMode",
            ],
        )?;
        let of = |action: &str| format!("/containers/{name}/{action}");
        same("killing what never ran", refused(bench, &of("kill"), None).await?.0, 409)?;
        bench.post(&of("start"), None).await?;
        bench.post(&of("start"), None).await?;
        let first = bench.until("life", |c| c["State"]["Running"] == true).await?;
        same("not in a delay", &first["State"]["Restarting"], &json!(false))?;
        holds("it has a process", first["State"]["Pid"].as_u64() > Some(1), &first["State"])?;

        let filters = format!("%7B%22name%22%3A%5B%22{name}%22%5D%7D");
        let listed = bench.engine.get(&format!("/containers/json?filters={filters}"), "").await;
        let listed = listed.map_err(|e| e.to_string())?;
        same("one row", listed.as_array().map(Vec::len), Some(1))?;
        let row = &listed[0];
        same("its id", &row["Id"], &json!(id))?;
        same("its name", &row["Names"], &json!([format!("/{name}")]))?;
        same("its state", &row["State"], &json!("running"))?;
        same("its image", &row["Image"], &json!(bench.image))?;
        holds("how long", row["Status"].as_str().is_some_and(|s| s.starts_with("Up ")), row)?;
        keys(
            row,
            &[
                "/Created",
                "/Command",
                "/Labels",
                "/ImageID",
                "/Ports",
                "/Mounts",
                "/HostConfig/NetworkMode",
                "/NetworkSettings/Networks",
            ],
        )?;

        bench.post(&of("restart"), None).await?;
        let second = bench.inspect("life").await?;
        same("it runs again", &second["State"]["Status"], &json!("running"))?;
        holds(
            "anew",
            second["State"]["StartedAt"] != first["State"]["StartedAt"],
            &second["State"],
        )?;
        same("its policy did nothing", &second["RestartCount"], &json!(0))?;
        let delete = async || bench.engine.delete(&format!("/containers/{name}"), "remove").await;
        let (code, why) = status(delete().await)?;
        same("not while it runs", (code, why.contains("cannot remove")), (409, true))?;
        bench.post(&of("stop"), None).await?;
        let stopped = bench.inspect("life").await?;
        same("stopped", &stopped["State"]["Status"], &json!("exited"))?;
        same("by its own will", &stopped["State"]["ExitCode"], &json!(0))?;
        bench.post(&of("stop"), None).await?;
        same("no process to pause", refused(bench, &of("pause"), None).await?.0, 409)?;
        bench.post(&of("start"), None).await?;
        bench.post(&of("kill"), None).await?;
        let killed = bench.until("life", |c| c["State"]["Running"] == false).await?;
        same("killed", &killed["State"]["ExitCode"], &json!(137))?;
        same("not by the kernel", &killed["State"]["OOMKilled"], &json!(false))?;
        let again = bench.inspect("life").await?;
        same("no process", &again["State"]["Pid"], &json!(0))?;
        delete().await.map_err(|e| e.to_string())?;
        same("gone", status(delete().await)?.0, 404)
    }

    pub(super) async fn pauses(bench: &Bench) -> Outcome<()> {
        bench.run("still", &patient(bench)).await?;
        let name = bench.name("still");
        let of = |action: &str| format!("/containers/{name}/{action}");
        bench.post(&of("pause"), None).await?;
        let paused = bench.inspect("still").await?;
        same("paused", &paused["State"]["Status"], &json!("paused"))?;
        same("and running", &paused["State"]["Running"], &json!(true))?;
        let (code, why) = refused(bench, &of("pause"), None).await?;
        same("twice", (code, why.contains("already paused")), (409, true))?;
        let exec = json!({"Cmd": ["true"]});
        same("no command in it", refused(bench, &of("exec"), Some(&exec)).await?.0, 409)?;
        bench.post(&of("unpause"), None).await?;
        same("not paused", refused(bench, &of("unpause"), None).await?.0, 500)
    }

    pub(super) async fn events(bench: &Bench) -> Outcome<()> {
        let net = bench.name("net");
        bench.post("/networks/create", Some(&json!({"Name": net}))).await?;
        let docker = bench.engine.docker(WAIT).await.map_err(|e| e.to_string())?;
        let began = Timestamp::now();
        let mut body = patient(bench);
        body["HostConfig"] = json!({"NetworkMode": net});
        let id = bench.run("told", &body).await?;
        let name = bench.name("told");
        bench.post(&format!("/containers/{name}/restart"), None).await?;
        bench.post(&format!("/containers/{name}/pause"), None).await?;
        bench.post(&format!("/containers/{name}/stop"), None).await?;
        bench.post(&format!("/containers/{name}/start"), None).await?;
        bench.post(&format!("/containers/{name}/kill?signal=KILL"), None).await?;
        bench.until("told", |c| c["State"]["Running"] == false).await?;
        let path = format!("/containers/{name}");
        bench.engine.delete(&path, "remove").await.map_err(|e| e.to_string())?;
        let ended = Timestamp::now();
        let moment = |at: Timestamp| format!("{}.{:09}", at.as_second(), at.subsec_nanosecond());
        let read = async |filters: Vec<(&str, &str)>| {
            let filters: std::collections::HashMap<String, Vec<String>> =
                filters.into_iter().map(|(k, v)| (k.to_owned(), vec![v.to_owned()])).collect();
            let options = EventsOptionsBuilder::default()
                .since(&moment(began))
                .until(&moment(ended))
                .filters(&filters)
                .build();
            let all: Vec<_> = docker
                .events(Some(options))
                .try_collect()
                .await
                .map_err(|e: bollard::errors::Error| e.to_string())?;
            Ok::<_, String>(all)
        };
        let all = read(vec![("container", &name)]).await?;
        let actions: Vec<&str> = all.iter().filter_map(|e| e.action.as_deref()).collect();
        same(
            "a life",
            actions,
            vec![
                "create", "start", "kill", "die", "stop", "start", "restart", "pause", "kill",
                "unpause", "die", "stop", "start", "kill", "die", "destroy",
            ],
        )?;
        for event in &all {
            let actor = event.actor.clone().unwrap_or_default();
            let attributes = actor.attributes.unwrap_or_default();
            same("whose", actor.id.as_deref(), Some(id.as_str()))?;
            same("its name", attributes.get("name"), Some(&name))?;
            same("its image", attributes.get("image"), Some(&bench.image))?;
            holds("its labels", attributes.contains_key("sre-sentinel.monitor"), &attributes)?;
            let (nanos, seconds) = (event.time_nano.unwrap_or(0), event.time.unwrap_or(0));
            same("both times", nanos / 1_000_000_000, seconds)?;
            match event.action.as_deref() {
                Some("die") => {
                    holds("its status", attributes.contains_key("exitCode"), &attributes)?;
                }
                Some("kill") => holds(
                    "the signal",
                    attributes.get("signal").is_some_and(|s| s == "15" || s == "9"),
                    &attributes,
                )?,
                _ => {}
            }
        }
        let filtered = read(vec![("container", &name), ("event", "die"), ("type", "container")]);
        same("only the ends", filtered.await?.len(), 3)?;
        let net_events = read(vec![("type", "network"), ("network", &net)]).await?;
        let mut actions: Vec<&str> =
            net_events.iter().filter_map(|e| e.action.as_deref()).collect();
        // Where they stand between those of the container differs from version to version.
        actions.sort_unstable();
        same(
            "the network's",
            actions,
            vec!["connect", "connect", "connect", "disconnect", "disconnect", "disconnect"],
        )?;
        let path = format!("/networks/{net}");
        bench.engine.delete(&path, "remove").await.map(drop).map_err(|e| e.to_string())
    }

    async fn read_log(
        bench: &Bench,
        part: &str,
        options: LogsOptionsBuilder,
    ) -> Outcome<Vec<String>> {
        let docker = bench.engine.docker(WAIT).await.map_err(|e| e.to_string())?;
        let all: Vec<LogOutput> = docker
            .logs(&bench.name(part), Some(options.build()))
            .try_collect()
            .await
            .map_err(|e| e.to_string())?;
        Ok(all
            .into_iter()
            .map(|output| match output {
                LogOutput::StdErr { message } => format!("2 {}", String::from_utf8_lossy(&message)),
                other => format!("1 {}", String::from_utf8_lossy(other.as_ref())),
            })
            .collect())
    }

    pub(super) async fn logs(bench: &Bench) -> Outcome<()> {
        let script = "for i in 1 2 3 4; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done; sleep 1.2; echo late; sleep 0.3";
        let mut says: Vec<Value> = Vec::new();
        for i in 1..=4 {
            let at = 40 * (i - 1);
            says.push(json!({"after_ms": at, "text": format!("out {i}")}));
            says.push(json!({"after_ms": at + 20, "text": format!("err {i}"), "error": true}));
        }
        says.push(json!({"after_ms": 1360, "text": "late"}));
        let program = json!({"says": says, "exit": {"after_ms": 1660}});
        bench.run("log", &body(bench, script, &program)).await?;
        let both = || LogsOptionsBuilder::default().stdout(true).stderr(true);
        // A follower reads to the end of the run.
        let followed = read_log(bench, "log", both().follow(true)).await?;
        let expected: Vec<String> = (1..=4)
            .flat_map(|i| [format!("1 out {i}\n"), format!("2 err {i}\n")])
            .chain(["1 late\n".to_owned()])
            .collect();
        same("all that was said", &followed, &expected)?;
        bench.until("log", |c| c["State"]["Running"] == false).await?;
        same("read again", &read_log(bench, "log", both()).await?, &expected)?;
        let ended = read_log(bench, "log", both().follow(true)).await?;
        same("a follower of an ended one ends", &ended, &expected)?;
        let tail = read_log(bench, "log", both().tail("2")).await?;
        same("the newest", tail, vec!["2 err 4\n".to_owned(), "1 late\n".to_owned()])?;
        let errors = LogsOptionsBuilder::default().stderr(true);
        same("one stream", read_log(bench, "log", errors).await?.len(), 4)?;

        let timed = read_log(bench, "log", both().timestamps(true)).await?;
        let mut moments = Vec::new();
        for line in &timed {
            let text = line.get(2..).unwrap_or_default();
            let (at, _) = text.split_once(' ').ok_or("no time before the line")?;
            same("nine digits", at.len(), "2026-01-01T00:00:00.000000000Z".len())?;
            moments.push(at.parse::<Timestamp>().map_err(|e| e.to_string())?);
        }
        holds("times rise", moments.is_sorted(), &moments)?;
        let last = moments.last().copied().unwrap_or_default();
        let since = i32::try_from(last.as_second()).map_err(|e| e.to_string())?;
        let later = read_log(bench, "log", both().since(since)).await?;
        let fitting = moments.iter().filter(|at| at.as_second() >= since.into()).count();
        same("since", later.len(), fitting)?;
        let earlier = read_log(bench, "log", both().until(since)).await?;
        same("until", earlier.len(), timed.len() - fitting)?;
        let path = format!("/containers/{}/logs", bench.name("log"));
        let none = bench.engine.get(&path, "").await;
        same("neither stream", status(none)?.0, 400)
    }

    pub(super) async fn terminal_logs(bench: &Bench) -> Outcome<()> {
        let says = json!({"says": [{"text": "one"}, {"text": "two"}], "exit": {"after_ms": 50}});
        let mut wanted = body(bench, "echo one; echo two >&2", &says);
        wanted["Tty"] = json!(true);
        bench.run("tty", &wanted).await?;
        bench.until("tty", |c| c["State"]["Status"] == "exited").await?;
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true);
        let whole = read_log(bench, "tty", options).await?.concat().replace("1 ", "");
        same("as a terminal shows it", whole.as_str(), "one\r\ntwo\r\n")
    }

    pub(super) async fn statistics(bench: &Bench) -> Outcome<()> {
        let mut wanted = patient(bench);
        wanted["HostConfig"] = json!({"Memory": 64 << 20, "NanoCpus": 500_000_000});
        bench.run("used", &wanted).await?;
        let path = format!("/containers/{}/stats?stream=false&one-shot=true", bench.name("used"));
        let read = async || bench.engine.get(&path, "read").await.map_err(|e| e.to_string());
        let first = read().await?;
        keys(
            &first,
            &[
                "/read",
                "/cpu_stats/cpu_usage/total_usage",
                "/cpu_stats/system_cpu_usage",
                "/cpu_stats/online_cpus",
                "/cpu_stats/throttling_data/periods",
                "/memory_stats/usage",
                "/memory_stats/stats",
                "/pids_stats/current",
                "/blkio_stats/io_service_bytes_recursive",
                "/networks/eth0/rx_bytes",
                "/networks/eth0/tx_bytes",
                "/name",
                "/id",
            ],
        )?;
        same("its limit", &first["memory_stats"]["limit"], &json!(64 << 20))?;
        let stats = &first["memory_stats"]["stats"];
        let one = stats.get("total_inactive_file").is_some();
        let two = stats.get("anon").is_some();
        holds("one of both generations", one != two, stats)?;
        let cpu = |v: &Value| v["cpu_stats"]["cpu_usage"]["total_usage"].as_u64();
        let mut second = read().await?;
        for _ in 0..100 {
            if cpu(&second) > cpu(&first) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            second = read().await?;
        }
        holds("it works", cpu(&second) > cpu(&first), &second["cpu_stats"])?;
        bench.post(&format!("/containers/{}/stop", bench.name("used")), None).await?;
        let stopped = read().await?;
        holds("nothing is used", stopped["memory_stats"].get("usage").is_none(), &stopped)
    }

    pub(super) async fn updates(bench: &Bench) -> Outcome<()> {
        let mut wanted = patient(bench);
        wanted["HostConfig"] = json!({"Memory": 64 << 20});
        bench.run("limits", &wanted).await?;
        let path = format!("/containers/{}/update", bench.name("limits"));
        let before = bench.inspect("limits").await?;
        same("twice the memory", &before["HostConfig"]["MemorySwap"], &json!(128 << 20))?;
        let too_high = json!({"Memory": 256 << 20});
        let (code, why) = refused(bench, &path, Some(&too_high)).await?;
        holds("the swap is in the way", why.contains("Cannot update container"), &(code, &why))?;
        let fits = json!({"Memory": 256 << 20, "MemorySwap": 256 << 20});
        let answer = bench.post(&path, Some(&fits)).await?;
        keys(&answer, &["/Warnings"])?;
        let after = bench.inspect("limits").await?;
        same("raised", &after["HostConfig"]["Memory"], &json!(256 << 20))?;
        same("not restarted", &after["State"]["StartedAt"], &before["State"]["StartedAt"])?;
        let policy = json!({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}});
        bench.post(&path, Some(&policy)).await?;
        let after = bench.inspect("limits").await?;
        same("a policy", &after["HostConfig"]["RestartPolicy"]["Name"], &json!("on-failure"))?;
        same("and memory as it was", &after["HostConfig"]["Memory"], &json!(256 << 20))?;
        let mut tiny = patient(bench);
        tiny["HostConfig"] = json!({"Memory": 1 << 20});
        let create = format!("/containers/create?name={}", bench.name("tiny"));
        same("too small", refused(bench, &create, Some(&tiny)).await?.0, 400)
    }

    pub(super) async fn names(bench: &Bench) -> Outcome<()> {
        bench.create("one", &patient(bench)).await?;
        let id = bench.create("two", &patient(bench)).await?;
        let taken = format!("/containers/{id}/rename?name={}", bench.name("one"));
        let (code, why) = refused(bench, &taken, None).await?;
        same("taken", (code, why.contains("already in use")), (409, true))?;
        let create = format!("/containers/create?name={}", bench.name("one"));
        same("taken", refused(bench, &create, Some(&patient(bench))).await?.0, 409)?;
        bench.post(&format!("/containers/{id}/rename?name={}", bench.name("three")), None).await?;
        same("renamed", &bench.inspect("three").await?["Id"], &json!(id))?;
        holds("the old name is free", bench.inspect("two").await.is_err(), &id)?;
        let short = id.get(..12).unwrap_or_default();
        let found = bench.engine.get(&format!("/containers/{short}/json"), "").await;
        same("by its short id", &found.map_err(|e| e.to_string())?["Id"], &json!(id))?;
        let bad = "/containers/create?name=-bad-";
        same("no name", refused(bench, bad, Some(&patient(bench))).await?.0, 400)
    }

    pub(super) async fn networks(bench: &Bench) -> Outcome<()> {
        let (net, name) = (bench.name("net"), bench.name("in"));
        let made = bench.post("/networks/create", Some(&json!({"Name": net}))).await?;
        let mut wanted = patient(bench);
        wanted["HostConfig"] = json!({"NetworkMode": net});
        wanted["NetworkingConfig"] = json!({"EndpointsConfig": {&net: {"Aliases": ["inside"]}}});
        let id = bench.run("in", &wanted).await?;
        let inspect = bench.inspect("in").await?;
        let place = &inspect["NetworkSettings"]["Networks"][&net];
        same("which network", &place["NetworkID"], &made["Id"])?;
        let aliases = place["Aliases"].as_array().cloned().unwrap_or_default();
        holds("its alias", aliases.contains(&json!("inside")), &aliases)?;
        let address = place["IPAddress"].as_str().unwrap_or_default();
        holds("an address", address.split('.').count() == 4, place)?;
        let network = bench.engine.get(&format!("/networks/{net}"), "").await;
        let network = network.map_err(|e| e.to_string())?;
        same("who is inside", &network["Containers"][&id]["Name"], &json!(name))?;
        let delete = async || bench.engine.delete(&format!("/networks/{net}"), "remove").await;
        same("in use", status(delete().await)?.0, 403)?;
        let who = json!({"Container": name});
        let connect = format!("/networks/{net}/connect");
        let disconnect = format!("/networks/{net}/disconnect");
        same("twice", refused(bench, &connect, Some(&who)).await?.0, 403)?;
        bench.post(&disconnect, Some(&who)).await?;
        same("not in it", refused(bench, &disconnect, Some(&who)).await?.0, 500)?;
        let outside = bench.inspect("in").await?;
        same("outside", &outside["NetworkSettings"]["Networks"][&net], &Value::Null)?;
        let again = json!({"Container": name, "EndpointConfig": {"Aliases": ["back"]}});
        bench.post(&connect, Some(&again)).await?;
        let inside = bench.inspect("in").await?;
        let aliases = inside["NetworkSettings"]["Networks"][&net]["Aliases"].clone();
        holds(
            "its new alias",
            aliases.as_array().is_some_and(|a| a.contains(&json!("back"))),
            &aliases,
        )?;
        bench.post(&format!("/containers/{name}/stop"), None).await?;
        let stopped = bench.inspect("in").await?;
        let place = &stopped["NetworkSettings"]["Networks"][&net];
        same("no address when stopped", &place["IPAddress"], &json!(""))?;
        let path = format!("/containers/{name}");
        bench.engine.delete(&path, "remove").await.map_err(|e| e.to_string())?;
        delete().await.map_err(|e| e.to_string())?;
        same("gone", status(delete().await)?.0, 404)
    }

    pub(super) async fn commands(bench: &Bench) -> Outcome<()> {
        bench.run("exec", &patient(bench)).await?;
        let docker = bench.engine.docker(WAIT).await.map_err(|e| e.to_string())?;
        for (command, code, said) in
            [(vec!["true"], 0, ""), (vec!["false"], 1, ""), (vec!["echo", "a", "b"], 0, "a b\n")]
        {
            let options = bollard::exec::CreateExecOptions {
                cmd: Some(command),
                attach_stdout: Some(true),
                attach_stderr: Some(true),
                ..Default::default()
            };
            let made = docker.create_exec(&bench.name("exec"), options).await;
            let id = made.map_err(|e| e.to_string())?.id;
            let started = docker.start_exec(&id, None).await.map_err(|e| e.to_string())?;
            let bollard::exec::StartExecResults::Attached { output, .. } = started else {
                return Err("it was not attached".to_owned());
            };
            let pieces: Vec<LogOutput> = output.try_collect().await.map_err(|e| e.to_string())?;
            let text: String =
                pieces.iter().map(|p| String::from_utf8_lossy(p.as_ref()).into_owned()).collect();
            same("what it said", text.as_str(), said)?;
            let path = format!("/exec/{id}/json");
            let mut ended = Value::Null;
            for _ in 0..100 {
                ended = bench.engine.get(&path, "").await.map_err(|e| e.to_string())?;
                if ended["Running"] == false {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            same("how it ended", &ended["ExitCode"], &json!(code))?;
        }
        let path = format!("/containers/{}/exec", bench.name("exec"));
        same("no command", refused(bench, &path, Some(&json!({"Cmd": []}))).await?.0, 400)?;
        let top =
            format!("/containers/{}/top?ps_args=-eo%20pid,user,time,args", bench.name("exec"));
        let top = bench.engine.get(&top, "").await.map_err(|e| e.to_string())?;
        same("columns", top["Titles"].as_array().map(Vec::len), Some(4))?;
        holds("a process", top["Processes"].as_array().is_some_and(|p| !p.is_empty()), &top)?;
        bench.post(&format!("/containers/{}/stop", bench.name("exec")), None).await?;
        same("stopped", refused(bench, &path, Some(&json!({"Cmd": ["true"]}))).await?.0, 409)
    }

    pub(super) async fn restart_policy(bench: &Bench) -> Outcome<()> {
        let program = json!({"exit": {"after_ms": 20, "code": 3}});
        let mut wanted = body(bench, "sleep 0.02; exit 3", &program);
        wanted["HostConfig"] =
            json!({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}});
        bench.run("again", &wanted).await?;
        let given_up = bench
            .until("again", |c| c["State"]["Status"] == "exited" && c["RestartCount"] == 2)
            .await?;
        same("its last status", &given_up["State"]["ExitCode"], &json!(3))?;
        // Between two runs it counts as running.
        wanted["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
        bench.run("delay", &wanted).await?;
        let delayed = bench.until("delay", |c| c["State"]["Status"] == "restarting").await?;
        same("it counts as running", &delayed["State"]["Running"], &json!(true))?;
        same("and as restarting", &delayed["State"]["Restarting"], &json!(true))?;
        bench.until("delay", |c| c["RestartCount"].as_u64() >= Some(4)).await?;
        bench.post(&format!("/containers/{}/stop", bench.name("delay")), None).await?;
        bench.until("delay", |c| c["State"]["Status"] == "exited").await.map(drop)
    }

    pub(super) async fn health(bench: &Bench) -> Outcome<()> {
        let second = 1_000_000_000_u64;
        let check = |command: &str| json!({"Test": ["CMD", command], "Interval": second / 5, "Timeout": second, "Retries": 2});
        let mut well = patient(bench);
        well["Healthcheck"] = check("true");
        let mut sick = patient(bench);
        sick["Healthcheck"] = check("false");
        bench.run("well", &well).await?;
        bench.run("sick", &sick).await?;
        let well = bench.until("well", |c| c["State"]["Health"]["Status"] == "healthy").await?;
        keys(&well["State"]["Health"]["Log"][0], &["/Start", "/End", "/ExitCode", "/Output"])?;
        same("no failure", &well["State"]["Health"]["FailingStreak"], &json!(0))?;
        let sick = bench.until("sick", |c| c["State"]["Health"]["Status"] == "unhealthy").await?;
        let streak = sick["State"]["Health"]["FailingStreak"].as_u64();
        holds("two in a row", streak >= Some(2), &sick["State"]["Health"])?;
        same("it runs on", &sick["State"]["Status"], &json!("running"))
    }

    pub(super) async fn waiting(bench: &Bench) -> Outcome<()> {
        let program = json!({"exit": {"after_ms": 100, "code": 5}});
        bench.run("end", &body(bench, "sleep 0.1; exit 5", &program)).await?;
        let path = format!("/containers/{}/wait", bench.name("end"));
        same("its status", &bench.post(&path, None).await?["StatusCode"], &json!(5))?;
        same("at once", &bench.post(&path, None).await?["StatusCode"], &json!(5))
    }

    pub(super) async fn nothing_there(bench: &Bench) -> Outcome<()> {
        for action in
            ["start", "stop", "restart", "kill", "pause", "unpause", "rename?name=x-y", "wait"]
        {
            let (code, why) =
                refused(bench, &format!("/containers/no-such/{action}"), None).await?;
            holds(
                action,
                code == 404 && why.contains("No such container: no-such"),
                &(code, &why),
            )?;
        }
        for path in [
            "/containers/no-such/json",
            "/containers/no-such/logs?stdout=1",
            "/exec/no-such/json",
            "/containers/no-such/stats?stream=false",
            "/containers/no-such/top",
            "/containers/no-such/changes",
            "/images/no-such/json",
            "/networks/no-such",
            "/no-such",
        ] {
            same(path, status(bench.engine.get(path, "").await)?.0, 404)?;
        }
        let mut body = patient(bench);
        body["Image"] = json!("no-such:1");
        let create = format!("/containers/create?name={}", bench.name("x"));
        let (code, why) = refused(bench, &create, Some(&body)).await?;
        same("no image", (code, why.contains("No such image: no-such:1")), (404, true))?;
        let (code, why) = status(bench.engine.get("/v1.99/info", "").await)?;
        same("too new", (code, why.contains("1.99 is too new")), (400, true))?;
        let (code, why) = status(bench.engine.get("/v1.9/info", "").await)?;
        same("too old", (code, why.contains("1.9 is too old")), (400, true))?;
        let filter = "/containers/json?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D";
        same("no such filter", status(bench.engine.get(filter, "").await)?.0, 400)?;
        let info = bench.engine.get("/info", "").await.map_err(|e| e.to_string())?;
        keys(
            &info,
            &[
                "/ID",
                "/Name",
                "/NCPU",
                "/MemTotal",
                "/SystemTime",
                "/ServerVersion",
                "/CgroupVersion",
            ],
        )?;
        let version = bench.engine.get("/version", "").await.map_err(|e| e.to_string())?;
        keys(&version, &["/Version", "/ApiVersion", "/MinAPIVersion", "/Os"])
    }

    pub(super) async fn images(bench: &Bench) -> Outcome<()> {
        let id = bench.create("base", &patient(bench)).await?;
        let tag = bench.name("kept");
        let path = format!("/commit?container={id}&repo=sentinel-contract&tag={tag}&pause=false");
        let config: Map<String, Value> =
            [("Cmd".to_owned(), json!(["true"]))].into_iter().collect();
        let made = bench.post(&path, Some(&Value::Object(config))).await?;
        let name = format!("sentinel-contract:{tag}");
        let kept = bench.engine.get(&format!("/images/{name}/json"), "").await;
        let kept = kept.map_err(|e| e.to_string())?;
        same("by its name", &kept["Id"], &made["Id"])?;
        keys(&kept, &["/Config/Cmd", "/RootFS/Layers", "/Created"])?;
        let all = bench.engine.get("/images/json", "").await.map_err(|e| e.to_string())?;
        let listed = all.as_array().is_some_and(|all| {
            all.iter().any(|i| i["RepoTags"].as_array().is_some_and(|t| t.contains(&json!(name))))
        });
        holds("listed", listed, &name)?;
        let path = format!("/images/{name}");
        bench.engine.delete(&path, "remove").await.map_err(|e| e.to_string())?;
        same("gone", status(bench.engine.delete(&path, "remove").await)?.0, 404)
    }
}
