//! What can be looked at.

use sentinel_tui::api::routes::names;

use crate::client::{ask, get};
use crate::stage::{INCIDENT, Stage, id};
use crate::support::Fallible;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_shown_is_there_and_bounded() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let state = get(at, "/containers").await?.json()?;
    assert_eq!(state["containers"][0]["name"], "shop-api");
    assert_eq!(state["engine"]["name"], "vm");
    let (id, short) = (id(), id().short().to_owned());
    for name in ["shop-api", id.as_str(), &short] {
        let log = get(at, &format!("/containers/{name}/logs?limit=2")).await?.json()?;
        assert_eq!(log["lines"][0]["text"], "line 4", "{name}");
        assert_eq!(log["lines"][0]["anomaly_id"], "A-4");
        assert_eq!((&log["last"], &log["lines"][1]["seq"]), (&5.into(), &5.into()));
    }
    let log = get(at, "/containers/shop-api/logs?after=3").await?.json()?;
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(2));
    let list = get(at, "/incidents?state=open").await?.json()?;
    assert_eq!(list["incidents"][0]["id"], INCIDENT);
    let closed = get(at, "/incidents?state=closed").await?.json()?;
    assert_eq!(closed["incidents"].as_array().map(Vec::len), Some(0));
    let one = get(at, &format!("/incidents/{INCIDENT}")).await?.json()?;
    assert_eq!(one["plan"]["sha256"].as_str().map(str::len), Some(64));
    let audit = get(at, "/audit?after=1").await?.json()?;
    assert_eq!((&audit["records"][0]["n"], &audit["next"]), (&2.into(), &3.into()));
    let end = get(at, "/audit?after=3").await?.json()?;
    assert!(end["next"].is_null());
    assert_eq!(get(at, "/tools").await?.json()?["tools"], serde_json::json!([]));
    let metrics = get(at, "/metrics").await?;
    let line = "sentinel_incidents{state=\"awaiting_approval\",class=\"transient_crash\"} 1";
    assert!(metrics.body.contains(line), "{}", metrics.body);
    assert!(metrics.body.contains("process_resident_memory_bytes "));
    assert_eq!(get(at, "/healthz").await?.status, 200);
    assert_eq!(get(at, "/readyz").await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_understood_or_not_there_is_said() -> Fallible {
    let stage = Stage::new()?;
    for (path, status) in [
        ("/containers/nothing/logs", 404),
        ("/containers/shop-api/logs?limit=0", 400),
        ("/containers/shop-api/logs?limit=2001", 400),
        ("/containers/shop-api/logs?after=9007199254740992", 400),
        ("/containers/shop-api/logs?limit=x", 400),
        ("/containers/shop-api/logs?nonsense=1", 400),
        ("/incidents?state=odd", 400),
        ("/incidents/INC-0", 404),
        ("/audit?after=18446744073709551615", 400),
        ("/ws", 400),
        ("/nothing", 404),
    ] {
        let answer = get(stage.address, path).await?;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()?["error"].is_string(), "{path}");
    }
    let headers = crate::client::bearer(crate::stage::TOKEN);
    let answer = ask(stage.address, "DELETE /containers", &headers, "").await?;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get"), "{}", answer.head);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_not_seen_is_not_ready() -> Fallible {
    let stage = Stage::new()?;
    stage.snapshots.send_modify(|snapshot| {
        let mut blind = (**snapshot).clone();
        blind.degraded.push(sentinel_core::domain::snapshot::Degraded {
            part: "docker".to_owned(),
            detail: "no answer".to_owned(),
            since: blind.at,
        });
        *snapshot = blind.into();
    });
    assert_eq!(get(stage.address, "/readyz").await?.status, 503);
    assert_eq!(get(stage.address, "/healthz").await?.status, 200);
    assert!(get(stage.address, "/containers").await?.json()?["stale_since"].is_string());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_described_path_is_served() -> Fallible {
    let stage = Stage::new()?;
    let headers = crate::client::bearer(crate::stage::TOKEN);
    for (path, method) in names() {
        let path = path.replace("{id}", "none");
        let answer = ask(stage.address, &format!("{method} {path}"), &headers, "").await?;
        assert_ne!(answer.status, 405, "{path}");
        assert!(!answer.body.contains("there is nothing here"), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_may_run_its_own_script_and_no_other() -> Fallible {
    let stage = Stage::new()?;
    let (first, second) = (get(stage.address, "/").await?, get(stage.address, "/").await?);
    let nonce = |head: &str| {
        let (_, rest) = head.split_once("script-src 'nonce-")?;
        rest.split_once('\'').map(|(nonce, _)| nonce.to_owned())
    };
    let (one, two) =
        (nonce(&first.head).ok_or("no nonce")?, nonce(&second.head).ok_or("no nonce")?);
    assert_ne!(one, two);
    assert!(first.body.contains(&format!("<script nonce=\"{one}\">")));
    assert!(first.head.contains("default-src 'none'") && !first.head.contains("unsafe"));
    Ok(())
}
