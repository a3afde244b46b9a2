//! A recreate while the engine goes away, answers late, or another server comes: on a real engine
//! that a detour cuts off at a chosen request.

use config_patcher::journal::{Entry, Journal, Stage};
use config_patcher::rollback;
use config_patcher::server::ConfigPatcher;
use mcp_kit::Settings;
use mcp_kit::detour::{Detour, Way};
use mcp_kit::testing::{Bench, Client, Outcome, bad, client, good};
use sentinel_core::domain::names::{is_parked_name, is_staged_name};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const TOOL: &str = "update_env_vars";

struct Set {
    bench: Bench,
    settings: Settings,
    _state: tempfile::TempDir,
}

fn set() -> Outcome<Set> {
    let bench = Bench::new("ci")?;
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let settings = Settings { state_dir: Some(state.path().to_owned()), ..bench.settings() };
    Ok(Set { bench, settings, _state: state })
}

impl Set {
    /// A server with the engine behind a detour.
    async fn behind(&self, detour: &Detour) -> Outcome<Client> {
        client(ConfigPatcher::new(detour.settings(&self.settings))).await
    }

    /// Calls the tool without waiting for its end.
    fn start(
        &self,
        client: Client,
        updates: &Value,
        ends_well: bool,
    ) -> JoinHandle<Outcome<Value>> {
        let asked = json!({"container_name": self.bench.name("api"), "env_updates": updates});
        tokio::spawn(async move {
            if ends_well {
                good(&client, TOOL, asked).await
            } else {
                bad(&client, TOOL, asked).await
            }
        })
    }

    async fn entries(&self) -> Outcome<Vec<Entry>> {
        let engine = &self.bench.engine;
        let id = rollback::engine_id(engine).await.map_err(|e| e.to_string())?;
        let journal = Journal::open(&self.settings).await.map_err(|e| e.to_string())?;
        journal.interrupted(&id).map_err(|e| e.to_string())
    }

    /// Names on the bench: standing ones, staged ones, parked ones.
    async fn names(&self) -> Outcome<(Vec<String>, Vec<String>, Vec<String>)> {
        let all = self.bench.names().await?;
        let (parked, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|n| is_parked_name(n));
        let (staged, standing) = rest.into_iter().partition(|n| is_staged_name(n));
        Ok((standing, staged, parked))
    }
}

/// Whether a request renames a container, and to what kind of name.
fn renames(request: &str, wanted: impl Fn(&str) -> bool) -> bool {
    request.rsplit_once("/rename?name=").is_some_and(|(_, name)| wanted(name))
}

fn plain(name: &str) -> bool {
    !is_parked_name(name) && !is_staged_name(name)
}

