//! The whole way of an incident, on a real engine with the built program: from what is watched to
//! what was verified.

mod support;

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, EndpointSettings, NetworkingConfig};
use serde_json::{Value, json};

use support::process::Headless;
use support::{CRASHES, Corner, Fallible};

/// A store that answers until it is told to crash.
const STORE: &str = "nc -ll -p 9000 -e echo ok & echo ready; until [ -e /crash ]; do sleep 0.02; done; rm /crash; echo 'FATAL: lost the index' >&2; exit 7";
/// Asks the store three times a second, and is loud about it when that fails.
const ASKS: &str = "while :; do if echo x | nc -w 1 db 9000 >/dev/null 2>&1; then echo \"INFO request $((n=n+1)) served\"; else echo 'ERROR cannot reach db:9000: connection refused' >&2; fi; sleep 0.3; done";

fn place(app: &Headless, kind: &str, holds: impl Fn(&Value) -> bool) -> Option<usize> {
    app.events.iter().position(|e| e["type"] == kind && holds(e))
}

/// What each of the seven steps must say, in this order.
#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn watched_anomaly_incident_diagnosis_fix_health_check_resolved_with_its_explanation()
-> Fallible {
    let corner = Corner::new("steps")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut app = Headless::start(&corner, folder.path(), &["--auto-heal"])?;
    corner.crash("api").await?;
    app.until("incident_resolved", |_| true)?;
    let name = corner.full("api");
    let on = |pointer: &'static str| {
        let name = name.clone();
        move |e: &Value| e.pointer(pointer) == Some(&json!(name))
    };
    let any = |_: &Value| true;
    let named = on("/anomaly/container");
    let steps = [
        ("watched", place(&app, "container_seen", on("/container/name"))),
        // Its last line may be told as well, and before.
        ("anomaly", place(&app, "anomaly", |e| named(e) && e["anomaly"]["kind"] == "death")),
        ("incident", place(&app, "incident_opened", on("/incident/container"))),
        ("diagnosis", place(&app, "diagnosis_ready", on("/diagnosis/root"))),
        ("fix", place(&app, "fix_applied", on("/target"))),
        ("health check", place(&app, "verification", any)),
        ("resolved", place(&app, "incident_resolved", on("/incident/container"))),
    ];
    for pair in steps.windows(2) {
        let [(earlier, before), (later, after)] = [pair[0], pair[1]];
        assert!(before.is_some() && before < after, "{later} comes after {earlier}: {steps:?}");
    }
    let event = |step: usize| &app.events[steps[step].1.unwrap_or_default()];
    assert_eq!(event(3)["diagnosis"]["class"], "transient_crash");
    assert_eq!((&event(4)["tool"], &event(4)["by"]), (&json!("start_container"), &json!("policy")));
    assert_eq!(event(5)["passed"], true);
    let checks = event(5)["checks"].as_array().ok_or("no checks")?;
    assert!(checks.iter().any(|c| c["name"] == "running"), "{checks:?}");
    let explanation = event(6)["incident"]["explanation"].as_str().unwrap_or_default();
    for part in ["exit status 7", "lost the index", "docker start", "Verified by"] {
        assert!(explanation.contains(part), "{part:?} is missing in {explanation:?}");
    }
    assert_eq!(app.stop()?, 0);
    Ok(())
}

/// On the case's network, under its short name.
fn on_network(mut body: ContainerCreateBody, network: &str, short: &str) -> ContainerCreateBody {
    let aliases = Some(vec![short.to_owned()]);
    let endpoint = EndpointSettings { aliases, ..Default::default() };
    body.networking_config = Some(NetworkingConfig {
        endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
    });
    body.host_config.get_or_insert_default().network_mode = Some(network.to_owned());
    body
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_store_that_dies_under_three_loud_callers_is_one_incident_and_only_it_is_started()
-> Fallible {
    let corner = Corner::new("cascade")?;
    let folder = tempfile::tempdir()?;
    let network = corner.network("net").await?;
    corner.start("db", on_network(corner.body("db", STORE), &network, "db")).await?;
    let callers = ["api", "worker", "gateway"];
    for caller in callers {
        let mut body = on_network(corner.body(caller, ASKS), &network, caller);
        body.env = Some(vec!["PEER_URL=http://db:9000".to_owned()]);
        corner.start(caller, body).await?;
    }
    let mut before = Vec::new();
    for caller in callers {
        before.push(corner.running_since(caller).await?);
    }
    let mut app = Headless::start_with(
        &corner,
        folder.path(),
        &["--auto-heal"],
        &[("SENTINEL_VERIFY_SECONDS", "4".to_owned())],
    )?;
    app.after(Duration::from_secs(2));
    corner.crash("db").await?;
    let resolved = app.until("incident_resolved", |_| true)?;
    // Whoever would open a second one has had the time.
    app.after(Duration::from_secs(4));
    let incident = &resolved["incident"];
    assert_eq!(incident["root"], corner.full("db").as_str());
    assert_eq!(app.all("incident_opened").len(), 1, "one incident per cause");
    let calls: Vec<_> =
        app.all("fix_applied").iter().map(|e| (e["tool"].clone(), e["target"].clone())).collect();
    assert_eq!(calls, [(json!("start_container"), json!(corner.full("db")))]);
    let mut after = Vec::new();
    for caller in callers {
        after.push(corner.running_since(caller).await?);
    }
    assert_eq!(before, after, "the callers recover untouched");
    assert!(corner.running_since("db").await?.is_some());
    assert_eq!(app.stop()?, 0);
    Ok(())
}