/// A health check that is passed once the test has put a file in its place.
fn patient() -> Value {
    json!({
        "Test": ["CMD-SHELL", "test \"$MODE\" != slow || test -e /go"],
        "Interval": 200_000_000, "Timeout": 5_000_000_000_u64, "Retries": 1000,
    })
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_engine_that_goes_away_after_the_last_step_takes_nothing_down() {
    let set = set().unwrap();
    let old_id = set.bench.run("api", &set.bench.body("exec sleep 600")).await.unwrap();
    // The rename of the successor is answered; nothing after it is.
    let detour = Detour::new(&set.bench, |seen| {
        let last = seen.len() - 1;
        let done = seen[..last].iter().any(|request| renames(request, plain));
        if done { Way::Cut } else { Way::Through }
    })
    .unwrap();
    let client = set.behind(&detour).await.unwrap();
    let done = set.start(client, &json!({"A": "1"}), true).await.unwrap().unwrap();
    let notes = done["notes"].to_string();
    assert!(notes.contains("could not be looked at again"), "{notes}");
    assert_eq!(done["new_env"]["A"], "***", "{done}");

    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&done["new_container_id"], &json!(true)));
    assert_eq!(done["started_at"], now["State"]["StartedAt"]);
    assert_ne!(now["Id"], old_id);
    let (standing, staged, parked) = set.names().await.unwrap();
    assert_eq!((standing, staged.len()), (vec![set.bench.name("api")], 0));
    assert_eq!(json!(parked), json!([done["parked_container"]]));
    assert!(set.entries().await.unwrap().is_empty());
    assert!(!detour.seen().iter().any(|request| request.starts_with("DELETE")));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_engine_that_goes_away_between_the_names_leaves_an_entry() {
    let set = set().unwrap();
    set.bench.run("api", &set.bench.body("exec sleep 600")).await.unwrap();
    let detour = Detour::new(&set.bench, |seen| {
        let done = seen[..seen.len() - 1].iter().any(|request| renames(request, is_parked_name));
        if done { Way::Cut } else { Way::Through }
    })
    .unwrap();
    let client = set.behind(&detour).await.unwrap();
    let error = set.start(client, &json!({"A": "1"}), false).await.unwrap().unwrap();
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("the way back failed too"), "{text}");
    let (standing, staged, parked) = set.names().await.unwrap();
    assert_eq!((standing.len(), staged.len(), parked.len()), (0, 1, 1));
    assert_eq!(set.entries().await.unwrap().len(), 1, "somebody must know of it");
    let new = set.bench.engine.inspect(&staged[0]).await.unwrap();
    assert!(new.switch("/State/Running"), "the service is up under its other name");

    let ended = ConfigPatcher::new(set.settings.clone()).recover().await.unwrap();
    assert!(ended[0].contains("was completed"), "{ended:?}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(new.id), &json!(true)));
    assert!(set.entries().await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_successor_with_its_name_stays_even_if_the_entry_was_left() {
    let set = set().unwrap();
    let old_id = set.bench.run("api", &set.bench.body("exec sleep 600")).await.unwrap();
    let client = client(ConfigPatcher::new(set.settings.clone())).await.unwrap();
    let done = set.start(client, &json!({"A": "1"}), true).await.unwrap().unwrap();
    // As if the entry could not be removed, and an operator stopped the service later.
    let id = rollback::engine_id(&set.bench.engine).await.unwrap();
    let parked = done["parked_container"].as_str().unwrap();
    let stamp = parked.rsplit('-').next().unwrap();
    let mut entry = Entry::new(id, old_id, set.bench.name("api"), stamp);
    (entry.stage, entry.was_running) = (Stage::Accepted, true);
    Journal::open(&set.settings).await.unwrap().write(&entry).unwrap();
    set.bench.post(&format!("/containers/{}/stop?t=0", entry.name), None).await.unwrap();

    let ended = ConfigPatcher::new(set.settings.clone()).recover().await.unwrap();
    assert!(ended[0].contains("was completed"), "{ended:?}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&done["new_container_id"], &json!(false)));
    assert!(set.entries().await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_stop_that_takes_effect_after_the_way_back_is_undone() {
    let set = set().unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "always"}});
    let old_id = set.bench.run("api", &body).await.unwrap();
    let before = set.bench.inspect("api").await.unwrap();
    // The stop gets no answer; that it reaches the engine late is played below.
    let detour = Detour::new(&set.bench, |seen| match seen.last() {
        Some(request) if request.contains("/stop") => Way::Cut,
        _ => Way::Through,
    })
    .unwrap();
    let client = set.behind(&detour).await.unwrap();
    let call = set.start(client, &json!({"A": "1"}), false);
    // The first look of the way back that could be its last: it has restored the policy, found
    // the old one running, and asks again.
    let update = format!("POST /containers/{old_id}/update");
    let looked = move |seen: &[String]| {
        let restored = seen.iter().rposition(|request| *request == update);
        let twice = seen.iter().filter(|request| **request == update).count() == 2;
        restored.is_some_and(|at| {
            twice && seen[at..].iter().filter(|request| request.starts_with("GET")).count() >= 2
        })
    };
    detour.until(looked).await.unwrap();
    assert_eq!(set.entries_while_locked().unwrap(), 1, "the entry stays while this is open");
    set.bench.post(&format!("/containers/{old_id}/stop?t=0"), None).await.unwrap();

    let error = call.await.unwrap().unwrap();
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("everything is as it was"), "{text}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_ne!(now["State"]["StartedAt"], before["State"]["StartedAt"]);
    assert_eq!(now["HostConfig"]["RestartPolicy"]["Name"], "always");
    assert_eq!(set.names().await.unwrap(), (vec![set.bench.name("api")], vec![], vec![]));
    assert!(set.entries().await.unwrap().is_empty());
}

impl Set {
    /// How many entries there are, looked at beside the lock.
    fn entries_while_locked(&self) -> Outcome<usize> {
        let folder = self.settings.state_dir.clone().unwrap_or_default().join("recreate");
        let files = std::fs::read_dir(folder).map_err(|e| e.to_string())?;
        Ok(files
            .filter_map(Result::ok)
            .filter(|file| file.path().extension().is_some_and(|extension| extension == "json"))
            .count())
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_second_server_does_not_touch_a_recreate_in_flight() {
    let set = set().unwrap();
    let mut body = set.bench.body("exec sleep 600");
    body["Healthcheck"] = patient();
    let old_id = set.bench.run("api", &body).await.unwrap();
    let first = client(ConfigPatcher::new(set.settings.clone())).await.unwrap();
    let call = set.start(first, &json!({"MODE": "slow"}), true);
    let deadline = std::time::Instant::now() + mcp_kit::testing::PATIENCE;
    let staged = loop {
        let (_, staged, _) = set.names().await.unwrap();
        if let Some(name) = staged.first()
            && set.bench.engine.inspect(name).await.is_ok_and(|c| c.switch("/State/Running"))
        {
            break name.clone();
        }
        assert!(std::time::Instant::now() < deadline, "no successor was started");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };

    // One that starts and one that is called, both with the same folder.
    let (second, third) =
        (ConfigPatcher::new(set.settings.clone()), ConfigPatcher::new(set.settings.clone()));
    let third = client(third).await.unwrap();
    let asked = json!({"container_name": set.bench.name("api"), "env_updates": {"MODE": "other"}});
    let (started, called) = tokio::join!(second.recover(), bad(&third, TOOL, asked));
    assert_eq!(started.unwrap_err().code(), "conflict");
    assert_eq!(called.unwrap()["code"], "conflict");
    let now = set.bench.engine.inspect(&staged).await.unwrap();
    assert!(now.switch("/State/Running"), "the successor still proves itself");
    let old = set.bench.inspect("api").await.unwrap();
    assert_eq!((&old["Id"], &old["State"]["Running"]), (&json!(old_id), &json!(false)));

    let command = json!({"Cmd": ["sh", "-c", "> /go"], "AttachStdout": true});
    let exec = set.bench.post(&format!("/containers/{staged}/exec"), Some(&command)).await;
    let exec = exec.unwrap()["Id"].as_str().unwrap().to_owned();
    let path = format!("/exec/{exec}/start");
    set.bench.post(&path, Some(&json!({"Detach": true}))).await.unwrap();
    let done = call.await.unwrap().unwrap();
    assert_eq!(done["new_container_id"], now.id);
    let (standing, staged, parked) = set.names().await.unwrap();
    assert_eq!((standing, staged.len()), (vec![set.bench.name("api")], 0));
    assert_eq!(json!(parked), json!([done["parked_container"]]));
}

/// Leaves things as a process leaves them that died before its successor was accepted.
async fn died(set: &Set) -> Outcome<String> {
    let mut body = set.bench.body("exec sleep 600");
    body["HostConfig"] = json!({"RestartPolicy": {"Name": "no"}});
    let old_id = set.bench.run("api", &body).await?;
    let id = rollback::engine_id(&set.bench.engine).await.map_err(|e| e.to_string())?;
    let stamp = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S").to_string();
    let mut entry = Entry::new(id, old_id.clone(), set.bench.name("api"), &stamp);
    (entry.stage, entry.was_running) = (Stage::Starting, true);
    set.bench.create(&format!("api-staged-{stamp}"), &body).await?;
    set.bench.post(&format!("/containers/{old_id}/stop?t=0"), None).await?;
    let journal = Journal::open(&set.settings).await.map_err(|e| e.to_string())?;
    journal.write(&entry).map_err(|e| e.to_string())?;
    Ok(old_id)
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn of_two_servers_that_start_at_once_one_recovers() {
    let set = set().unwrap();
    let old_id = died(&set).await.unwrap();
    let detour = Detour::new(&set.bench, |_| Way::Through).unwrap();
    let server = || ConfigPatcher::new(detour.settings(&set.settings));
    let (one, two) = (server(), server());
    let (one, two) = tokio::join!(one.recover(), two.recover());
    // The second waits for the first, and on a slow machine not for long enough: then it says so.
    let mut said = Vec::new();
    for ended in [one, two] {
        match ended {
            Ok(texts) => said.extend(texts),
            Err(failure) => assert_eq!(failure.code(), "conflict", "{failure}"),
        }
    }
    // Parked containers of other tests are none of this test's business.
    said.retain(|text| text.contains("interrupted"));
    assert_eq!(said.len(), 1, "{said:?}");
    let seen = detour.seen();
    let starts = format!("POST /containers/{old_id}/start");
    assert_eq!(seen.iter().filter(|request| **request == starts).count(), 1);
    let removals = |request: &&String| request.starts_with("DELETE") && request.contains("force");
    assert_eq!(seen.iter().filter(removals).count(), 1, "only one tried: {seen:?}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_eq!(set.names().await.unwrap(), (vec![set.bench.name("api")], vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_read_only_server_neither_recovers_nor_clears() {
    let set = set().unwrap();
    let old_id = died(&set).await.unwrap();
    // Over for the servers of this test (12 h), not for those of others (24 h).
    let hours = std::time::Duration::from_hours(13);
    let long_ago = (jiff::Timestamp::now() - hours).strftime("%Y%m%d%H%M%S").to_string();
    let parked = format!("api-parked-{long_ago}");
    set.bench.create(&parked, &set.bench.body("exec sleep 600")).await.unwrap();
    let park_for = Some(std::time::Duration::from_hours(12));
    let settings = Settings { park_for, ..set.settings.clone() };
    let detour = Detour::new(&set.bench, |_| Way::Through).unwrap();

    let read_only = Settings { read_only: true, ..detour.settings(&settings) };
    let server = ConfigPatcher::new(read_only);
    assert!(server.recover().await.unwrap().is_empty());
    let client = client(server).await.unwrap();
    let error = set.start(client, &json!({"A": "1"}), false).await.unwrap().unwrap();
    assert_eq!(error["code"], "read_only", "{error}");
    assert!(detour.seen().is_empty(), "{:?}", detour.seen());
    assert_eq!(set.entries().await.unwrap().len(), 1);
    let (_, staged, kept) = set.names().await.unwrap();
    assert_eq!((staged.len(), kept), (1, vec![set.bench.name(&parked)]));

    // The same folder and the same engine, with leave to act.
    let said = ConfigPatcher::new(settings).recover().await.unwrap();
    assert!(said.iter().any(|text| text.contains("was rolled back")), "{said:?}");
    let now = set.bench.inspect("api").await.unwrap();
    assert_eq!((&now["Id"], &now["State"]["Running"]), (&json!(old_id), &json!(true)));
    assert_eq!(set.names().await.unwrap(), (vec![set.bench.name("api")], vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_secret_in_the_successors_last_words_is_hidden() {
    let set = set().unwrap();
    let mut body = set.bench.body("test -z \"$MODE\" || { echo $MODE: no login with $DB_PASSWORD and $COPIED; exit 7; }; exec sleep 600");
    body["Env"] = json!(["DB_PASSWORD=open-sesame", "PLAIN=swordfish"]);
    set.bench.run("api", &body).await.unwrap();
    let client = client(ConfigPatcher::new(set.settings.clone())).await.unwrap();
    let reference = format!("{}/PLAIN", set.bench.name("api"));
    let updates = json!({"MODE": "strict", "COPIED": {"secret_ref": reference}});
    let error = set.start(client, &updates, false).await.unwrap().unwrap();
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("strict: no login with *** and ***"), "{text}");
}
